#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw doctor` beside running parts: xenbwd, xenstored, guests, MariaDB and RRD files of some hours. Each of them is broken
# in turn, and named. The wall clock is moved from hour to hour.
# time-limit: 200
# shellcheck disable=SC2016 # the backquotes are those of SQL
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
BED_TIME=200
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"
. "$(dirname "$0")/../support/mariadb.sh"

doctor() { LD_PRELOAD=$BUILD/clockshim.so "$BUILD/xenbw" -c "$BW_CONF" doctor "$@"; }
# says CHECK: "result found", of each line of a check.
says() { doctor --json | jq -r --arg check "$1" '.checks[] | select(.check == $check) | "\(.result) \(.found)"'; }
finds() { tap_like "$1" "$(says "$2")" "$3"; } # finds TEXT CHECK PATTERN
soon() { # soon TEXT CHECK PATTERN: the same within ten seconds
	local i
	for ((i = 0; i < 20; i++)); do
		says "$2" | grep -qE -- "$3" && break
		sleep 0.5
	done
	finds "$@"
}
traffic() { mariadb_sql "$1" netacct || tap_bail "SQL"; }

bed_up && mariadb_start "$BED/mariadb" || tap_bail "no bed"
clock_in_slot 0
bw_config "rrd_dir $BW_RRD" "flush 1" "attribution pcap" "database mysql" "mysql_user acct" "mysql_host $MARIADB_SOCKET" \
	"mysql_password p"
chmod 600 "$BW_CONF"
printf '[client]\nuser=root\n' >"$BED/admin.cnf"
"$BUILD/xenbw" -c "$BW_CONF" db init --defaults-file "$BED/admin.cnf" >"$BED/init.log" || tap_bail "no table"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"
bed_wait "the uplink" grep -q 'uplink: peth0' "$BW_LOG" || tap_bail "no uplink"
for hour in 0 1 2 3 4; do
	clock_in_slot $((12 * hour + 3)) 298
	bed_udp 1.0 outside $((100 + hour)) 500 && bed_udp outside 1.0 $((50 + hour)) 500 && bed_udp 2.0 1.0 20 500 ||
		tap_bail "the bed lost packets"
	clock_wait_slot $((12 * hour + 4)) || tap_bail "no slot"
done
clock_in_slot 62 10
clock_wait_slot 62 || tap_bail "no slot"
newest=$(bw_sql "SELECT seq FROM sqlite_sequence WHERE name = 'take'")
bw_wait_sql "the writer" "SELECT min(seq) FROM sink" "$newest" || tap_bail "nothing is written"

doctor --json >"$BED/fine.json"
tap_is "where all is well there is no error" "$(jq -r '.checks[] | select(.result == "error") | .check + ": " + .found' "$BED/fine.json")" ""
tap_is "and these are fine" "$(jq -r '[.checks[] | select(.result == "ok") | .check] | map(select(. == ("xenbwd", "commits", "xenstore",
	"split", "drops", "strays", "database", "epochs", "identity", "rows", "vifs", "counters", "uplink", "bridge ports", "bridge flow",
	"MySQL", "MySQL table", "MySQL marker", "MySQL writer", "MySQL sums", "RRD writer", "RRD files"))) | length' "$BED/fine.json")" 22
tap_like "MySQL was compared" "$(jq -r '.checks[] | select(.check == "MySQL sums") | .found' "$BED/fine.json")" '^[1-9][0-9]* rows of the last day'
compared=$(jq -r '.checks[] | select(.check == "MySQL sums") | .found' "$BED/fine.json")
xen_domain_rename 2 shop && bw_wait_sql "the rename" "SELECT count(*) FROM bucket_label WHERE label = 'shop' AND until IS NULL" 1
finds "MySQL's rows under a former name are the domain's" "MySQL sums" "^ok $compared\$"
xen_domain_rename 2 db && bw_wait_sql "the rename back" "SELECT count(*) FROM bucket_label WHERE label = 'db' AND until IS NULL" 1
tap_like "RRD was compared" "$(jq -r '.checks[] | select(.check == "RRD files") | .found' "$BED/fine.json")" '^3 files, [1-9][0-9]+ slots of the last day'
finds "a server with another time is told" "MySQL clock" '^warning the server is [0-9]+ s off'

