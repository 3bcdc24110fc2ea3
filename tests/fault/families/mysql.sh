# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of the MySQL server and of the way to it. Read by faults.sh.

MYSQL_SLOW=${MYSQL_SLOW:-0} # seconds that the server is silent for, and not less than the writer waits for an answer

fault_mysql_stopped() {
	mark
	mariadb_stop
	burst
	told 'MySQL server'
	mariadb_start "$BED/mariadb" || problem "no MariaDB"
}
fault_mysql_killed() {
	local i
	for ((i = 0; i < 3; i++)); do
		within 300 1500
		strike mariadbd
		mariadb_kill
		mariadb_start "$BED/mariadb" || problem "no MariaDB"
	done
}
# Amid a transaction of ours: all is written, and the COMMIT is on its way.
fault_mysql_killed_amid_commit() {
	local before
	before=$(proxy_did hold)
	proxy_says hold
	some 3
	wait_for "$ROUND_PATIENCE" "a COMMIT" proxy_did_more hold "$before" && mysql_in_transaction || problem "no transaction to kill it in"
	strike mariadbd
	mariadb_kill
	proxy_says pass
	mariadb_start "$BED/mariadb" || problem "no MariaDB"
}
# One statement takes so long that each transaction is hit somewhere.
fault_mysql_killed_amid_statements() {
	proxy_says slow 300
	some 3
	wait_for "$ROUND_PATIENCE" "a transaction" mysql_in_transaction || problem "no transaction to kill it in"
	strike mariadbd
	mariadb_kill
	proxy_says pass
	mariadb_start "$BED/mariadb" || problem "no MariaDB"
}
mysql_in_transaction() {
	sleep 0.15 # the server answers the same until it has not been asked for a tenth of a second
	[ "$(mariadb_sql "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0")" != 0 ]
}

