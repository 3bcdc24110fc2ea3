#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw db upgrade` with a real MariaDB: each of netacct's old tables becomes one that xenbw-writer can add to, and goes
# back; not a byte is lost or counted twice, whatever is killed on the way.
# time-limit: 500
# shellcheck disable=SC2016 # the backquotes are those of messages and of SQL
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/old_tables.sh"

DB=$(mktemp -d /dev/shm/db.XXXXXX) || exit 1
trap 'mariadb_kill; rm -rf "$CLI" "$DB"' EXIT
mariadb_start "$DB" || tap_bail "no server"
printf '[client]\nuser=root\n' >"$CLI/admin.cnf"
printf '%s\n' "database mysql" "mysql_user acct" "mysql_password acct" "mysql_host $MARIADB_SOCKET" "mysql_database old" >>"$CLI/conf"
chmod 600 "$CLI/conf"
upgrade() { xenbw db upgrade --defaults-file "$CLI/admin.cnf" "$@"; }
tables() { mariadb_sql "SHOW TABLES" old | tr '\n' ' '; }
# All that a reader or an admin could see of a table.
picture() { mariadb_sql "SHOW CREATE TABLE $1; SELECT * FROM $1 ORDER BY id" old | md5sum; }
# fails PATTERN [OPTION…]: status 1, nothing on standard output, and the tables stay as they are.
fails() {
	local pattern=$1 before after
	before=$(tables; picture traffic 2>/dev/null)
	shift
	cli_fails 1 "$pattern" db upgrade --defaults-file "$CLI/admin.cnf" "$@" || return 1
	after=$(tables; picture traffic 2>/dev/null)
	[ "$before" = "$after" ] || { echo "before: $before, after: $after"; return 1; }
}

# ---- words ----

tap_ok "one thing at a time" cli_fails 2 'one of --apply, --rollback and --confirm' db upgrade --apply --confirm
tap_ok "only upgrade has them" cli_fails 2 'upgrade has' db status --apply
tap_ok "--print is init's" cli_fails 2 'without --apply it prints' db upgrade --print
tap_ok "JSON is for looking" cli_fails 2 'only without --apply' db upgrade --apply --json

# ---- each old table, there and back ----

month="time between '20240101' and '20240201'"
readers() { # what the how-to's pages and others ask
	mariadb_sql "SELECT traffic.ip, SUM(input)/1073741824 inp, SUM(output)/1073741824 outp FROM traffic GROUP BY ip;
		SELECT traffic.ip, SUM(input)/1073741824 inp, SUM(output)/1073741824 outp FROM traffic WHERE $month GROUP BY ip;
		SELECT SUM(input+output), DATE(time) FROM traffic WHERE ip = '10.0.0.7' GROUP BY DATE(time)" old | md5sum
}
for kind in 0.78 0.78.2 0.73 wide utf8; do
	old_table "$kind" old
	old_rows old 3000
	# twice the same hour, no date at all, an hour that is none, an address without dots, a full counter
	mariadb_sql "SET sql_mode = ''; INSERT INTO traffic (ip, time, input, output) VALUES ('10.0.0.7', '2024-01-01 05:00:00', 11, 13),
		('10.0.0.7', '2024-01-01 05:00:00', 17, 19), ('10.0.0.8', '0000-00-00 00:00:00', 23, 29), ('10.0.0.8', '2024-01-01 05:17:03', 31, 37),
		('', '2024-01-01 05:00:00', 1, 0), ('10.0.1.9', '2023-12-31 23:00:00', 2147483647, 2147483646)" old
	sums=$(old_sums old traffic) before=$(picture traffic) seen=$(readers)
	said=$(upgrade)
	tap_is "$kind: a look ends well" "$?" 0
	tap_like "$kind: it prints the SQL" "$said" '^RENAME TABLE `traffic` TO `traffic_netacct`, `traffic_xenbw_new` TO `traffic`;$'
	tap_is "$kind: and changes nothing" "$(picture traffic)$(tables)" "${before}traffic "
	tap_is "$kind: full counters are listed" "$(upgrade --json | jq -c '[.stage, .rows, .rows_at_least, .counters]')" \
		"$([ $kind = wide ] && echo '["waiting",3006,0,[]]' ||
			echo '["waiting",3006,1,[{"ip":"10.0.1.9","time":"2023-12-31 23:00:00","column":"input","at_least":2147483647}]]')"
	said=$(upgrade --apply)
	tap_is "$kind: --apply ends well" "$?$(cat "$CLI/err")" 0
	tap_like "$kind: and tells what it did" "$said" '^Copied: 3006 rows, in [0-9]+ s. All sums agree.$'
	tap_is "$kind: the sums are the same, rows of one hour are one" "$(old_sums old traffic)" "3004${sums#3006}"
	tap_is "$kind: no hour is there twice" "$(mariadb_sql "SELECT COUNT(*) FROM (SELECT 1 FROM traffic GROUP BY ip, time HAVING COUNT(*) > 1) x" old)" 0
	tap_is "$kind: rows without a date keep it" "$(mariadb_sql "SELECT time, input FROM traffic WHERE ip = '10.0.0.8' AND input IN (23, 31) ORDER BY input" old)" \
		"0000-00-00 00:00:00	23
