import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import { lockVersion, type LockedVersion } from '../bakes/lock-version.ts';
import type { Deletions } from '../contract/deletions.ts';
import { wakeSharers } from '../enforcement/wake-sharers.ts';
import { materialiseBuckets } from '../materialise.ts';
import { endPromotion } from '../promotions/end-promotion.ts';
import { channelById, type ChannelRow } from '../channels/rows.ts';
import { record } from '../record.ts';
import { identify, type VersionIdentity } from '../version-identity.ts';
import { findVersionId } from '../views/find.ts';
import { missing } from '../views/missing.ts';
import { leaveDeleted } from './leave-deleted.ts';
import { refuseBeingBaked } from './being-baked.ts';

type DeleteVersion = Parameters<Deletions['version']>[0];

export async function deleteVersion(tx: Tx, input: DeleteVersion): Promise<void> {
  const { project, bucket, fingerprint, by } = input;
  const versionId = await findVersionId(tx, project, bucket, fingerprint);
  const locked = await lockVersion(tx, versionId);
  const now = await clock(tx);
  await materialiseBuckets(tx, [locked.bucketId], now);
  const version = await identify(tx, versionId);
  if (version.isDeleted) throw missing('version', fingerprint);
  await refuseBeingBaked(tx, locked);
  const channels = await channelsOn(tx, versionId);
  const users = channels.filter(({ managed }) => !managed);
  if (users.length > 0 && !input.rollBack) {
    throw new Failure(
      'illegal_state',
      `Version is assigned by channels: ${users.map(({ name }) => name).join(', ')}. Assign other versions there, or ask for the roll back of channels.`,
    );
  }
  await bury(tx, locked, now);
  await endItsPromotions(tx, version, by, now);
  for (const channel of channels) await leaveDeleted(tx, channel, version, { by, now });
  const event = {
    kind: 'version.deleted',
    project,
    bucket,
    versionId,
    subjectId: versionId,
    data: { version: version.name, fingerprint },
    by,
    at: now,
  } as const;
  await record(tx, event, await wakeSharers(tx, { versionIds: [versionId] }));
}

/** A pipeline may use a fingerprint again, unless a request of ours owns it. It stays readable behind what frees it. */
async function bury(tx: Tx, { id, requestId }: LockedVersion, now: string): Promise<void> {
  await sql`
    update version set deleted_at = ${now}, updated_at = ${now},
      state = case state when 'running' then 'cancelled' else state end,
      fingerprint = case when ${requestId === null}::boolean then 'deleted/' || id || '/' || fingerprint else fingerprint end
    where id = ${id}`.execute(tx);
}

/** Live channels whose newest row is the version. */
async function channelsOn(tx: Tx, versionId: string): Promise<readonly ChannelRow[]> {
  const { rows } = await sql<{ id: string }>`
    select a.channel_id as id
    from assignment a join channel c on c.id = a.channel_id and c.deleted_at is null
    where a.version_id = ${versionId}
      and not exists (select from assignment n where n.channel_id = a.channel_id and n.sequence = a.sequence + 1)
    order by c.name`.execute(tx);
  const channels: ChannelRow[] = [];
  for (const { id } of rows) channels.push(await channelById(tx, id));
  return channels;
}

async function endItsPromotions(tx: Tx, version: VersionIdentity, by: Actor, now: string): Promise<void> {
  const open = await tx
    .selectFrom('promotion')
    .selectAll()
    .where('version_id', '=', version.id)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .execute();
  const detail = `${version.name} was deleted by ${by.name}`;
  for (const promotion of open) {
    const channel = await channelById(tx, promotion.channel_id);
    await endPromotion(tx, promotion, channel, { state: 'failed', detail, by, now, wake: true });
  }
}
