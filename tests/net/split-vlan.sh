#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Uplinks that are VLANs, carry VLANs beside their own traffic, or are a bond: each guest's classes to the byte, each frame
# counted once; what dom0 sends by a VLAN of its own is nobody's. Needs a kernel with 8021q, bonding and dummy.
# time-limit: 300
set -u
BED_TIME=290
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

HOST_MAC=00:16:3e:00:00:01 # of all bridges: they take their port's
OUT_MAC=00:16:3e:00:00:fe

# A VLAN is called by its number; 0: no tag. Its addresses: 10.N.0.1 dom0, .254 outside, .253 a peer, .252 ignored.
for vlan in 77 10 20 100; do CONF+=("peer 10.$vlan.0.253" "ignorenet 10.$vlan.0.252"); done

# segment N OUTSIDE_DEVICE DOM0_DEVICE: the outside's addresses there; dom0's too, unless DOM0_DEVICE is "".
segment() {
	local last
	for last in 254 253 252; do bed_in outside ip addr replace "10.$1.0.$last/24" dev "$2" || return 1; done
	bed_in outside ip link set dev "$2" up && bed_in outside ip neigh replace "10.$1.0.1" lladdr $HOST_MAC nud permanent dev "$2" ||
		return 1
	[ -n "$3" ] || return 0
	ip addr replace "10.$1.0.1/24" dev "$3" && ip link set dev "$3" up || return 1
	for last in 254 253 252; do ip neigh replace "10.$1.0.$last" lladdr $OUT_MAC nud permanent dev "$3" || return 1; done
}
# guest DOMID BRIDGE N OUTSIDE_DEVICE [DOM0_DEVICE]
guest() {
	local last end=$1.0
	BED_BRIDGE=$2
	bed_guest "$1" 0 "guest$1" "10.$3.0.1$1" || return 1
	bed_in outside ip neigh replace "10.$3.0.1$1" lladdr "${BED_MAC[$end]}" nud permanent dev "$4" || return 1
	ip neigh replace "10.$3.0.1$1" lladdr "${BED_MAC[$end]}" nud permanent dev "${5:-$2}" || return 1
	for last in 1 252 253 254; do
		bed_in "$end" ip neigh replace "10.$3.0.$last" lladdr "$([ $last = 1 ] && echo $HOST_MAC || echo $OUT_MAC)" nud permanent dev eth0 ||
			return 1
	done
}
new_bridge() { # new_bridge NAME PORT: the port is the outside's way in
	ip -batch - <<-END && BED_BRIDGE=$1 bed_port "$2" $OUT_MAC
		link add $1 address $HOST_MAC type bridge stp_state 0 mcast_snooping 0 forward_delay 0
		link set dev $1 up
	END
}
declare -A LAST=([external]=254 [peer]=253 [ignored]=252)
udp() { # udp FROM TO TO_ADDRESS FROM_ADDRESS PACKETS PAYLOAD
	BED_TO=$3 BED_FROM=$4 bed_udp "$1" "$2" "$5" "$6" || tap_bail "the bed lost packets: $*"
}
# guest_traffic DOMID N FACTOR: each class each way, in sizes that no two share.
guest_traffic() {
	local class i=$3
	for class in external peer ignored; do
		i=$((i + 1))
		udp "$1.0" outside "10.$2.0.${LAST[$class]}" 0.0.0.0 $((100 + i)) $((200 + 3 * i))
		class_note "$1.0" output $class $(((100 + i) * (228 + 3 * i)))
		udp outside "$1.0" "10.$2.0.1$1" "10.$2.0.${LAST[$class]}" $((50 + i)) $((700 + 7 * i))
		class_note "$1.0" input $class $(((50 + i) * (728 + 7 * i)))
	done
}
# inner FROM TO N TO_LAST PACKETS PAYLOAD [CLASS]: within a bridge; CLASS: that of dom0's end.
inner() {
	local bytes=$(($5 * ($6 + 28))) out=local in=local
	udp "$1" "$2" "10.$3.0.$4" 0.0.0.0 "$5" "$6"
	[ "$1" != dom0 ] || out=${7:-local}
	[ "$2" != dom0 ] || in=${7:-local}
	class_note "$1" output "$out" "$bytes"
	class_note "$2" input "$in" "$bytes"
}
# host_traffic N PACKETS PAYLOAD CLASS: dom0 and outside, to and fro, of the class CLASS; "": nobody's.
host_traffic() {
	udp dom0 outside "10.$1.0.254" "10.$1.0.1" "$2" "$3"
	udp outside dom0 "10.$1.0.1" "10.$1.0.254" "$(($2 + 7))" "$(($3 + 11))"
	[ -n "$4" ] || return 0
	class_note dom0 output "$4" $(($2 * ($3 + 28)))
	class_note dom0 input "$4" $((($2 + 7) * ($3 + 39)))
}
# begin UPLINKS [LINE…]: xenbwd with these uplinks, from a new ledger.
begin() {
	local uplinks=$1
	shift
	rm -f "$BW_LEDGER"* "$BW_LOG"
	CLASS_SENT=()
	bw_config "${CONF[@]}" "$@"
	bw_start || tap_bail "no xenbwd"
	tap_ok "uplinks: $uplinks" bed_wait "the uplinks" grep -q "uplinks\?: $uplinks\$" "$BW_LOG"
	class_committed 1 || tap_bail "no commit"
}
# end TEXT END…
end() {
	local text=$1
	shift
	bw_stop
	class_check "$text" "$@"
	tap_is "$text: the classes add up" "$(class_identity)" ""
	tap_is "$text: nothing is clipped, estimated, spoofed or told of" "$(bw_sql "SELECT sum(clipped_input + clipped_output), sum(estimated_input + estimated_output), sum(spoofed_output),
		(SELECT coalesce(group_concat(kind || ' ' || detail), '') FROM event WHERE kind IN ('stray', 'spoofed', 'nat')) FROM usage")" "0|0|0|"
}
clear_bed() {
	local domid dev
	for domid in "${!BED_NAME[@]}"; do bed_guest_gone "$domid" || tap_bail "a guest does not go"; done
	for dev in "$@"; do ip link del "$dev" || tap_bail "no $dev"; done
	for dev in eth0 eth0.10 eth0.20 eth0.100; do bed_in outside ip addr flush dev $dev; done
}
scenario() { [ -z "${ONLY-}" ] || [[ " $ONLY " == *" $1 "* ]]; }

