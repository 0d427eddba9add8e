import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { AssignmentCause, EffectiveAssignment } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import { isGated } from '../../domain/image-line.ts';
import type { Channels } from '../contract/channels.ts';
import type { Tx } from '../../store/store.ts';
import { record, type NewDelivery } from '../record.ts';
import { wakeRollBack } from '../revocations/wake.ts';
import { wakePromotions } from '../promotions/wake.ts';
import { appendAssignment, findChannel, type ChannelRow } from './rows.ts';
import {
  lockChannel,
  refuseManaged,
  refuseUnexpected,
  usableVersion,
  type LockedChannel,
} from './take-version.ts';

type Assign = Parameters<Channels['assign']>[0];

export async function assign(tx: Tx, input: Assign): Promise<void> {
  const found = await findChannel(tx, input.project, input.bucket, input.channel);
  refuseManaged(found);
  const locked = await lockChannel(tx, found);
  const { channel, effective } = locked;
  if (input.expected !== undefined && effective.versionId !== input.versionId) {
    refuseUnexpected(channel, effective, input.expected);
  }
  await assignLocked(tx, locked, input.versionId, input.by);
}

/** Null: unassigns. */
export async function assignLocked(
  tx: Tx,
  { channel, now, effective }: LockedChannel,
  versionId: string | null,
  by: Actor,
): Promise<void> {
  if (effective.versionId === versionId) return;
  if (versionId === null) {
    await moveByHand(tx, channel, effective, { version: null, cause: 'unassigned', reason: '', by, now });
    return;
  }
  const version = await usableVersion(tx, channel, versionId, now);
  refuseGated(channel, version.name);
  await moveByHand(tx, channel, effective, { version, cause: 'assigned', reason: '', by, now });
}

function refuseGated(channel: ChannelRow, version: string): void {
  if (!isGated(channel.gates)) return;
  throw new Failure(
    'illegal_state',
    `Channel "${channel.name}" of bucket "${channel.bucket}" has gates, and takes no version without them. Start the promotion instead: bakehouse promote ${channel.bucket} ${version} ${channel.name}`,
    { details: { bucket: channel.bucket, channel: channel.name, version } },
  );
}

/** Writes the row and the event; the places are published by `rollBackChannels`, and open promotions look at the channel again. */
export async function moveByHand(
  tx: Tx,
  channel: ChannelRow,
  from: EffectiveAssignment,
  to: {
    readonly version: { readonly id: string; readonly name: string } | null;
    readonly cause: AssignmentCause;
    readonly reason: string;
    readonly by: Actor;
    readonly now: string;
  },
): Promise<void> {
  await appendAssignment(tx, {
    id: ulid(),
    channelId: channel.id,
    version: to.version,
    cause: to.cause,
    reason: to.reason,
    by: to.by,
    at: to.now,
  });
  const deliveries: NewDelivery[] = [
    wakeRollBack(channel.project, { channelId: channel.id }),
    ...(await wakePromotions(tx, channel.id)),
  ];
  await record(
    tx,
    {
      kind: 'channel.assigned',
      project: channel.project,
      bucket: channel.bucket,
      versionId: to.version?.id ?? null,
      subjectId: channel.id,
      data: {
        channel: channel.name,
        cause: to.cause,
        from: from.versionName,
        to: to.version?.name ?? null,
        ...(to.reason === '' ? {} : { reason: to.reason }),
      },
      by: to.by,
      at: to.now,
    },
    deliveries,
  );
}
