import { sql } from 'kysely';
import type { EffectiveAssignment } from '../../domain/channel.ts';
import type { Db } from '../../store/store.ts';
import type { AncestryState, Sights } from '../contract/views.ts';
import { loadEffective } from '../status.ts';

/** That a version was baked from another one, and what the channel that it was taken from points to. */
export interface Relation {
  readonly parentVersionId: string;
  /** Null: from none, or from one that is deleted. */
  readonly channel: {
    readonly id: string;
    readonly bucket: string;
    readonly restricted: boolean;
    /** Of its newest row. */
    readonly versionId: string | null;
    /** Nothing was ever to end that version: it is what the channel points to. */
    readonly isPlain: boolean;
  } | null;
}

/** `channel` of a `Relation`, for a query that calls the row of the ancestry `an`. */
export const relationChannel = sql`(
  select json_build_object('id', c.id, 'bucket', cb.name, 'restricted', c.restricted, 'versionId', newest.version_id,
    'isPlain', not exists (select from revocation r where r.version_id = newest.version_id and r.lifted_at is null))
  from channel c
    join bucket cb on cb.id = c.bucket_id and cb.deleted_at is null
    left join lateral (
      select s.version_id from assignment s where s.channel_id = c.id order by s.sequence desc limit 1
    ) newest on true
  where c.id = an.channel_id and c.deleted_at is null
)`;

/**
 * How relations stand: up to date while the channel that the parent was taken from points to it still. Undetermined without a channel, after
 * it was deleted, and for who does not see it. Asks the database only where a channel's version is revoked or going to be.
 */
export async function loadRelationStates(
  db: Db,
  relations: readonly Relation[],
  sights: Sights,
  now: string,
): Promise<(relation: Relation) => AncestryState> {
  const seen = relations.flatMap(({ channel }) =>
    channel !== null && isSeen(channel, sights) ? [channel] : [],
  );
  const doubtful = new Set(seen.flatMap(({ id, isPlain }) => (isPlain ? [] : [id])));
  const effective = doubtful.size === 0 ? new Map() : await loadEffective(db, [...doubtful], now);
  return ({ parentVersionId, channel }) => {
    if (channel === null || !isSeen(channel, sights)) return 'undetermined';
    return relationState(parentVersionId, channel.isPlain ? channel : effective.get(channel.id));
  };
}

const isSeen = ({ bucket, restricted }: NonNullable<Relation['channel']>, sights: Sights): boolean => {
  const sight = sights(bucket);
  return sight === 'all' || (sight === 'open' && !restricted);
};

/** `on`: what the channel points to; undefined where there is none that counts. */
export function relationState(
  parentVersionId: string,
  on: Pick<EffectiveAssignment, 'versionId'> | undefined,
): AncestryState {
  if (on === undefined) return 'undetermined';
  return on.versionId === parentVersionId ? 'up_to_date' : 'out_of_date';
}

/** Of several relations as one: out of date if any of them is. Null: there are none. */
export function combined(states: readonly AncestryState[]): AncestryState | null {
  if (states.length === 0) return null;
  if (states.includes('out_of_date')) return 'out_of_date';
  return states.includes('undetermined') ? 'undetermined' : 'up_to_date';
}
