import type { Selectable } from 'kysely';
import type { Promotion } from '../../domain/channel.ts';
import { Failure } from '../../domain/failure.ts';
import type { PromotionTable } from '../../store/tables/channels.ts';
import type { Db } from '../../store/store.ts';
import { versionName } from '../lookup.ts';

export type PromotionRow = Selectable<PromotionTable>;

/** Oldest first within a channel, because ids are ULIDs; a caller's own id may not be: `created_at` decides. */
export async function findPromotion(db: Db, promotionId: string): Promise<PromotionRow | undefined> {
  return db.selectFrom('promotion').selectAll().where('id', '=', promotionId).executeTakeFirst();
}

/** Refuses (`not_found`) an id that is not a promotion's. */
export async function getPromotion(db: Db, promotionId: string): Promise<PromotionRow> {
  const row = await findPromotion(db, promotionId);
  if (row !== undefined) return row;
  throw new Failure(
    'not_found',
    `Promotion ${promotionId} does not exist. List the bucket's promotions for their ids.`,
  );
}

/** Promotions as every reader sees them, in the order of the ids. */
async function toPromotions(db: Db, ids: readonly string[]): Promise<readonly Promotion[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('promotion as p')
    .innerJoin('channel as c', 'c.id', 'p.channel_id')
    .innerJoin('bucket as b', 'b.id', 'c.bucket_id')
    .innerJoin('project', 'project.id', 'b.project_id')
    .innerJoin('version as v', 'v.id', 'p.version_id')
    .selectAll('p')
    .select((eb) => eb.fn.coalesce('c.deleted_name', 'c.name').as('channel'))
    .select(['b.name as bucket', 'project.name as project', 'v.number'])
    .where('p.id', 'in', ids)
    .execute();
  const approvals = await db
    .selectFrom('approval')
    .select(['promotion_id', 'actor', 'at'])
    .where('promotion_id', 'in', ids)
    .orderBy('at')
    .orderBy('person')
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  const approvalsOf = Map.groupBy(approvals, (row) => row.promotion_id);
  return ids.flatMap((id) => {
    const row = byId.get(id);
    if (row === undefined) return [];
    return {
      id,
      project: row.project,
      bucket: row.bucket,
      channelId: row.channel_id,
      channel: row.channel,
      versionId: row.version_id,
      versionName: versionName(row.number),
      state: row.state,
      expectedAssignmentId: row.expected_assignment_id,
      reason: row.reason,
      approvals: (approvalsOf.get(id) ?? []).map(({ actor, at }) => ({ by: actor.name, at })),
      by: row.actor,
      createdAt: row.created_at,
      endedAt: row.ended_at,
      detail: row.detail,
    };
  });
}

export async function toPromotion(db: Db, promotionId: string): Promise<Promotion> {
  const [found] = await toPromotions(db, [promotionId]);
  return found ?? getPromotion(db, promotionId).then(() => vanished(promotionId));
}

function vanished(promotionId: string): never {
  throw new Failure('internal', `Promotion ${promotionId} speaks of a channel or version that is not there.`);
}

/** Newest first. */
export async function listPromotions(
  db: Db,
  project: string,
  filter: { bucket?: string; state?: string; limit?: number },
): Promise<readonly Promotion[]> {
  const { bucket, state, limit = 100 } = filter;
  const rows = await db
    .selectFrom('promotion as p')
    .innerJoin('channel as c', 'c.id', 'p.channel_id')
    .innerJoin('bucket as b', 'b.id', 'c.bucket_id')
    .innerJoin('project', 'project.id', 'b.project_id')
    .select('p.id')
    .where('project.name', '=', project)
    .$if(bucket !== undefined, (query) => query.where('b.name', '=', bucket ?? ''))
    .$if(state !== undefined, (query) =>
      query.where((eb) => eb(eb.cast<string>('p.state', 'text'), '=', state ?? '')),
    )
    .orderBy('p.created_at', 'desc')
    .orderBy('p.id', 'desc')
    .limit(limit)
    .execute();
  return toPromotions(
    db,
    rows.map((row) => row.id),
  );
}
