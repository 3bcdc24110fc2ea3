#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw db`: init and status with a real MariaDB: what is made, what is left alone, and what is said.
# shellcheck disable=SC2016 # the backquotes are those of messages and of SQL
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/mariadb.sh"

DB=$(mktemp -d /dev/shm/db.XXXXXX) || exit 1
trap 'mariadb_kill; rm -rf "$CLI" "$DB"' EXIT
mariadb_start "$DB" || tap_bail "no server"
secret="it's \\ \"odd\" \`pw\`%s"
printf '%s\n' "$secret" >"$CLI/password"
chmod 600 "$CLI/password"
printf '[client]\nuser=root\n' >"$CLI/admin.cnf"
cp "$CLI/conf" "$CLI/plain"
configure() { { cat "$CLI/plain"; printf '%s\n' "mysql_host $MARIADB_SOCKET" "$@"; } >"$CLI/conf"; }

tap_ok "without a database there is no status" cli_fails 1 '`database none`.*`xenbw db init`' db status
tap_ok "init needs an account to make" cli_fails 1 'mysql_user NAME' db init --defaults-file "$CLI/admin.cnf"
tap_ok "words" cli_fails 2 'write init, status or upgrade' db drop
tap_ok "init has no --json" cli_fails 2 'no --json' db init --json
tap_ok "status takes no admin" cli_fails 2 'no --defaults-file' db status --defaults-file x
tap_ok "status prints no SQL" cli_fails 2 'has no --print' db status --print

configure "database mysql" "mysql_user ac'ct" "mysql_password_file $CLI/password"
tap_is "--print connects nowhere and tells no password" "$(xenbw db init --print | grep -v '^	\|^--\|^)\|^$')" \
	'CREATE DATABASE IF NOT EXISTS `netacct`;
