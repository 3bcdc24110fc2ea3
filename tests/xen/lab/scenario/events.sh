# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# events: a guest's vif goes, by destroy, save and restore, reboot, migration; a guest is renamed. What was booked before
# stays, nothing is booked twice, and external bytes are all booked even where the counters went with the last of them.
# What the counters alone would have missed is shown as a figure.

EVENT_ROUNDS=${EVENT_ROUNDS:-1}
bw_start || tap_bail "no xenbwd"
lab_guest web pv 10.77.0.11 && lab_guest db pvh 10.77.0.12 || tap_bail "no guests"

# Some bytes that are booked, then more, which nobody waits for, and the event.
event() { # event TEXT CMD…: of web
	local text=$1 end missed
	shift
	end=$(lab_end web)
	lab_frames web outside external 50 400 && lab_frames outside web external 40 600 && lab_frames web db local 30 500 &&
		lab_settled web || { tap_point 'not ok' "$text: what is before it is booked"; return; }
	lab_frames web outside external 25 300 && lab_frames outside web external 20 200 || tap_bail "frames were not sent"
	"$@" || tap_bail "$text did not work"
	bed_wait "the end of the epoch" event_settled "$end"
	class_check "$text: all bytes of the old vif are booked once" "$end"
	missed=$(bw_sql "SELECT sum(estimated_input + estimated_output) FROM usage JOIN vif ON vif.id = usage.vif WHERE $(class_where "$end")")
	tap_note "figure: $text: $missed bytes were not in the last counters, and were booked by what was seen"
}
event_settled() { [ "$(class_booked "$1")" = "$(class_sent "$1")" ]; }

destroy() { xl destroy web && lab_guest web pv 10.77.0.11; }
restore() { xl save web /tmp/web.save && xl restore /tmp/web.save && rm /tmp/web.save && lab_known web; }
renewed() { [ "$(xl domid web 2>/dev/null || echo "$1")" != "$1" ]; }
reboot() {
	local old=${LAB_DOMID[web]}
	xl reboot web && bed_wait "the reboot" renewed "$old" && lab_known web
}
rename() { xl rename web www && xl rename www web; }

for ((round = 1; round <= EVENT_ROUNDS; round++)); do
	event "xl rename, round $round" rename
	event "xl save and restore, round $round" restore
	event "xl reboot, round $round" reboot
	event "xl destroy, round $round" destroy
done
xl destroy web && lab_guest web pvh 10.77.0.11 || tap_bail "no guest"
migrate() { xl migrate -s '' web 'xl migrate-receive' && lab_known web; }
event "xl migrate to this host" migrate
lab_settled db
class_check "the neighbour, all the while" "$(lab_end db)"
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
tap_is "the domain has one bucket, with all that its vifs booked" \
	"$(bw_booked_bucket web)" "$(bw_booked "domain IN ('web', 'www', 'web--incoming', 'web--migratedaway')")"
