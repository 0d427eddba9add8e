update ancestry set child_bucket_id = (select bucket_id from version where id = child_version_id)
where child_bucket_id is null;
create index ancestry_children on ancestry (parent_bucket, child_bucket_id);
