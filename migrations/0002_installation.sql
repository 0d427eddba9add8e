-- The Temporal namespace that holds this installation's workflows, by the id that Temporal itself gave it.
create table installation (
  only_one boolean primary key default true check (only_one),
  temporal_namespace_id text not null,
  since timestamptz(3) not null default clock_timestamp()
);
