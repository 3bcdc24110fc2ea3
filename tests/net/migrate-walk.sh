#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The way of xenbw-migrate(7), with its own statements: from a dom0 whose old table nacctd filled to one where xenbwd
# does, with names in the end, and back. Each byte that was sent is in the table, once.
# time-limit: 110
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/old_tables.sh"
cd "$(dirname "$0")/../.." || exit 1
export TZ=UTC

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD
xenbw() { "$BUILD/xenbw" -c "$BW_CONF" "$@" >>"$BED/said" 2>&1 || { echo "xenbw $*: $(tail -n 3 "$BED/said")"; return 1; }; }
admin() { xenbw "$@" --defaults-file "$BED/admin.cnf"; }
sent_in=0 sent_out=0
send() { # send PACKETS: from web, and half of it to web
	bed_udp 1.0 outside "$1" 500 && bed_udp outside 1.0 $(($1 / 2)) 300 || tap_bail "the bed lost packets"
	sent_out=$((sent_out + $(bytes "$1" 500))) sent_in=$((sent_in + $(bytes $(($1 / 2)) 300)))
}
of() { mariadb_sql "SELECT IFNULL(SUM(input), 0), IFNULL(SUM(output), 0) FROM $2 WHERE ip = '$1' AND time >= '$HOUR'" old | tr '\t' ' '; }
becomes() { # becomes TEXT IP TABLE EXPECTED: within fifteen seconds, as xenbw-writer comes after the commit
	local i
	for ((i = 0; i < 150; i++)); do
		[ "$(of "$2" "$3")" != "$4" ] || break
		sleep 0.1
	done
	tap_is "$1" "$(of "$2" "$3")" "$4"
}
# The statement of the page that brings rows over, from this hour on.
bring_over() { sed -n '/^INSERT INTO traffic/,/;$/p' man/xenbw-migrate.7 | sed "s/'2026-11-26 14:00:00'/'$HOUR'/"; }

mariadb_start "$BED/mariadb" || tap_bail "no MariaDB"
mariadb_sql "CREATE USER acct@localhost IDENTIFIED BY 'acct_password'; GRANT SELECT, INSERT, UPDATE ON old.* TO acct@localhost"
printf '[client]\nuser=root\n' >"$BED/admin.cnf"
old_table 0.78 old && old_rows old 5000 || tap_bail "no table"
history=$(old_sums old traffic)
cat >"$BED/naccttab" <<-END
	database        mysql
	mysql_user      acct
	mysql_password  acct_password
	mysql_host      $MARIADB_SOCKET
	mysql_database  old
	compactnet      10.77.0.11      255.255.255.255
	ournet          10.77.0.11      255.255.255.255
	flush           1
	device          peth0
	fdelay          60
END
: >"$BED/nacctpeering"
chmod 600 "$BED/naccttab"
bed_up && bed_guest 1 0 web 10.77.0.11 || tap_bail "no bed"
bw_past_edge 3600 30 # the hour is not to end before it is compared
HOUR=$(date -u +'%F %H:00:00')

# 1 to 3: look, make a configuration, run beside nacctd
"$BUILD/xenbw" migrate --shadow "$BED/naccttab" --write "$BED/made.conf" >"$BED/said" || tap_bail "$(cat "$BED/said")"
settings() { # settings WITHOUT [LINE…]: the proposal without lines that match, and what the bed needs
	{
		grep -v "$1" "$BED/made.conf"
		shift
		printf '%s\n' "ledger $BW_LEDGER" "rrd_dir $BED/rrd" "user daemon" "control $BW_CONTROL" "timezone UTC" "poll 1" "$@"
	} >"$BW_CONF"
	chmod 600 "$BW_CONF"
}
settings 'no such line'
# the how-to's script has filled a file
mkdir "$BED/rrd" && rrdtool create "$BED/rrd/10.77.0.11.rrd" --step 300 --start "$(($(date +%s) - 90000))" DS:input:COUNTER:600:U:U \
	DS:output:COUNTER:600:U:U RRA:AVERAGE:0.5:1:600 || tap_bail "no RRD"
