#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the RRD files say is what the ledger says, slot by slot. The programs run with a wall clock that the test
# moves on from slot to slot (clockshim), so the edges of slots are real to them.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

export CLOCKSHIM=$BED/clock
BW_PRELOAD=$BUILD/clockshim.so
FIRST=$(($(date +%s) / 300 * 300 - 86400)) # the first slot
set_clock() { echo "$(date +%s) $1 1" >"$CLOCKSHIM.new" && mv "$CLOCKSHIM.new" "$CLOCKSHIM"; }
set_slot() { set_clock $((FIRST + $1 * 300 + 20)); }

# ledger_slots LABEL INPUT OUTPUT: "time input output" of each slot, with its end as the time, as RRD has it.
ledger_slots() {
	bw_sql "SELECT (slot + 300) || ' ' || sum($2) || ' ' || sum($3) FROM usage
		WHERE bucket = (SELECT bucket FROM bucket_label WHERE label = '$1' AND until IS NULL) GROUP BY slot ORDER BY slot"
}

# rrd_slots LABEL INPUT OUTPUT: the same from the file, slots without bytes left out.
rrd_slots() {
	rrdtool fetch "$BW_RRD/$1.rrd" AVERAGE -r 300 -s "$FIRST" -e $((FIRST + 20 * 300)) | awk -v in_name="$2" -v out_name="$3" '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i + 1; next }
		NF > 2 {
			input = $column[in_name]; output = $column[out_name]
			if (input ~ /nan/ || (input == 0 && output == 0)) next
			printf "%d %.0f %.0f\n", $1, input * 300, output * 300
		}'
}
rrd_last() { [ "$(rrdtool last "$BW_RRD/$1.rrd")" -ge "$2" ]; }

bed_up || tap_bail "no bed"
set_slot 0
bw_config "rrd_dir $BW_RRD" "flush 1"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"

sent=0
for slot in 0 1 2 4 5; do # nothing is sent in slot 3
	set_slot $slot
	bed_udp 1.0 outside $((1000 + slot * 37)) $((100 + slot))
	bed_udp outside 1.0 $((10 + slot)) 1000
	bed_udp 2.0 1.0 $((slot * 3)) 50
	sent=$((sent + (1000 + slot * 37) * (128 + slot)))
	bw_wait_sql "slot $slot" "SELECT total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1" $sent
	[ $slot != 2 ] || { set_slot 3 && sleep 1.5; }
done
set_slot 6
bed_wait "the RRD file to reach slot 5" rrd_last web $((FIRST + 6 * 300))

# Killed in the middle of a slot, away for two more, then on again.
bed_udp 1.0 outside 77 77
sleep 1.2
bw_kill
set_slot 9
bw_start || tap_bail "no xenbwd"
bed_udp 1.0 outside 99 99
sleep 2.2
set_slot 10
bed_wait "the RRD file to reach slot 9" rrd_last web $((FIRST + 10 * 300))
bed_wait "the other RRD file" rrd_last db $((FIRST + 10 * 300))
bw_stop
tap_is "xenbwd ends well" $? 0

for label in web db; do
	tap_is "$label: each slot of the RRD file is the ledger's slot, to the byte" "$(rrd_slots $label input output)" \
		"$(ledger_slots $label 'external_input + unattributed_input' 'external_output + unattributed_output')"
done
tap_is "the slots are the ones in which bytes were sent" \
	"$(ledger_slots web 'external_input' 'external_output' | awk -v first="$FIRST" '{ print ($1 - first) / 300 - 1 }' | tr '\n' ' ')" \
	"0 1 2 4 5 6 9 "
tap_is "a live domain without bytes in a slot has 0 there, not unknown" \
	"$(rrdtool fetch "$BW_RRD/web.rrd" AVERAGE -r 300 -s $((FIRST + 900)) -e $((FIRST + 1199)) | awk 'NR == 3 { print $2 + 0, $2 ~ /nan/ }')" "0 0"
tap_is "the RRD sink has passed all complete takes" \
	"$(bw_sql "SELECT seq >= (SELECT coalesce(max(seq), 0) FROM take WHERE slot < (SELECT value FROM meta WHERE key = 'open_slot')) FROM sink WHERE name = 'rrd'")" 1
tap_done
