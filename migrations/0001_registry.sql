-- The registry: what is. Applied once, never edited after a release.
-- Times are UTC with milliseconds. Ids are ULIDs, compared by bytes, because locks are taken in id order.
-- Rows that may outlive what they speak of carry copied names and no foreign key.

create domain ident as text collate "C" check (length(value) between 1 and 255);

create table organization (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  created_at timestamptz(3) not null default clock_timestamp()
);

create table project (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organization (id),
  name text not null unique check (length(name) between 1 and 100),
  created_at timestamptz(3) not null default clock_timestamp()
);

-- A deleted bucket or version stays as a tombstone, so that lineage and history keep their names.
create table bucket (
  id ident primary key,
  project_id uuid not null references project (id),
  name text not null check (length(name) between 1 and 100),
  description text not null default '',
  labels jsonb not null default '{}',
  line jsonb,
  line_digest text,
  next_number integer not null default 1 check (next_number > 0),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  deleted_at timestamptz(3),
  check ((line is null) = (line_digest is null))
);
create unique index bucket_name on bucket (project_id, name) where deleted_at is null;

create table template (
  digest text primary key,
  created_at timestamptz(3) not null default clock_timestamp()
);

create table template_file (
  digest text not null references template (digest) on delete cascade,
  path text not null,
  content bytea not null,
  primary key (digest, path)
);

create table request (
  id ident primary key,
  project_id uuid not null references project (id),
  bucket_id ident not null references bucket (id),
  kind text not null check (kind in ('release', 'bake')),
  key text not null check (length(key) between 1 and 500),
  state text not null check (state in ('open', 'succeeded', 'failed', 'cancelled', 'abandoned')),
  attempt integer not null check (attempt > 0),
  -- Line, template, variables and parents as accepted; every attempt bakes exactly this.
  pins jsonb not null,
  cancel_wanted boolean not null default false,
  failure jsonb,
  actor jsonb not null,
  created_at timestamptz(3) not null,
  ended_at timestamptz(3),
  unique (project_id, key),
  check ((state = 'open') = (ended_at is null))
);
create index request_bucket on request (bucket_id, id desc);
create index request_open on request (id) where state = 'open';

create table request_attempt (
  request_id ident not null references request (id) on delete cascade,
  attempt integer not null check (attempt > 0),
  workflow_id text not null,
  state text not null check (state in ('open', 'succeeded', 'failed', 'cancelled', 'abandoned')),
  stage text not null default '',
  failure jsonb,
  created_at timestamptz(3) not null,
  ended_at timestamptz(3),
  primary key (request_id, attempt),
  check ((state = 'open') = (ended_at is null))
);
create index request_attempt_open on request_attempt (created_at) where state = 'open';

create table version (
  id ident primary key,
  bucket_id ident not null references bucket (id),
  fingerprint ident not null,
  number integer check (number > 0),
  state text not null check (state in ('running', 'complete', 'failed', 'cancelled')),
  failure jsonb,
  request_id ident references request (id),
  attempt integer,
  -- The mark on everything that a bake of this version makes.
  bake_id ident,
  template jsonb,
  labels jsonb not null default '{}',
  actor jsonb not null,
  created_at timestamptz(3) not null,
  completed_at timestamptz(3),
  deleted_at timestamptz(3),
  unique (bucket_id, fingerprint),
  unique (bucket_id, number),
  unique (request_id, attempt),
  check ((state = 'complete') = (number is not null)),
  check ((state = 'complete') = (completed_at is not null)),
  check ((request_id is null) = (attempt is null))
);
create index version_bucket on version (bucket_id, id desc);

create table build (
  id ident primary key,
  version_id ident not null references version (id),
  source text not null,
  state text not null check (state in ('pending', 'running', 'done', 'failed', 'cancelled')),
  failure jsonb,
  platform text,
  labels jsonb not null default '{}',
  packer_run_uuid text,
  metadata jsonb,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  unique (version_id, source)
);

create table artifact (
  id ident primary key,
  build_id ident not null references build (id),
  version_id ident not null references version (id),
  provider text not null,
  account text not null,
  region text not null,
  image_id text not null,
  digest text,
  size_bytes bigint,
  last_known text not null default 'unknown'
    check (last_known in ('unknown', 'present', 'disabled', 'missing', 'deleted')),
  -- Seen present and launchable after the bake or the last restore; emptied when it is blocked.
  verified_at timestamptz(3),
  -- Shares found before a disable, put back by an enable.
  recorded_shares jsonb,
  created_at timestamptz(3) not null,
  unique (build_id, provider, account, region, image_id)
);
create index artifact_version on artifact (version_id);
create index artifact_image on artifact (provider, account, region, image_id);

