#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Guests and outsiders who lie about MACs and addresses, floods and broadcasts, beside honest traffic: what crossed keeps its
# class to the byte, what was hidden stays with its sender and is not taken for local traffic, and the ledger tells of it.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

NOWHERE=192.0.2.1 # behind the outside: it drops what is for it
RANDOM_MAC=02:13:37:00:00:01

frames() { # frames END COUNT PAYLOAD SOURCE_MAC TARGET_MAC SOURCE TARGET [WORD…]: IP bytes PAYLOAD + 20 each
	local end=$1 count=$2 payload=$3 from=$4 to=$5 source=$6 target=$7
	shift 7
	bed_in "$end" "$BUILD/bwframe" send eth0 eth "$from" "$to" "$@" ip4 "$source" "$target" payload "$payload" count "$count" \
		>/dev/null || tap_bail "frames of $end were not sent"
}
# sums END: "external peer direct ignored local+unattributed" of input, then of output, as booked or as expected.
booked_sums() {
	bw_sql "SELECT group_concat(v, ' ') FROM (SELECT sum(external_input) || '/' || sum(external_output) AS v FROM usage JOIN vif ON vif.id = vif WHERE $(class_where "$1")
		UNION ALL SELECT sum(peer_input) || '/' || sum(peer_output) FROM usage JOIN vif ON vif.id = vif WHERE $(class_where "$1")
		UNION ALL SELECT sum(direct_input) || '/' || sum(direct_output) FROM usage JOIN vif ON vif.id = vif WHERE $(class_where "$1")
		UNION ALL SELECT sum(ignored_input) || '/' || sum(ignored_output) FROM usage JOIN vif ON vif.id = vif WHERE $(class_where "$1")
		UNION ALL SELECT sum(local_input + unattributed_input) || '/' || sum(local_output + unattributed_output) FROM usage JOIN vif ON vif.id = vif WHERE $(class_where "$1"))"
}
sent_sums() {
	local class text=
	for class in external peer direct ignored; do
		text+="${CLASS_SENT[$1,input,$class]-0}/${CLASS_SENT[$1,output,$class]-0} "
	done
	echo "$text$((${CLASS_SENT[$1,input,local]-0} + ${CLASS_SENT[$1,input,unattributed]-0}))/$((${CLASS_SENT[$1,output,local]-0} + ${CLASS_SENT[$1,output,unattributed]-0}))"
}
of() { bw_sql "SELECT sum($2) FROM usage JOIN vif ON vif.id = vif WHERE $(class_where "$1")"; } # of END COLUMN

bed_up || tap_bail "no bed"
bw_past_edge 86400 40 # reports are of this month
bw_config "${CLASS_CONF[@]}"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 mallory 10.77.0.11 && bed_guest 2 0 victim 10.77.0.12 && bed_guest 3 0 other 10.77.0.13 && class_outside ||
	tap_bail "no guests"
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 3
OUT=${BED_MAC[outside]} M1=${BED_MAC[1.0]} M2=${BED_MAC[2.0]} M3=${BED_MAC[3.0]}
ends=(1.0 2.0 3.0 dom0)

# The honest traffic of everybody, for some seconds.
flows=()
flow() { class_udp "$@" & flows+=($!); }
steady() {
	local end
	for end in 1.0 2.0 3.0; do
		flow $end outside external 900 700 3
		flow outside $end peer 800 600 3
		flow outside $end ignored 300 200 3
	done
	flow 1.0 outside direct 400 333 3
	flow 3.0 1.0 - 500 800 3
	flow 1.0 3.0 - 450 900 3
	flow dom0 outside external 200 100 3
	flow 3.0 dom0 - 250 150 3
}
# what those in the background send is noted here, where it is remembered
note_steady() {
	local end
	for end in 1.0 2.0 3.0; do
		class_note $end output external $((900 * 728))
		class_note $end input peer $((800 * 628))
		class_note $end input ignored $((300 * 228))
	done
	class_note 1.0 output direct $((400 * 361))
	class_note 3.0 output local $((500 * 828))
	class_note 1.0 input local $((500 * 828))
	class_note 1.0 output local $((450 * 928))
	class_note 3.0 input local $((450 * 928))
	class_note dom0 output external $((200 * 128))
	class_note 3.0 output local $((250 * 178))
	class_note dom0 input local $((250 * 178))
}
wait_flows() {
	local pid
	for pid in "${flows[@]}"; do wait "$pid" || tap_bail "the bed lost packets"; done
	flows=()
}

# Broadcasts and floods reach everybody.
for dev in vif1.0 vif2.0 vif3.0 peth0; do
	bridge link set dev $dev flood on bcast_flood on || tap_bail "no floods"
