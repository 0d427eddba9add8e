import type { Generated } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { AssignmentCause, PromotionState } from '../../domain/channel.ts';
import type { Gates } from '../../domain/image-line.ts';
import type { Defaulted, Fixed, Instant, Json, NullableJson } from '../columns.ts';

export interface ChannelTable {
  id: string;
  bucket_id: Fixed<string>;
  name: string;
  position: number | null;
  managed: Generated<boolean>;
  restricted: Generated<boolean>;
  gates: Json<Gates>;
  created_at: Instant;
  updated_at: Instant;
  actor: NullableJson<Actor>;
  deleted_at: Defaulted<Instant | null>;
  deleted_name: Defaulted<string | null>;
}

export interface AssignmentTable {
  id: string;
  channel_id: Fixed<string>;
  sequence: Fixed<number>;
  version_id: string | null;
  version_name: string | null;
  cause: AssignmentCause;
  promotion_id: Defaulted<string | null>;
  left_by_hand: Generated<boolean>;
  reason: Generated<string>;
  actor: Json<Actor>;
  at: Instant;
}

export interface PromotionTable {
  id: string;
  channel_id: Fixed<string>;
  version_id: Fixed<string>;
  state: PromotionState;
  expected_assignment_id: string | null;
  request_id: string | null;
  workflow_id: string;
  reason: string;
  actor: Json<Actor>;
  created_at: Instant;
  publishing_at: Defaulted<Instant | null>;
  ended_at: Defaulted<Instant | null>;
  detail: Generated<string>;
}

export interface ApprovalTable {
  promotion_id: string;
  person: string;
  actor: Json<Actor>;
  at: Instant;
}

export interface ChannelPointerTable {
  channel_id: string;
  provider: string;
  account: string;
  region: string;
  version_id: Defaulted<string | null>;
  image_id: Defaulted<string | null>;
  published_at: Defaulted<Instant | null>;
  lease_holder: Defaulted<string | null>;
  lease_until: Defaulted<Instant | null>;
}
