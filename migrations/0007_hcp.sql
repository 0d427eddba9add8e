-- What HCP's clients write of versions, builds and channels that a bake of ours has no word for.
-- Plain text and `not valid`, because a column of a domain with a check or a check of all rows reads a whole table while nobody else does. New
-- rows are checked all the same, and in the old ones these columns are null.

alter table version
  add column template_type text,
  add constraint version_template_type check (template_type in ('HCL2', 'JSON')) not valid,
  -- Null: not changed since it was completed or opened.
  add column updated_at timestamptz(3);

alter table build
  add column source_external_identifier text,
  -- As Packer sent them, once; the ancestry holds what they mean.
  add column parent_version_id text collate "C",
  add column parent_channel_id text collate "C",
  -- When the run that makes it was last heard of; null where no heartbeats are sent.
  add column heartbeat_at timestamptz(3),
  -- Cancelled for its silence: a DONE of the same run is taken all the same.
  add column expired_at timestamptz(3),
  -- Shown no more, though its images are still enforced: its id becomes its source, so that the source is free again.
  add column deleted_at timestamptz(3);

-- A deleted channel stays as a tombstone for its history and its places. It takes a name that nobody can give, so that its own is free.
alter table channel
  add column actor jsonb,
  add column deleted_at timestamptz(3),
  add column deleted_name text,
  add constraint channel_tombstone check ((deleted_at is null) = (deleted_name is null)) not valid;
