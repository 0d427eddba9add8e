import { ulid } from 'ulid';
import type { Actor } from '../domain/actor.ts';
import type { Delivery, EventKind } from '../domain/events.ts';
import type { WorkflowInputs } from '../domain/workflow-ids.ts';
import type { Tx } from '../store/store.ts';

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

/** Writes what happened, and who is to be woken by it, in the caller's transaction. Answers the event's id. */
export async function record(
  tx: Tx,
  event: NewEvent,
  deliveries: readonly NewDelivery[] = [],
): Promise<string> {
  const [id = ''] = await recordAll(tx, [{ event, deliveries }]);
  return id;
}

/** Many at once, in two statements. */
export async function recordAll(
  tx: Tx,
  items: readonly { readonly event: NewEvent; readonly deliveries?: readonly NewDelivery[] }[],
): Promise<readonly string[]> {
  if (items.length === 0) return [];
  const rows = items.map(({ event, deliveries = [] }) => ({ id: ulid(), event, deliveries }));
  await tx
    .insertInto('event')
    .values(
      rows.map(({ id, event }) => ({
        id,
        kind: event.kind,
        project: event.project,
        bucket: event.bucket ?? null,
        version_id: event.versionId ?? null,
        subject_id: event.subjectId ?? null,
        data: JSON.stringify(event.data ?? {}),
        actor: JSON.stringify(event.by),
        at: event.at,
      })),
    )
    .execute();
  const deliveries = rows.flatMap(({ id, event, deliveries: wanted }) =>
    wanted.map((delivery) => ({
      id: ulid(),
      event_id: id,
      action: delivery.action,
      workflow: delivery.workflow,
      workflow_id: delivery.workflowId,
      input: JSON.stringify(delivery.input),
      next_at: event.at,
      created_at: event.at,
    })),
  );
  if (deliveries.length > 0) await tx.insertInto('delivery').values(deliveries).execute();
  return rows.map(({ id }) => id);
}
