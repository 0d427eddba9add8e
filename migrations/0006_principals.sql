-- Who calls: service principals with their secrets, roles and tokens. Of secrets and tokens only SHA-256 digests are kept.
-- A principal, the projects it has roles in and the buckets of those are of one organization; the keys below say so, not the program.

-- Both before either is changed, in the order in which readers take them.
lock table bucket, project in access exclusive mode;

alter table project add constraint project_in_organization unique (id, organization_id);
alter table bucket add constraint bucket_in_project unique (id, project_id);

create table principal (
  id ident primary key,
  organization_id uuid not null,
  -- Where it lives: the admins of that project manage its secrets, and nobody else does.
  project_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  actor jsonb not null,
  created_at timestamptz(3) not null,
  revoked_at timestamptz(3),
  unique (id, organization_id),
  foreign key (project_id, organization_id) references project (id, organization_id)
);
create unique index principal_name on principal (organization_id, name) where revoked_at is null;
create index principal_project on principal (project_id);

-- A client id for each secret, as on HCP: clients keep tokens by client id, and a new secret must not meet a token of the old one.
create table principal_secret (
  client_id ident primary key,
  principal_id ident not null references principal (id),
  digest bytea not null check (length(digest) = 32),
  created_at timestamptz(3) not null,
  -- Set on the one before, by a rotation.
  ends_at timestamptz(3),
  used_at timestamptz(3)
);
create index principal_secret_principal on principal_secret (principal_id);

create table principal_role (
  principal_id ident not null,
  organization_id uuid not null,
  project_id uuid not null,
  -- Null: in the whole project. A role on a bucket adds to that one.
  bucket_id ident,
  role text not null check (role in ('viewer', 'contributor', 'admin')),
  unique nulls not distinct (principal_id, project_id, bucket_id),
  foreign key (principal_id, organization_id) references principal (id, organization_id),
  foreign key (project_id, organization_id) references project (id, organization_id),
  foreign key (bucket_id, project_id) references bucket (id, project_id)
);
create index principal_role_project on principal_role (project_id);

-- A token is no change of what is: it has no event, and goes once it is over.
create table token (
  digest bytea primary key check (length(digest) = 32),
  client_id ident not null references principal_secret (client_id) on delete cascade,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null
);
create index token_client on token (client_id, expires_at);
