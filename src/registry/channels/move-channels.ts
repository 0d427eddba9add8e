import { sql } from 'kysely';
import { monotonicFactory } from 'ulid';
import { system, type Actor } from '../../domain/actor.ts';
import type { Tx } from '../../store/store.ts';
import type { DueRecord } from '../revocations/due-records.ts';
import { loadEffective } from '../status.ts';
import { rebasePromotions } from './rebase-promotions.ts';

/** Within one millisecond it counts on, which is in order and costs a fraction of fresh randomness. */
const nextId = monotonicFactory();

interface Pointed {
  readonly versionId: string | null;
  readonly versionName: string | null;
}

/** A channel that left a revoked version. */
export interface Move {
  readonly channelId: string;
  readonly channel: string;
  readonly bucket: string;
  readonly project: string;
  readonly from: Pointed;
  readonly to: Pointed;
  readonly by: Actor;
}

interface Newest {
  readonly channelId: string;
  readonly channel: string;
  readonly bucket: string;
  readonly project: string;
  readonly assignmentId: string;
  readonly sequence: number;
  readonly versionId: string;
  readonly versionName: string;
}

/** Writes a history row for each channel that points elsewhere now that these records are due. Their buckets are locked. */
export async function moveChannels(tx: Tx, due: readonly DueRecord[], now: string): Promise<readonly Move[]> {
  const newest = await channelsOn(
    tx,
    due.map((one) => one.versionId),
  );
  const effective = await loadEffective(
    tx,
    newest.map((one) => one.channelId),
    now,
  );
  // One that asks for it before the others, which move `latest` only.
  const causes = new Map(
    due.toSorted((a, b) => Number(a.rollBack) - Number(b.rollBack)).map((one) => [one.versionId, one]),
  );
  const written = newest.flatMap((one) => {
    const to = effective.get(one.channelId);
    return to?.derived === true ? [{ one, to, id: nextId(), cause: causes.get(one.versionId) }] : [];
  });
  if (written.length === 0) return [];
  const rows = written.map(({ one, to, id, cause }) => ({
    id,
    channel_id: one.channelId,
    sequence: one.sequence + 1,
    version_id: to.versionId,
    version_name: to.versionName,
    reason: cause?.reason ?? '',
    actor: cause?.by ?? system('revocations'),
  }));
  await sql`
    insert into assignment (id, channel_id, sequence, version_id, version_name, cause, reason, actor, at)
    select id, channel_id, sequence, version_id, version_name, 'revocation', reason, actor, ${now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (
      id text, channel_id text, sequence integer, version_id text, version_name text, reason text, actor jsonb
    )`.execute(tx);
  await rebasePromotions(
    tx,
    written.map(({ one, id }) => ({ from: one.assignmentId, to: id })),
  );
  return written.map(({ one, to, cause }) => ({
    channelId: one.channelId,
    channel: one.channel,
    bucket: one.bucket,
    project: one.project,
    from: { versionId: one.versionId, versionName: one.versionName },
    to: { versionId: to.versionId, versionName: to.versionName },
    by: cause?.by ?? system('revocations'),
  }));
}

/** Channels whose newest row is one of these versions. */
async function channelsOn(tx: Tx, versionIds: readonly string[]): Promise<readonly Newest[]> {
  const { rows } = await sql<Newest>`
    select c.id as "channelId", c.name as channel, b.name as bucket, p.name as project, a.id as "assignmentId", a.sequence,
      a.version_id as "versionId", a.version_name as "versionName"
    from assignment a
      join channel c on c.id = a.channel_id
      join bucket b on b.id = c.bucket_id
      join project p on p.id = b.project_id
    where a.version_id = any(${[...new Set(versionIds)]}::text[])
      and not exists (select from assignment n where n.channel_id = a.channel_id and n.sequence = a.sequence + 1)
    order by c.id`.execute(tx);
  return rows;
}