-- Names are copied: the lineage stays readable when the parent is gone.
create table ancestry (
  child_version_id ident not null references version (id),
  position integer not null check (position >= 0),
  parent_version_id ident not null,
  parent_bucket text not null,
  parent_version_name text not null,
  parent_fingerprint text not null,
  channel_id ident,
  channel_name text,
  variable text,
  primary key (child_version_id, position)
);
create index ancestry_parent on ancestry (parent_version_id);

create table bake_attempt (
  id ident primary key,
  version_id ident not null references version (id),
  host_id text not null,
  image_name text not null,
  state text not null check (state in ('current', 'ended', 'lost')),
  deadline timestamptz(3) not null,
  created_at timestamptz(3) not null,
  closed_at timestamptz(3),
  -- Public halves of keys and the like that must not be found in its images.
  marks jsonb not null default '[]',
  check ((state = 'current') = (closed_at is null))
);
create unique index bake_attempt_current on bake_attempt (version_id) where state = 'current';
create index bake_attempt_version on bake_attempt (version_id);
create index bake_attempt_host on bake_attempt (host_id) where state = 'current';

create table test_run (
  id ident primary key,
  artifact_id ident not null references artifact (id),
  passed boolean not null,
  boot_ms integer,
  checks jsonb not null,
  ended_at timestamptz(3) not null
);
create index test_run_artifact on test_run (artifact_id, ended_at desc);

create table channel (
  id ident primary key,
  bucket_id ident not null references bucket (id),
  name text not null check (length(name) between 1 and 100),
  -- Place in the promotion order; null outside the line.
  position integer check (position >= 0),
  managed boolean not null default false,
  restricted boolean not null default false,
  gates jsonb not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  unique (bucket_id, name),
  check (not managed or position is null)
);

create table assignment (
  id ident primary key,
  channel_id ident not null references channel (id),
  sequence integer not null check (sequence > 0),
  version_id ident,
  version_name text,
  cause text not null
    check (cause in ('assigned', 'promoted', 'completed', 'rolled_back', 'revocation', 'unassigned')),
  promotion_id ident,
  -- A person rolled back from this row: it is not rolled back to again.
  left_by_hand boolean not null default false,
  reason text not null default '',
  actor jsonb not null,
  at timestamptz(3) not null,
  unique (channel_id, sequence),
  check ((version_id is null) = (version_name is null))
);
create index assignment_version on assignment (version_id);

create table promotion (
  id ident primary key,
  channel_id ident not null references channel (id),
  version_id ident not null references version (id),
  state text not null check (
    state in ('waiting', 'publishing', 'done', 'refused', 'rejected', 'superseded', 'failed')
  ),
  expected_assignment_id ident,
  request_id ident references request (id),
  workflow_id text not null,
  reason text not null,
  actor jsonb not null,
  created_at timestamptz(3) not null,
  publishing_at timestamptz(3),
  ended_at timestamptz(3),
  detail text not null default '',
  check ((state in ('waiting', 'publishing')) = (ended_at is null))
);
create index promotion_channel on promotion (channel_id, id desc);
create index promotion_open on promotion (channel_id) where ended_at is null;
create index promotion_version on promotion (version_id);

create table approval (
  promotion_id ident not null references promotion (id),
  person text not null,
  actor jsonb not null,
  at timestamptz(3) not null,
  primary key (promotion_id, person)
);

