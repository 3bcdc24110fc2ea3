#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw rebucket --apply` at a server whose default is READ COMMITTED: what another one adds to a row that is being
# moved, between two statements of it, is not lost.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/mariadb.sh"

export TZ=UTC
MARIADB_ARGS=(--transaction-isolation=READ-COMMITTED)
DB=$(mktemp -d /dev/shm/db.XXXXXX) || exit 1
trap 'mariadb_kill; rm -rf "$CLI" "$DB"' EXIT
mariadb_start "$DB" || tap_bail "no server"
printf '[client]\nuser=root\n' >"$CLI/admin.cnf"
printf '%s\n' "database mysql" "mysql_user root" "mysql_host $MARIADB_SOCKET" "mysql_database old" >>"$CLI/conf"
mariadb_sql "CREATE DATABASE old" && mariadb_sql "$(cat "$CLI_TREE/db/schema/mysql.sql")" old || tap_bail "no table"
# Other addresses' rows on each side: a range that is read locks the row behind it, too.
mariadb_sql "INSERT INTO traffic (ip, time) SELECT CONCAT('10.0.0.', 1 + seq % 9), '2026-01-01' + INTERVAL seq HOUR FROM seq_1_to_5000; ANALYZE TABLE traffic" old >/dev/null
mariadb_sql "INSERT INTO traffic (ip, time, input) VALUES ('10.0.0.5', '2026-11-20 10:00:00', 1000), ('web', '2026-11-20 10:00:00', 7)" old
echo "2026-11-20T10:00 2026-11-20T11:00 10.0.0.5 web" >"$CLI/map"

runs_there() { # runs_there PATTERN: a statement like this runs at the server, or waits there
	[ "$(mariadb_sql "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE Info LIKE '$1' AND ID <> CONNECTION_ID()")" -gt 0 ]
}
until_there() { # until_there PATTERN PID: until it does, or the process has ended
	local i
	for ((i = 0; i < 400; i++)); do
		runs_there "$1" && return 0
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}
add() { # as xenbw-writer does: once more where a deadlock was in the way
	until mariadb_sql "INSERT INTO traffic (ip, time, input) VALUES ('10.0.0.5', '2026-11-20 10:00:00', 500000) ON DUPLICATE KEY UPDATE input = input + VALUES(input)" old 2>/dev/null; do :; done
}

# Somebody holds the domain's row, so that rebucket waits within its transaction for it.
coproc HOLDER { mariadb --no-defaults --socket="$MARIADB_SOCKET" --user=root -N -B --unbuffered old; }
holder=$HOLDER_PID
echo "START TRANSACTION; SELECT input FROM traffic WHERE ip = 'web' FOR UPDATE;" >&"${HOLDER[1]}"
read -r held <&"${HOLDER[0]}"
tap_is "the domain's row is held" "$held" 7
xenbw rebucket --defaults-file "$CLI/admin.cnf" --readers-stopped --apply "$CLI/map" >"$CLI/out" &
rebucket=$!
# shellcheck disable=SC2016 # the backquotes are SQL's
tap_ok "rebucket waits for it" until_there 'INSERT INTO `traffic`%' $rebucket
add &
writer=$!
until_there 'INSERT INTO traffic (ip, time, input) VALUES%' $writer # it waits, or was done in between
echo "COMMIT;" >&"${HOLDER[1]}"
wait $rebucket
tap_is "rebucket ends well" $? 0
wait $writer
tap_is "no byte is lost" "$(mariadb_sql 'SELECT SUM(input) FROM traffic' old)" 501007
echo "exit" >&"${HOLDER[1]}"
wait "$holder"
tap_done