2024-01-01 05:17:03	31"
	tap_is "$kind: who reads it gets the same answers" "$(readers)" "$seen"
	tap_is "$kind: the old table is kept" "$(tables)" "traffic traffic_netacct "
	tap_is "$kind: looking again says so" "$(upgrade --json | jq -r .stage)" 'done'
	tap_like "$kind: --apply again does nothing" "$(upgrade --apply)" 'is upgraded. The old one is kept as traffic_netacct'
	tap_like "$kind: --rollback" "$(upgrade --rollback)" 'The old table is traffic again'
	tap_is "$kind: all is as it was" "$(picture traffic)$(tables)" "${before}traffic "
	tap_ok "$kind: and it can be done once more" upgrade --apply
	tap_like "$kind: --confirm" "$(upgrade --confirm)" 'The old table traffic_netacct is dropped'
	tap_is "$kind: nothing else is left" "$(tables)" "traffic "
	tap_is "$kind: the sums are still the same" "$(old_sums old traffic)" "3004${sums#3006}"
	tap_is "$kind: there is nothing more to do" "$(upgrade)" "Table traffic needs no upgrade."
	tap_ok "$kind: nor to take back" fails 'no upgrade of table traffic to take back' --rollback
	tap_ok "$kind: nor to confirm" fails 'no upgrade of table traffic to confirm' --confirm
done
tap_ok "xenbw db init finds it fine" xenbw db init --defaults-file "$CLI/admin.cnf"
tap_is "and so does xenbw db status" "$(xenbw db status --json 2>/dev/null | jq -r '.databases[].state')" fine
# nacctd's own statements, as account acct
nacctd() { mariadb --no-defaults --socket="$MARIADB_SOCKET" --user=acct --password=acct -N -B -e "$1" old; }
nacctd "INSERT INTO traffic (ip, time, input, output) VALUES ('10.0.0.1', '2026-01-01 00:00:00', 5, 6)"
id=$(nacctd "SELECT id FROM traffic WHERE ip = '10.0.0.1' AND time = '2026-01-01 00:00:00'")
nacctd "UPDATE traffic SET input = input + 4000000000, output = output + 1 WHERE id = '$id'"
tap_is "nacctd goes on with it" "$(nacctd "SELECT input, output FROM traffic WHERE id = '$id'")" "4000000005	7"

# ---- what was written meanwhile ----

old_table 0.78 old && old_rows old 50000
sums=$(old_sums old traffic)
tap_ok "upgraded" upgrade --apply
mariadb_sql "INSERT INTO traffic (ip, time, input) VALUES ('web', '2026-11-26 04:00:00', 5000000000)" old
tap_like "a rollback tells of bytes that are only in the new table" "$(upgrade --rollback)" 'it is kept as traffic_rolled_back'
tap_is "and keeps it" "$(tables)$(mariadb_sql "SELECT input FROM traffic_rolled_back WHERE ip = 'web'" old)" "traffic traffic_rolled_back 5000000000"
tap_is "the old one is as it was" "$(old_sums old traffic)" "$sums"
tap_ok "upgraded again" upgrade --apply
tap_ok "a second such table is not overwritten" fails 'traffic_rolled_back of an earlier rollback is there.*drop it' --rollback
mariadb_sql "DROP TABLE traffic_rolled_back" old
tap_ok "then it goes back" upgrade --rollback

# halfway, and somebody writes to a row that is copied
half() { # half: some batches, then a kill
	"$BUILD/xenbw" -c "$CLI/conf" db upgrade --defaults-file "$CLI/admin.cnf" --apply >/dev/null 2>&1 &
	local pid=$! i
	for ((i = 0; i < 500; i++)); do
		[ "$(mariadb_sql "SELECT copied > 0 FROM xenbw_upgrade" old 2>/dev/null)" != 1 ] || break
		sleep 0.02
	done
	kill -KILL $pid
	wait $pid 2>/dev/null
}
old_rows old 150000 # 200,000 rows
half
tap_is "killed halfway, it says how far it is" "$(upgrade --json | jq -c '[.stage, .rows, .copied > 0]')" '["begun",200000,true]'
tap_like "and what to do" "$(upgrade)" '^Begun: [0-9]+ rows are copied. `xenbw db upgrade --apply` goes on, --rollback drops the copy'
mariadb_sql "UPDATE traffic SET output = output + 1 WHERE id = 1" old
xenbw db upgrade --defaults-file "$CLI/admin.cnf" --apply
tap_is "a row that changed since: status 1" "$?" 1
tap_like "with the way out" "$(cat "$CLI/err")" 'somebody wrote to table traffic .*stop nacctd, begin anew with `xenbw db upgrade --rollback`'
tap_is "the old table is in use still" "$(mariadb_sql "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'old' AND TABLE_NAME = 'traffic'")" MyISAM
tap_like "the way out" "$(upgrade --rollback)" 'What was copied is dropped; table traffic was in use all the time'
tap_is "leaves nothing behind" "$(tables)" "traffic "

