#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbw-writer and mariadbd are killed amid commits, the server is away, read-only, forbids or lacks the table: counting
# goes on, and afterwards each row of MySQL is the ledger's, to the byte. SEED=N repeats a run's instants.
# time-limit: 180
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/mariadb.sh"
cd "$(dirname "$0")/../.." || exit 1
export TZ=UTC

SEED=${SEED:-$RANDOM}
RANDOM=$SEED
KILLS=50
SERVER_EVERY=5 # each fifth kill is the server's

# rows_mysql, rows_ledger: "ip time input output", of the sums
rows_mysql() {
	mariadb_sql "SELECT ip, time, sum(input), sum(output) FROM traffic GROUP BY ip, time ORDER BY ip, time" netacct | tr '\t' ' '
}
rows_ledger() {
	bw_sql "SELECT label || ' ' || strftime('%Y-%m-%d %H:00:00', slot, 'unixepoch') || ' ' ||
		sum(external_input + unattributed_input) || ' ' || sum(external_output + unattributed_output)
		FROM usage JOIN bucket_label USING (bucket) WHERE until IS NULL
		GROUP BY label, strftime('%Y-%m-%d %H', slot, 'unixepoch')
		HAVING sum(external_input + unattributed_input + external_output + unattributed_output) > 0 ORDER BY 1"
}
rows_agree() { [ "$(rows_mysql)" = "$(rows_ledger)" ]; }
# agree TEXT: that MySQL catches up, once the last bytes are read and committed
agree() {
	bw_quiet && sleep 2.2 && bed_wait "MySQL to catch up" rows_agree
	tap_is "$1" "$(rows_mysql)" "$(rows_ledger)"
}
# counts TEXT: that bytes which are sent now reach the ledger: it has what the kernel has counted
counts() {
	local output
	bed_udp 1.0 outside 10 100 || tap_bail "the bed lost packets"
	read -r _ output < <(bed_ip_bytes "${BED_VIF[1.0]}")
	tap_ok "$1" bw_wait_sql "these bytes" \
		"SELECT sum(total_output) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1" "$output"
}
mark() { LINES_BEFORE=$(wc -l <"$BW_LOG"); }
# told TEXT PATTERN: that one line since `mark`, and no more after two more tries, says this
told() {
	# shellcheck disable=SC2016
	bed_wait "a line like $2" bash -c 'tail -n +"$1" "$2" | grep -qE "$3"' - $((LINES_BEFORE + 1)) "$BW_LOG" "$2"
	sleep 2.5
	tap_is "$1" "$(tail -n +$((LINES_BEFORE + 1)) "$BW_LOG" | grep -cE "$2")" 1
	tap_note "$(tail -n +$((LINES_BEFORE + 1)) "$BW_LOG" | grep -E "$2")"
}

MARIADB_ARGS=(--max-connections=20)
mariadb_start "$BED/mariadb" && mariadb_sql "CREATE DATABASE netacct" && mariadb_sql "$(cat db/schema/mysql.sql)" netacct &&
	mariadb_sql "CREATE USER acct@localhost IDENTIFIED BY 'secret'; GRANT SELECT, INSERT, UPDATE ON netacct.* TO acct@localhost" ||
	tap_bail "no MariaDB"
mariadb_stop
bed_up || tap_bail "no bed"
echo secret >"$BED/password" && chgrp daemon "$BED/password" && chmod 640 "$BED/password" # else the writer cannot read it
bw_config "flush 1" "errdelay 0" "database mysql" "mysql_user acct" "mysql_password_file $BED/password" \
	"mysql_host $MARIADB_SOCKET" "mysql_database netacct"

# The server comes later than xenbwd.
LINES_BEFORE=0
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"
counts "without a server bytes are counted"
mariadb_start "$BED/mariadb" || tap_bail "no MariaDB"
agree "it is started later, and has all"

tap_note "seed $SEED"
bed_udp 1.0 outside 30000 300 20 &
out=$!
bed_udp outside 2.0 31000 200 20 &
in=$!
killed=0
for ((i = 1; i <= KILLS; i++)); do
	sleep "0.$(printf '%03d' $((RANDOM % 350)))"
	if ((i % SERVER_EVERY == 0)); then
		mariadb_kill && mariadb_start "$BED/mariadb" || tap_bail "no MariaDB"
		killed=$((killed + 1))
	else
		# with its xenbwd, which else would wait longer and longer before it starts another
		bed_wait "a writer" bw_writer
		kill -KILL "$(bw_writer)" && killed=$((killed + 1))
		bw_kill
		bw_launch
	fi
done
tap_is "$KILLS kills" $killed $KILLS
wait $out && wait $in || tap_bail "the bed lost packets"
agree "no row differs after them"

# A server that refuses.
mark
mariadb_sql "SET GLOBAL read_only = 1"
counts "with a read-only server bytes are counted"
told "one line says so" 'read.only'
mariadb_sql "SET GLOBAL read_only = 0"
agree "then all is caught up"

mark
# which the server sees at the next connection
mariadb_sql "REVOKE INSERT, UPDATE ON netacct.* FROM acct@localhost; KILL USER acct@localhost"
counts "without the right to write bytes are counted"
told "one line says what to do" 'GRANT|denied'
mariadb_sql "GRANT INSERT, UPDATE ON netacct.* TO acct@localhost"
agree "then all is caught up"

mark
mariadb_sql "CREATE TABLE kept LIKE traffic; INSERT INTO kept SELECT * FROM traffic; DROP TABLE traffic" netacct
counts "without the table bytes are counted"
told "one line says what to do" "traffic.*(exist|missing|no table|xenbw db init)"
mariadb_sql "RENAME TABLE kept TO traffic" netacct
agree "then all is caught up"

# Held by TSTP, as netacct's users hold it to copy the database; also over a new writer.
held=$(rows_mysql)
mark
kill -TSTP "$BW_PID"
# shellcheck disable=SC2016
bed_wait "the hold" bash -c 'tail -n +"$1" "$2" | grep -q "nothing goes to MySQL until"' - $((LINES_BEFORE + 1)) "$BW_LOG"
counts "held by TSTP, bytes are counted"
# shellcheck disable=SC2046
kill -KILL $(bw_writer)
bed_wait "another writer" bw_writer
kill -HUP "$BW_PID"
counts "also after a reload"
sleep 2.5
tap_is "and none of them goes to MySQL, whoever writes" "$(rows_mysql)" "$held"
kill -CONT "$BW_PID"
agree "CONT: all is caught up"

# After a failure as many flushes are left out as errdelay says: (3 + 1) x 1 s.
sed -i 's/^errdelay 0/errdelay 3/' "$BW_CONF"
kill -HUP "$BW_PID"
bed_wait "another writer" bw_writer
mark
mariadb_stop
counts "with errdelay 3 bytes are counted"
told "one line says that the server is away" 'cannot connect'
mariadb_start "$BED/mariadb" || tap_bail "no MariaDB"
agree "the next try has them"

# TERM: what was not flushed yet is.
sed -i 's/^flush 1/flush 300/' "$BW_CONF"
kill -HUP "$BW_PID"
bed_wait "another writer" bw_writer
bed_udp 1.0 outside 10 100 || tap_bail "the bed lost packets"
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "and all is there" "$(rows_mysql)" "$(rows_ledger)"
tap_done
