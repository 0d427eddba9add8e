import type { Generated } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { ImageLine, TemplatePin } from '../../domain/image-line.ts';
import type { ParentPin, RequestKind, RequestState } from '../../domain/version.ts';
import type { Defaulted, DefaultedJson, Fixed, Instant, Json, NullableJson } from '../columns.ts';

/** What acceptance fixed, as it is stored. */
interface StoredPins {
  readonly line: ImageLine;
  readonly template: TemplatePin | null;
  readonly variables: Readonly<Record<string, string>>;
  readonly parents: readonly ParentPin[];
}

export interface RequestTable {
  id: string;
  project_id: Fixed<string>;
  bucket_id: Fixed<string>;
  kind: RequestKind;
  key: string;
  state: RequestState;
  attempt: number;
  pins: Json<StoredPins>;
  cancel_wanted: Generated<boolean>;
  failure: NullableJson<FailureReport>;
  actor: Json<Actor>;
  created_at: Instant;
  ended_at: Defaulted<Instant | null>;
  adopted_version_id: Defaulted<string | null>;
}

export interface RequestAttemptTable {
  request_id: string;
  attempt: number;
  workflow_id: string;
  state: RequestState;
  stage: Generated<string>;
  failure: NullableJson<FailureReport>;
  created_at: Instant;
  ended_at: Defaulted<Instant | null>;
}

export interface BakeAttemptTable {
  id: string;
  version_id: Fixed<string>;
  host_id: string;
  image_name: string;
  state: 'current' | 'ended' | 'lost';
  deadline: Instant;
  created_at: Instant;
  closed_at: Defaulted<Instant | null>;
  marks: DefaultedJson<readonly string[]>;
}

export interface LedgerTable {
  id: string;
  owner: string;
  kind: 'packer' | 'machine' | 'image' | 'credential';
  mark: string;
  provider: string | null;
  account: string | null;
  region: string | null;
  state: 'open' | 'closed';
  created_at: Instant;
  closed_at: Defaulted<Instant | null>;
}

export interface ClaimTable {
  subject: string;
  workflow_id: string;
  claimed_at: Generated<Instant>;
}

export interface LogChunkTable {
  stream: string;
  byte_offset: number;
  size: number;
  content: Buffer;
  created_at: Generated<Instant>;
}

export interface InstallationTable {
  only_one: Generated<boolean>;
  temporal_namespace_id: string;
  since: Generated<Instant>;
}

export interface BakeHostTable {
  id: string;
  name: string;
  builders: Json<readonly string[]>;
  slots: number;
  seen_at: Instant;
}

export interface ServerWatchTable {
  only_one: Generated<boolean>;
  since: Instant;
  seen_at: Instant;
}
