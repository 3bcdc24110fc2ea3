# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# bed.sh: a small dom0 with guests, made of network namespaces and a real xenstored. To be sourced.
#
#   . tests/support/bed.sh
#   bed_enter "$@"                       the script starts again inside namespaces of its own
#   bed_up                               dom0: bridge xenbr0, uplink peth0; namespace `outside` behind it
#   bed_guest 1 0 web 10.77.0.11         a guest: vif1.0 in dom0, its other end in namespace 1.0
#   bed_udp 1.0 outside 1000 500         1000 datagrams of 500 bytes payload, all of them received
#   bed_guest_gone 1
#   bed_also outside 10.99.1.1           one more address of an end; BED_TO, BED_FROM choose among them:
#   BED_TO=10.99.1.1 bed_udp 1.0 outside 1000 500
#   bed_void 1.0 outside; bed_spray 1.0 8 1000 64   1000 datagrams to 8 addresses behind outside, where they end
#
# Ends are called `dom0`, `outside` or DOMID.DEVID. Addresses, neighbours and the bridge's table are all static,
# IPv6 and multicast are off: an idle bed sends not one packet, and a frame reaches one port only.
#
# bed_enter gives the script a pid namespace too: whatever it leaves behind ends with it. BUILD names the build
# directory, within by another path (BED_BUILD is the one that was given); BED the bed's working directory (in a private
# /run), BED_TIME the time limit in seconds, BED_HOTPLUG the seconds that a hotplug script takes before it renames a
# device. Functions return 1 after one line on standard error when something does not work.

: "${BUILD:=$(dirname "${BASH_SOURCE[0]}")/../../build}"
BED=/run/bed
BED_BRIDGE=xenbr0
BED_PORT=9            # of the sink in each namespace
BED_VOID=10.100.0.0   # the first of 65536 addresses that nobody has
BED_EMU_PREFIX=emu    # an end `emuD.V` is the emulated card of vif D.V

declare -A BED_IP=() BED_MAC=()     # by end
declare -A BED_IF=()                # device of an end in its own namespace
declare -A BED_VIF=()               # by D.V: the name of its device in dom0
declare -A BED_PID=()               # by end: its sink or tap
declare -A BED_NAME=() BED_UUID=()  # by domid
declare -A BED_BACKEND=()           # by D.V: what xen_vif_attach was given
declare -a BED_AT=()

. "$(dirname "${BASH_SOURCE[0]}")/xenstore.sh"

bed_complain() { echo "bed.sh: $*" >&2; return 1; }

# bed_enter "$@": to be called first. Returns only inside the namespaces.
bed_enter() {
	if [ -z "${BED_INSIDE-}" ]; then
		[ "$(id -u)" = 0 ] || { bed_complain "the test bed makes namespaces and needs root"; exit 1; }
		BUILD=$(realpath "$BUILD") || exit 1
		export BUILD BED_INSIDE=1
		exec timeout --foreground --signal=KILL "${BED_TIME:-120}" \
			unshare --mount --net --pid --fork --kill-child --mount-proc bash "$0" "$@"
	fi
	unset BED_INSIDE
	trap 'exit 130' INT TERM # pid 1 of a namespace has no default for them
	if ! mount -t tmpfs -o mode=755 tmpfs /run || ! mount -t sysfs sysfs /sys || ! mkdir -p /run/netns "$BED" ||
		! chmod 755 "$BED"; then
		bed_complain "cannot mount a private /run and /sys"
		exit 1
	fi
	# The programs that become another user must be able to reach theirs, wherever this tree is.
	BED_BUILD=$BUILD BUILD=/run/build
	if ! mkdir "$BUILD" || ! mount --bind "$BED_BUILD" "$BUILD"; then
		bed_complain "cannot mount $BED_BUILD at $BUILD"
		exit 1
	fi
}

# bed_at END: BED_AT becomes the words in front of a command that is to run in the namespace of an end.
bed_at() {
	case $1 in
	dom0 | "$BED_EMU_PREFIX"*) BED_AT=() ;;
	*) BED_AT=(nsenter "--net=/run/netns/$1") ;;
	esac
}

