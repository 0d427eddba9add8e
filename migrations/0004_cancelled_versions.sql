-- Bake hosts look every few seconds for images that cancelled versions left.
create index version_cancelled on version (id) where state = 'cancelled';
