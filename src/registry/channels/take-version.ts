import type { EffectiveAssignment } from '../../domain/channel.ts';
import { unassigned } from '../../domain/effective-assignment.ts';
import { Failure } from '../../domain/failure.ts';
import type { Db, Tx } from '../../store/store.ts';
import { clock, lockBuckets } from '../../store/transaction.ts';
import { materialiseBuckets } from '../materialise.ts';
import { versionNotFound } from '../lookup.ts';
import { loadEffective, loadStandings } from '../status.ts';
import { identify, type VersionIdentity } from '../version-identity.ts';
import { channelById, type ChannelRow } from './rows.ts';

export interface LockedChannel {
  /** As it is under the lock. */
  readonly channel: ChannelRow;
  readonly now: string;
  /** What it points to, recorded and effective alike. */
  readonly effective: EffectiveAssignment;
}

/** Locks a channel's bucket and writes what is due there. Refuses (`not_found`) one that was deleted meanwhile. */
export async function lockChannel(tx: Tx, found: ChannelRow): Promise<LockedChannel> {
  const locked = await lockWhatIsLeft(tx, found);
  if (!locked.channel.isDeleted) return locked;
  throw new Failure(
    'not_found',
    `Channel "${found.name}" of bucket "${found.bucket}" was deleted meanwhile. List the bucket's channels.`,
  );
}

/** The same of a tombstone too: what was begun on the channel ends. */
export async function lockWhatIsLeft(tx: Tx, found: ChannelRow): Promise<LockedChannel> {
  await lockBuckets(tx, [found.bucketId]);
  const channel = await channelById(tx, found.id);
  const now = await clock(tx);
  await materialiseBuckets(tx, [channel.bucketId], now);
  const effective = (await loadEffective(tx, [channel.id], now)).get(channel.id) ?? unassigned;
  return { channel, now, effective };
}

/** Refuses a version that a channel may not take: another bucket's, an incomplete one, a revoked one. */
export async function usableVersion(
  db: Db,
  channel: ChannelRow,
  versionId: string,
  now: string,
): Promise<VersionIdentity> {
  const version = await identify(db, versionId);
  if (version.bucketId !== channel.bucketId) {
    throw new Failure(
      'invalid_input',
      `Version ${versionId} is ${version.bucket} ${version.name}, and channel "${channel.name}" is of bucket "${channel.bucket}": name a version of that bucket.`,
    );
  }
  if (version.isDeleted) throw versionNotFound(versionId);
  if (version.state !== 'complete') {
    throw new Failure(
      'illegal_state',
      `Version ${versionId} of ${channel.bucket} is ${version.state}, and a channel takes complete versions only: wait until it is complete, or name another one.`,
    );
  }
  const status = (await loadStandings(db, [versionId], now)).get(versionId)?.status;
  if (status?.state === 'revoked') {
    throw new Failure(
      'illegal_state',
      `${channel.bucket} ${version.name} is revoked since ${status.at ?? 'an unknown date'} (${status.reason ?? 'no reason given'}), and channel "${channel.name}" takes no revoked version: restore it first, or name another one.`,
      { details: { versionId, recordId: status.recordId } },
    );
  }
  return version;
}

/** The managed channel follows completion alone. HCP Packer's sentence, which its users know. */
export function refuseManaged(channel: ChannelRow): void {
  if (!channel.managed) return;
  throw new Failure(
    'illegal_state',
    `Cannot assign to managed channel '${channel.name}'. It follows the newest complete version by itself; use another channel of bucket "${channel.bucket}".`,
  );
}

export function refuseUnexpected(
  channel: ChannelRow,
  effective: EffectiveAssignment,
  expected: string | null,
): void {
  if (effective.assignmentId === expected) return;
  throw new Failure(
    'conflict',
    `Channel "${channel.name}" of bucket "${channel.bucket}" was changed meanwhile: it is ${effective.versionName === null ? 'unassigned' : `on ${effective.versionName}`} now. Look at it again and decide anew.`,
    { details: { assignmentId: effective.assignmentId, expected } },
  );
}
