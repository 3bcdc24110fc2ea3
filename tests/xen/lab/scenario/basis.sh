# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# basis: what netback counts: link headers, VLAN tags, and TCP with and without segmentation offload, and where packets
# are merged at the uplink alone (GRO). What is booked is what netback counted; how that differs from the wire is told in
# figures.

bw_start || tap_bail "no xenbwd"
lab_guest web pvh 10.77.0.11 && lab_guest db pvh 10.77.0.12 || tap_bail "no guests"
lab_outside ip addr add 10.77.0.254/24 dev eth0 && lab_outside ip link set dev eth0 arp on &&
	lab_do web 'ip link set dev eth0 arp on' || tap_bail "no addresses"
lab_outside "$BUILD/bwload" sink 9 /run/outside.counts &
sink=$!

# counted NAME: "rx_bytes rx_packets tx_bytes tx_packets" of its vif.
counted() {
	local at=/sys/class/net/vif${LAB_DOMID[$1]}.0/statistics
	echo "$(cat "$at/rx_bytes") $(cat "$at/rx_packets") $(cat "$at/tx_bytes") $(cat "$at/tx_packets")"
}
grown() { # grown "BEFORE" "AFTER": the same, of the time between
	local -a before after
	read -ra before <<<"$1"
	read -ra after <<<"$2"
	echo "$((after[0] - before[0])) $((after[1] - before[1])) $((after[2] - before[2])) $((after[3] - before[3]))"
}

# Link headers and tags, from guest to guest: 50 frames of 500 bytes IP.
for tags in "" "vlan 5" "qinq 6 vlan 5"; do
	from=$(counted web) to=$(counted db)
	lab_send web "eth ${LAB_MAC[web]} ${LAB_MAC[db]} $tags ip4 ${LAB_IP[web]} ${LAB_IP[db]} payload 480 count 50 gap 500" >/dev/null || tap_bail "nothing was sent"
	bw_quiet
	each=$((500 + 4 * $(wc -w <<<"${tags//[0-9]/}")))
	tap_is "frames with ${tags:-no} tag: rx has all but the link header" "$(grown "$from" "$(counted web)" | cut -d' ' -f1,2)" "$((50 * each)) 50"
	tap_is "frames with ${tags:-no} tag: tx has the link header, too" "$(grown "$to" "$(counted db)" | cut -d' ' -f3,4)" "$((50 * (each + 14))) 50"
done

# TCP. Payload is 1 MiB; a wire would have a header of 52 bytes at each 1448 of it.
tcp() { # tcp TEXT FROM
	local before at now wire=$((1048576 + 52 * ((1048576 + 1447) / 1448)))
	before=$(counted web)
	if [ "$2" = web ]; then lab_do web 'bwload tcp 10.77.0.254 9 1048576' >/dev/null; else lab_outside "$BUILD/bwload" tcp 10.77.0.11 9 1048576 >/dev/null; fi ||
		tap_bail "no TCP"
	bw_quiet
	read -ra now <<<"$(grown "$before" "$(counted web)")"
	if [ "$2" = web ]; then at=("${now[0]}" "${now[1]}"); else at=($((now[2] - 14 * now[3])) "${now[3]}"); fi
	tap_ok "$1: all of the payload is counted" test "${at[0]}" -gt 1048576
	packets=${at[1]}
	tap_note "figure: $1: ${at[1]} packets, ${at[0]} bytes; in packets of 1500 bytes it would be $wire, $(((wire - at[0]) * 1000 / wire)) per mille more"
}
for on in 1 0; do
	lab_do web "bwload tso eth0 $on" && lab_outside "$BUILD/bwload" tso eth0 $on || tap_bail "no TSO"
	tcp "TCP output, segmentation offload $on" web
	tcp "TCP input, segmentation offload $on" outside
done
whole=$packets # without any offload
"$BUILD/bwload" gro peth0 1 || tap_bail "no GRO"
tcp "TCP input, merged at the uplink (GRO)" outside
tap_ok "merged packets are counted as what they are then" test "$packets" -lt "$whole"
"$BUILD/bwload" gro peth0 0
kill $sink
lab_outside ip addr flush dev eth0
lab_outside ip link set dev eth0 arp off
for name in web db; do
	sums_agree() { [ "$(bw_booked_vif "${LAB_DOMID[$name]}" 0)" = "$(lab_counters "$name")" ]; }
	tap_ok "what is booked of $name is what netback counted" bed_wait "the bytes of $name" sums_agree
	read -r input output < <(bw_booked_vif "${LAB_DOMID[$name]}" 0)
	class_note "$(lab_end $name)" input local "$input"
	class_note "$(lab_end $name)" output local "$output"
done
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
