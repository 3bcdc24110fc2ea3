#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw explain` beside known bytes: what was sent, what the kernel counted and what the report says are the ends of one
# calculation; what flowed while nobody looked is told, and no row of it is a zero.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

xenbw() { "$BUILD/xenbw" -c "$BW_CONF" "$@"; }
explain() { xenbw --json explain "$@"; }
# row BUCKET ROW [FILTER]: "input output" of such rows, one a line.
row() { explain "$1" | jq -r --arg row "$2" ".rows[] | select(.row == \$row${3:+ and $3}) | \"\(.input) \(.output)\""; }
in=0 out=0
from_web() { bed_udp "$1" "$2" "$3" "$4" || tap_bail "the bed lost packets: $*"; out=$((out + $3 * ($4 + 28))); }
to_web() { bed_udp "$1" "$2" "$3" "$4" || tap_bail "the bed lost packets: $*"; in=$((in + $3 * ($4 + 28))); }

bed_up || tap_bail "no bed"
bw_past_edge 86400 40 # reports are of this month
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"
bed_udp 1.0 outside 10 500 && bed_udp outside 1.0 20 500 || tap_bail "the bed lost packets" # before there was a ledger
bw_config
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the vifs" "SELECT count(*) FROM vif WHERE domid > 0" 2
from_web 1.0 outside 1000 500
to_web outside 1.0 700 1472
to_web 2.0 1.0 300 100
bw_stop
tap_is "what the ledger found is taken off: the device's counters at its begin" \
	"$(row web first_counters)" "$((20 * 542)) $((10 * 542))"
tap_like "that is told as not observed" "$(xenbw explain web)" 'Not observed until .*: the device had counted before'
read -r rx_bytes rx_packets tx_bytes tx_packets < <(bed_counters vif1.0)
tap_is "the last counters are the kernel's" "$(explain web | jq -c '.rows[] | select(.row == "last_counters") | [.input, .input_packets, .output, .output_packets]')" \
	"[$tx_bytes,$tx_packets,$rx_bytes,$rx_packets]"
tap_is "the IP bytes are those that were sent" "$(row web ip_bytes)" "$in $out"
tap_is "and so are those that were booked" "$(row web booked)" "$in $out"
tap_is "the last line is the report's" "$(row web report)" "$(xenbw --csv report web | tail -n 1 | cut -d, -f2,3 | tr ',' ' ')"

sleep 1.1
from_web 1.0 outside 11 600 # while nobody looks
bed_udp 2.0 outside 12 600 && bed_guest_gone 2 || tap_bail "db does not go"
sleep 1.1
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "the bytes of a gap are there" "$(row web booked)" "$in $out"
gap=$(explain web | jq -c '[.rows[] | select(.row == "not_observed" and .from and .to) | .input, .output] | unique')
tap_is "the gap is a row without numbers" "$gap" "[null]"
tap_like "it is told with its times, and that the counters went on" "$(xenbw explain web)" 'Not observed from .* to .*: no xenbwd; the counters of epoch [0-9]+ went on'
tap_like "and for the guest that went meanwhile that its bytes are not known" "$(xenbw explain db)" 'ended meanwhile: what it counted from then on is not known'
tap_is "which has what was seen until then" "$(row db report)" "0 0"
tap_is "and that is local" "$(row db local)" "0 $((300 * 128))"

bw_start || tap_bail "no xenbwd"
bed_guest_gone 1 && bed_guest 3 0 web 10.77.0.11 && bed_attach 3 1 10.77.0.21 || tap_bail "web does not come back"
from_web 3.0 outside 13 700
from_web 3.1 outside 14 700
to_web outside 3.1 15 700
bw_stop
tap_is "three vifs of two lives are one bucket" "$(row web all_vifs)" "$in $out"
tap_is "each of which has its part" "$(row web of_vif | awk '{ i += $1; o += $2 } END { print NR, i, o }')" "3 $in $out"
tap_is "the last line is the report's still" "$(row web report)" "$(xenbw --csv report web | tail -n 1 | cut -d, -f2,3 | tr ',' ' ')"
tap_is "all of it adds up" "$(explain web | jq .adds_up)" true
tap_is "dom0's own device has its sides the other way round" "$(explain Domain-0 | jq -c '[.rows[] | select(.row == "link_headers") | .output_packets]')" '[0]'
tap_done
