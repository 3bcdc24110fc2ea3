# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# resets: a guest takes its driver from its card and gives it back, again and again, and sends more each time than
# before: its counters pass their old values before the next poll. External bytes are all booked, also those of lives
# that begin and end between two polls, and its neighbour has none of them. In the ledger they are one epoch when their
# slot is over.

bw_config "${LAB_CONF[@]}" "poll 5" "flush 5"
bw_start || tap_bail "no xenbwd"
lab_guest evil pvh 10.77.0.66 && lab_guest db pvh 10.77.0.12 || tap_bail "no guests"
evil=$(lab_end evil)
lab_frames evil outside external 20 300 && lab_frames db outside external 30 400 && lab_settled evil db || tap_bail "nothing is booked"
reset='echo vif-0 >/sys/bus/xen/drivers/vif/unbind; usleep 100000; echo vif-0 >/sys/bus/xen/drivers/vif/bind;
	until [ -e /sys/class/net/eth0 ]; do usleep 20000; done; ip link set dev eth0 arp off; ip link set dev eth0 up; until grep -qx 1 /sys/class/net/eth0/carrier; do usleep 20000; done;'

resets() { # resets COUNT FRAMES: so many resets, so many frames after each
	local before
	before=$(lab_arrived outside)
	lab_do evil "i=0; while [ \$i -lt $1 ]; do $reset bwframe send eth0 eth ${LAB_MAC[evil]} ${LAB_MAC[outside]} ip4 10.77.0.66 10.77.0.254 payload 500 count $2 gap 200; i=\$((i + 1)); done" >/dev/null ||
		tap_bail "it could not reset its counters"
	bw_quiet
	class_note "$evil" output external $(($(lab_arrived outside) - before))
	[ $(($(lab_arrived outside) - before)) -ge $(($1 * $2 * 500)) ] || tap_note "not all frames arrived after a reset"
}
booked() { [ "$(class_booked "$evil")" = "$(class_sent "$evil")" ]; }
resets 1 100
bed_wait "the bytes" booked
class_check "a reset between two polls, and more bytes after it than before" "$evil"
resets 5 40
bed_wait "the bytes" booked
class_check "five resets between two polls" "$evil"
lab_settled db
class_check "its neighbour has none of them" "$(lab_end db)"

epochs() { bw_sql "SELECT count(*) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE vif.domain = 'evil'"; }
open_slot() { bw_sql "SELECT value FROM meta WHERE key = 'open_slot'"; }
lives=$(epochs)
slot=$(open_slot)
for ((i = 0; i < 100 && $(open_slot) == slot; i++)); do sleep 5; done
class_check "the same, when the slot is over" "$evil"
tap_is "its lives have become one epoch in each slot" "$(bw_sql "SELECT count(*) FROM epoch a JOIN epoch b ON b.vif = a.vif AND b.id > a.id
	AND b.opened <= a.closed AND b.closed / 300 = a.opened / 300")" 0
tap_ok "which they were not before" test "$lives" -ge 7 -a "$(epochs)" -lt "$lives"
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
