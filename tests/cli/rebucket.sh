#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw rebucket` with a real MariaDB and a ledger: the map, moving rows from addresses to domains, and back; a re-used
# address moves no old byte, and sums stay what they were, whatever is killed on the way.
# time-limit: 400
# shellcheck disable=SC2016 # the backquotes are those of messages and of SQL
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
printf '%s\n' "database mysql" "mysql_user root" "mysql_host $MARIADB_SOCKET" "mysql_database old" >>"$CLI/conf"
MAP=$CLI/map
rebucket() { xenbw rebucket --defaults-file "$CLI/admin.cnf" "$@"; }
moves() { rebucket --readers-stopped "$@"; }
rows() { mariadb_sql "SELECT * FROM (SELECT ip, time, input, output, local_input FROM traffic) x ORDER BY ip, time" old | md5sum; }
sums() { mariadb_sql "SELECT SUM(input), SUM(output), SUM(peer_input), SUM(local_output) FROM traffic" old; }
of() { mariadb_sql "SELECT COUNT(*), IFNULL(SUM(input), 0) FROM traffic WHERE ip = '$1'" old; }

tap_ok "a map is needed" cli_fails 2 'MAP is missing' rebucket --apply --readers-stopped
tap_ok "one thing at a time" cli_fails 2 'one of --plan, --apply and --undo' rebucket --plan --undo x
tap_ok "readers must be stopped" cli_fails 2 'sums fall: .*COUNTER.*say --readers-stopped' rebucket --apply "$MAP"
tap_ok "also for the way back" cli_fails 2 'say --readers-stopped' rebucket --undo
old_table 0.78 old && old_rows old 100
tap_ok "netacct's own table comes first" cli_fails 1 'rows cannot be moved: .*`xenbw db upgrade`' rebucket --defaults-file "$CLI/admin.cnf" --plan "$MAP"

# Two domains had 10.0.0.5, one after the other; 10.0.0.6 was one domain's through a reboot; 10.0.0.7 nobody saw.
mariadb_sql "DROP TABLE traffic; $(sed -n '/CREATE TABLE IF NOT EXISTS `traffic`/,/;/p' "$CLI_TREE/db/schema/mysql.sql")" old
mariadb_sql "INSERT INTO traffic (ip, time, input, output, local_input) SELECT CONCAT('10.0.0.', 5 + seq % 3), '2026-11-01 00:00:00' + INTERVAL seq DIV 3 HOUR,
	seq * 1000003, seq, 7 FROM seq_0_to_1499; INSERT INTO traffic (ip, time, input) VALUES ('no address', '2026-11-03 00:00:00', 5)" old
sqlite3 "$CLI/ledger.db" "DELETE FROM slot WHERE address LIKE '10.0.0.%'; DELETE FROM take WHERE address LIKE '10.0.0.%'"
cli_vif 101 first 10.0.0.5 "2026-11-03 00:00" "2026-11-08 10:20"
cli_vif 102 second 10.0.0.5 "2026-11-08 10:40" "2026-11-12 23:55"
cli_vif 103 mail 10.0.0.6 "2026-11-02 00:00" "2026-11-04 12:00"
cli_vif 104 mail 10.0.0.6 "2026-11-04 15:10" "2026-11-12 23:55"
said=$(rebucket --plan "$MAP")
tap_like "--plan says what it made, and what next" "$said" "map: 3 lines by what the ledger saw, 3 for you to decide. Read it, then: xenbw rebucket "
tap_is "who had what: nobody has the hour of a change, nor what was before the ledger" "$(sed '/^# /d; /^$/d' "$MAP" | tr -s ' ')" \
	'#2026-11-01T00:00 2026-11-03T00:00 10.0.0.5 first # before the ledger: whose was it? Nobody knows
 2026-11-03T00:00 2026-11-08T10:00 10.0.0.5 first # the ledger saw it
 2026-11-08T11:00 2026-11-13T00:00 10.0.0.5 second # the ledger saw it
#2026-11-01T00:00 2026-11-02T00:00 10.0.0.6 mail # before the ledger: whose was it? Nobody knows
 2026-11-02T00:00 2026-11-13T00:00 10.0.0.6 mail # the ledger saw it
#2026-11-01T00:00 2026-11-21T20:00 10.0.0.7 ? # the ledger never saw it'
tap_ok "a map is not overwritten" cli_fails 1 'is there already' rebucket --defaults-file "$CLI/admin.cnf" --plan "$MAP"

