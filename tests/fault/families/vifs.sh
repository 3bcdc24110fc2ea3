# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Vifs by the hundred come and go. Read by faults.sh. Each is sent some bytes, which are booked before it goes, for a veth
# takes its counters with it; MANY at once, MANY_TIMES. They go by twenty, as the kernel takes as long for one device as for
# many.

MANY=${MANY:-100}
MANY_TIMES=${MANY_TIMES:-2}
MANY_NEXT=1000 # their domids are never used again
MANY_BYTES=60

fault_many_vifs() {
	local t began=$SECONDS
	for ((t = 0; t < MANY_TIMES; t++)); do
		many_come && many_get_bytes && many_go || problem "vifs $MANY_NEXT to $((MANY_NEXT + MANY - 1))"
		MANY_NEXT=$((MANY_NEXT + MANY))
	done
	tap_note "$((MANY * MANY_TIMES)) vifs came and went in $((SECONDS - began)) s"
}

# many_names NUMBER: MANY_IP, MANY_MAC, MANY_UUID of the vif with this number among those that are there
many_names() {
	MANY_IP=10.77.$((1 + $1 / 200)).$((1 + $1 % 200))
	printf -v MANY_MAC '00:16:3e:5d:%02x:%02x' $(($1 / 256)) $(($1 % 256))
	printf -v MANY_UUID '44444444-0000-4000-8000-%012d' "$1"
}

# many_each FUNCTION: calls it with each NUMBER and DOMID, and the names of it
many_each() {
	local i
	for ((i = 0; i < MANY; i++)); do
		many_names "$i"
		"$1" "$i" $((MANY_NEXT + i))
	done
}

# The least that makes a guest with a connected vif.
many_node() {
	local b=/local/domain/0/backend/vif/$2/0
	echo "r $MANY_UUID" >"$XENSTORE_DIR/domains/$2"
	printf 'write %s\n' "/local/domain/$2/vm /vm/$MANY_UUID" "/local/domain/$2/name many$1" "/local/domain/$2/domid $2" \
		"/vm/$MANY_UUID/uuid $MANY_UUID" "$b/frontend /local/domain/$2/device/vif/0" "$b/frontend-id $2" "$b/mac $MANY_MAC" \
		"$b/ip $MANY_IP" "$b/bridge $BED_BRIDGE" "$b/handle 0" "$b/hotplug-status connected" "$b/state 4"
	echo "introduce $2"
}
many_device() {
	local group=$((1000 + $1 / 20))
	printf '%s\n' "link add vif$2.0 group $group type veth peer name many$2 group $group" "link set dev vif$2.0 master $BED_BRIDGE" \
		"link set dev vif$2.0 type bridge_slave learning off flood off mcast_flood off bcast_flood off" \
		"link set dev vif$2.0 up" "link set dev many$2 up" \
		"neigh replace $MANY_IP lladdr $MANY_MAC nud permanent dev $BED_BRIDGE"
}
many_entry() { echo "fdb replace $MANY_MAC dev vif$2.0 master static"; }
many_come() {
	many_each many_node | xenstore_do && many_each many_device | ip -batch - && many_each many_entry | bridge -batch - &&
		wait_for "$ROUND_PATIENCE" "the ports" many_forward
}
many_forward() { # the first and the last one do
	[ "$(cat "/sys/class/net/vif$MANY_NEXT.0/brport/state" "/sys/class/net/vif$((MANY_NEXT + MANY - 1)).0/brport/state" | xargs)" = "3 3" ]
}

many_send() {
	printf "%0${MANY_BYTES}d" 0 >"/dev/udp/$MANY_IP/9" || return 1
	sent "$2.0" $((MANY_BYTES + 28))
	sent dom0 $((MANY_BYTES + 28))
}
many_get_bytes() { many_each many_send && wait_for "$ROUND_PATIENCE" "their bytes" many_booked; }
many_booked() {
	[ "$(bw_booked "domid BETWEEN $MANY_NEXT AND $((MANY_NEXT + MANY - 1))")" = "$((MANY * (MANY_BYTES + 28))) 0" ]
}

many_link_gone() { (($1 % 20)) || echo "link del group $((1000 + $1 / 20))"; }
many_node_gone() {
	rm -f "$XENSTORE_DIR/domains/$2"
	printf 'rm %s\n' "/local/domain/$2" "/local/domain/0/backend/vif/$2" "/vm/$MANY_UUID"
	echo commit
}
many_go() { many_each many_link_gone | ip -batch - && many_each many_node_gone | xenstore_do && xenstore_virq; }