if ! ip link add try0 type dummy || ! ip link add try1 type bond || ! ip link add link try0 name try2 type vlan id 5; then
	echo "1..0 # SKIP this kernel has no VLANs, bonds or dummies (modules 8021q, bonding, dummy)"
	exit 0
fi 2>/dev/null
ip link del try0 && ip link del try1 || tap_bail "what was tried stays"
bed_up || tap_bail "no bed"
BED_IF[dom0]= # guest() knows better
ip link set dev peth0 address $HOST_MAC
for vlan in 10 20 100; do
	bed_in outside ip link add link eth0 name eth0.$vlan type vlan id $vlan || tap_bail "no VLAN"
done

# 1. dom0's own VLAN on the bridged uplink.
if scenario 1; then
	ip link add link peth0 name peth0.100 type vlan id 100 && segment 100 eth0.100 peth0.100 && segment 77 eth0 xenbr0 || tap_bail "no VLAN"
	guest 1 xenbr0 77 eth0 && guest 2 xenbr0 77 eth0 || tap_bail "no guests"
	begin peth0
	guest_traffic 1 77 0
	host_traffic 100 3000 900 ""
	inner 1.0 2.0 77 12 1000 1000
	host_traffic 100 1000 1000 ""
	host_traffic 77 44 100 external
	inner 2.0 1.0 77 11 900 900
	inner dom0 1.0 77 11 100 600
	inner 2.0 dom0 77 1 110 610
	guest_traffic 2 77 10
	end "dom0's own VLAN" 1.0 2.0 dom0
	# it comes while xenbwd runs
	ip link del peth0.100
	begin peth0
	ip link add link peth0 name peth0.100 type vlan id 100 && segment 100 eth0.100 peth0.100
	class_committed 1 || tap_bail "no commit"
	host_traffic 100 2000 900 ""
	inner 1.0 dom0 77 1 1000 1000
	inner dom0 1.0 77 11 1000 999
	end "a VLAN of dom0's that comes later" 1.0 dom0
	clear_bed peth0.100
