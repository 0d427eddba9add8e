-- What HCP's clients write of versions, builds and channels that a bake of ours has no word for.

alter table version
  add column template_type text check (template_type in ('HCL2', 'JSON')),
  -- Null: not changed since it was completed or opened.
  add column updated_at timestamptz(3);

alter table build
  add column source_external_identifier text,
  -- As Packer sent them, once; the ancestry holds what they mean.
  add column parent_version_id ident,
  add column parent_channel_id ident,
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
  add constraint channel_tombstone check ((deleted_at is null) = (deleted_name is null));
