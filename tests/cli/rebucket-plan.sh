#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The map of `xenbw rebucket --plan`: an hour in which an address changed hands is nobody's, in each of the server's
# time zones; and domains are called as xenbwd calls them, or left to the admin.
# time-limit: 200
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/mariadb.sh"

DB=$(mktemp -d /dev/shm/db.XXXXXX) || exit 1
trap 'mariadb_kill; rm -rf "$CLI" "$DB"' EXIT
export TZ=Asia/Kolkata
mariadb_start "$DB" || tap_bail "no server"
printf '[client]\nuser=root\n' >"$CLI/admin.cnf"
printf '%s\n' "database mysql" "mysql_user root" "mysql_host $MARIADB_SOCKET" "mysql_database old" "bucket domain" >>"$CLI/conf"
mariadb_sql "CREATE DATABASE old" && mariadb_sql "$(cat "$CLI_TREE/db/schema/mysql.sql")" old || tap_bail "no table"

none() { # no address of the ledger is used any more, nor has the table a row
	sqlite3 "$CLI/ledger.db" "DELETE FROM slot; DELETE FROM take; DELETE FROM vif WHERE id > 100"
	mariadb_sql "TRUNCATE traffic" old
}
booked() { # the table has what the ledger has, under the addresses
	sqlite3 "$CLI/ledger.db" "SELECT address, slot, sum(external_input) FROM slot GROUP BY address, slot" | while IFS='|' read -r address slot bytes; do
		echo "INSERT INTO traffic (ip, time, input) VALUES ('$address', DATE_FORMAT(FROM_UNIXTIME($slot), '%Y-%m-%d %H:00:00'), $bytes)
			ON DUPLICATE KEY UPDATE input = input + VALUES(input);"
	done >"$CLI/rows.sql"
	mariadb_sql "$(cat "$CLI/rows.sql")" old
}
map() { # the map that is planned
	rm -f "$CLI/map"
	xenbw rebucket --defaults-file "$CLI/admin.cnf" --plan "$CLI/map" >/dev/null || cat "$CLI/err"
	sed '/^# /d; /^$/d' "$CLI/map" | tr -s ' '
}
saw='# the ledger saw it'

# 10:40 and 10:45 UTC are 16:10 and 16:15 there: one hour, though two of UTC's begin in it.
none
cli_vif 101 first 10.0.0.5 "2026-11-08 07:40" "2026-11-08 10:40"
cli_vif 102 second 10.0.0.5 "2026-11-08 10:45" "2026-11-08 13:50"
booked
tap_is "a zone of half hours: the hour of the change is nobody's, and the last half hour is in" "$(map)" " 2026-11-08T13:00 2026-11-08T16:00 10.0.0.5 first $saw
 2026-11-08T17:00 2026-11-08T20:00 10.0.0.5 second $saw"
tap_ok "the map is moved" xenbw rebucket --defaults-file "$CLI/admin.cnf" --readers-stopped --apply "$CLI/map"
tap_is "the bytes of that hour stay the address's" "$(mariadb_sql "SELECT ip, time, input FROM traffic ORDER BY time" old)" \
	$'first\t2026-11-08 13:00:00\t1\n10.0.0.5\t2026-11-08 16:00:00\t2\nsecond\t2026-11-08 19:00:00\t1'

# Three in one hour, and one whose time lies within another's.
none
cli_vif 101 first 10.0.0.5 "2026-11-08 07:40" "2026-11-08 14:40"
cli_vif 102 second 10.0.0.5 "2026-11-08 10:45" "2026-11-08 10:50"
cli_vif 103 third 10.0.0.5 "2026-11-08 10:55" "2026-11-08 16:35"
booked
tap_is "what two had at the same time is nobody's" "$(map)" " 2026-11-08T13:00 2026-11-08T16:00 10.0.0.5 first $saw
 2026-11-08T21:00 2026-11-08T23:00 10.0.0.5 third $saw"

mariadb_stop
export TZ=Europe/Berlin
mariadb_launch || tap_bail "no server"
none
cli_vif 101 first 10.0.0.5 "2026-10-24 20:00" "2026-10-25 00:05" # 02:05, the first time
cli_vif 102 second 10.0.0.5 "2026-10-25 01:20" "2026-10-25 03:20" # 02:20, the second time
booked
tap_is "the hour that comes twice is one" "$(map)" " 2026-10-24T22:00 2026-10-25T02:00 10.0.0.5 first $saw
 2026-10-25T03:00 2026-10-25T05:00 10.0.0.5 second $saw"

