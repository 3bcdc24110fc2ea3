# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# old_tables.sh: tables `traffic` as versions of netacct-mysql made them, in a real MariaDB. To be sourced after
# mariadb.sh.
#
#   old_table NAME DATABASE         makes the database anew, with an empty table
#   old_rows DATABASE ROWS          fills it as nacctd would in its hours: 200 addresses
#   old_sums DATABASE TABLE         "rows sum sum ..." of the columns that netacct's newest has, 0 for a missing one
#
# NAME: 0.78 (MyISAM, 32 bit), 0.78.2 (the server's engine), 0.73 (no direct, no local), wide (an admin's BIGINT),
# key (an admin's key over ip and time, and other letters).

OLD_COUNTERS=(input output peer_input peer_output direct_input direct_output local_input local_output)
declare -A OLD_HAS=()

old_table() {
	local type='int(20)' engine=InnoDB charset=latin1 columns='' c
	local -a counters=("${OLD_COUNTERS[@]}")
	case $1 in
	0.78) engine=MyISAM ;;
	0.73) engine=MyISAM counters=("${OLD_COUNTERS[@]:0:4}") ;;
	wide) type=bigint ;;
	utf8) charset=utf8mb3 ;;
	esac
	OLD_HAS[$2]=" ${counters[*]} "
	for c in "${counters[@]}"; do columns+="$c $type NOT NULL DEFAULT '0', "; done
	mariadb_sql "SET sql_mode = ''; DROP DATABASE IF EXISTS $2; CREATE DATABASE $2; CREATE TABLE $2.traffic (
		id int(11) unsigned NOT NULL auto_increment, ip varchar(15) NOT NULL default '',
		time datetime NOT NULL default '0000-00-00 00:00:00', $columns
		PRIMARY KEY (id), KEY ip (ip, time)) ENGINE=$engine DEFAULT CHARSET=$charset"
}

old_rows() {
	local c values='' names=''
	for c in ${OLD_HAS[$1]}; do
		names+=", $c" values+=", (seq * 7919 + $((${#values} * 31))) % 1000003 * IF(seq % 3, 1, 0)"
	done
	mariadb_sql "INSERT INTO traffic (ip, time$names) SELECT CONCAT('10.0.', seq % 200 DIV 100, '.', seq % 100),
		'2024-01-01 00:00:00' + INTERVAL seq DIV 200 HOUR$values FROM seq_1_to_$2" "$1"
}

old_sums() {
	local c what='COUNT(*)'
	for c in "${OLD_COUNTERS[@]}"; do
		if [[ ${OLD_HAS[$1]} == *" $c "* ]]; then what+=", SUM($c)"; else what+=", 0"; fi
	done
	mariadb_sql "SELECT $what FROM $2" "$1"
}
