-- What HCP Terraform asks about the images of a plan; each is answered by a workflow that the event's delivery starts.

create table run_task (
  id ident primary key,
  project_id uuid not null references project (id),
  -- HCP Terraform's id of the question, of which a repeat is the same one.
  result_id text not null check (length(result_id) <= 255),
  -- Null: there is no plan at the stage that asks.
  plan_url text,
  callback_url text not null,
  -- Sealed; gone once it is answered.
  sealed_token bytea,
  state text not null check (state in ('pending', 'passed', 'failed', 'given_up')),
  message text,
  created_at timestamptz(3) not null,
  ended_at timestamptz(3),
  unique (project_id, result_id),
  check ((state = 'pending') = (ended_at is null))
);
