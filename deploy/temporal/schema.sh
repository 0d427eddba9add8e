#!/bin/sh
# Temporal's databases and schema on PostgreSQL; every step may find its work done.
set -eu
tool() { temporal-sql-tool --plugin "$SQL_PLUGIN" --ep "$SQL_HOST" -p "$SQL_PORT" -u "$SQL_USER" --db "$1" "$2" $3 $4; }
for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  folder=/etc/temporal/schema/postgresql/v12/${pair##*:}/versioned
  # `create` and `setup-schema` fail when there is one already; `update-schema` tells whether all is well.
  tool "$database" create '' '' || true
  tool "$database" setup-schema -v 0.0 || true
  tool "$database" update-schema -d "$folder"
done
