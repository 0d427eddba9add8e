import type { Generated } from 'kysely';
import type { ImageLine } from '../../domain/image-line.ts';
import type { Defaulted, DefaultedJson, Fixed, Instant, Labels, NullableJson } from '../columns.ts';

export interface OrganizationTable {
  id: Generated<string>;
  name: string;
  created_at: Generated<Instant>;
}

export interface ProjectTable {
  id: Generated<string>;
  organization_id: string;
  name: string;
  created_at: Generated<Instant>;
}

export interface BucketTable {
  id: string;
  project_id: Fixed<string>;
  name: string;
  description: Generated<string>;
  labels: DefaultedJson<Labels>;
  line: NullableJson<ImageLine>;
  line_digest: string | null;
  next_number: Generated<number>;
  created_at: Instant;
  updated_at: Instant;
  deleted_at: Defaulted<Instant | null>;
}

export interface TemplateTable {
  digest: string;
  created_at: Generated<Instant>;
}

export interface TemplateFileTable {
  digest: string;
  path: string;
  content: Buffer;
}
