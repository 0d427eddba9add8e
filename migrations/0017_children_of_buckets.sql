-- The buckets whose versions were baked from one cost as many looks as they are, whatever the number of versions and of other buckets.
alter table ancestry add column child_bucket_id text collate "C";
update ancestry set child_bucket_id = (select bucket_id from version where id = child_version_id);

create function set_child_bucket() returns trigger language plpgsql as $$
begin
  new.child_bucket_id := (select bucket_id from version where id = new.child_version_id);
  return new;
end $$;
create trigger ancestry_child_bucket before insert on ancestry for each row execute function set_child_bucket();

drop index ancestry_parent_bucket;
create index ancestry_children on ancestry (parent_bucket, child_bucket_id);