-- Every record is kept; what is in force is derived. An inherited record names the explicit or policy record it comes from.
create table revocation (
  id ident primary key,
  version_id ident not null references version (id),
  kind text not null check (kind in ('explicit', 'inherited', 'policy')),
  root_id ident not null references revocation (id),
  due_at timestamptz(3) not null,
  reason text not null,
  roll_back boolean not null,
  descendants boolean not null,
  actor jsonb not null,
  created_at timestamptz(3) not null,
  lifted_at timestamptz(3),
  lifted_by jsonb,
  lifted_reason text,
  materialised_at timestamptz(3),
  -- On roots: the changes (`effective`, `lifted`, an exemption's end) whose cascade was started, each once.
  cascades text[] not null default '{}',
  unique (version_id, root_id),
  check ((kind = 'inherited') = (root_id <> id)),
  check ((lifted_at is null) = (lifted_by is null))
);
create index revocation_root on revocation (root_id);
create index revocation_due on revocation (due_at) where lifted_at is null and materialised_at is null;

-- Like revocations, one row for every version it covers; `root_id` is its own id on the version it was given to.
create table exemption (
  id ident primary key,
  version_id ident not null references version (id),
  root_id ident not null references exemption (id),
  reason text not null,
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null,
  descendants boolean not null,
  actor jsonb not null,
  created_at timestamptz(3) not null,
  -- When its end was written as an event.
  materialised_at timestamptz(3),
  unique (version_id, root_id),
  check (ends_at > starts_at)
);
create index exemption_root on exemption (root_id);
create index exemption_due on exemption (ends_at) where materialised_at is null;

create table channel_pointer (
  channel_id ident not null references channel (id),
  provider text not null,
  account text not null,
  region text not null,
  -- Read back after the last write.
  version_id ident,
  image_id text,
  published_at timestamptz(3),
  lease_holder text,
  lease_until timestamptz(3),
  primary key (channel_id, provider, account, region),
  check ((lease_holder is null) = (lease_until is null))
);
create index channel_pointer_version on channel_pointer (version_id);

create table receipt (
  id ident primary key,
  project text not null,
  bucket text not null,
  version_id ident not null,
  artifact_id ident,
  provider text not null,
  account text not null,
  region text not null,
  action text not null
    check (action in ('verify', 'disable', 'enable', 'deprecate', 'share', 'delete', 'publish')),
  outcome text not null check (outcome in ('done', 'refused', 'failed')),
  launchable boolean,
  detail text not null,
  at timestamptz(3) not null
);
create index receipt_version on receipt (version_id, at);
create index receipt_project on receipt (project, bucket, at);

create table ledger (
  id ident primary key,
  owner text not null,
  kind text not null check (kind in ('packer', 'machine', 'image', 'credential')),
  mark text not null,
  provider text,
  account text,
  region text,
  state text not null check (state in ('open', 'closed')),
  created_at timestamptz(3) not null,
  closed_at timestamptz(3),
  check ((state = 'open') = (closed_at is null)),
  check (num_nulls(provider, account, region) in (0, 3))
);
create index ledger_owner on ledger (owner);
create index ledger_open on ledger (created_at) where state = 'open';

create table event (
  sequence bigint generated always as identity primary key,
  id ident not null unique,
  kind text not null,
  project text not null,
  bucket text,
  version_id ident,
  subject_id ident,
  data jsonb not null,
  actor jsonb not null,
  at timestamptz(3) not null
);
create index event_project on event (project, sequence);
create index event_version on event (version_id, sequence) where version_id is not null;
create index event_bucket on event (project, bucket, sequence) where bucket is not null;

create table delivery (
  id ident primary key,
  event_id ident not null references event (id),
  action text not null check (action in ('start', 'wake', 'cancel')),
  workflow text not null,
  workflow_id text not null,
  input jsonb not null,
  state text not null default 'pending' check (state in ('pending', 'delivered')),
  attempts integer not null default 0,
  next_at timestamptz(3) not null default clock_timestamp(),
  last_error text,
  created_at timestamptz(3) not null default clock_timestamp(),
  delivered_at timestamptz(3),
  check ((state = 'delivered') = (delivered_at is not null))
);
create index delivery_pending on delivery (next_at, id) where state = 'pending';

create table claim (
  subject text primary key,
  workflow_id text not null,
  claimed_at timestamptz(3) not null default clock_timestamp()
);
create index claim_age on claim (claimed_at);

-- Bytes, not text: a chunk may begin inside a character, and a serial console may write a zero byte.
create table log_chunk (
  stream ident not null,
  byte_offset bigint not null check (byte_offset >= 0),
  size integer not null check (size > 0 and size = length(content)),
  content bytea not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (stream, byte_offset)
);

create table bake_host (
  id ident primary key,
  name text not null,
  builders jsonb not null,
  slots integer not null check (slots >= 0),
  seen_at timestamptz(3) not null
);
create index bake_host_seen on bake_host (seen_at);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% rows are never changed or deleted', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger event_immutable before update or delete or truncate on event
  for each statement execute function refuse_change();
create trigger receipt_immutable before update or delete or truncate on receipt
  for each statement execute function refuse_change();

create function notify_delivery() returns trigger language plpgsql as $$
begin
  perform pg_notify('bakehouse_delivery', '');
  return null;
end $$;
create trigger delivery_written after insert on delivery
  for each statement execute function notify_delivery();
