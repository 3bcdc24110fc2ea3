#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A wall clock that jumps, goes back and races: totals do not care, and slots never run back.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"

slots() { # slots: "slot bytes" of what web sent, slots counted from slot 0
	bw_sql "SELECT ((slot - $CLOCK_FIRST) / 300) || ' ' || sum($BW_OUTPUT) FROM usage JOIN vif ON vif.id = usage.vif
		WHERE domid = 1 GROUP BY slot ORDER BY slot" | tr '\n' ' '
}
sent=0
send() { # send PACKETS PAYLOAD: and waits until the ledger has it
	bed_udp 1.0 outside "$1" "$2" || tap_bail "the bed lost packets"
	sent=$((sent + $1 * ($2 + 28)))
	bw_wait_sql "these bytes" "SELECT total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1" $sent
}

bed_up || tap_bail "no bed"
clock_in_slot 5
bw_config "flush 1"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
send 100 72
clock_in_slot 2
send 200 72
tap_is "after a step back bytes go to the slot that was open" "$(slots)" "5 30000 "
tap_is "and the step is on record" "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'clock'")" 1
bw_stop
clock_in_slot 1
bw_start || tap_bail "no xenbwd"
send 300 72
tap_is "not even a restart makes slots run back" "$(slots)" "5 60000 "
clock_in_slot 6
send 400 72
tap_is "once the clock has caught up the slots go on" "$(slots)" "5 60000 6 40000 "
clock_in_slot 400
send 500 72
tap_is "a jump of a day is one step" "$(slots)" "5 60000 6 40000 400 50000 "

# A hundred times as fast: a slot every three seconds, under traffic.
clock_set $((CLOCK_FIRST + 401 * CLOCK_SLOT)) 100
bed_udp 1.0 outside 10000 72 10 || tap_bail "the bed lost packets"
sent=$((sent + 1000000))
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "no byte is lost at the edge of a slot" "$(bw_booked_vif 1 0)" "0 $sent"
tap_is "all is in slots one after the other" \
	"$(bw_sql "SELECT count(DISTINCT slot) BETWEEN 3 AND 6, max(slot) - min(slot) = 300 * (count(DISTINCT slot) - 1) FROM usage
		WHERE slot > $CLOCK_FIRST + 300 * 400")" "1|1"
tap_is "the sequence of takes and their slots rise together" \
	"$(bw_sql "SELECT count(*) FROM take a JOIN take b ON b.seq > a.seq AND b.slot < a.slot")" 0

# A clock that was far ahead, once, and a ledger that would wait for that time: the way out is another one.
bw_start || tap_bail "no xenbwd"
clock_in_slot 100000
send 600 72
clock_in_slot 800
send 700 72
tap_is "bytes wait for the clock" "$(bw_sql "SELECT max(slot) FROM usage")" $((CLOCK_FIRST + 300 * 100000))
bw_config "flush 1" "ledger $BED/next.db"
kill -HUP "$BW_PID"
bed_wait "the other ledger" bash -c "[ -s '$BED/next.db' ] && grep -q 'next.db' '$BW_LOG'"
old=$BW_LEDGER BW_LEDGER=$BED/next.db
bed_udp 1.0 outside 800 72 || tap_bail "the bed lost packets"
bw_wait_sql "the bytes in the other ledger" "SELECT sum($BW_OUTPUT) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid = 1" 80000
tap_is "the other ledger has the bytes from then on, in their time" "$(slots)" "800 80000 "
tap_is "and the first one those before" "$(sqlite3 "$old" "SELECT total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1")" "$sent"
bw_stop
tap_done
