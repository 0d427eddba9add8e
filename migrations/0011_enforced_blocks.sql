-- Provisioners that Packer runs in every build of the buckets they are linked to.

create table enforced_block (
  id ident primary key,
  project_id uuid not null references project (id),
  name text collate "C" not null check (length(name) between 1 and 255),
  labels jsonb not null default '{}',
  actor jsonb not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  unique (project_id, name)
);

create table enforced_block_version (
  id ident primary key,
  block_id ident not null references enforced_block (id) on delete cascade,
  version text collate "C" not null check (length(version) between 1 and 255),
  -- Never changed: another content is another version.
  content text not null,
  template_type text not null check (template_type in ('HCL2', 'JSON')),
  description text not null default '',
  actor jsonb not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  unique (block_id, version),
  unique (id, block_id)
);

-- One version of a block for a bucket.
create table enforced_block_link (
  id ident primary key,
  block_id ident not null,
  version_id ident not null,
  bucket_id ident not null references bucket (id),
  actor jsonb not null,
  created_at timestamptz(3) not null,
  unique (bucket_id, block_id),
  -- What is linked is not deleted.
  foreign key (version_id, block_id) references enforced_block_version (id, block_id)
);
create index enforced_block_link_version on enforced_block_link (version_id);
create index enforced_block_link_block on enforced_block_link (block_id);
