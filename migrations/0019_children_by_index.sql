-- `ancestry_children` begins with the same column.
drop index ancestry_parent_bucket;
