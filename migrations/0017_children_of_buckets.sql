-- The bucket of each child, so that the buckets whose versions were baked from one cost as many looks as they are. From here on the trigger
-- fills it; the rows that are there follow in the next migration, while they can be read.
alter table ancestry add column child_bucket_id text collate "C";

create function set_child_bucket() returns trigger language plpgsql set search_path from current as $$
begin
  new.child_bucket_id := (select bucket_id from version where id = new.child_version_id);
  return new;
end $$;
create trigger ancestry_child_bucket before insert on ancestry for each row execute function set_child_bucket();
