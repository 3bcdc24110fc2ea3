#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the RRD files say is what the ledger says, slot by slot. The wall clock is moved close to the edges of slots,
# so a slot takes seconds.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"

# ledger_slots LABEL INPUT OUTPUT: "time input output" of each slot, with its end as the time, as RRD has it; slots without bytes left out.
ledger_slots() {
	bw_sql "SELECT (slot + 300) || ' ' || sum($2) || ' ' || sum($3) FROM usage
		WHERE bucket = (SELECT bucket FROM bucket_label WHERE label = '$1' AND until IS NULL)
		GROUP BY slot HAVING sum($2) + sum($3) > 0 ORDER BY slot"
}

# rrd_slots LABEL INPUT OUTPUT: the same from the file.
rrd_slots() {
	rrdtool fetch "$BW_RRD/$1.rrd" AVERAGE -r 300 -s "$CLOCK_FIRST" -e $((CLOCK_FIRST + 20 * CLOCK_SLOT)) |
		awk -v in_name="$2" -v out_name="$3" '
			NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i + 1; next }
			NF > 2 {
				input = $column[in_name]; output = $column[out_name]
				if (input ~ /nan/ || (input == 0 && output == 0)) next
				printf "%d %.0f %.0f\n", $1, input * 300, output * 300
			}'
}
# rrd_value LABEL SLOT: the rate of input in one slot, as RRD has it
rrd_value() {
	rrdtool fetch "$BW_RRD/$1.rrd" AVERAGE -r 300 -s $((CLOCK_FIRST + $2 * 300)) -e $((CLOCK_FIRST + $2 * 300 + 1)) |
		awk -v time=$((CLOCK_FIRST + $2 * 300 + 300)): '$1 == time { print ($2 ~ /nan/) ? "unknown" : $2 + 0 }'
}
rrd_reaches() { # rrd_reaches LABEL N: the file has all slots below N
	[ "$(rrdtool last "$BW_RRD/$1.rrd")" -ge $((CLOCK_FIRST + $2 * CLOCK_SLOT)) ]
}

bed_up || tap_bail "no bed"
clock_in_slot 0
bw_config "rrd_dir $BW_RRD" "flush 1"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"

for slot in 0 1 2 3 4; do
	clock_in_slot $slot 298
	if [ $slot != 2 ]; then # nothing is sent in slot 2
		bed_udp 1.0 outside $((1000 + slot * 37)) $((100 + slot)) &&
			bed_udp outside 1.0 $((10 + slot)) 1000 &&
			bed_udp 2.0 1.0 $((1 + slot * 3)) 50 || tap_bail "the bed lost packets"
	fi
	clock_wait_slot $((slot + 1))
done
tap_ok "a slot is in the RRD file soon after its end" bed_wait "the RRD file" rrd_reaches web 5
tap_ok "in that of each domain" bed_wait "the RRD file" rrd_reaches db 5

# wait_sent BYTES: until the ledger has so many bytes more from web.
sent=$((1000 * 128 + 1037 * 129 + 1111 * 131 + 1148 * 132))
wait_sent() {
	sent=$((sent + $1))
	bw_wait_sql "these bytes" "SELECT total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1" $sent
}

# Killed in the middle of a slot, away for three more, then on again.
bed_udp 1.0 outside 77 77
wait_sent $((77 * 105))
bw_kill
clock_in_slot 9 298
bw_start || tap_bail "no xenbwd"
bed_udp 1.0 outside 99 99
clock_wait_slot 10
bed_wait "the RRD file" rrd_reaches web 10

# The host was suspended: the clock jumps over slots while xenbwd runs.
bed_udp 1.0 outside 55 55
wait_sent $((99 * 127 + 55 * 83))
clock_in_slot 13
tap_ok "after a jump of the clock the slots before it are in the RRD file soon" bed_wait "the RRD file" rrd_reaches web 11
bw_stop
tap_is "xenbwd ends well" $? 0

for label in web db; do
	tap_is "$label: each slot of the RRD file is the ledger's slot, to the byte" "$(rrd_slots $label input output)" \
		"$(ledger_slots $label 'external_input + unattributed_input' 'external_output + unattributed_output')"
	tap_is "$label: in all columns" "$(rrd_slots $label local_input local_output)$(rrd_slots $label peer_input direct_output)" \
		"$(ledger_slots $label local_input local_output | grep -v ' 0 0$')$(ledger_slots $label peer_input direct_output | grep -v ' 0 0$')"
done
# A graph's figures are the report's, also of a time with a gap.
bw_cli() { "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>"$BED/err"; }
local_time() { TZ=UTC date -d "@$1" '+%F %T'; }
for label in web db; do
	tap_is "$label: the sums of its graph are those of the report" \
		"$(bw_cli graph "$label" --from "$CLOCK_FIRST" --to $((CLOCK_FIRST + 11 * 300)) --legend --out "$BED/$label.png" | awk '/^(In|Out)put/ { print $5, $6 }' | paste -sd ' ')" \
		"$(bw_cli report "$label" --from "$(local_time "$CLOCK_FIRST")" --to "$(local_time $((CLOCK_FIRST + 11 * 300)))" | awk -v name="$label" '$1 == name { print $2, $3, $4, $5 }')"
done
tap_is "the slots are the ones in which bytes were sent" \
	"$(ledger_slots web 'external_input' 'external_output' | awk -v first="$CLOCK_FIRST" '{ printf "%d ", ($1 - first) / 300 - 1 }')" \
	"0 1 3 4 5 9 10 "
tap_is "a live domain without bytes in a slot has 0 there, not unknown" "$(rrd_value web 2)" 0
tap_is "the time in which xenbwd was away is unknown" "$(rrd_value web 6) $(rrd_value web 7) $(rrd_value web 8)" "unknown unknown unknown"
tap_is "the RRD sink has passed all complete takes" \
	"$(bw_sql "SELECT seq >= (SELECT coalesce(max(seq), 0) FROM take WHERE slot < (SELECT value FROM meta WHERE key = 'open_slot')) FROM sink WHERE name = 'rrd'")" 1
tap_done
