import { sql } from 'kysely';
import type { EffectiveAssignment } from '../../domain/channel.ts';
import type { Db } from '../../store/store.ts';
import type { AncestryState, Sights } from '../contract/views.ts';
import { loadEffective } from '../status.ts';

/** That a version was baked from another one, taken from a channel or not. */
export interface Relation {
  readonly parentVersionId: string;
  readonly channelId: string | null;
}

/**
 * How relations stand: up to date while the channel that the parent was taken from points to it still. Undetermined without a channel, after
 * it was deleted, and for who does not see it. Three queries at most.
 */
export async function loadRelationStates(
  db: Db,
  relations: readonly Relation[],
  sights: Sights,
  now: string,
): Promise<(relation: Relation) => AncestryState> {
  const channelIds = [...new Set(relations.flatMap(({ channelId }) => channelId ?? []))];
  if (channelIds.length === 0) return () => 'undetermined';
  const { rows } = await sql<{ readonly id: string; readonly bucket: string; readonly restricted: boolean }>`
    select c.id, b.name as bucket, c.restricted
    from channel c join bucket b on b.id = c.bucket_id
    where c.id = any(${channelIds}::text[]) and c.deleted_at is null and b.deleted_at is null`.execute(db);
  const seen = rows.filter(({ bucket, restricted }) => {
    const sight = sights(bucket);
    return sight === 'all' || (sight === 'open' && !restricted);
  });
  const effective = await loadEffective(
    db,
    seen.map(({ id }) => id),
    now,
  );
  return ({ parentVersionId, channelId }) => relationState(parentVersionId, effective.get(channelId ?? ''));
}

/** `on`: what the channel points to; undefined where there is none that counts. */
export function relationState(parentVersionId: string, on: EffectiveAssignment | undefined): AncestryState {
  if (on === undefined) return 'undetermined';
  return on.versionId === parentVersionId ? 'up_to_date' : 'out_of_date';
}

/** Of several relations as one: out of date if any of them is. Null: there are none. */
export function combined(states: readonly AncestryState[]): AncestryState | null {
  if (states.length === 0) return null;
  if (states.includes('out_of_date')) return 'out_of_date';
  return states.includes('undetermined') ? 'undetermined' : 'up_to_date';
}
