#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Guests that are routed, not bridged: known by their addresses. A foreign source address is nobody's; behind this
# host's address translation nothing can be told apart, and xenbwd says so.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

# routed DOMID IP NAME: a guest as Xen's vif-route makes it: no bridge, a route to each of its addresses.
routed() {
	local dev=vif$1.0 mac end=$1.0
	mac=$(printf '00:16:3e:4d:%02x:00' "$1")
	xen_domain_create "$1" "$3" "$(printf '00000000-0000-4000-8000-%012d' "$1")" &&
		xen_vif_attach "$1" 0 "$mac" "$2" "" && ip netns add "$end" && bed_quiet "$end" &&
		ip link add "$dev" type veth peer name eth0 netns "$end" || return 1
	ip -batch - <<-END || return 1
		link set dev $dev address fe:ff:ff:ff:ff:ff
		link set dev $dev up
		route add $2/32 dev $dev
		neigh replace $2 lladdr $mac nud permanent dev $dev
	END
	ip -n "$end" -batch - <<-END || return 1
		link set dev lo up
		link set dev eth0 address $mac
		link set dev eth0 up
		addr add $2/32 dev eth0
		route add 10.77.0.1/32 dev eth0
		route add default via 10.77.0.1 dev eth0
		neigh replace 10.77.0.1 lladdr fe:ff:ff:ff:ff:ff nud permanent dev eth0
	END
	BED_IP[$end]=$2 BED_MAC[$end]=$mac BED_IF[$end]=eth0
	bed_sink "$end" && xen_vif_hotplugged "$1" 0 && xen_vif_state "$1" 0 4
}

xenstore_start "$BED/xenstore" && ip netns add outside && bed_quiet dom0 && bed_quiet outside || tap_bail "no bed"
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 || tap_bail "no forwarding"
ip -batch - <<-END || tap_bail "no bed"
	link set dev lo up
	link add peth0 type veth peer name eth0 netns outside
	link set dev peth0 address 00:16:3e:00:00:01
	addr add 10.77.0.1/24 dev peth0
	link set dev peth0 up
	neigh replace 10.77.0.254 lladdr 00:16:3e:00:00:fe nud permanent dev peth0
	route add 10.99.0.0/16 via 10.77.0.254
END
BED_IF[dom0]=peth0 BED_IP[dom0]=10.77.0.1 BED_MAC[dom0]=00:16:3e:00:00:01
bed_sink dom0 && bed_namespace outside eth0 10.77.0.254 00:16:3e:00:00:fe || tap_bail "no bed"
ip -n outside -batch - <<-END || tap_bail "no routes outside"
	neigh replace 10.77.0.1 lladdr 00:16:3e:00:00:01 nud permanent dev eth0
	route add 10.88.0.0/16 via 10.77.0.1
END
for class in ignored peer direct local rescued; do
	ip -n outside addr add "${CLASS_IP[$class]}/32" dev eth0 || tap_bail "no address"
done
routed 1 10.88.0.11 web && routed 2 10.88.0.12 db || tap_bail "no guests"

bw_config "device peth0" "${CLASS_CONF[@]}"
bw_start || tap_bail "no xenbwd"
for class in external ignored peer direct local rescued; do
	class_udp 1.0 outside $class 40 300
	class_udp outside 1.0 $class 30 500
done
class_udp 2.0 outside external 17 1000
class_udp 1.0 2.0 - 25 700
class_udp 2.0 dom0 - 12 80
bed_udp dom0 outside 15 90 || tap_bail "the bed lost packets" # dom0's own: nobody counts it where no vif is in a bridge
bw_stop
class_check "routed guests, by their addresses" 1.0 2.0
tap_is "the classes add up" "$(class_identity)" ""

# A source address that nobody has: it stays with its vif, and is not taken for local traffic.
class_start_over 1.0 2.0
bw_start || tap_bail "no xenbwd"
ip -n 1.0 addr add 10.88.0.99/32 dev eth0
ip -n outside route replace 10.88.0.99/32 via 10.77.0.1
BED_FROM=10.88.0.99 bed_udp 1.0 outside 50 100 || tap_bail "the bed lost packets"
class_note 1.0 output unattributed $((50 * 128))
class_udp 2.0 outside external 10 100
bw_stop
class_check "a foreign source address" 1.0 2.0
tap_is "the ledger tells of it" "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'stray' AND detail LIKE '50 packets (6400 bytes)%'")" 1

# dom0 gets one more address: what it sends from there is its own at once.
class_start_over 1.0 2.0
bw_start || tap_bail "no xenbwd"
bed_also dom0 10.77.0.3 || tap_bail "no other address"
class_committed 2
BED_FROM=10.77.0.3 bed_udp dom0 outside 20 100 || tap_bail "the bed lost packets"
class_udp 1.0 2.0 - 25 700
bw_stop
class_check "dom0 with a new address" 1.0 2.0
tap_is "and it is no stray" "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'stray'")" 1

# Address translation: recognised by the kernel's connections.
class_start_over 1.0 2.0
bw_start || tap_bail "no xenbwd"
nft -f - <<-END || tap_bail "no nft"
	table ip nat {
		chain postrouting {
			type nat hook postrouting priority 100;
			ip saddr 10.88.0.12 oifname "peth0" masquerade
		}
	}
END
bed_udp 2.0 outside 60 100 || tap_bail "the bed lost packets"
class_note 2.0 output unattributed $((60 * 128))
class_udp 1.0 outside external 10 100
tap_ok "xenbwd says so" bed_wait "the warning" grep -q 'translates the address 10.88.0.12 (NAT)' "$BW_LOG"
tap_is "so does list-domains" "$("$BUILD/xenbw" -c "$BW_CONF" list-domains 2>&1 | grep -c NAT)" 1
bw_stop
class_check "behind NAT nothing is told apart, beside it all" 1.0 2.0
tap_is "the classes still add up" "$(class_identity)" ""
tap_done
