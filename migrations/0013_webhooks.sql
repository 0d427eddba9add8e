-- Calls to addresses of a project's own, of what becomes of its versions; each is carried by a workflow that the event's delivery starts.

create table webhook (
  id ident primary key,
  project_id uuid not null references project (id),
  name text not null,
  description text not null,
  url text not null,
  -- Sealed: it opens with the token of the installation, which the database does not hold. Null: calls are not signed.
  sealed_key bytea,
  subscriptions jsonb not null,
  enabled boolean not null,
  actor jsonb not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  unique (project_id, name)
);

create table webhook_delivery (
  id ident primary key,
  webhook_id ident not null references webhook (id) on delete cascade,
  -- As it was when it happened: what is sent is the same at every try.
  payload jsonb not null,
  state text not null check (state in ('pending', 'delivered', 'failed', 'dropped')),
  attempts integer not null default 0,
  url text,
  -- Of the last try. Null: no answer came.
  status_code integer,
  error text,
  created_at timestamptz(3) not null,
  sent_at timestamptz(3),
  ended_at timestamptz(3),
  check ((state = 'pending') = (ended_at is null))
);
create index webhook_delivery_webhook on webhook_delivery (webhook_id, id desc);
