-- What is in an image: its bills of materials, the packages that they name, and what is known against those.

create table sbom (
  id ident primary key,
  build_id ident not null references build (id) on delete cascade,
  name text collate "C" not null check (length(name) between 1 and 64),
  format text not null check (format in ('CYCLONEDX', 'SPDX')),
  -- As it was uploaded: zstd of JSON.
  content bytea not null,
  size_bytes integer not null check (size_bytes > 0),
  actor jsonb not null,
  created_at timestamptz(3) not null,
  unique (build_id, name)
);
alter table sbom alter column content set storage external;

-- Of all projects: what a name and a version are does not depend on who has them. Read through the SBOMs that name them.
create table package (
  id bigint generated always as identity primary key,
  name text collate "C" not null check (octet_length(name) between 1 and 512),
  version text collate "C" not null check (octet_length(version) <= 256),
  purl text collate "C" not null check (octet_length(purl) <= 1024),
  -- How advisories name it; null: none can.
  ecosystem text collate "C",
  advised_name text collate "C",
  advised_version text collate "C",
  -- When it was last compared with what is known.
  scanned_at timestamptz(3),
  unique (name, version, purl)
);
create index package_advised on package (ecosystem, advised_name) where ecosystem is not null;

create table sbom_package (
  sbom_id ident not null references sbom (id) on delete cascade,
  package_id bigint not null references package (id),
  primary key (sbom_id, package_id)
);
create index sbom_package_package on sbom_package (package_id);

-- Advisories of imported OSV files.
create table vulnerability (
  id text collate "C" primary key check (octet_length(id) between 1 and 255),
  description text not null,
  criticality text not null check (criticality in ('critical', 'high', 'medium', 'low', 'unknown')),
  aliases text[] not null,
  related text[] not null,
  published_at timestamptz(3),
  modified_at timestamptz(3),
  withdrawn_at timestamptz(3)
);
create index vulnerability_aliases on vulnerability using gin (aliases);

create table vulnerability_affected (
  vulnerability_id text collate "C" not null references vulnerability (id) on delete cascade,
  position integer not null,
  ecosystem text collate "C" not null,
  name text collate "C" not null check (octet_length(name) <= 512),
  ranges jsonb not null,
  versions jsonb not null,
  primary key (vulnerability_id, position)
);
create index vulnerability_affected_name on vulnerability_affected (ecosystem, name);

create table package_vulnerability (
  package_id bigint not null references package (id),
  vulnerability_id text collate "C" not null references vulnerability (id) on delete cascade,
  fixed_version text,
  first_seen_at timestamptz(3) not null,
  primary key (package_id, vulnerability_id)
);
create index package_vulnerability_of on package_vulnerability (vulnerability_id);

create table vulnerability_import (
  id ident primary key,
  file text not null,
  actor jsonb not null,
  -- Calls of it that were taken in.
  batches integer not null default 0,
  advisories integer not null default 0,
  started_at timestamptz(3) not null,
  ended_at timestamptz(3)
);
