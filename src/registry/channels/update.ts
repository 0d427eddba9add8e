import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import type { ChannelChanges } from '../contract/channels.ts';
import { record } from '../record.ts';
import { assignLocked } from './assign.ts';
import { namedChannel } from './named.ts';
import { lockChannel } from './take-version.ts';

type Update = Parameters<ChannelChanges['update']>[0];

export async function updateChannel(tx: Tx, input: Update): Promise<void> {
  const found = await namedChannel(tx, input);
  if (input.versionId !== undefined && found.managed) {
    throw new Failure(
      'illegal_state',
      `Can't update channel assignment on channel "${found.name}". This channel is managed by HCP Packer`,
    );
  }
  const locked = await lockChannel(tx, found);
  const { channel, now } = locked;
  if (input.versionId !== undefined) await assignLocked(tx, locked, input.versionId, input.by);
  const { restricted = channel.restricted } = input;
  if (restricted === channel.restricted) return;
  await tx.updateTable('channel').set({ restricted, updated_at: now }).where('id', '=', channel.id).execute();
  await record(tx, {
    kind: 'channel.changed',
    project: channel.project,
    bucket: channel.bucket,
    subjectId: channel.id,
    data: { channel: channel.name, restricted },
    by: input.by,
    at: now,
  });
}
