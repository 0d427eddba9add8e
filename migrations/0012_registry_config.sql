-- What clients of the registry set for a project as a whole. Every project has a registry from its start: the row is made when it is first asked for.

create table registry_config (
  project_id uuid primary key references project (id),
  id ident not null unique,
  tier text not null default 'PLUS' check (tier in ('STANDARD', 'PLUS')),
  -- Null: activated.
  deactivated_at timestamptz(3),
  -- In the address that run tasks of Terraform are sent to.
  run_task_api_id ident not null unique,
  -- No key by itself: it becomes one with the token of the installation, which the database does not hold.
  run_task_salt bytea not null check (length(run_task_salt) = 32),
  on_untracked_image text not null default 'WARN' check (on_untracked_image in ('FAIL', 'WARN')),
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null
);
