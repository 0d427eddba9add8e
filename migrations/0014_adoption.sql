-- The version that a request takes up after somebody else completed it: nothing is baked, and a version is taken up once.
alter table request add column adopted_version_id text collate "C" unique references version (id);
