-- When a server was last up, and since when without a gap: builds are not silent while nobody could hear them.
create table server_watch (
  only_one boolean primary key default true check (only_one),
  since timestamptz(3) not null,
  seen_at timestamptz(3) not null
);
