# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of what is around: xenstored, the kernel's events, devices, the clock. Read by faults.sh.

fault_xenstored_killed() {
	mark
	strike xenstored
	xenstore_kill
	burst
	told 'xenstored'
	within 500 2000
	xenstore_refilled
}
xenstore_refilled() {
	xenstore_restart || problem "no xenstored"
	within 50 500 # it is empty
	bed_refill || problem "xenstore cannot be filled"
}
# xenbwd waits for its answer.
fault_xenstored_stopped() {
	stopped xenstored
	within 1500 2500
	burst
	within 2000 4000
	! ledger_has || problem "nobody waited for xenstored"
	goes_on
}
# More events than the kernel keeps for one who sleeps.
fault_netlink_overrun() {
	local i before
	before=$(netlink_drops)
	stopped xenbwd
	for ((i = 0; i < 8000; i++)); do echo "link set dev peth0 alias event$i"; done | ip -batch -
	[ "$(netlink_drops)" -gt "$before" ] || problem "no event was lost"
	burst
	goes_on
}
netlink_drops() { awk 'NR > 1 { drops += $9 } END { print drops }' /proc/net/netlink; }

# The uplink goes, with what leads out; another one takes its place.
fault_uplink_gone() {
	local end
	flows_end
	mark
	ip link del peth0
	told 'no uplink is found'
	flow 2.0 1.0 - 100 300
	flows_end
	ip link add peth0 type veth peer name eth0 netns outside && bed_port peth0 00:16:3e:00:00:fe &&
		ip -n outside link set dev eth0 address 00:16:3e:00:00:fe && ip -n outside addr add 10.77.0.254/24 dev eth0 &&
		ip -n outside link set dev eth0 up && bed_forwards peth0 || problem "no uplink"
	for end in 1.0 2.0 dom0; do
		bed_in outside ip neigh replace "${BED_IP[$end]}" lladdr "${BED_MAC[$end]}" nud permanent dev eth0 || problem "no neighbour"
	done
	class_outside || problem "no addresses outside"
	burst
}
# More than the capture's memory holds comes while it does not look. Each of its 64 blocks is closed after 40 ms, so a
# slow flow of more than 2.6 seconds fills it on any machine, where as many packets as it holds may take too long: one
# that is silent for ten seconds is ended. Then nobody says what it missed, and it is tried again.
fault_capture_overrun() {
	local before i
	flows_end
	for ((i = 0; i < 5; i++)); do
		wait_for "$ROUND_PATIENCE" "the split" split_by_pcap || problem "nobody looks"
		before=$(capture_drops)
		stopped worker
		flow 1.0 outside external 5000 8 5
		flow outside 2.0 peer 2000 1200 5
		flows_end
		kill -CONT "$STOPPED" 2>/dev/null
		wait_for 15 "the drops" dropped_more_than "$before" && return
	done
	problem "nothing was dropped"
}
capture_drops() { "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -r .dropped; }
dropped_more_than() { [ "$(capture_drops)" -gt "$1" ]; }
split_by_pcap() { "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -e '.split == "pcap"'; }

fault_clock_back() {
	local before
	before=$(clock_events)
	clock_set $((CLOCK_FIRST + SLOT * CLOCK_SLOT - 2400 - RANDOM % 4000))
	burst
	wait_for "$ROUND_PATIENCE" "the event" clock_event_after "$before" || problem "no event of the clock"
	SLOT=$((SLOT + 1))
	clock_in_slot "$SLOT"
}
clock_events() { bw_sql "SELECT count(*) FROM event WHERE kind = 'clock'"; }
clock_event_after() { [ "$(clock_events)" -gt "$1" ]; }

# Ten minutes before the clocks are changed, by chance back or forward, to an hour after: there is no hour two in spring,
# and two of them in autumn, one row of which has the bytes of both.
fault_summer_time() {
	local at slots hours
	at=$(clocks_changed_after $((CLOCK_FIRST + SLOT * CLOCK_SLOT + 86400)))
	to_slot $(((at - CLOCK_FIRST) / CLOCK_SLOT - 2))
	for _ in 1 2 3; do
		burst
		wait_for "$ROUND_PATIENCE" "the ledger" ledger_has
		next_slot
	done
	SLOT=$((SLOT + 12))
	clock_in_slot "$SLOT"
	burst
	settle
	slots="slot BETWEEN $((at - 3600)) AND $((at + 7199))"
	hours=$(bw_sql "SELECT DISTINCT strftime('%H%M', slot, 'unixepoch', 'localtime') FROM usage WHERE $slots ORDER BY slot" | xargs)
	case $(date -d "@$at" +%m) in
	03) [[ $hours == *0150*0155*0300*0[34]* ]] ;;
	10) [[ $hours == *0250*0255*0200*0[23]* ]] ;;
	esac || problem "the clocks were not changed: $hours"
}
# clocks_changed_after SECONDS: the end or beginning of summer time in Europe, the last Sunday of March or October, 01:00 UTC
clocks_changed_after() {
	local year month day at
	year=$(date -u -d "@$1" +%Y)
	for month in "$year-03" "$year-10" "$((year + 1))-03"; do
		day=$((31 - $(date -u -d "$month-31" +%w)))
		at=$(date -u -d "$month-$day 01:00" +%s)
		[ "$at" -le "$1" ] || break
	done
	echo "$at"
}
fault_clock_forward() {
	SLOT=$((SLOT + 2 + RANDOM % 9))
	clock_in_slot "$SLOT"
	burst
}
fault_slot_edges() {
	for _ in 1 2 3; do
		some 1
		next_slot
	done
}
