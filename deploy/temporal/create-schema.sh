#!/bin/sh
# Creates the databases of Temporal and brings their schemas to the version of this image. Safe to run again.
set -eu

for database in temporal temporal_visibility; do
  folder=$(echo "$database" | sed 's/temporal_//')
  tool() { temporal-sql-tool --plugin postgres12 --ep postgres --port 5432 --user temporal --db "$database" "$@"; }
  tool create
  tool setup-schema -v 0.0
  tool update-schema -d "/etc/temporal/schema/postgresql/v12/$folder/versioned"
done
