import type { Generated } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import type { Criticality } from '../../domain/vulnerability.ts';
import type { Defaulted, Instant, Json } from '../columns.ts';

export interface SbomTable {
  id: string;
  build_id: string;
  name: string;
  format: 'CYCLONEDX' | 'SPDX';
  content: Buffer;
  size_bytes: number;
  actor: Json<Actor>;
  created_at: Instant;
}

export interface PackageTable {
  id: Generated<string>;
  name: string;
  version: string;
  purl: string;
  ecosystem: string | null;
  advised_name: string | null;
  advised_version: string | null;
  scanned_at: Defaulted<Instant | null>;
}

export interface SbomPackageTable {
  sbom_id: string;
  package_id: string;
}

export interface VulnerabilityTable {
  id: string;
  description: string;
  criticality: Criticality;
  aliases: string[];
  related: string[];
  published_at: Instant | null;
  modified_at: Instant | null;
  withdrawn_at: Instant | null;
}

export interface VulnerabilityAffectedTable {
  vulnerability_id: string;
  position: number;
  ecosystem: string;
  name: string;
  ranges: Json<unknown>;
  versions: Json<readonly string[]>;
}

export interface PackageVulnerabilityTable {
  package_id: string;
  vulnerability_id: string;
  fixed_version: string | null;
  first_seen_at: Instant;
}

export interface VulnerabilityImportTable {
  id: string;
  file: string;
  actor: Json<Actor>;
  batches: Generated<number>;
  advisories: Generated<number>;
  started_at: Instant;
  ended_at: Defaulted<Instant | null>;
}
