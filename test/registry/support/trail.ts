import { sql } from 'kysely';
import type { EventKind, RegistryEvent } from '../../../src/domain/events.ts';
import type { Store } from '../../../src/store/store.ts';

/** Events of a version, oldest first. */
export async function eventsOf(
  store: Store,
  versionId: string,
  kind?: EventKind,
): Promise<readonly Pick<RegistryEvent, 'id' | 'kind' | 'subjectId' | 'data' | 'by'>[]> {
  const rows = await store.db
    .selectFrom('event')
    .select(['id', 'kind', 'subject_id', 'data', 'actor'])
    .where('version_id', '=', versionId)
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? 'line.applied'))
    .orderBy('sequence')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    subjectId: row.subject_id,
    data: row.data,
    by: row.actor,
  }));
}

/** Whom an event woke, in the order of writing. */
export async function deliveriesOf(
  store: Store,
  eventId: string,
): Promise<readonly { action: string; workflowId: string }[]> {
  const rows = await store.db
    .selectFrom('delivery')
    .select(['action', 'workflow_id'])
    .where('event_id', '=', eventId)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ action: row.action, workflowId: row.workflow_id }));
}

/** Root events that start a cascade of these records. */
export async function rootEvents(
  store: Store,
  ...recordIds: string[]
): Promise<readonly Pick<RegistryEvent, 'data' | 'at'>[]> {
  return store.db
    .selectFrom('event')
    .select(['data', 'at'])
    .where('kind', '=', 'revocation.effective')
    .where(sql<boolean>`data ->> 'cascade' = any(${recordIds}::text[])`)
    .orderBy('sequence')
    .execute();
}