fault_mysql_read_only() {
	mark
	mariadb_sql "SET GLOBAL read_only = 1"
	burst
	told 'read.only'
	mariadb_sql "SET GLOBAL read_only = 0"
}
fault_mysql_disk_full() {
	local at_once i=0
	mark
	cat /dev/zero >"$BED/mariadb/fill" 2>/dev/null
	for at_once in 200 20 1; do # until the table has no room for one row more
		while mysql_fill "concat(repeat('f', 200), $i, '-', seq), '2001-01-01'" "$at_once"; do i=$((i + 1)); done
	done
	while mysql_fill "'f', '2001-01-01' + INTERVAL $i HOUR" 1; do i=$((i + 1)); done # nor for the shortest one
	SLOT=$((SLOT + 12)) # a row of the next hour
	clock_in_slot "$SLOT"
	burst
	told 'traffic.*full|full.*traffic|space|cannot connect at MySQL server'
	rm -f "$BED/mariadb/fill"
	if ! kill -0 "$MARIADB_PID"; then # it may die of a full disk
		mariadb_kill
		mariadb_start "$BED/mariadb" || problem "no MariaDB"
	fi
	wait_for "$ROUND_PATIENCE" "room again" mariadb_sql "DELETE FROM traffic WHERE time < '2020-01-01'" netacct
}
mysql_fill() { mariadb_sql "INSERT INTO traffic (ip, time) SELECT $1 FROM seq_1_to_$2" netacct 2>/dev/null; } # mysql_fill VALUES ROWS
fault_mysql_slow() { # as long as a statement may take, and longer
	local until=$((SECONDS + MYSQL_SLOW))
	mark
	stopped mariadbd
	burst
	told 'MySQL server'
	[ $SECONDS -ge "$until" ] || sleep $((until - SECONDS))
	goes_on
}
fault_mysql_table_dropped() {
	mark
	mariadb_sql "CREATE TABLE kept LIKE traffic" netacct
	# With what is in it at that moment, as from a backup: no commit of ours comes between.
	mariadb_sql "RENAME TABLE traffic TO gone" netacct && mariadb_sql "INSERT INTO kept SELECT * FROM gone; DROP TABLE gone" netacct
	burst
	told "traffic.*(exist|missing|no table|xenbw db init)"
	mariadb_sql "RENAME TABLE kept TO traffic" netacct
}
fault_mysql_right_revoked() {
	mark
	mariadb_sql "REVOKE INSERT, UPDATE ON netacct.* FROM acct@localhost; KILL USER acct@localhost"
	burst
	told 'GRANT|denied'
	mariadb_sql "GRANT INSERT, UPDATE ON netacct.* TO acct@localhost"
}
# Another session has all rows, and wants the marker of the writer, which waits for one of the rows: the server ends the
# transaction that has done less, the writer's.
fault_mysql_deadlocks() {
	local i before
	before=$(mysql_deadlocks)
	mariadb_sql "CREATE TABLE IF NOT EXISTS heavy (n INT) ENGINE=InnoDB" netacct || problem "no table"
	for ((i = 0; i < 3; i++)); do mysql_deadlock || problem "the other session did not win"; done
	mariadb_sql "DROP TABLE heavy" netacct
	[ "$(mysql_deadlocks)" -ge $((before + 3)) ] || problem "deadlocks: $before before, $(mysql_deadlocks) after"
	mariadb_sql "SHOW ENGINE INNODB STATUS" | grep -A 60 'LATEST DETECTED DEADLOCK' | grep -q 'localhost acct' ||
		problem "the deadlock was none of the writer"
}
mysql_deadlock() {
	local session to
	rm -f "$BED/session" && mkfifo "$BED/session"
	mariadb --no-defaults --socket="$MARIADB_SOCKET" --user=root --unbuffered -N -B netacct <"$BED/session" >"$BED/session.said" 2>&1 &
	session=$!
	exec {to}>"$BED/session"
	echo "START TRANSACTION; INSERT INTO heavy SELECT seq FROM seq_1_to_3000; UPDATE traffic SET input = input + 0; SELECT 'has the rows';" >&"$to"
	wait_for "$ROUND_PATIENCE" "the rows" grep -q 'has the rows' "$BED/session.said" || problem "no rows: $(cat "$BED/session.said")"
	some 0
	wait_for "$ROUND_PATIENCE" "the writer to wait for a row" mysql_waits || problem "the writer does not want the rows"
	echo "UPDATE xenbw_host SET seq = seq + 0; COMMIT; SELECT 'has the marker';" >&"$to"
	exec {to}>&-
	wait "$session" && grep -q 'has the marker' "$BED/session.said"
}
mysql_waits() {
	sleep 0.15 # see above
	[ "$(mariadb_sql "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_rows_modified > 0")" != 0 ]
}
mysql_deadlocks() { mariadb_sql "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'" | awk '{ print $2 + 0 }'; }

fault_mysql_connection_cut() {
	local i before
	before=$(proxy_did cut)
	for ((i = 0; i < 4; i++)); do
		proxy_says cut $((40 + RANDOM % 3000))
		kill_connections
		burst
		within 300 900
	done
	wait_for "$ROUND_PATIENCE" "a cut" proxy_did_more cut "$before" || problem "no connection was cut"
	proxy_says pass
}
kill_connections() { mariadb_sql "KILL USER acct@localhost" 2>/dev/null; }

fault_mysql_answer_lost() {
	local before
	before=$(proxy_did lost)
	proxy_says lost
	burst
	wait_for "$ROUND_PATIENCE" "a lost answer" proxy_did_more lost "$before" || problem "no answer was lost"
	within 0 2000
	proxy_says pass
}
# A COMMIT reaches the server long after its connection was given up, and others came since.
fault_mysql_commit_late() {
	local before
	before=$(proxy_did late)
	proxy_says late $((500 + RANDOM % 1500))
	burst
	wait_for "$ROUND_PATIENCE" "a late COMMIT" proxy_did_more late "$before" || problem "no COMMIT came late"
	within 0 1000
	proxy_says pass
}