# ---- killed, again and again ----

sums=$(old_sums old traffic) kills=0 most=0
for ((i = 0; i < 40; i++)); do
	"$BUILD/xenbw" -c "$CLI/conf" db upgrade --defaults-file "$CLI/admin.cnf" --apply >"$CLI/out" 2>"$CLI/err" &
	pid=$!
	case $i in
	3 | 6)
		sleep 0.4
		mariadb_kill
		wait $pid
		tap_like "a server that is killed is told" "$(cat "$CLI/err")" 'at MySQL server'
		mariadb_start "$DB" || tap_bail "no server"
		continue ;;
	esac
	sleep "$((i / 4)).$((RANDOM % 9 + 1))" # at last it has the time to finish
	most=$(awk -v most="$most" '/^VmHWM/ { if ($2 > most) most = $2 } END { print most }' "/proc/$pid/status" 2>/dev/null || echo "$most")
	kill -KILL $pid 2>/dev/null && kills=$((kills + 1))
	wait $pid 2>/dev/null
	[ "$(upgrade --json | jq -r .stage)" != 'done' ] || break
done
tap_is "200,000 rows, killed $kills times and the server twice: done" "$(upgrade --json | jq -r .stage)" 'done'
tap_is "no byte is lost, none is there twice" "$(old_sums old traffic | cut -f 2-)" "$(cut -f 2- <<<"$sums")"
tap_ok "it holds next to nothing in memory ($most KiB)" test "${most:-0}" -lt $((${ASAN_OPTIONS:+400000} + 40000))
tap_ok "back" upgrade --rollback
started=$(date +%s%N)
tap_ok "at a stretch" upgrade --apply
took=$((($(date +%s%N) - started) / 1000000))
echo "# figure: 200,000 rows of netacct's table upgraded in $((took / 1000)).$((took % 1000 / 100)) s: $((200000000 / took)) rows a second"
upgrade --rollback >/dev/null
mariadb_sql "SELECT GET_LOCK(CONCAT('xenbw upgrade ', MD5('old.traffic')), 0); SELECT SLEEP(8)" >/dev/null &
locker=$!
sleep 0.5
tap_ok "not two at once" fails 'another `xenbw db upgrade` is at work' --apply
kill $locker
wait $locker 2>/dev/null

# ---- what stays as it is ----

old_table 0.78 old && old_rows old 100
try() { # try TEXT SQL PATTERN: after this SQL the table is refused, by a look and by --apply
	old_table 0.78.2 old && old_rows old 100
	mariadb_sql "$2" old
	tap_ok "$1: looked at" fails "$3"
	tap_ok "$1: refused" fails "$3" --apply
}
try "another one's table" "DROP TABLE traffic; CREATE TABLE traffic (id INT PRIMARY KEY, cars INT)" 'it has a column cars, which is not netacct'
try "no time" "ALTER TABLE traffic DROP COLUMN time" 'it has no column time of type datetime'
try "a column of the site's own" "ALTER TABLE traffic ADD COLUMN bnid INT" 'column bnid, .*take a copy .*drop it'
try "a view" "RENAME TABLE traffic TO t; CREATE VIEW traffic AS SELECT * FROM t" 'it is no table but a VIEW'
try "counters that are no numbers" "ALTER TABLE traffic MODIFY input VARCHAR(20)" 'column input is of type varchar\(20\)'
try "no id" "ALTER TABLE traffic DROP COLUMN id" 'no column id.*ADD COLUMN id'
try "a trigger" "CREATE TRIGGER t BEFORE INSERT ON traffic FOR EACH ROW SET NEW.input = 1" 'it has triggers.*drop them first'
try "a table in the old one's new place" "CREATE TABLE traffic_netacct (x INT)" 'traffic_netacct is there .*rename or drop'
try "a table in the new one's place" "CREATE TABLE traffic_xenbw_new AS SELECT 1 AS x" 'traffic_xenbw_new is there .*rename or drop'
try "no table" "DROP TABLE traffic" 'table traffic is not there .*`xenbw db init`'
old_table 0.78.2 old && old_rows old 100
mariadb_sql "UPDATE traffic SET input = -5 WHERE id = 7" old
tap_ok "counters below zero are for the admin to mend" fails 'counters below 0.*SELECT \* FROM traffic WHERE input < 0'
tap_ok "and --apply says the same" fails 'counters below 0' --apply
mariadb_sql "UPDATE traffic SET input = 5 WHERE id = 7; CREATE USER poor@localhost; GRANT SELECT, INSERT, UPDATE ON old.* TO poor@localhost" old
printf '[client]\nuser=poor\n' >"$CLI/poor.cnf"
tap_ok "an account without the rights" cli_fails 1 'denied' db upgrade --defaults-file "$CLI/poor.cnf" --apply
tap_ok "the configuration's own account is told about --defaults-file" cli_fails 1 'such as --defaults-file' db upgrade --apply
tap_is "nothing is changed" "$(tables)" "traffic "
mariadb_stop
tap_ok "no server" cli_fails 1 'cannot connect' db upgrade --defaults-file "$CLI/admin.cnf"
tap_done
