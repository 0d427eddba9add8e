import { Failure } from '../../domain/failure.ts';
import { isGated } from '../../domain/image-line.ts';
import type { Tx } from '../../store/store.ts';
import type { ChannelChanges } from '../contract/channels.ts';
import { buryChannels } from './bury.ts';
import { namedChannel } from './named.ts';
import type { ChannelRow } from './rows.ts';
import { lockChannel } from './take-version.ts';

type Remove = Parameters<ChannelChanges['remove']>[0];

export async function removeChannel(tx: Tx, input: Remove): Promise<void> {
  const found = await namedChannel(tx, input);
  if (found.managed) {
    throw new Failure(
      'invalid_input',
      `Can't delete managed channel ${found.name}, it follows the newest complete version of bucket ${found.bucket} by itself.`,
    );
  }
  const { channel, now } = await lockChannel(tx, found);
  refuseKept(channel, input.mayDropGates);
  await buryChannels(tx, [channel], { by: input.by, now });
}

/** Made anew, a channel has no gates: whoever may not promote past them may not lose them either. */
function refuseKept(channel: ChannelRow, mayDropGates: boolean): void {
  const which = `Channel "${channel.name}" of bucket "${channel.bucket}"`;
  if (channel.position !== null) {
    throw new Failure(
      'illegal_state',
      `${which} is described in bakehouse.yaml: take it out of the line there and apply it, then delete the channel.`,
    );
  }
  if (isGated(channel.gates) && !mayDropGates) {
    throw new Failure(
      'illegal_state',
      `${which} has gates that a bakehouse.yaml gave it, and only an admin deletes it.`,
    );
  }
}