before=$(rows) total=$(sums)
tap_is "a look" "$(rebucket --json "$MAP" | jq -c '.lines[] | [.line, .address, .domain, .rows]')" '[6,"10.0.0.5","first",130]
[7,"10.0.0.5","second",109]
[9,"10.0.0.6","mail",264]'
tap_like "for people, with a warning" "$(rebucket "$MAP")" '^Nothing is moved yet: --apply does it'
tap_is "moves nothing" "$(rows)" "$before"
mail=$(mariadb_sql "SELECT SUM(input) FROM traffic WHERE ip = '10.0.0.6' AND time >= '2026-11-02' AND time < '2026-11-13'" old)
said=$(moves --apply "$MAP")
tap_is "--apply ends well" "$?$(cat "$CLI/err")" 0
tap_is "and says that the sums are the same" "$said" 'Moved: 503 rows. `xenbw rebucket --undo` takes them back.
The sums of the whole table are what they were.'
tap_is "they are" "$(sums)" "$total"
tap_is "a domain has what its address had" "$(of mail)" "264	$mail"
tap_is "what was before, and the hour of the change, stay" "$(mariadb_sql "SELECT time FROM traffic WHERE ip = '10.0.0.5' AND time BETWEEN '2026-11-02 23:00:00' AND '2026-11-12 23:00:00'" old)" "2026-11-02 23:00:00
2026-11-08 10:00:00"
tap_is "nobody's address has all it had" "$(of 10.0.0.7 | cut -f 1)" 500
tap_like "once more moves nothing" "$(moves --apply "$MAP")" '^Moved: 0 rows'
tap_like "--undo" "$(moves --undo)" 'Taken back: 503 rows'
tap_is "all is as it was" "$(rows)" "$before"
tap_is "and no table is left over" "$(mariadb_sql "SHOW TABLES" old)" traffic
tap_ok "there is nothing more to take back" cli_fails 1 'nothing to take back' rebucket --defaults-file "$CLI/admin.cnf" --undo --readers-stopped

# Two addresses of one domain, whose hours become one; what was added since stays the domain's.
printf '%s\n' '2026-11-01T00:00 2026-12-01T00:00 10.0.0.5 web' '2026-11-01T00:00 2026-12-01T00:00 10.0.0.6 web' >"$MAP"
mariadb_sql "INSERT INTO traffic (ip, time, input) VALUES ('web', '2026-11-02 00:00:00', 11)" old
before=$(rows) total=$(sums)
moves --apply "$MAP" >/dev/null
tap_is "two addresses of one domain become one row an hour" "$(of web | cut -f 1) $(sums)" "500 $total"
mariadb_sql "UPDATE traffic SET input = input + 13 WHERE ip = 'web' AND time = '2026-11-02 00:00:00'; INSERT INTO traffic (ip, time, input) VALUES ('10.0.0.5', '2026-11-02 00:00:00', 17)" old
moves --undo >/dev/null
tap_is "what was added since stays where it is" "$(mariadb_sql "SELECT input FROM traffic WHERE ip = 'web'" old) $(mariadb_sql "SELECT input % 1000003 FROM traffic WHERE ip = '10.0.0.5' AND time = '2026-11-02 00:00:00'" old)" "24 17"
mariadb_sql "UPDATE traffic SET input = input - 13 WHERE ip = 'web'; UPDATE traffic SET input = input - 17 WHERE ip = '10.0.0.5' AND time = '2026-11-02 00:00:00'" old
tap_is "and nothing else is changed" "$(rows)" "$before"

