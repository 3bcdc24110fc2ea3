#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw db upgrade` of five million rows (ROWS), as ten years of 57 guests have them: how long it takes, what it holds
# in memory, and that the sums are the same. Takes some minutes, and 2 GB where SOAK_DIR lies.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
MARIADB_ARGS=(--innodb-buffer-pool-size=256M --innodb-log-file-size=64M) # as an admin's server has at least
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/old_tables.sh"

ROWS=${ROWS:-5000000}
DB=$(mktemp -d "${SOAK_DIR:-/var/tmp}/db.XXXXXX") || exit 1
trap 'mariadb_kill; rm -rf "$CLI" "$DB"' EXIT
mariadb_start "$DB" || tap_bail "no server"
printf '[client]\nuser=root\n' >"$CLI/admin.cnf"
printf '%s\n' "mysql_host $MARIADB_SOCKET" "mysql_database old" >>"$CLI/conf"
old_table 0.78 old && old_rows old "$ROWS" || tap_bail "no table"
sums=$(old_sums old traffic)
tap_is "there are as many rows" "${sums%%$'\t'*}" "$ROWS"
expected=$(xenbw db upgrade --defaults-file "$CLI/admin.cnf" --json | jq .expected_seconds)

started=$(date +%s)
"$BUILD/xenbw" -c "$CLI/conf" db upgrade --defaults-file "$CLI/admin.cnf" --apply &
pid=$! most=0
while kill -0 $pid 2>/dev/null; do
	most=$(awk -v most="$most" '/^VmHWM/ { most = $2 } END { print most }' "/proc/$pid/status" 2>/dev/null || echo "$most")
	sleep 1
done
wait $pid
tap_is "it ends well" "$?" 0
took=$(($(date +%s) - started + 1))
tap_is "no byte is lost, none is there twice" "$(old_sums old traffic)" "$sums"
tap_ok "memory is bounded ($most KiB)" test "$most" -lt 40000
tap_note "figure: $ROWS rows in $took s ($expected s were expected): $((ROWS / took)) rows a second"
tap_ok "and back" xenbw db upgrade --defaults-file "$CLI/admin.cnf" --rollback
tap_is "with all that was there" "$(old_sums old traffic)" "$sums"
tap_done