USE `netacct`;
CREATE TABLE IF NOT EXISTS `traffic` (
CREATE TABLE IF NOT EXISTS `xenbw_host` (
CREATE USER IF NOT EXISTS '"'ac''ct'@'localhost' IDENTIFIED BY 'PASSWORD'"';
GRANT SELECT, INSERT, UPDATE ON `netacct`.`traffic` TO '"'ac''ct'@'localhost'"';
GRANT SELECT, INSERT, UPDATE ON `netacct`.`xenbw_host` TO '"'ac''ct'@'localhost'"';'
xenbw db init --print >"$CLI/printed.sql"
tap_ok "the server takes what is printed" mariadb_sql "$(sed 's/`netacct`/`printed`/' "$CLI/printed.sql")"
mariadb_sql "DROP DATABASE printed; DROP USER 'ac\\'ct'@localhost"

tap_ok "status before init says what to do" cli_fails 1 'cannot connect' db status
tap_ok "an account without rights is told about --defaults-file" cli_fails 1 'such as --defaults-file' db init
tap_is "init makes all of it" "$(xenbw db init --defaults-file "$CLI/admin.cnf")" "database netacct: made
tables traffic and xenbw_host: made
account 'ac\\'ct'@'localhost': made; may SELECT, INSERT and UPDATE in these two tables
The account works. Next: systemctl restart xenbwd, then xenbw db status."
tap_is "and says no more" "$(cat "$CLI/err")" ""
tap_is "again, it finds all of it" "$(xenbw db init --defaults-file "$CLI/admin.cnf")" "database netacct: was there
tables traffic and xenbw_host: were there
account 'ac\\'ct'@'localhost': was there, its password is unchanged; may SELECT, INSERT and UPDATE in these two tables
The account works. Next: systemctl restart xenbwd, then xenbw db status."
tap_is "the account has these rights and no others" "$(mariadb_sql "SHOW GRANTS FOR 'ac\\'ct'@localhost" | sed "s/ TO .*//" | sort)" \
	'GRANT SELECT, INSERT, UPDATE ON `netacct`.`traffic`
GRANT SELECT, INSERT, UPDATE ON `netacct`.`xenbw_host`
GRANT USAGE ON *.*'

# taken SEQ: what tells this take from any other
taken() {
	sqlite3 "$CLI/ledger.db" "SELECT text FROM (SELECT seq, to_time || ' ' || from_time || ' ' || slot || ' ' || bucket || ' ' || vif || ' ' ||
		(external_input || ' ' || peer_input + direct_input + local_input + ignored_input + unattributed_input) || ' ' ||
		(external_output || ' ' || peer_output + direct_output + local_output + ignored_output + unattributed_output) AS text FROM take) WHERE seq = $1"
}
status() { xenbw db status --json | jq -c '.databases[]'; }
tap_is "nothing is written yet" "$(status | jq -c '[.state, .tls, .rows, .ledger_seq, .written_seq, .acknowledged_seq, .waiting]')" \
	'["fine",null,0,3,null,null,3]'
tap_like "and nothing will be, until xenbwd knows of it" "$(cat "$CLI/err")" 'keeps nothing for MySQL yet.*systemctl restart xenbwd'
tap_is "what JSON says beside it" "$(xenbw db status --json | jq -c 'del(.databases, .ledger) | .time |= sub("[0-9]{2}Z$"; "SSZ")')" \
	'{"format":1,"command":"db","time":"2026-11-23T11:00:SSZ"}' # that clock goes on
tap_is "columns of CSV" "$(xenbw db status --csv | head -n 1 | tr -d '\r')" \
	"server,version,tls,database,table,state,rows,ledger_seq,written_seq,acknowledged_seq,waiting"
mariadb_sql "INSERT INTO xenbw_host(ledger_uuid, host, seq, taken) VALUES ('feed', 'here', 2, '$(taken 2)'), ('other', 'there', 9, ''); INSERT INTO traffic(ip, time, input) VALUES ('web', '2026-11-23 12:00:00', 5000000000)" netacct
sqlite3 "$CLI/ledger.db" "INSERT INTO sink VALUES ('mysql', 1)"
tap_is "how far the table is, by this ledger's marker" "$(status | jq -c '[.rows, .ledger_seq, .written_seq, .acknowledged_seq, .waiting]')" '[1,3,2,1,1]'
tap_like "for people" "$(xenbw db status)" '^SERVER +VERSION +TLS +DATABASE +TABLE +STATE +ROWS +LEDGER +WRITTEN +ACKNOWLEDGED +WAITING$'
xenbw db status >/dev/null
tap_is "all is well: status 0" "$?" 0
mariadb_sql "UPDATE xenbw_host SET seq = 4 WHERE ledger_uuid = 'feed'" netacct
out=$(xenbw db status)
tap_is "a marker ahead of the ledger: status 1" "$?" 1
tap_like "with the way out" "$(cat "$CLI/err")" 'is ahead of the ledger .*sequence 4, the ledger.s last is 3.*host here wrote last.*UPDATE xenbw_host SET seq = [0-9]+, taken = .* WHERE ledger_uuid = .feed.$'
tap_like "and the table" "$out" ' fine '
mariadb_sql "UPDATE xenbw_host SET seq = 3 WHERE ledger_uuid = 'feed'" netacct
xenbw db status >/dev/null
tap_is "a marker at a take that is not the ledger's: status 1" "$?" 1
tap_like "with the way out, as xenbw-writer says it" "$(cat "$CLI/err")" 'is ahead of the ledger .*sequence 3, which is another take there'
mariadb_sql "$(grep -o 'UPDATE xenbw_host.*' "$CLI/err")" netacct
tap_ok "which works" xenbw db status
sqlite3 "$CLI/ledger.db" "CREATE TABLE kept AS SELECT * FROM take; DELETE FROM take WHERE seq < 3; UPDATE sink SET seq = 3 WHERE name = 'mysql'"
mariadb_sql "UPDATE xenbw_host SET seq = 1, taken = '' WHERE ledger_uuid = 'feed'" netacct
xenbw db status >/dev/null
tap_is "a marker behind what is folded: status 1" "$?" 1
tap_like "with the commonest cause and the way out" "$(cat "$CLI/err")" 'is behind the ledger .*next 1 takes.*database none.*UPDATE xenbw_host SET seq = 2, taken = .. WHERE ledger_uuid = .feed.$'
mariadb_sql "$(grep -o 'UPDATE xenbw_host.*' "$CLI/err")" netacct
tap_ok "which works" xenbw db status
sqlite3 "$CLI/ledger.db" "INSERT OR IGNORE INTO take SELECT * FROM kept; DROP TABLE kept"

mariadb_sql "ALTER TABLE xenbw_host DROP COLUMN taken" netacct
xenbw db status >/dev/null
tap_is "xenbw_host of an earlier xenbw: status 1" "$?" 1
tap_like "with the statement" "$(cat "$CLI/err")" 'is that of an earlier xenbw; .*ALTER TABLE xenbw_host ADD COLUMN taken'
mariadb_sql "$(grep -o 'ALTER TABLE.*' "$CLI/err")" netacct
tap_ok "which works" xenbw db status

mariadb_sql "DROP TABLE xenbw_host" netacct
xenbw db status >/dev/null
tap_is "a missing table: status 1" "$?:$(grep -c 'xenbw db init' "$CLI/err")" 1:1
tap_ok "init makes it again" xenbw db init --defaults-file "$CLI/admin.cnf"
tap_is "and keeps what the other one holds" "$(mariadb_sql "SELECT ip, input FROM traffic" netacct)" "web	5000000000"

# netacct-mysql's own table, in a database of its own
mariadb_sql "CREATE DATABASE old; CREATE TABLE old.traffic (id int(11) unsigned NOT NULL auto_increment PRIMARY KEY,
	ip varchar(15) NOT NULL default '', time datetime NOT NULL default '2000-01-01', input int(20) NOT NULL default 0, output int(20) NOT NULL default 0,
	peer_input int(20) NOT NULL default 0, peer_output int(20) NOT NULL default 0, direct_input int(20) NOT NULL default 0,
	direct_output int(20) NOT NULL default 0, local_input int(20) NOT NULL default 0, local_output int(20) NOT NULL default 0,
	KEY ip (ip, time)) ENGINE=MyISAM; INSERT INTO old.traffic(ip, input) VALUES ('10.0.0.1', 7)"
