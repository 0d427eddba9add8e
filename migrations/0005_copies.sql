-- An image that was copied from a tested one after the bake, and which one that is.
alter table artifact add column copied_from ident references artifact (id);
