# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of what is around: xenstored, the kernel's events, devices, the clock. Read by faults.sh.

fault_xenstored_killed() {
	xenstore_kill
	burst
	within 500 2000
	xenstore_restart || problem "no xenstored"
	within 50 500 # it is empty
	bed_refill || problem "xenstore cannot be filled"
}
# More events than the kernel keeps for one who sleeps.
fault_netlink_overrun() {
	local i pid before
	before=$(netlink_drops)
	pid=$(xenbwd_pid) && kill -STOP "$pid"
	for ((i = 0; i < 8000; i++)); do echo "link set dev peth0 alias event$i"; done | ip -batch -
	[ "$(netlink_drops)" -gt "$before" ] || problem "no event was lost"
	burst
	kill -CONT "$pid"
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
# More than the capture's memory holds comes while it does not look.
fault_capture_overrun() {
	local pid
	pid=$(worker_pid) && kill -STOP "$pid"
	flow 1.0 outside external 30000 1000
	flow outside 2.0 peer 20000 1200
	flows_end
	kill -CONT "$pid" 2>/dev/null
}

fault_clock_back() {
	clock_set $((CLOCK_FIRST + SLOT * CLOCK_SLOT - 2400 - RANDOM % 4000))
	burst
	within 1500 2500
	SLOT=$((SLOT + 1))
	clock_in_slot "$SLOT"
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