fi
ip link del xenbr0

# 2. bridges on VLANs.
vlan_bridges() {
	ip link set dev peth0 up && ip link add link peth0 name peth0.10 type vlan id 10 && ip link add link peth0 name peth0.20 type vlan id 20 &&
		new_bridge xenbr10 peth0.10 && new_bridge xenbr20 peth0.20 && segment 10 eth0.10 xenbr10 && segment 20 eth0.20 xenbr20
}
if scenario 2; then
	vlan_bridges || tap_bail "no bridges"
	guest 1 xenbr10 10 eth0.10 && guest 2 xenbr20 20 eth0.20 && guest 3 xenbr10 10 eth0.10 || tap_bail "no guests"
	bed_in 1.0 ip neigh replace 10.10.0.13 lladdr "${BED_MAC[3.0]}" nud permanent dev eth0
	for device in auto peth0; do
		begin "$([ $device = auto ] && echo peth0.10 peth0.20 || echo peth0)" "device $device"
		guest_traffic 1 10 0
		guest_traffic 2 20 10
		inner 1.0 3.0 10 13 500 500
		inner 3.0 1.0 10 11 400 400
		host_traffic 10 55 555 unattributed
		host_traffic 20 66 666 unattributed
		inner dom0 2.0 20 12 100 300 unattributed
		end "bridges on VLANs, device $device" 1.0 2.0 3.0 dom0
	done
	clear_bed xenbr10 xenbr20 peth0.10 peth0.20
fi
# 2b. one of them has no guest: a management VLAN. 2c. as 2b, with one bridge only and dom0's own address on the parent.
if scenario 2b; then
	vlan_bridges && guest 1 xenbr10 10 eth0.10 || tap_bail "no bridges"
	for device in auto peth0; do
		begin "$([ $device = auto ] && echo peth0.10 peth0.20 || echo peth0)" "device $device"
		host_traffic 20 2000 900 ""
		inner dom0 1.0 10 11 1000 900 unattributed
		inner 1.0 dom0 10 1 1000 900 unattributed
		host_traffic 10 100 300 unattributed
		guest_traffic 1 10 0
		end "a bridge without guests beside, device $device" 1.0 dom0
	done
	clear_bed xenbr10 xenbr20 peth0.10 peth0.20
fi
if scenario 2c; then
	vlan_bridges && guest 1 xenbr10 10 eth0.10 && ip link del xenbr20 && ip link del peth0.20 || tap_bail "no bridges"
	begin peth0 "device peth0"
	inner dom0 1.0 10 11 1000 900
	inner 1.0 dom0 10 1 1000 900
	host_traffic 10 100 300 external
	guest_traffic 1 10 0
	end "one bridge on a VLAN, device peth0" 1.0 dom0
	segment 77 eth0 peth0
	begin peth0 "device peth0"
	host_traffic 77 2000 900 ""
	inner dom0 1.0 10 11 1000 900 unattributed
	inner 1.0 dom0 10 1 1000 900 unattributed
	host_traffic 10 100 300 unattributed
	guest_traffic 1 10 0
	end "one bridge on a VLAN, device peth0 with an address of its own" 1.0 dom0
	ip addr flush dev peth0
	ip link add link peth0 name peth0.100 type vlan id 100 && segment 100 eth0.100 peth0.100 || tap_bail "no VLAN"
	begin peth0 "device peth0"
	host_traffic 100 2000 900 ""
	inner dom0 1.0 10 11 1000 900 unattributed
	host_traffic 10 100 300 unattributed
	guest_traffic 1 10 0
	end "one bridge on a VLAN, device peth0 with another VLAN of dom0's own" 1.0 dom0
	ip addr flush dev peth0.100
	begin peth0 "device peth0"
	inner dom0 1.0 10 11 1000 900
	host_traffic 10 100 300 external
	guest_traffic 1 10 0
	end "one bridge on a VLAN, device peth0 with another VLAN that is not used" 1.0 dom0
	clear_bed xenbr10 peth0.10 peth0.100
