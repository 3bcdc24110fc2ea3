#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Domain-0 is a bucket: what dom0 itself receives and sends through the bridges that guests are in.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

declare -A to=() from=() # IP bytes that were sent to and from each end
udp() { # udp FROM TO PACKETS PAYLOAD
	local bytes=$(($3 * ($4 + 28)))
	bed_udp "$@" || tap_bail "the bed lost packets: $*"
	from[$1]=$((${from[$1]-0} + bytes))
	to[$2]=$((${to[$2]-0} + bytes))
}
# bridge_ip_bytes: "input output" of dom0 by the kernel's counters: a bridge counts 14 header bytes in what it sends only.
bridge_ip_bytes() {
	local rx_bytes rx_packets tx_bytes tx_packets
	read -r rx_bytes rx_packets tx_bytes tx_packets < <(bed_counters "${1:-$BED_BRIDGE}") || return 1
	echo "$rx_bytes $((tx_bytes - 14 * tx_packets))"
}
listed() { "$BUILD/xenbw" -c "$BW_CONF" --json 2>/dev/null | jq -r '.vifs[] | "\(.domain) \(.domid) \(.netdev) \(.bucket) \(.input) \(.output)"'; }

bed_up || tap_bail "no bed"
bw_config
udp outside dom0 5 100
bed_guest 1 0 Domain-0 10.77.0.11 || tap_bail "no guest"
tap_is "without a ledger: listed with what its bridge has counted" "$(listed | head -n 1)" \
	"Domain-0 0 xenbr0 null $((to[dom0])) 0"
base=$((to[dom0]))
bw_start || tap_bail "no xenbwd"
tap_is "the first run's base line is its, too" "$(listed | head -n 1)" "Domain-0 0 xenbr0 Domain-0 0 0"
tap_is "a guest that is called so has another label" "$(listed | tail -n 1)" "Domain-0 1 vif1.0 Domain-0~2 0 0"
bed_guest 2 0 web 10.77.0.12 || tap_bail "no guest"

udp outside dom0 700 1472
udp dom0 outside 300 8
udp 2.0 dom0 211 99
udp dom0 2.0 17 1001
udp 1.0 dom0 3 33
udp 2.0 outside 1000 500
udp outside 2.0 900 400
udp 1.0 2.0 50 50
expected="$((to[dom0] - base)) ${from[dom0]}"
tap_is "listed at once, whatever is booked" "$(listed | head -n 1)" "Domain-0 0 xenbr0 Domain-0 $expected"
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "UDP: dom0's input and output are the bytes that were sent" "$(bw_booked_bucket Domain-0)" "$expected"
tap_is "a guest that is called so has its own" "$(bw_booked_bucket Domain-0~2)" "${to[1.0]-0} ${from[1.0]}"
tap_is "the sum over dom0 and guests is what all ends have sent and received" "$(bw_booked 1)" \
	"$((to[dom0] - base + to[2.0])) $((from[dom0] + from[1.0] + from[2.0]))"
tap_is "the ledger describes it" \
	"$(bw_sql "SELECT domain, domid, devid, uuid, mac, addresses, bridge, netdev FROM vif WHERE domid = 0")" \
	"Domain-0|0|$(<"/sys/class/net/$BED_BRIDGE/ifindex")|00000000-0000-0000-0000-000000000000|||xenbr0|xenbr0"

# While xenbwd is not there, across restarts, and TCP with large segments.
udp dom0 outside 44 44
bw_start || tap_bail "no xenbwd"
bed_tcp dom0 outside 20000000 && bed_tcp outside dom0 5000000 && bed_tcp dom0 2.0 3000000 && bed_tcp 2.0 dom0 4000000 ||
	tap_bail "a connection failed"
bw_kill
bed_tcp dom0 outside 1000000 || tap_bail "a connection failed"
bw_start || tap_bail "no xenbwd"
bw_quiet
bw_stop
read -r input output < <(bridge_ip_bytes)
tap_is "TCP, a stop and a kill: what the kernel counted, without link headers" "$(bw_booked_bucket Domain-0)" "$((input - base)) $output"
tap_is "that is no less than the payload" "$((output >= 24000000)) $((input >= 9000000))" "1 1"
tap_is "in one epoch of one vif" "$(bw_sql "SELECT count(*), count(DISTINCT vif), sum(doubtful) FROM epoch JOIN vif ON vif.id = vif WHERE domid = 0")" "1|1|0"

# dom0 and one guest: what one sends to the other is the other's to the byte.
before_dom0=$(bw_booked_bucket Domain-0) before_web=$(bw_booked_bucket web)
bw_start || tap_bail "no xenbwd"
bed_tcp dom0 2.0 2000000 && bed_tcp 2.0 dom0 1000000 || tap_bail "a connection failed"
bw_quiet
bw_stop
after_dom0=$(bw_booked_bucket Domain-0) after_web=$(bw_booked_bucket web)
tap_is "TCP between dom0 and a guest: the output of one is the input of the other" \
	"$((${after_dom0% *} - ${before_dom0% *})) $((${after_dom0#* } - ${before_dom0#* }))" \
	"$((${after_web#* } - ${before_web#* })) $((${after_web% *} - ${before_web% *}))"

