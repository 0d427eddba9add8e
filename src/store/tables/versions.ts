import type { Actor } from '../../domain/actor.ts';
import type { FailureReport } from '../../domain/failure.ts';
import type { TemplatePin } from '../../domain/image-line.ts';
import type {
  BuildState,
  CheckResult,
  LastKnown,
  SecretScan,
  TemplateType,
  VersionState,
} from '../../domain/version.ts';
import type { Defaulted, DefaultedJson, Fixed, Instant, Json, Labels, NullableJson } from '../columns.ts';

export interface VersionTable {
  id: string;
  bucket_id: Fixed<string>;
  fingerprint: Fixed<string>;
  number: Defaulted<number | null>;
  state: VersionState;
  failure: NullableJson<FailureReport>;
  request_id: string | null;
  attempt: number | null;
  bake_id: string | null;
  template: NullableJson<TemplatePin>;
  labels: DefaultedJson<Labels>;
  actor: Json<Actor>;
  created_at: Instant;
  completed_at: Defaulted<Instant | null>;
  deleted_at: Defaulted<Instant | null>;
  template_type: Defaulted<TemplateType | null>;
  updated_at: Defaulted<Instant | null>;
}

export interface BuildTable {
  id: string;
  version_id: Fixed<string>;
  source: string;
  state: BuildState;
  failure: NullableJson<FailureReport>;
  platform: Defaulted<string | null>;
  labels: DefaultedJson<Labels>;
  packer_run_uuid: Defaulted<string | null>;
  metadata: NullableJson<Readonly<Record<string, unknown>>>;
  created_at: Instant;
  updated_at: Instant;
  source_external_identifier: Defaulted<string | null>;
  parent_version_id: Defaulted<string | null>;
  parent_channel_id: Defaulted<string | null>;
  heartbeat_at: Defaulted<Instant | null>;
  expired_at: Defaulted<Instant | null>;
  deleted_at: Defaulted<Instant | null>;
}

export interface ArtifactTable {
  id: string;
  build_id: Fixed<string>;
  version_id: Fixed<string>;
  provider: string;
  account: string;
  region: string;
  image_id: string;
  digest: string | null;
  size_bytes: number | null;
  last_known: Defaulted<LastKnown>;
  verified_at: Defaulted<Instant | null>;
  recorded_shares: NullableJson<readonly string[]>;
  secret_scan: NullableJson<SecretScan>;
  copied_from: Defaulted<string | null>;
  created_at: Instant;
}

export interface AncestryTable {
  child_version_id: string;
  position: number;
  parent_version_id: string;
  parent_bucket: string;
  parent_version_name: string;
  parent_fingerprint: string;
  channel_id: string | null;
  channel_name: string | null;
  variable: string | null;
}

export interface TestRunTable {
  id: string;
  artifact_id: string;
  passed: boolean;
  boot_ms: number | null;
  checks: Json<readonly CheckResult[]>;
  ended_at: Instant;
}