once=$(($(date +%s) / 300 * 300 - 7200))
rrdtool update "$BED/rrd/10.77.0.11.rrd" "$once:1000:2000" "$((once + 300)):5000:9000"
tap_ok "a table of its own" admin db init
bw_start || tap_bail "no xenbwd"
bed_guest_gone 1 && bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest" # counted from its first byte
# nacctd sees the same, and is a little late
mariadb_sql "INSERT INTO traffic (ip, time, input, output) VALUES ('10.77.0.11', '$HOUR', 1, 1)" old
send 400
becomes "xenbw's table has what was sent" 10.77.0.11 xenbw_traffic "$sent_in $sent_out"
compared=$("$BUILD/xenbw" -c "$BW_CONF" migrate --compare "$BED/naccttab" --json 2>&1)
# In the hour's last minutes nacctd may just be late.
tap_is "both beside each other" "$(jq -r '.hours[] | select(.bucket == "10.77.0.11" and .counter == "output") | "\(.nacctd) \(.xenbw) \(.edge + .late)"' <<<"$compared")" \
	"1 $sent_out $((sent_out - 1))"
tap_is "nacctd's table is left alone" "$(old_sums old traffic)" "$(awk '{ $1++; $2++; $3++; print }' OFS='\t' <<<"$history")"

# 4: nacctd is stopped; the table is upgraded while xenbwd goes on
BW_CONF=$BED/naccttab admin db upgrade --apply
tap_is "the upgrade by nacctd's own configuration" "$?:$(mariadb_sql "SHOW TABLES LIKE 'traffic%'" old | tr '\n' ' ')" "0:traffic traffic_netacct "
send 300

# 5: go over
bw_stop
tap_ok "the statement that brings rows over" mariadb_sql "$(bring_over)" old
settings '^mysql_table'
tap_ok "the account's rights" admin db init
send 100 # while nobody runs
bw_start || tap_bail "no xenbwd"
send 200
becomes "each byte that was sent is in the old table's place, once" 10.77.0.11 traffic "$sent_in $sent_out"
tap_is "and all of its history" "$(mariadb_sql "SELECT SUM(input), SUM(local_output) FROM traffic WHERE ip <> '10.77.0.11'" old)" "$(cut -f 2,9 <<<"$history")"

# 6, 7: confirm, and names
tap_ok "confirmed" admin db upgrade --confirm
settings '^mysql_table' "bucket domain"
tap_ok "a plan for the RRD files" xenbw rebucket --rrd --plan "$BED/files.map"
tap_like "has the domain" "$(cat "$BED/files.map")" '^ 10.77.0.11 +web +# the ledger saw it since'
bw_stop
dump=$(rrdtool dump "$BED/rrd/10.77.0.11.rrd")
tap_ok "files renamed" xenbw rebucket --rrd --apply "$BED/files.map"
tap_is "with all that was in it" "$(rrdtool dump "$BED/rrd/web.rrd")" "$dump"
bw_start || tap_bail "no xenbwd"
bw_wait_sql "names" "SELECT count(*) FROM bucket_label WHERE label = 'web'" 1
address_in=$sent_in address_out=$sent_out
send 60
becomes "what comes now has the name" web traffic "$((sent_in - address_in)) $((sent_out - address_out))"
tap_is "and no more comes by address" "$(of 10.77.0.11 traffic)" "$address_in $address_out"
all=$(mariadb_sql "SELECT SUM(input), SUM(output), SUM(local_output) FROM traffic" old)
tap_ok "a map" admin rebucket --plan "$BED/map"
tap_like "has what the ledger saw" "$(cat "$BED/map")" '^ [^#]* 10.77.0.11 +web +# the ledger saw it'
tap_ok "moved" admin rebucket --apply --readers-stopped "$BED/map"
tap_is "all that was sent is under the name" "$(of web traffic) / $(of 10.77.0.11 traffic)" "$sent_in $sent_out / 0 0"
tap_is "and the table has what it had" "$(mariadb_sql "SELECT SUM(input), SUM(output), SUM(local_output) FROM traffic" old)" "$all"
tap_ok "and back" admin rebucket --undo --readers-stopped
tap_is "by address again" "$(of 10.77.0.11 traffic)" "$address_in $address_out"
bw_stop
tap_is "xenbwd ends well" $? 0
settings '^mysql_table'
tap_ok "the file, too" xenbw rebucket --rrd --undo "$BED/files.map"
tap_like "with its history" "$(rrdtool fetch "$BED/rrd/10.77.0.11.rrd" AVERAGE -r 300 -s $once -e $((once + 1)))" ': 1\.33.*e\+01 2\.33.*e\+01'
tap_done
