import type { Actor } from '../../domain/actor.ts';
import type { TemplateType } from '../../domain/version.ts';
import type { DefaultedJson, Fixed, Instant, Json, Labels } from '../columns.ts';

export interface EnforcedBlockTable {
  id: string;
  project_id: Fixed<string>;
  name: string;
  labels: DefaultedJson<Labels>;
  actor: Json<Actor>;
  created_at: Instant;
  updated_at: Instant;
}

export interface EnforcedBlockVersionTable {
  id: string;
  block_id: Fixed<string>;
  version: Fixed<string>;
  content: Fixed<string>;
  template_type: Fixed<TemplateType>;
  description: string;
  actor: Json<Actor>;
  created_at: Instant;
  updated_at: Instant;
}

export interface EnforcedBlockLinkTable {
  id: string;
  block_id: Fixed<string>;
  version_id: string;
  bucket_id: Fixed<string>;
  actor: Json<Actor>;
  created_at: Instant;
}