before=$(mariadb_sql "SHOW CREATE TABLE traffic; SELECT * FROM traffic" old)
configure "database mysql" "mysql_user ac'ct" "mysql_password_file $CLI/password" "mysql_database old"
xenbw db init --defaults-file "$CLI/admin.cnf" >/dev/null
tap_is "netacct's own table: status 1" "$?" 1
tap_like "and what to do" "$(cat "$CLI/err")" 'nothing was changed in it: table traffic .* is netacct.s own: .*mysql_table xenbw_traffic'
tap_is "it is left as it was" "$(mariadb_sql "SHOW CREATE TABLE traffic; SELECT * FROM traffic" old)" "$before"
configure "database mysql" "mysql_user ac'ct" "mysql_password_file $CLI/password" "mysql_database old" "mysql_table xenbw_traffic"
tap_like "another table beside it" "$(xenbw db init --defaults-file "$CLI/admin.cnf")" '^tables xenbw_traffic and xenbw_host: made$'
tap_is "which is fine" "$(status | jq -r .state)" fine
printf 'wrong\n' >"$CLI/password"
xenbw db init --defaults-file "$CLI/admin.cnf" >"$CLI/out"
tap_is "a password that is not the account's: status 1" "$?" 1
tap_like "said for what it is" "$(cat "$CLI/err")" 'the account of the configuration cannot use it: cannot connect .*1045'
for word in init status; do
	tap_like "help of db $word tells what it does" "$(xenbw db $word --help)" "^  $word +[a-z]"
	tap_like "with an example" "$(xenbw db $word --help)" "^  xenbw db $word "
done
tap_done
