-- What HCP's clients read of a registry costs the same with ten versions as with 100,000.

-- A bucket's versions are counted by their numbers, without the deleted ones.
create index version_deleted on version (bucket_id) where deleted_at is not null and number is not null;

-- Whether anything was ever baked from a bucket.
create index ancestry_parent_bucket on ancestry (parent_bucket);

-- An image by its id alone, wherever it is.
create index artifact_external on artifact (image_id);
