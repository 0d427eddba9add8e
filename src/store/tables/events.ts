import type { Generated, GeneratedAlways } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { Delivery, EventKind, WorkflowName } from '../../domain/events.ts';
import type { Defaulted, Fixed, Instant, Json } from '../columns.ts';

export interface EventTable {
  sequence: GeneratedAlways<number>;
  id: Fixed<string>;
  kind: Fixed<EventKind>;
  project: Fixed<string>;
  bucket: Fixed<string | null>;
  version_id: Fixed<string | null>;
  subject_id: Fixed<string | null>;
  data: Json<Readonly<Record<string, unknown>>>;
  actor: Json<Actor>;
  at: Fixed<Instant>;
}

export interface DeliveryTable {
  id: string;
  event_id: Fixed<string>;
  action: Delivery['action'];
  workflow: WorkflowName;
  workflow_id: string;
  input: Json<Readonly<Record<string, unknown>>>;
  state: Generated<'pending' | 'delivered'>;
  attempts: Generated<number>;
  next_at: Generated<Instant>;
  last_error: Defaulted<string | null>;
  created_at: Generated<Instant>;
  delivered_at: Defaulted<Instant | null>;
}