fi

# 3. a trunk: its own frames in one bridge, those of a VLAN in another.
if scenario 3; then
	new_bridge xenbr0 peth0 && ip link add link peth0 name peth0.100 type vlan id 100 && new_bridge xenbr100 peth0.100 || tap_bail "no bridges"
	segment 77 eth0 xenbr0 && segment 100 eth0.100 xenbr100 || tap_bail "no addresses"
	guest 1 xenbr0 77 eth0 && guest 2 xenbr100 100 eth0.100 || tap_bail "no guests"
	begin "peth0 peth0.100" "device auto"
	guest_traffic 1 77 0
	guest_traffic 2 100 10
	host_traffic 77 55 555 unattributed
	host_traffic 100 66 666 unattributed
	inner 1.0 dom0 77 1 300 300 unattributed
	inner dom0 2.0 100 12 310 310 unattributed
	end "a trunk" 1.0 2.0 dom0
	clear_bed xenbr0 xenbr100 peth0.100
fi

# 4. a bond.
if scenario 4; then
	ip link add bond0 type bond mode active-backup miimon 100 && ip link add eth8 type veth peer name eth8x && ip link set dev eth8x up &&
		ip link set dev peth0 nomaster down && ip link set dev peth0 master bond0 && ip link set dev eth8 master bond0 &&
		ip link set dev bond0 address $HOST_MAC up && ip link set dev peth0 up && ip link set dev eth8 up || tap_bail "no bond"
	echo peth0 >/sys/class/net/bond0/bonding/active_slave
	new_bridge xenbr0 bond0 && segment 77 eth0 xenbr0 && guest 1 xenbr0 77 eth0 && guest 2 xenbr0 77 eth0 || tap_bail "no guests"
	bed_in 1.0 ip neigh replace 10.77.0.12 lladdr "${BED_MAC[2.0]}" nud permanent dev eth0
	begin bond0
	guest_traffic 1 77 0
	guest_traffic 2 77 10
	inner 1.0 2.0 77 12 400 400
	host_traffic 77 55 555 external
	inner 1.0 dom0 77 1 300 300
	end "a bond" 1.0 2.0 dom0
	ip link set dev peth0 nomaster
	clear_bed xenbr0 bond0 eth8
	ip link set dev peth0 address $HOST_MAC up
fi

# 5. an internal bridge with a dummy.
if scenario 5; then
	new_bridge xenbr0 peth0 && segment 77 eth0 xenbr0 && ip link add dummy0 type dummy && ip link set dev dummy0 up &&
		new_bridge inner0 dummy0 && ip link set dev inner0 address 00:16:3e:00:00:02 && ip addr add 10.10.0.1/24 dev inner0 || tap_bail "no bridges"
	guest 1 inner0 10 eth0 && guest 2 inner0 10 eth0 && guest 3 xenbr0 77 eth0 || tap_bail "no guests"
	begin peth0
	inner 1.0 2.0 10 12 400 400
	inner 2.0 1.0 10 11 300 300
	guest_traffic 3 77 10
	# routed by dom0
	sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
	bed_in 1.0 ip neigh replace 10.10.0.1 lladdr 00:16:3e:00:00:02 nud permanent dev eth0
	bed_in 1.0 ip route add 10.77.0.0/24 via 10.10.0.1
	bed_in outside ip route add 10.10.0.0/24 via 10.77.0.1
	udp 1.0 outside 10.77.0.254 0.0.0.0 211 511
	class_note 1.0 output external $((211 * 539))
	udp outside 1.0 10.10.0.11 10.77.0.253 111 411
	class_note 1.0 input peer $((111 * 439))
	end "an internal bridge" 1.0 2.0 3.0
	clear_bed xenbr0 inner0 dummy0
fi
tap_done