# ---- names ----

unclear='# two domains had its name or uuid at the same time: whose was it?'
none
sqlite3 "$CLI/ledger.db" "INSERT INTO bucket VALUES (91, 'domain'), (92, 'domain');
	INSERT INTO bucket_label VALUES (91, 'shop', 1790000000, 1794000000), (91, 'store', 1794000000, NULL), (92, 'web~2', 1790000000, NULL);
	INSERT INTO bucket VALUES (93, 'domain'), (94, 'domain');
	INSERT INTO bucket_label VALUES (93, 'one', 1790000000, NULL), (94, 'copy', 1790000000, NULL);
	INSERT INTO bucket_uuid VALUES ('22222222-0000-4000-8000-000000000000', 92), ('77777777-0000-4000-8000-000000000000', 93),
		('77777777-0000-4000-8000-000000000000 copy', 94)"
cli_vif 101 www--migratedaway 10.0.0.1 "2026-11-02 10:00" "2026-11-02 12:00"
cli_vif 102 shop--incoming 10.0.0.2 "2026-11-02 10:00" "2026-11-02 12:00"
sqlite3 "$CLI/ledger.db" "UPDATE vif SET bucket = 91 WHERE id = 102"
cli_vif 103 web 10.0.0.3 "2026-11-02 10:00" "2026-11-02 12:00" 22222222-0000-4000-8000-000000000000
cli_vif 104 twin 10.0.0.4 "2026-11-02 10:00" "2026-11-02 12:00" 33333333-0000-4000-8000-000000000000
cli_vif 105 twin--migratedaway 10.0.0.6 "2026-11-02 11:00" "2026-11-02 13:00" 44444444-0000-4000-8000-000000000000
cli_vif 106 twin 10.0.0.7 "2026-11-05 11:00" "2026-11-05 13:00" 55555555-0000-4000-8000-000000000000
cli_vif 107 moved 10.0.0.8 "2026-11-02 10:00" "2026-11-02 12:00" 66666666-0000-4000-8000-000000000000
cli_vif 108 moved--incoming 10.0.0.8 "2026-11-02 11:50" "2026-11-02 14:00" 66666666-0000-4000-8000-000000000000
for i in 9:one 10:copy 11:other; do # one uuid, copied twice
	cli_vif $((100 + ${i%:*})) "${i#*:}" "10.0.0.${i%:*}" "2026-11-02 10:00" "2026-11-02 12:00" 77777777-0000-4000-8000-000000000000
done
booked
tap_is "a domain has its bucket's label, or its name without what a migration adds; one of two of a name is undecided" "$(map)" \
	" 2026-11-02T11:00 2026-11-02T14:00 10.0.0.1 www $saw
 2026-11-02T11:00 2026-11-02T14:00 10.0.0.10 copy $saw
#2026-11-02T11:00 2026-11-02T14:00 10.0.0.11 one $unclear
 2026-11-02T11:00 2026-11-02T14:00 10.0.0.2 store $saw
 2026-11-02T11:00 2026-11-02T14:00 10.0.0.3 web~2 $saw
#2026-11-02T11:00 2026-11-02T14:00 10.0.0.4 twin $unclear
#2026-11-02T12:00 2026-11-02T15:00 10.0.0.6 twin $unclear
 2026-11-05T12:00 2026-11-05T15:00 10.0.0.7 twin $saw
 2026-11-02T11:00 2026-11-02T16:00 10.0.0.8 moved $saw
#2026-11-02T11:00 2026-11-02T14:00 10.0.0.9 one $unclear"
mkdir "$CLI/rrd"
for i in 1 2 3 4 6 7 8; do : >"$CLI/rrd/10.0.0.$i.rrd"; done
rm "$CLI/map"
tap_ok "files are planned" xenbw rebucket --rrd --plan "$CLI/map"
tap_is "by the same names" "$(sed '/^# /d; /^$/d; s/ since .*//' "$CLI/map" | tr -s ' ')" \
	" 10.0.0.1 www $saw
 10.0.0.2 store $saw
 10.0.0.3 web~2 $saw
#10.0.0.4 twin $unclear
#10.0.0.6 twin $unclear
#10.0.0.7 twin # one of several files of this domain: their sum is no rename; choose one
 10.0.0.8 moved $saw"
tap_done
