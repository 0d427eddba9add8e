-- A bake host looks every few seconds for images that cancelled versions left; there are few, among many versions.
create index version_cancelled on version (id) where state = 'cancelled';
