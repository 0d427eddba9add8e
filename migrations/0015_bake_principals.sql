-- The bake attempt that a principal was made for: it tells of that attempt's version alone, and sees the parents that were pinned for it.
alter table principal add column attempt_id ident;