# bed_in END CMD…: runs a command in the namespace of an end.
bed_in() {
	bed_at "$1"
	shift
	"${BED_AT[@]}" "$@"
}

# bed_wait WHAT CMD…: repeats CMD until it succeeds, at most ten seconds.
bed_wait() {
	local what=$1 i
	shift
	for ((i = 0; i < 1000; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.01
	done
	bed_complain "waited ten seconds for $what"
}

# No IPv6, so no neighbour discovery and no multicast of its own.
bed_quiet() {
	bed_in "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
}

# bed_port DEVICE MAC: puts a device into the bridge, where it gets only what is meant for MAC.
bed_port() {
	ip -batch - <<-END && bridge fdb replace "$2" dev "$1" master static
		link set dev $1 master $BED_BRIDGE
		link set dev $1 type bridge_slave learning off flood off mcast_flood off bcast_flood off
		link set dev $1 up
	END
}

# bed_forwards DEVICE: until its bridge port takes frames; the kernel notices its carrier by itself, on a busy machine late.
bed_forwards() { bed_wait "the bridge to use $1" grep -qx 3 "/sys/class/net/$1/brport/state"; }

# bed_end END IF IP MAC: makes an end known to all others, and all others to it.
bed_end() {
	local other
	for other in "${!BED_IP[@]}"; do
		[ "$other" = "$1" ] && continue
		[ -z "${BED_IF[$other]}" ] ||
			bed_in "$other" ip neigh replace "$3" lladdr "$4" nud permanent dev "${BED_IF[$other]}" || return 1
		[ -z "$2" ] ||
			bed_in "$1" ip neigh replace "${BED_IP[$other]}" lladdr "${BED_MAC[$other]}" nud permanent \
				dev "$2" || return 1
	done
	BED_IF[$1]=$2 BED_IP[$1]=$3 BED_MAC[$1]=$4
}

# bed_sink END: everything sent to BED_PORT there is received and counted.
bed_sink() {
	bed_at "$1"
	"${BED_AT[@]}" "$BUILD/bwload" sink "$BED_PORT" "$BED/counts.$1" </dev/null &
	BED_PID[$1]=$!
	bed_wait "the sink of $1" test -e "$BED/counts.$1"
}

# bed_namespace END IF IP MAC: gives the namespace of an end, where IF is already, an address, and starts its sink.
bed_namespace() {
	ip -n "$1" -batch - <<-END && bed_end "$1" "$2" "$3" "$4" && bed_sink "$1"
		link set dev lo up
		link set dev $2 address $4
		addr add $3/24 dev $2
		link set dev $2 up
	END
}

# bed_up: dom0 without a guest.
bed_up() {
	xenstore_start "$BED/xenstore" && ip netns add outside && bed_quiet dom0 && bed_quiet outside || return 1
	ip -batch - <<-END || return 1
		link set dev lo up
		link add $BED_BRIDGE address 00:16:3e:00:00:01 type bridge stp_state 0 mcast_snooping 0 forward_delay 0
		addr add 10.77.0.1/24 dev $BED_BRIDGE
		link set dev $BED_BRIDGE up
		link add peth0 type veth peer name eth0 netns outside
	END
	bed_port peth0 00:16:3e:00:00:fe && bed_end dom0 "$BED_BRIDGE" 10.77.0.1 00:16:3e:00:00:01 && bed_sink dom0 &&
		bed_namespace outside eth0 10.77.0.254 00:16:3e:00:00:fe && bed_forwards peth0
}

# bed_guest DOMID DEVID NAME IP [MAC] [VIFNAME]: a new domain with one vif. BED_UUID[DOMID] may be set before.
bed_guest() {
	bed_domain "$1" "$3" && bed_attach "$1" "$2" "$4" "${5-}" "${6-}"
}

# bed_domain DOMID NAME: a new domain without a vif. BED_UUID[DOMID] may be set before, else it is made of the domid.
bed_domain() {
	: "${BED_UUID[$1]:=$(printf '00000000-0000-4000-8000-%012d' "$1")}"
	BED_NAME[$1]=$2
	xen_domain_create "$1" "$2" "${BED_UUID[$1]}"
}

# bed_attach DOMID DEVID IP [MAC] [VIFNAME]: the vif appears as under Xen: xenstore nodes, then the device under its
# plain name, backend state 2, the hotplug script (rename, bridge, up), then the guest connects: state 4.
bed_attach() {
	local end=$1.$2 dev=vif$1.$2 mac=${4:-$(printf '00:16:3e:4d:%02x:%02x' "$1" "$2")}
	BED_BACKEND[$end]="$mac|$3|${5-}"
	xen_vif_attach "$1" "$2" "$mac" "$3" "$BED_BRIDGE" "${5-}" && ip netns add "$end" && bed_quiet "$end" &&
		ip link add "$dev" type veth peer name eth0 netns "$end" && xen_vif_state "$1" "$2" 2 || return 1
	if [ -n "${5-}" ]; then
		sleep "${BED_HOTPLUG:-0}"
		ip link set dev "$dev" name "$5" || return 1
		dev=$5
	fi
	BED_VIF[$end]=$dev
	bed_port "$dev" "$mac" && xen_vif_hotplugged "$1" "$2" && bed_namespace "$end" eth0 "$3" "$mac" &&
		bed_forwards "$dev" && xen_vif_state "$1" "$2" 4
}

# bed_unplug DOMID DEVID: what netback does to its device: closing, closed, and a little later (under Xen 0.1 s was
# measured; here more, as the machine may be busy with other tests) the device is gone. The nodes stay.
bed_unplug() {
	local end=$1.$2
	xen_vif_state "$1" "$2" 5 && xen_vif_state "$1" "$2" 6 && sleep 0.3 && ip link del "${BED_VIF[$end]}" &&
		bed_end_gone "$end"
}

# bed_end_gone END: its processes and its namespace.
bed_end_gone() {
	kill "${BED_PID[$1]}" && wait "${BED_PID[$1]}" 2>/dev/null
	rm -f "$BED/counts.$1"
	[ ! -e "/run/netns/$1" ] || ip netns del "$1" || return 1
	unset "BED_PID[$1]" "BED_IP[$1]" "BED_MAC[$1]" "BED_IF[$1]" "BED_VIF[$1]" "BED_BACKEND[$1]"
}

# bed_detach DOMID DEVID: as xl network-detach.
bed_detach() {
	bed_unplug "$1" "$2" && xen_vif_detach "$1" "$2"
}

# bed_guest_gone DOMID: as xl destroy.
bed_guest_gone() {
	local end
	for end in "${!BED_VIF[@]}"; do
		case $end in
		"$1".*) bed_unplug "$1" "${end#*.}" || return 1 ;;
		"$BED_EMU_PREFIX$1".*) bed_emu_gone "$1" "${end#*.}" || return 1 ;;
		esac
	done
	unset "BED_NAME[$1]" "BED_UUID[$1]"
	xen_domain_destroy "$1"
}