# Killed again and again, while somebody writes.
mariadb_sql "INSERT INTO traffic (ip, time, input) SELECT '10.0.0.9', '2020-01-01' + INTERVAL seq HOUR, seq FROM seq_1_to_12000" old
printf '%s\n' '2020-01-01T00:00 2026-01-01T00:00 10.0.0.9 big' '2026-11-01T00:00 2026-12-01T00:00 10.0.0.5 web' >"$MAP"
before=$(rows) total=$(sums) kills=0
killed() { # killed LAST_WORD OPTION…: kills it until what it says begins with this word
	local last=$1 i pid
	shift
	for ((i = 0; i < 30; i++)); do
		"$BUILD/xenbw" -c "$CLI/conf" rebucket --defaults-file "$CLI/admin.cnf" --readers-stopped "$@" >"$CLI/out" 2>/dev/null &
		pid=$!
		sleep "$((i / 4)).$((RANDOM % 9))"
		kill -KILL $pid 2>/dev/null && kills=$((kills + 1))
		wait $pid 2>/dev/null
		[ "$(sums)" = "$total" ] || { echo "the sums are $(sums), not $total"; return 1; }
		! grep -q "^$last" "$CLI/out" || return 0
	done
}
tap_is "killed on the way, the sums are always the same" "$(killed Moved --apply "$MAP")" ""
tap_is "in the end all is moved" "$(of big | cut -f 1) $(of 10.0.0.9 | cut -f 1) $(of 10.0.0.5 | cut -f 1)" "12000 0 0"
killed Taken --undo >/dev/null
moves --undo >/dev/null 2>&1
tap_is "and taken back, killed $kills times in all" "$(rows)" "$before"
(
	for ((i = 0; i < 80; i++)); do # as xenbw-writer does: once more where a deadlock was in the way
		until mariadb_sql "INSERT INTO traffic (ip, time, input) VALUES ('big', '2024-01-01 00:00:00', 1), ('10.0.0.9', '2024-01-01 00:00:00', 1) ON DUPLICATE KEY UPDATE input = traffic.input + 1" old 2>/dev/null; do :; done
	done
) &
writer=$!
tap_ok "while another one writes" moves --apply "$MAP"
wait $writer
tap_is "both come through" "$(($(sums | cut -f 1) - ${total%%$'\t'*}))" 160
tap_ok "and back" moves --undo

# ---- maps that are none ----

before=$(rows)
bad() { # bad TEXT PATTERN LINE…: refused with this, and nothing is changed
	local text=$1 pattern=$2
	shift 2
	printf '%b\n' "$@" >"$MAP"
	tap_ok "$text" cli_fails 1 "$pattern" rebucket --defaults-file "$CLI/admin.cnf" --apply --readers-stopped "$MAP"
}
good='2026-11-01T00:00 2026-11-02T00:00 10.0.0.5 web'
bad "an hour that is none" 'map:2: `2026-11-31T00:00` is no full hour' "$good" '2026-11-31T00:00 2026-12-02T00:00 10.0.0.5 web'
bad "a time within an hour" 'map:1: `2026-11-01T00:30` is no full hour' '2026-11-01T00:30 2026-11-02T00:00 10.0.0.5 web'
bad "no address" 'map:1: `web` is no address' '2026-11-01T00:00 2026-11-02T00:00 web 10.0.0.5'
bad "no name" 'map:1: behind the address stands the domain' '2026-11-01T00:00 2026-11-02T00:00 10.0.0.5'
bad "an end before the beginning" 'map:1: it ends before it begins' '2026-11-02T00:00 2026-11-01T00:00 10.0.0.5 web'
bad "an hour with two owners" 'map:2: 10.0.0.5 has an owner already in these hours, by line 1' "$good" '2026-11-01T23:00 2026-11-03T00:00 10.0.0.5 db'
bad "an owner that is an address of the map" 'map:1: the owner `10.0.0.6` is itself an address' '2026-11-01T00:00 2026-11-02T00:00 10.0.0.5 10.0.0.6' '2026-11-01T00:00 2026-11-02T00:00 10.0.0.6 web'
bad "Latin-1" 'map:1: `gr.xfc.*` is no name: .*UTF-8' '2026-11-01T00:00 2026-11-02T00:00 10.0.0.5 gr\xfc\xdfe'
bad "a NUL byte" 'map:1: the line holds a NUL byte' 'a\x00b'
bad "nothing" 'no line but comments' '# nothing'
tap_ok "no file" cli_fails 1 'there is no map .*--plan' rebucket --defaults-file "$CLI/admin.cnf" "$CLI/none"
tap_ok "a directory" cli_fails 1 'Is a directory' rebucket --defaults-file "$CLI/admin.cnf" "$CLI"
echo "$good" >"$MAP"
mariadb_sql "CREATE USER poor@localhost; GRANT SELECT, INSERT, UPDATE ON old.* TO poor@localhost"
printf '[client]\nuser=poor\n' >"$CLI/poor.cnf"
tap_ok "an account without the rights" cli_fails 1 'denied' rebucket --defaults-file "$CLI/poor.cnf" --apply --readers-stopped "$MAP"
tap_is "nothing of it changed a row" "$(rows)" "$before"
tap_done
