# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of the MySQL server and of the way to it. Read by faults.sh.

MYSQL_SLOW=${MYSQL_SLOW:-17} # seconds: longer than the writer waits for an answer

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
		mariadb_kill
		mariadb_start "$BED/mariadb" || problem "no MariaDB"
	done
}
# Amid a transaction of ours: it has asked, and not committed yet.
fault_mysql_killed_amid_commit() {
	proxy_says slow 300
	some 3
	wait_for 20 "a transaction" mysql_in_transaction || problem "no transaction to kill it in"
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
		while mariadb_sql "INSERT INTO traffic (ip, time) SELECT concat(repeat('f', 200), $i, '-', seq), '2001-01-01' FROM seq_1_to_$at_once" \
			netacct 2>/dev/null; do i=$((i + 1)); done
	done
	SLOT=$((SLOT + 12)) # a row of the next hour
	clock_in_slot "$SLOT"
	burst
	told 'traffic.*full|full.*traffic|space'
	rm -f "$BED/mariadb/fill"
	wait_for 20 "room again" mariadb_sql "DELETE FROM traffic WHERE time < '2002-01-01'" netacct
}
fault_mysql_slow() { # as long as a statement may take, and longer
	kill -STOP "$MARIADB_PID"
	burst
	sleep "$MYSQL_SLOW"
	kill -CONT "$MARIADB_PID"
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
# Others take rows of the table and the marker, in the other order.
fault_mysql_deadlocks() {
	local i before
	before=$(mysql_deadlocks)
	for ((i = 0; i < 8; i++)); do
		mariadb_sql "START TRANSACTION; UPDATE traffic SET input = input + 0 ORDER BY id DESC LIMIT 5; DO sleep(0.4);
			UPDATE xenbw_host SET seq = seq + 0; SELECT * FROM xenbw_host FOR UPDATE; DO sleep(0.1); COMMIT" netacct >/dev/null 2>&1
	done
	[ "$(mysql_deadlocks)" -ge "$before" ] || problem "the server lost its count"
}
mysql_deadlocks() { mariadb_sql "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'" | awk '{ print $2 + 0 }'; }

fault_mysql_connection_cut() {
	local i
	for ((i = 0; i < 4; i++)); do
		proxy_says cut $((40 + RANDOM % 3000))
		kill_connections
		burst
		within 300 900
	done
	proxy_says pass
}
kill_connections() { mariadb_sql "KILL USER acct@localhost" 2>/dev/null; }

fault_mysql_answer_lost() {
	proxy_says lost
	burst
	within 2000 3000
	proxy_says pass
}
# A COMMIT reaches the server long after its connection was given up, and others came since.
fault_mysql_commit_late() {
	proxy_says late $((500 + RANDOM % 1500))
	burst
	within 1500 2500
	proxy_says pass
}
