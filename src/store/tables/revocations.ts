import type { Generated } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { Receipt, RevocationKind } from '../../domain/revocation.ts';
import type { Defaulted, Fixed, Instant, Json, NullableJson } from '../columns.ts';

export interface RevocationTable {
  id: string;
  version_id: Fixed<string>;
  kind: Fixed<RevocationKind>;
  root_id: Fixed<string>;
  due_at: Instant;
  reason: string;
  roll_back: boolean;
  descendants: boolean;
  actor: Json<Actor>;
  created_at: Instant;
  lifted_at: Defaulted<Instant | null>;
  lifted_by: NullableJson<Actor>;
  lifted_reason: Defaulted<string | null>;
  materialised_at: Defaulted<Instant | null>;
  cascades: Generated<readonly string[]>;
}

export interface ExemptionTable {
  id: string;
  version_id: Fixed<string>;
  root_id: Fixed<string>;
  reason: string;
  starts_at: Instant;
  ends_at: Instant;
  descendants: boolean;
  actor: Json<Actor>;
  created_at: Instant;
  materialised_at: Defaulted<Instant | null>;
}

export interface ReceiptTable {
  id: Fixed<string>;
  project: Fixed<string>;
  bucket: Fixed<string>;
  version_id: Fixed<string>;
  artifact_id: Fixed<string | null>;
  provider: Fixed<string>;
  account: Fixed<string>;
  region: Fixed<string>;
  action: Fixed<Receipt['action']>;
  outcome: Fixed<Receipt['outcome']>;
  launchable: Fixed<boolean | null>;
  detail: Fixed<string>;
  at: Fixed<Instant>;
}
