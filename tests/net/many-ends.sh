#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Guests that talk with many ends of different classes at once, as servers do: what was remembered of one end is no other's.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

ENDS=200
declare -A FIRST=([external]=10.100.0.0 [ignored]=10.100.1.0 [peer]=10.100.2.0 [rescued]=10.100.3.0)
CONF=("ignorenet 10.100.1.0/24" "ignorenet 10.100.3.0/24" "dontignore 10.100.3.0/24" "peer 10.100.2.0/24")

FLOWS=()
spray() { # spray END CLASS PACKETS PAYLOAD
	BED_TO=${FIRST[$2]} bed_spray "$1" $ENDS "$3" "$4" &
	FLOWS+=($!)
	class_note "$1" output "$2" $(($3 * ($4 + 28)))
}
arrive() { # arrive END CLASS PAYLOAD: one from each
	local i senders=()
	for ((i = 0; i < ENDS; i++)); do # side by side: the kernel takes its time to close their sockets
		bed_in outside "$BUILD/bwframe" send eth0 eth "${BED_MAC[outside]}" "${BED_MAC[$1]}" ip4 "${FIRST[$2]%.*}.$i" "${BED_IP[$1]}" \
			payload "$3" >/dev/null &
		senders+=($!)
	done
	for i in "${senders[@]}"; do wait "$i" || return 1; done
	class_note "$1" input "$2" $((ENDS * ($3 + 20)))
}

mount -t bpf bpf /sys/fs/bpf && bed_up || tap_bail "no bed"
for domid in 1 2; do bed_guest $domid 0 "guest$domid" "10.77.0.1$domid" && bed_void "$domid.0" outside || tap_bail "no guest"; done
for attribution in kernel pcap; do
	bw_config "${CONF[@]}" "attribution $attribution"
	bw_start || tap_bail "no xenbwd"
	bed_wait "the uplink" grep -q 'uplink: peth0' "$BW_LOG"
	class_committed 2
	FLOWS=()
	spray 1.0 external 6001 64
	spray 1.0 ignored 6002 70
	spray 1.0 peer 6003 80
	spray 1.0 rescued 6004 90
	spray 2.0 ignored 5001 101
	spray 2.0 external 5002 102
	for pid in "${FLOWS[@]}"; do wait "$pid" || tap_bail "the kernel did not take all datagrams"; done
	arrive 1.0 external 300 && arrive 2.0 ignored 310 && arrive 1.0 peer 320 && arrive 1.0 ignored 330 && arrive 2.0 external 340 ||
		tap_bail "no frames"
	bw_stop
	"$BUILD/xenbwd" --detach || tap_bail "the programs stay"
	class_check "$attribution, $ENDS ends of each class at once" 1.0 2.0
	tap_is "and each vif's classes are what its counters say" "$(class_identity)" ""
done
tap_done
