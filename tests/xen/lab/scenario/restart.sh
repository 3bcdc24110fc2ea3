# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# restart: xenbwd is killed while guests move bytes, and while one of them goes and another one comes. Totals are what
# was sent; with `attribution kernel` so are the classes of the guests that it knew.

bw_start || tap_bail "no xenbwd"
lab_guest web pvh 10.77.0.11 && lab_guest db pvh 10.77.0.12 || tap_bail "no guests"
lab_frames web outside external 20 300 && lab_frames db outside external 30 400 && lab_settled web db || tap_bail "nothing is booked"

for delay in 0.0 0.3 0.7; do
	bw_kill
	lab_frames web outside external 40 333 && lab_frames outside web external 41 334 && lab_frames web db local 42 335 || tap_bail "nothing was sent"
	bw_start || tap_bail "no xenbwd"
	sleep $delay
done
tap_ok "three kills under traffic: the totals of both guests" lab_settled web db
[ "$ATTRIBUTION" = pcap ] || class_check "and their classes" "$(lab_end web)" "$(lab_end db)"

# What moved while it is away is read from the counters of who is still there; who came is counted from 0.
bw_kill
old=$(lab_end web)
xl destroy web
lab_guest mail pvh 10.77.0.13 || tap_bail "no guest"
lab_frames mail outside external 50 500 && lab_frames db mail local 51 501 || tap_bail "nothing was sent"
bw_start || tap_bail "no xenbwd"
tap_ok "a guest that came meanwhile is counted from its beginning" lab_settled mail db
read -r input output < <(bw_booked_vif "${old%.*}" 0)
tap_is "one that went has kept what was booked, and no more" "$input $output" "$(lab_sum web)"
lab_guest web pvh 10.77.0.11 && lab_frames web outside external 10 100 && lab_settled web
class_check "it comes back" "$(lab_end web)"
tap_is "with another uuid, and in the same bucket" "$(bw_sql "SELECT count(DISTINCT bucket) FROM vif WHERE domain = 'web'")" 1
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