# bed_refill: writes into an empty xenstore what belongs to the guests that are there.
bed_refill() {
	local domid end mac ip vifname
	for domid in "${!BED_NAME[@]}"; do
		xen_domain_create "$domid" "${BED_NAME[$domid]}" "${BED_UUID[$domid]}" || return 1
	done
	for end in "${!BED_BACKEND[@]}"; do
		IFS='|' read -r mac ip vifname <<<"${BED_BACKEND[$end]}"
		xen_vif_attach "${end%.*}" "${end#*.}" "$mac" "$ip" "$BED_BRIDGE" "$vifname" &&
			xen_vif_hotplugged "${end%.*}" "${end#*.}" && xen_vif_state "${end%.*}" "${end#*.}" 4 || return 1
	done
}

# bed_emu DOMID DEVID IP [MAC]: the emulated card of an HVM guest, a tap in the bridge, with the address and MAC that
# its vif will have.
bed_emu() {
	local end=$BED_EMU_PREFIX$1.$2 dev=vif$1.$2-emu mac=${4:-$(printf '00:16:3e:4d:%02x:%02x' "$1" "$2")}
	ip tuntap add dev "$dev" mode tap && mkfifo "$BED/orders.$end" || return 1
	"$BUILD/bwtap" "$dev" "$BED/counts.$end" <>"$BED/orders.$end" >"$BED/done.$end" &
	BED_PID[$end]=$!
	BED_VIF[$end]=$dev
	bed_wait "the tap $dev" test -e "$BED/counts.$end" && bed_port "$dev" "$mac" && bed_end "$end" "" "$3" "$mac"
}