# The guests go, the bridge stays; then it goes, too, and comes back under its name.
bw_start || tap_bail "no xenbwd"
bed_guest_gone 1 && bed_guest_gone 2 || tap_bail "a guest does not go"
bw_wait_sql "the guests' end" "SELECT count(*) FROM vif WHERE domid > 0 AND gone IS NULL" 0
udp dom0 outside 10 10
tap_is "a bridge that all guests have left goes on" "$(listed)" \
	"Domain-0 0 xenbr0 Domain-0 ${after_dom0% *} $((${after_dom0#* } + 10 * 38))"
bw_stop
bw_start || tap_bail "no xenbwd"
udp dom0 outside 20 20
bw_stop
tap_is "also across a restart" "$(bw_booked_bucket Domain-0)" "${after_dom0% *} $((${after_dom0#* } + 10 * 38 + 20 * 48))"

# A second bridge is the same bucket; a device that is no bridge is none of dom0's.
before=$(bw_booked_bucket Domain-0)
ip -batch - <<-END || tap_bail "no bridge"
	link add lan1 type bridge mcast_snooping 0
	link add web1 type veth peer name web1x
	addr add 10.78.0.1/24 dev lan1
	link set dev web1 master lan1
	link set dev web1 up
	link set dev web1x up
	link set dev lan1 up
	link add plain type veth peer name plainx
END
xen_domain_create 7 lan 00000000-0000-4000-8000-000000000007 &&
	xen_vif_attach 7 0 00:16:3e:4d:07:00 10.78.0.7 lan1 web1 &&
	xen_vif_attach 7 1 00:16:3e:4d:07:01 10.78.0.8 plain && xen_vif_attach 7 2 00:16:3e:4d:07:02 10.78.0.9 nothing || tap_bail "no guest"
ip neigh replace 10.78.0.7 lladdr 00:16:3e:4d:07:00 nud permanent dev lan1 || tap_bail "no neighbour"
some_bytes() { # some_bytes ADDRESS
	for _ in {1..25}; do
		echo "some bytes to a guest" >"/dev/udp/$1/9"
	done
}
bed_forwards web1 || tap_bail "no port"
some_bytes 10.78.0.7
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the bridge" "SELECT count(*) FROM epoch WHERE netdev = 'lan1'" 1
some_bytes 10.78.0.7
bw_quiet
read -r _ output < <(bridge_ip_bytes lan1)
ip link del lan1
bw_wait_sql "the bridge's end" "SELECT count(*) FROM vif WHERE netdev = 'lan1' AND gone IS NOT NULL" 1
bw_stop
earlier=$(bw_sql "SELECT base_tx_bytes - 14 * base_tx_packets FROM epoch WHERE netdev = 'lan1'")
tap_is "what a bridge moved before its first vif was seen is not counted" "$((earlier >= 25 * 50))" 1
tap_is "a bridge that goes is booked to its end" "$(bw_sql "SELECT total_output FROM epoch WHERE netdev = 'lan1'")" "$((output - earlier))"
tap_is "to the same bucket" "$(bw_booked_bucket Domain-0)" "${before% *} $((${before#* } + output - earlier))"
tap_is "no other device is dom0's" "$(bw_sql "SELECT group_concat(DISTINCT netdev) FROM vif WHERE domid = 0")" "xenbr0,lan1"

# One that comes while xenbwd is there, with its first vif a little later: from its first byte on.
bw_start || tap_bail "no xenbwd"
ip -batch - <<-END || tap_bail "no bridge"
	link add lan2 type bridge mcast_snooping 0
	link add web2 type veth peer name web2x
	addr add 10.79.0.1/24 dev lan2
	link set dev web2 master lan2
	link set dev web2 up
	link set dev web2x up
	link set dev lan2 up
	neigh replace 10.79.0.7 lladdr 00:16:3e:4d:07:03 nud permanent dev lan2
END
bed_forwards web2 || tap_bail "no port"
some_bytes 10.79.0.7
xen_vif_attach 7 3 00:16:3e:4d:07:03 10.79.0.7 lan2 web2 || tap_bail "no vif"
bw_wait_sql "the bridge" "SELECT count(*) FROM epoch WHERE netdev = 'lan2'" 1
some_bytes 10.79.0.7
bw_quiet
read -r _ output < <(bridge_ip_bytes lan2)
bw_stop
tap_is "a bridge that is new is counted from its first byte on" "$(bw_sql "SELECT total_output FROM epoch WHERE netdev = 'lan2'")" "$output"

# `bucket ip`: the label stays, but for an address that the admin gave it.
before=$(bw_booked_bucket Domain-0)
bw_config "bucket ip"
bw_start || tap_bail "no xenbwd"
udp dom0 outside 30 30
bw_stop
bw_config "bucket ip" "address 10.77.0.1 Domain-0"
bw_start || tap_bail "no xenbwd"
udp dom0 outside 31 31
bw_stop
tap_is "bucket ip: still Domain-0" "$(bw_booked_bucket Domain-0)" "${before% *} $((${before#* } + 30 * 58))"
tap_is "with an address line: the address" "$(bw_booked_bucket 10.77.0.1)" "0 $((31 * 59))"
tap_done
