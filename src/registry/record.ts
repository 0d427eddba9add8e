import { sql } from 'kysely';
import { monotonicFactory } from 'ulid';
import type { Actor } from '../domain/actor.ts';
import type { Delivery, EventKind } from '../domain/events.ts';
import type { WorkflowInputs } from '../domain/workflow-ids.ts';
import type { Tx } from '../store/store.ts';
import { announce } from './webhooks/announce.ts';

/** Within one millisecond it counts on, which is in order and costs a fraction of fresh randomness. */
const nextId = monotonicFactory();

export interface NewEvent {
  readonly kind: EventKind;
  /** The project's name. */
  readonly project: string;
  readonly bucket?: string | null;
  readonly versionId?: string | null;
  readonly subjectId?: string | null;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly by: Actor;
  /** From `clock(tx)`, read after the locks. */
  readonly at: string;
}

/** One workflow to start, wake or cancel because of the event; its input fits the workflow. */
export type NewDelivery = {
  readonly [Name in keyof WorkflowInputs]: {
    readonly action: Delivery['action'];
    readonly workflow: Name;
    readonly workflowId: string;
    readonly input: WorkflowInputs[Name];
  };
}[keyof WorkflowInputs];

/** Writes what happened, who is to be woken by it, and which webhooks are to be told, in the caller's transaction. Answers the event's id. */
export async function record(
  tx: Tx,
  event: NewEvent,
  deliveries: readonly NewDelivery[] = [],
): Promise<string> {
  const [id = ''] = await recordAll(tx, [{ event, deliveries }]);
  return id;
}

/**
 * Many at once. Thousands of rows travel as one JSON parameter: as many placeholders would cost more than the writing, and all that one
 * change may cause in one parameter would be more than PostgreSQL takes.
 */
export async function recordAll(
  tx: Tx,
  items: readonly { readonly event: NewEvent; readonly deliveries?: readonly NewDelivery[] }[],
): Promise<readonly string[]> {
  if (items.length === 0) return [];
  const rows = items.map(({ event, deliveries = [] }) => ({ id: nextId(), event, deliveries }));
  const events = rows.map(({ id, event }) => ({
    id,
    kind: event.kind,
    project: event.project,
    bucket: event.bucket ?? null,
    version_id: event.versionId ?? null,
    subject_id: event.subjectId ?? null,
    data: event.data ?? {},
    actor: event.by,
    at: event.at,
  }));
  for (const some of inChunks(events)) {
    await sql`
    insert into event (id, kind, project, bucket, version_id, subject_id, data, actor, at)
    select id, kind, project, bucket, version_id, subject_id, data, actor, at
    from jsonb_to_recordset(${JSON.stringify(some)}::jsonb) as r (
      id text, kind text, project text, bucket text, version_id text, subject_id text, data jsonb, actor jsonb, at timestamptz
    )`.execute(tx);
  }
  const calls = await announce(tx, rows);
  const deliveries = rows.flatMap(({ id, event, deliveries: wanted }) =>
    [...wanted, ...(calls.get(id) ?? [])].map((delivery) => ({
      id: nextId(),
      event_id: id,
      action: delivery.action,
      workflow: delivery.workflow,
      workflow_id: delivery.workflowId,
      input: delivery.input,
      at: event.at,
    })),
  );
  for (const some of inChunks(deliveries)) {
    await sql`
      insert into delivery (id, event_id, action, workflow, workflow_id, input, next_at, created_at)
      select id, event_id, action, workflow, workflow_id, input, at, at
      from jsonb_to_recordset(${JSON.stringify(some)}::jsonb) as r (
        id text, event_id text, action text, workflow text, workflow_id text, input jsonb, at timestamptz
      )`.execute(tx);
  }
  return rows.map(({ id }) => id);
}

const longestChunk = 5_000;

function* inChunks<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += longestChunk) yield rows.slice(from, from + longestChunk);
}
