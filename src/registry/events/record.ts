import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { Delivery, EventKind, RegistryEvent } from '../../domain/events.ts';
import type { Tx } from '../../store/store.ts';

export interface NewEvent {
  readonly kind: EventKind;
  readonly project: string;
  readonly bucket: string | null;
  readonly versionId: string | null;
  readonly subjectId: string | null;
  readonly data: RegistryEvent['data'];
  readonly by: Actor;
  /** The instant of the change, read from the clock after the locks. */
  readonly at: string;
}

export type NewDelivery = Pick<Delivery, 'action' | 'workflow' | 'workflowId' | 'input'>;

export interface Recorded {
  readonly event: NewEvent;
  readonly deliveries?: readonly NewDelivery[];
}

/** Rows per statement: far below the 65,535 parameters that PostgreSQL takes. */
const atOnce = 1_000;

/** Writes an event and its deliveries, in the transaction of the change. */
export async function record(
  tx: Tx,
  event: NewEvent,
  deliveries: readonly NewDelivery[] = [],
): Promise<void> {
  await recordAll(tx, [{ event, deliveries }]);
}

/** The same for many, in their order. */
export async function recordAll(tx: Tx, all: readonly Recorded[]): Promise<void> {
  const events = all.map(({ event }) => ({
    id: ulid(),
    kind: event.kind,
    project: event.project,
    bucket: event.bucket,
    version_id: event.versionId,
    subject_id: event.subjectId,
    data: JSON.stringify(event.data),
    actor: JSON.stringify(event.by),
    at: event.at,
  }));
  const deliveries = all.flatMap(({ deliveries: wanted = [] }, index) =>
    wanted.map((delivery) => ({
      id: ulid(),
      event_id: events[index]?.id ?? '',
      action: delivery.action,
      workflow: delivery.workflow,
      workflow_id: delivery.workflowId,
      input: JSON.stringify(delivery.input),
    })),
  );
  for (let from = 0; from < events.length; from += atOnce) {
    await tx
      .insertInto('event')
      .values(events.slice(from, from + atOnce))
      .execute();
  }
  for (let from = 0; from < deliveries.length; from += atOnce) {
    await tx
      .insertInto('delivery')
      .values(deliveries.slice(from, from + atOnce))
      .execute();
  }
}
