#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# External or ignored: what crossed the uplink is told apart by networks, what stayed inside is local; each class to the
# byte, in the ledger and in what is made of it.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

bed_up || tap_bail "no bed"
bw_past_edge 86400 40 # reports are of this month
bw_config "${CLASS_CONF[@]}"
bw_start || tap_bail "no xenbwd"
class_guests
ends=(1.0 2.0 3.0 dom0)

class_each_way
class_udp 2.0 1.0 - 200 33
bw_stop
tap_is "xenbwd ends well" $? 0
class_check "UDP, each class each way" "${ends[@]}"
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""
tap_is "nothing is clipped, estimated or spoofed" \
	"$(bw_sql "SELECT sum(clipped_input + clipped_output), sum(estimated_input + estimated_output), sum(spoofed_output) FROM usage")" "0|0|0"

# The readers: report, list-domains, the ledger's view traffic.
tap_is "report --json has the classes" \
	"$("$BUILD/xenbw" -c "$BW_CONF" report --json web | jq -r '.rows[0] | "\(.input) \(.output) \(.peer_input) \(.direct_output) \(.ignored_input) \(.local_output)"')" \
	"${CLASS_SENT[1.0,input,external]} ${CLASS_SENT[1.0,output,external]} ${CLASS_SENT[1.0,input,peer]} ${CLASS_SENT[1.0,output,direct]} ${CLASS_SENT[1.0,input,ignored]} ${CLASS_SENT[1.0,output,local]}"
tap_is "so has list-domains --json" \
	"$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -r '.vifs[] | select(.domain == "web") | "\(.external_input) \(.ignored_output) \(.peer_output) \(.local_input)"')" \
	"${CLASS_SENT[1.0,input,external]} ${CLASS_SENT[1.0,output,ignored]} ${CLASS_SENT[1.0,output,peer]} ${CLASS_SENT[1.0,input,local]}"
tap_is "netacct's columns are external, peer, direct and local; ignored bytes are in none" \
	"$(bw_sql "SELECT sum(CAST(input AS INT)), sum(CAST(peer_output AS INT)), sum(CAST(direct_input AS INT)), sum(CAST(local_output AS INT)) FROM traffic WHERE ip = 'web'")" \
	"${CLASS_SENT[1.0,input,external]}|${CLASS_SENT[1.0,output,peer]}|${CLASS_SENT[1.0,input,direct]}|${CLASS_SENT[1.0,output,local]}"

# While xenbwd is not there nobody looks: totals are kept, their way is not known.
class_start_over "${ends[@]}"
class_udp 1.0 outside external 10 100
CLASS_SENT[1.0,output,external]=$((CLASS_SENT[1.0,output,external] - 1280))
class_note 1.0 output unattributed 1280
bw_start || tap_bail "no xenbwd"
class_udp 1.0 outside external 11 100
class_udp 1.0 2.0 - 12 100

# All at once, several polls long.
for end in 1.0 2.0 3.0; do
	class_note $end output external 3000000
	BED_TO=10.77.0.254 bed_udp $end outside 2000 1472 3 &
	flows+=($!)
	class_note $end input peer 1056000
	BED_FROM=10.99.2.1 bed_udp outside $end 2000 500 3 &
	flows+=($!)
done
class_note 1.0 output local 3000000
class_note 2.0 input local 3000000
bed_udp 1.0 2.0 2000 1472 3 &
flows+=($!)
for pid in "${flows[@]}"; do wait "$pid" || tap_bail "the bed lost packets"; done
bw_stop
class_check "several at once, over several polls, after a restart" "${ends[@]}"
tap_is "the classes still add up" "$(class_identity)" ""

# TCP: large segments that are the same on both devices.
class_start_over "${ends[@]}"
bw_start || tap_bail "no xenbwd"
read -r input output < <(bed_ip_bytes vif1.0)
BED_TO=10.99.2.1 bed_tcp 1.0 outside 20000000 || tap_bail "a connection failed"
bw_quiet
read -r more_input more_output < <(bed_ip_bytes vif1.0)
class_note 1.0 output peer $((more_output - output))
class_note 1.0 input peer $((more_input - input))
bw_stop
class_check "TCP with equal offloads is of its class to the byte" 1.0

# An uplink that begins to cut large segments while it is looked at.
bw_start || tap_bail "no xenbwd"
"$BUILD/bwload" tso peth0 0 && class_committed 2 || tap_bail "no change of the offload"
BED_TO=10.99.2.1 bed_tcp 1.0 outside 20000000 || tap_bail "a connection failed"
class_committed 2
bw_stop
tap_is "TSO is switched off: the headers of segments are clipped, and nobody is accused" \
	"$(bw_sql "SELECT sum(clipped_output) > 0 FROM usage"; bw_sql "SELECT * FROM event WHERE kind = 'spoofed'")" 1
class_start_over "${ends[@]}"
"$BUILD/bwload" tso peth0 1 || tap_bail "no change of the offload"

# attribution off: nobody looks.
bw_config "${CLASS_CONF[@]}" "attribution off" "unattributed none"
class_start_over "${ends[@]}"
bw_start || tap_bail "no xenbwd"
class_udp 1.0 outside external 13 100
CLASS_SENT[1.0,output,external]=$((CLASS_SENT[1.0,output,external] - 13 * 128))
class_note 1.0 output unattributed $((13 * 128))
bw_stop
class_check "attribution off: all bytes are unattributed" 1.0
tap_is "unattributed none: they are not in input and output" \
	"$("$BUILD/xenbw" -c "$BW_CONF" report --json web | jq -r '.rows[0] | "\(.input) \(.output)"')" \
	"${CLASS_SENT[1.0,input,external]} ${CLASS_SENT[1.0,output,external]}"
tap_done