# MySQL
hour=$(traffic "SELECT time FROM traffic WHERE ip = 'web' ORDER BY time LIMIT 2, 1")
traffic "UPDATE traffic SET output = output - 1 WHERE ip = 'web' AND time = '$hour'"
finds "a byte less in the table" "MySQL sums" "^error 1 of [0-9]+ rows have less than the ledger, first web at $hour"
traffic "UPDATE traffic SET output = output + 2 WHERE ip = 'web' AND time = '$hour'"
finds "a byte more" "MySQL sums" "^warning 1 of [0-9]+ rows have more than the ledger, first web at $hour"
traffic "UPDATE traffic SET output = output - 1 WHERE ip = 'web' AND time = '$hour'"
traffic "DELETE FROM traffic WHERE ip = 'db' AND time = '$hour'"
finds "a row that is lost" "MySQL sums" "^error 1 of [0-9]+ rows have less than the ledger, first db at $hour"
traffic "UPDATE xenbw_host SET seq = seq + 1000"
finds "a marker that is ahead" "MySQL marker" '^error .*is ahead of the ledger'
traffic "DROP TABLE traffic"
finds "a table that is gone" "MySQL table" '^error '
mariadb_stop
finds "a server that is gone" MySQL '^error cannot connect'

# RRD files
rrdtool dump "$BW_RRD/web.rrd" >"$BED/web.xml" || tap_bail "no dump"
cp "$BW_RRD/web.rrd" "$BED/web.rrd"
# the third slot with input in the finest archive
awk '/<cf>/ { archive++ } archive == 1 && /<row><v>[1-9]/ && ++row == 3 { sub(/<v>[^<]*/, "<v>1.0000000000e+00") } { print }' \
	"$BED/web.xml" >"$BED/changed.xml"
rm "$BW_RRD/web.rrd" && rrdtool restore "$BED/changed.xml" "$BW_RRD/web.rrd" || tap_bail "no restore"
finds "another value in one slot" "RRD files" '^warning 1 are not what the ledger has: web differs in 1 slots, first at '
truncate -s 1000 "$BW_RRD/web.rrd"
finds "half a file" "RRD files" '^error 1 cannot be read: .*/web.rrd'
rm "$BW_RRD/web.rrd"
finds "no file" "RRD files" '^error 1 are missing: .*/web.rrd'
cp "$BED/web.rrd" "$BW_RRD/web.rrd"
finds "the file again" "RRD files" '^ok 3 files'

# what is there
ip link add stranger type veth peer name stranger0 && ip link set stranger master xenbr0 || tap_bail "no port"
finds "a port that is neither" "bridge ports" '^warning 1 of [0-9]+ are neither a vif nor an uplink, first stranger in xenbr0'
ip link del stranger
tc qdisc add dev vif2.0 clsact && tc filter add dev vif2.0 egress prio 5 handle 1 bpf da bytecode "1,6 0 0 2," ||
	tap_bail "no filter that drops"
# frames COUNT PAYLOAD SOURCE_MAC END: of 1.0, to another end; IP bytes PAYLOAD + 20 each
frames() {
	bed_in 1.0 "$BUILD/bwframe" send eth0 eth "$3" "${BED_MAC[$4]}" ip4 10.77.0.11 "${BED_IP[$4]}" payload "$2" count "$1" >/dev/null
}
while frames 1000 1000 "${BED_MAC[1.0]}" 2.0; do sleep 0.1; done &
flow=$!
finds "a filter that drops what goes through a bridge" "bridge flow" '^warning xenbr0 took [0-9]+ bytes in a second and gave out '
kill $flow
wait $flow 2>/dev/null
tc qdisc del dev vif2.0 clsact
frames 5 100 02:00:00:00:00:99 outside || tap_bail "no frames"
soon "a guest under a strange MAC" strays '^warning 5 packets \(600 bytes\) left under a MAC or address that no guest has'
finds "which is an event, too" events '^warning in the last day: .*stray'
ip link set dev peth0 nomaster
soon "a host that lost its uplink" split '^warning nobody looks at the uplinks'
finds "is told what to write" uplink '^warning '

xenstore_stop || tap_bail "xenstored goes on"
soon "xenstored is away" xenstore '^error xenbwd cannot reach it'
finds "so nobody knows what is there" vifs '^unchecked cannot connect to xenstored'
bw_kill
soon "xenbwd is killed" xenbwd '^error it does not run'
clock_in_slot 66
finds "nothing is booked since" commits '^error the last one was at '
doctor >"$BED/out"
tap_is "errors are exit status 2" $? 2
tap_is "the output has a line of each, in words" "$(grep -cE '^(ok|not checked|warning|error) +[A-Za-z]' "$BED/out")" "$(doctor --json | jq '.checks | length')"
tap_done
