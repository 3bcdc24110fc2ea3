# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# mysql: a guest's bytes in MariaDB's table traffic are those that were sent, also after a reboot and a new name.

# shellcheck source=../../../support/mariadb.sh
. /share/lab/mariadb.sh
mkdir -p /run/mariadb && tar -xz -f /guest/mariadb.tar.gz -C /run/mariadb && mariadb_start /run/mariadb || tap_bail "no MariaDB"
echo secret >"$BED/password" && chown daemon "$BED/password" && chmod 600 "$BED/password"
printf '[client]\nuser=root\n' >/run/admin.cnf
bw_config "${LAB_CONF[@]}" "database mysql" "mysql_user acct" "mysql_password_file $BED/password" "mysql_host $MARIADB_SOCKET" "errdelay 0"
"$BUILD/xenbw" -c "$BW_CONF" db init --defaults-file /run/admin.cnf >&2 || tap_bail "no tables"
bw_start || tap_bail "no xenbwd"
lab_guest web pvh 10.77.0.11 || tap_bail "no guest"
lab_frames web outside external 30 300 && lab_frames outside web external 31 301 && lab_frames web outside peer 32 302 &&
	lab_frames outside web direct 33 303 && lab_frames web outside ignored 34 304 && lab_settled web || tap_bail "nothing is booked"
first=$(lab_end web)
in_mysql() { # what the table has of the guest, under both its names
	mariadb_sql "SELECT concat_ws(' ', coalesce(sum(input), 0), coalesce(sum(output), 0), coalesce(sum(peer_output), 0), coalesce(sum(direct_input), 0))
		FROM netacct.traffic WHERE ip IN ('web', 'www')"
}
sent() { # sent END…: the same, of what was sent
	local end sum=(0 0 0 0)
	for end; do
		sum[0]=$((sum[0] + ${CLASS_SENT[$end,input,external]-0})) sum[1]=$((sum[1] + ${CLASS_SENT[$end,output,external]-0}))
		sum[2]=$((sum[2] + ${CLASS_SENT[$end,output,peer]-0})) sum[3]=$((sum[3] + ${CLASS_SENT[$end,input,direct]-0}))
	done
	echo "${sum[*]}"
}
is_there() { [ "$(in_mysql)" = "$(sent "$@")" ]; }
bed_wait "MySQL" is_there "$first"
tap_is "external, peer and direct bytes are in MySQL" "$(in_mysql)" "$(sent "$first")"
xl rename web www && lab_frames web outside external 35 305 && xl destroy www && lab_guest web pvh 10.77.0.11 &&
	lab_frames web outside external 36 306 && lab_settled web || tap_bail "nothing is booked"
bed_wait "MySQL" is_there "$first" "$(lab_end web)"
tap_is "after another name, and another domain with the old one, nothing is missing and nothing is there twice" "$(in_mysql)" "$(sent "$first" "$(lab_end web)")"
bw_stop
mariadb_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