done
steady
sleep 0.3
frames outside 100 480 "$OUT" ff:ff:ff:ff:ff:ff 10.99.2.1 10.77.0.255
frames outside 120 580 "$OUT" $RANDOM_MAC 10.99.2.1 10.77.0.99
for end in 1.0 2.0 3.0; do class_note $end input local $((100 * 500 + 120 * 600)); done
class_note dom0 input local $((100 * 500)) # a bridge takes broadcasts, and no strangers' frames
frames 1.0 130 280 "$M1" ff:ff:ff:ff:ff:ff 10.77.0.11 10.77.0.255
class_note 1.0 output external $((130 * 300))
for end in 2.0 3.0 dom0; do class_note $end input local $((130 * 300)); done
# VLAN tags, what is no IP and what lies behind a packet's end are local.
frames 1.0 70 380 "$M1" "$OUT" 10.77.0.11 $NOWHERE vlan 7
class_note 1.0 output external $((70 * 400))
class_note 1.0 output local $((70 * 4))
bed_in 1.0 "$BUILD/bwframe" send eth0 eth "$M1" "$OUT" payload 100 count 60 >/dev/null || tap_bail "no frames"
class_note 1.0 output local $((60 * 100))
frames 1.0 40 0 "$M1" "$OUT" 10.77.0.11 $NOWHERE options 8 hex 00112233
class_note 1.0 output external $((40 * 28))
class_note 1.0 output local $((40 * 4)) # behind the packet's end
# An outsider with a guest's MAC.
frames outside 90 180 "$M1" "$M3" 10.99.3.1 10.77.0.13
class_note 3.0 input direct $((90 * 200))
wait_flows
note_steady
bw_stop
class_check "floods, broadcasts, tags and an outsider with a guest's MAC, beside honest traffic" "${ends[@]}"
tap_is "nothing is clipped or spoofed" "$(bw_sql "SELECT sum(clipped_input + clipped_output + spoofed_output) FROM usage")" 0

# A guest lies.
class_start_over "${ends[@]}"
bw_start || tap_bail "no xenbwd"
steady
sleep 0.4
frames 1.0 2000 980 "$M2" "$OUT" 10.77.0.12 $NOWHERE
class_note 1.0 output local 2000000 # or unattributed: summed below
frames 1.0 1500 980 $RANDOM_MAC "$OUT" 10.77.0.11 $NOWHERE
class_note 1.0 output local 1500000
frames 1.0 1000 880 "$M1" "$OUT" 10.77.0.12 $NOWHERE
class_note 1.0 output external 900000
frames 1.0 500 180 "$M1" "$OUT" 10.99.1.77 $NOWHERE # from a network that is ignored: that makes nothing free
class_note 1.0 output external 100000
frames 1.0 10 80 "$M1" "$OUT" 0.0.0.0 $NOWHERE
class_note 1.0 output external 1000
frames outside 50 280 "$M2" "$M1" 10.99.2.1 10.77.0.11
class_note 1.0 input peer $((50 * 300))
wait_flows
note_steady
class_committed 3
tap_is "list-domains says that something left under no guest's name" \
	"$("$BUILD/xenbw" -c "$BW_CONF" list-domains 2>&1 | grep -c 'Strays: 1500 packets (1.43 MiB) left')" 1
bw_stop
for end in "${ends[@]}"; do
	tap_is "a guest that lies: each class of $end" "$(booked_sums "$end")" "$(sent_sums "$end")"
done
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""
hidden=$(($(of 1.0 unattributed_output) - ${CLASS_SENT[1.0,output,unattributed]-0}))
tap_ok "what was hidden is not taken for local ($hidden of 3500000 bytes)" test $hidden -ge 3150000 -a $hidden -le 3500000
tap_ok "an honest neighbour has no more in doubt than was hidden" test "$(of 3.0 unattributed_output)" -le 3500000
tap_is "the victim has none of it: it is clipped" "$(of 2.0 clipped_output)" 2000000
tap_is "foreign addresses under the own MAC are counted as spoofed" "$(of 1.0 spoofed_output) $(of 2.0 spoofed_output) $(of 3.0 spoofed_output)" "1000000 0 0"
tap_is "report shows it" "$("$BUILD/xenbw" -c "$BW_CONF" report --json mallory | jq '.rows[0].spoofed_output')" 1000000
tap_ok "the ledger tells of the stolen MAC" test "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'spoofed'")" -ge 1
tap_ok "and of the stray one" test "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'stray' AND detail LIKE '%$RANDOM_MAC%'")" -ge 1

# A vif's first frames may come before xenstore has told whose they are: until the next reading they are kept for it. With
# readings this far apart there is none in between.
class_start_over 1.0
bw_config "${CLASS_CONF[@]}" "poll 30" "flush 30"
bw_start || tap_bail "no xenbwd"
bed_domain 4 late && ip netns add 4.0 && bed_quiet 4.0 && ip link add vif4.0 type veth peer name eth0 netns 4.0 &&
	bed_port vif4.0 00:16:3e:4d:04:00 && bed_namespace 4.0 eth0 10.77.0.14 00:16:3e:4d:04:00 || tap_bail "no device"
sleep 1 # the readings that a new device causes are over
class_udp 4.0 outside external 100 100
class_udp outside 4.0 external 80 100
BED_VIF[4.0]=vif4.0
xen_vif_attach 4 0 00:16:3e:4d:04:00 10.77.0.14 $BED_BRIDGE "" && xen_vif_hotplugged 4 0 && xen_vif_state 4 0 4 || tap_bail "no vif"
bw_wait_sql "the vif" "SELECT count(*) FROM vif WHERE domid = 4" 1
class_udp 4.0 outside external 60 100
bw_stop
class_check "a vif whose first frames came before it was known" 4.0
tap_done
