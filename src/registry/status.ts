/**
 * How versions and channels stand at one instant: the one loader that every read and every change uses. It reads what is recorded in a
 * bounded number of queries and leaves the judgement to the pure rules, so no reader ever sees a stale end.
 */
import { sql } from 'kysely';
import type { EffectiveAssignment } from '../domain/channel.ts';
import {
  effectiveAssignment,
  isKnownGone,
  unassigned,
  type ChannelStanding,
  type HistoryRow,
} from '../domain/effective-assignment.ts';
import {
  notRevoked,
  revocationInForce,
  type ExemptionFact,
  type RevocationFact,
  type Standing,
} from '../domain/revocation-in-force.ts';
import type { LastKnown } from '../domain/version.ts';
import type { Db } from '../store/store.ts';
import { givenFingerprint } from './fingerprint.ts';

export interface VersionStanding extends Standing {
  /** It is known not to be launchable in one of its targets, or was deleted. */
  readonly knownGone: boolean;
}

const fine: VersionStanding = {
  status: notRevoked,
  rollBack: false,
  dueRecordIds: [],
  nextAt: null,
  knownGone: false,
};

/** What is recorded of a version, as far as its standing goes. */
export interface StandingFacts {
  readonly records: readonly RecordFact[];
  readonly exemptions: readonly ExemptionFact[];
  readonly seen: readonly LastKnown[];
  readonly isDeleted: boolean;
}

/** A record, with what only people ask of it. */
export interface RecordFact extends RevocationFact {
  readonly author: string;
  /** Of the version that it is inherited from. */
  readonly rootFingerprint: string | null;
}

/** ISO 8601 in UTC with milliseconds, where JSON is made of an instant. */
export const iso = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The columns of `StandingFacts`, for a query that calls the version `v`. */
export const standingFacts = sql`
      coalesce((
        select jsonb_agg(jsonb_build_object(
          'id', r.id, 'kind', r.kind, 'dueAt', ${iso('r.due_at')}, 'reason', r.reason, 'rollBack', r.roll_back, 'liftedAt', null,
          'author', r.actor ->> 'name', 'inheritedFrom', origin.version, 'rootFingerprint', origin.fingerprint
        ))
        from revocation r
          left join lateral (
            select ${givenFingerprint('rv.fingerprint')} as fingerprint, jsonb_build_object(
              'versionId', rv.id, 'bucket', rb.name, 'versionName', 'v' || coalesce(rv.number, 0)
            ) as version
            from revocation root
              join version rv on rv.id = root.version_id
              join bucket rb on rb.id = rv.bucket_id
            where root.id = r.root_id
          ) origin on r.kind = 'inherited'
        where r.version_id = v.id and r.lifted_at is null
      ), '[]') as records,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', e.id, 'startsAt', ${iso('e.starts_at')}, 'endsAt', ${iso('e.ends_at')}))
        from exemption e where e.version_id = v.id
      ), '[]') as exemptions,
      coalesce((
        select jsonb_agg(distinct a.last_known)
        from artifact a join build b on b.id = a.build_id and b.deleted_at is null
        where a.version_id = v.id
      ), '[]') as seen,
      exists (select from version d where d.id = v.id and d.deleted_at is not null) as "isDeleted"`;

export const standingOf = (
  { records, exemptions, seen, isDeleted }: StandingFacts,
  now: string,
): VersionStanding => ({
  ...revocationInForce(records, exemptions, now),
  knownGone: isDeleted || isKnownGone(seen),
});

/** How versions stand at `now` (from `clock`); one query. An id that is not known stands as if nothing were recorded. */
export async function loadStandings(
  db: Db,
  versionIds: readonly string[],
  now: string,
): Promise<ReadonlyMap<string, VersionStanding>> {
  const ids = [...new Set(versionIds)];
  if (ids.length === 0) return new Map();
  const { rows } = await sql<StandingFacts & { readonly id: string }>`
    select v.id, ${standingFacts}
    from unnest(${ids}::text[]) as v (id)`.execute(db);
  return new Map(rows.map((row) => [row.id, standingOf(row, now)]));
}

/** How many older rows are looked at, again and again, while none is found to roll back to. */
const steps = [1, 20, 200, 2_000] as const;

/** What channels point to at `now`. Two queries, and two more for each step back through the history where versions were revoked. */
export async function loadEffective(
  db: Db,
  channelIds: readonly string[],
  now: string,
): Promise<ReadonlyMap<string, EffectiveAssignment>> {
  const found = new Map<string, EffectiveAssignment>(channelIds.map((id) => [id, unassigned]));
  const histories = new Map<string, readonly LoadedRow[]>();
  const standings = new Map<string, VersionStanding>();
  let open: readonly string[] = [...found.keys()];
  for (let step = 0; open.length > 0; step += 1) {
    const limit = steps[Math.min(step, steps.length - 1)] ?? 1;
    const older = await loadOlder(db, open, histories, limit);
    const unseen = [...older.values()]
      .flat()
      .flatMap(({ versionId }) => (versionId === null || standings.has(versionId) ? [] : [versionId]));
    for (const [id, standing] of await loadStandings(db, unseen, now)) standings.set(id, standing);
    const still: string[] = [];
    for (const channelId of open) {
      const rows = older.get(channelId) ?? [];
      const history = [...(histories.get(channelId) ?? []), ...rows];
      histories.set(channelId, history);
      const effective = effectiveAssignment(
        history,
        (id) => channelStanding(standings.get(id)),
        history[0]?.managed,
      );
      found.set(channelId, effective);
      const exhausted = rows.length < limit;
      if (effective.derived && effective.versionId === null && !exhausted) still.push(channelId);
    }
    open = still;
  }
  return found;
}

export function channelStanding(standing: VersionStanding = fine): ChannelStanding {
  return {
    revoked: standing.status.state === 'revoked',
    rollBack: standing.rollBack,
    knownGone: standing.knownGone,
  };
}

interface LoadedRow extends HistoryRow {
  readonly channelId: string;
  readonly managed: boolean;
}

async function loadOlder(
  db: Db,
  channelIds: readonly string[],
  known: ReadonlyMap<string, readonly LoadedRow[]>,
  limit: number,
): Promise<ReadonlyMap<string, readonly LoadedRow[]>> {
  const below = channelIds.map((id) => known.get(id)?.at(-1)?.sequence ?? 2_147_483_647);
  const { rows } = await sql<LoadedRow>`
    select c.id as "channelId", channel.managed, a.id, a.sequence, a.version_id as "versionId", a.version_name as "versionName", a.cause,
      a.left_by_hand as "leftByHand"
    from unnest(${channelIds}::text[], ${below}::integer[]) as c (id, below)
      join channel on channel.id = c.id
      cross join lateral (
        select * from assignment a where a.channel_id = c.id and a.sequence < c.below
        order by a.sequence desc limit ${limit}
      ) a
    order by c.id, a.sequence desc`.execute(db);
  return Map.groupBy(rows, (row) => row.channelId);
}
