#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw migrate --compare --month` of a ledger with a month of slots: figures are whole, and what is in memory is hours,
# not slots. What differs, and why: net/compare.
# time-limit: 200
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/old_tables.sh"

export TZ=UTC
DB=$(mktemp -d /dev/shm/db.XXXXXX) || exit 1
trap 'mariadb_kill; rm -rf "$CLI" "$DB"' EXIT
mariadb_start "$DB" || tap_bail "no server"
printf '[client]\nuser=root\n' >"$CLI/admin.cnf"
mariadb_sql "CREATE DATABASE new" && mariadb_sql "$(cat "$CLI_TREE/db/schema/mysql.sql")" new && old_table wide old || tap_bail "no tables"
sed -i '/timezone/d' "$CLI/conf"
printf '%s\n' "timezone UTC" "bucket ip" "database mysql" "mysql_user root" "mysql_host $MARIADB_SOCKET" "mysql_database new" >>"$CLI/conf"
printf '%s\n' "database mysql" "mysql_user root" "mysql_password x" "mysql_host $MARIADB_SOCKET" "mysql_database old" \
	"compactnet 10.0.0.0 255.0.0.0" "ournet 10.0.0.0 255.0.0.0" "device eth0" "flush 300" >"$CLI/naccttab"
: >"$CLI/nacctpeering"
chmod 600 "$CLI/naccttab"

# Twenty addresses with 7 bytes in each slot of October; the last hour of one is not in the table yet.
sqlite3 "$CLI/ledger.db" "PRAGMA synchronous = OFF; BEGIN; DELETE FROM slot; DELETE FROM take;
	WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 119) INSERT INTO bucket SELECT i, 'ip' FROM n;
	INSERT INTO bucket_label SELECT id, '10.0.0.' || id, 0, NULL FROM bucket WHERE id >= 100;
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 31 * 288 - 1)
	INSERT INTO slot SELECT b.id, strftime('%s', '2026-10-01') + 300 * i, 1, '', 7,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM bucket b, n WHERE b.id >= 100; COMMIT"
for table in old.traffic new.traffic; do
	mariadb_sql "INSERT INTO $table (ip, time, input) SELECT CONCAT('10.0.0.', seq DIV 744 + 100), '2026-10-01' + INTERVAL seq % 744 HOUR, 84 FROM seq_0_to_14879" new
done
mariadb_sql "DELETE FROM traffic WHERE ip = '10.0.0.119' AND time = '2026-10-31 23:00:00'" new

compare() { xenbw migrate --compare --month 2026-10 --defaults-file "$CLI/admin.cnf" "$CLI/naccttab" "$@"; }
compare --json --all >"$CLI/out"
tap_is "it ends well" "$?$(cat "$CLI/err")" 0
tap_is "each hour is there once" "$(jq '.hours | length' "$CLI/out")" 14880
tap_is "what is not in the table yet is all that differs" "$(jq -c '.hours[] | select(.difference != 0) | [.hour, .bucket, .nacctd, .xenbw, .unwritten]' "$CLI/out")" \
	'["2026-10-31 23:00:00","10.0.0.119",84,0,-84]'
tap_ok "a month of slots is not in memory" eval '(ulimit -v 80000 && compare >/dev/null)'
tap_done