# bed_emu_gone DOMID DEVID: the guest has unplugged its emulated card; its MAC is reached through the vif from now on.
bed_emu_gone() {
	local end=$BED_EMU_PREFIX$1.$2
	ip link del "${BED_VIF[$end]}" && bed_end_gone "$end" && rm -f "$BED/orders.$end" "$BED/done.$end"
}

# bed_udp FROM TO PACKETS PAYLOAD [SECONDS]: sends datagrams; returns when all of them were received. An end's bytes
# grow by PACKETS * (PAYLOAD + 28).
bed_udp() {
	if [[ $1 == "$BED_EMU_PREFIX"* ]]; then
		local before
		before=$(wc -l <"$BED/done.$1")
		echo "${BED_MAC[$1]} ${BED_IP[$1]} ${BED_MAC[$2]} ${BED_IP[$2]} $BED_PORT $BED/counts.$2 $3 $4" >"$BED/orders.$1"
		# shellcheck disable=SC2016
		bed_wait "frames from the tap of $1" bash -c '[ "$(wc -l <"$1")" -gt "$2" ]' - "$BED/done.$1" "$before"
	else
		bed_in "$1" "$BUILD/bwload" udp "${BED_TO:-${BED_IP[$2]}}" "$BED_PORT" "$BED/counts.$2" "$3" "$4" "${5:-0}" \
			"${BED_FROM:-0.0.0.0}" >/dev/null
	fi
}

# bed_also END IP: one more address of an end, known to all others that are there; again for those that came later.
bed_also() {
	local other
	bed_in "$1" ip addr replace "$2/32" dev "${BED_IF[$1]}" || return 1
	for other in "${!BED_IP[@]}"; do
		[ "$other" != "$1" ] && [ -n "${BED_IF[$other]}" ] || continue
		bed_in "$other" ip -batch - <<-END || return 1
			route replace $2/32 dev ${BED_IF[$other]}
			neigh replace $2 lladdr ${BED_MAC[$1]} nud permanent dev ${BED_IF[$other]}
		END
	done
}

# bed_void FROM TO: what FROM sends to the addresses that nobody has goes to TO, and no further.
bed_void() {
	bed_in "$1" ip route replace "$BED_VOID/16" via "${BED_IP[$2]}" && bed_in "$2" ip route replace blackhole "$BED_VOID/16"
}

# bed_spray FROM ENDS PACKETS PAYLOAD: sends datagrams to so many of these addresses, from BED_TO on; returns when the
# kernel has taken all of them, and has no more to do for them where it has one processor.
bed_spray() { bed_in "$1" "$BUILD/bwload" spray "${BED_TO:-$BED_VOID}" "$BED_PORT" "$2" "$3" "$4"; }

# bed_tcp FROM TO BYTES: one TCP connection with that much payload.
bed_tcp() {
	bed_in "$1" "$BUILD/bwload" tcp "${BED_TO:-${BED_IP[$2]}}" "$BED_PORT" "$3" "${BED_FROM:-0.0.0.0}"
}

# bed_counters DEVICE: "rx_bytes rx_packets tx_bytes tx_packets" of a device in dom0, 64 bit, read at one instant.
bed_counters() {
	ip -s -j link show dev "$1" |
		jq -r '.[0].stats64 | "\(.rx.bytes) \(.rx.packets) \(.tx.bytes) \(.tx.packets)"'
}

# bed_ip_bytes DEVICE: "input output", the guest's view, of a veth or tap in dom0 (14 header bytes a packet).
bed_ip_bytes() {
	local rx_bytes rx_packets tx_bytes tx_packets
	read -r rx_bytes rx_packets tx_bytes tx_packets < <(bed_counters "$1") || return 1
	echo "$((tx_bytes - 14 * tx_packets)) $((rx_bytes - 14 * rx_packets))"
}
