-- The bake attempt that a principal was made for: it tells of that attempt's version alone, and sees the parents that were pinned for it.
-- Plain text: a column of a domain with a check would be filled row by row, while nobody reads.
alter table principal add column attempt_id text collate "C";
