#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Short-lived guests one after the other, among devices that come and go by the hundred: every life is exact.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

LIVES=25

churn() { # foreign devices, 200 at a time, until it is killed
	local i
	while :; do
		for ((i = 0; i < 200; i++)); do echo "link add junk$i type veth peer name knuj$i"; done | ip -batch -
		for ((i = 0; i < 200; i++)); do echo "link del junk$i"; done | ip -batch -
	done
}

bed_up || tap_bail "no bed"
bw_config
bw_start || tap_bail "no xenbwd"
churn >/dev/null 2>&1 &
churner=$!
expected=
for ((life = 1; life <= LIVES; life++)); do
	BED_UUID[$life]=22222222-0000-4000-8000-000000000002 # one domain that is rebooted all the time
	bed_guest $life 0 phoenix 10.77.0.11 00:16:3e:4d:00:01 || tap_bail "no guest"
	bed_udp $life.0 outside $((life * 7)) 272
	bed_udp outside $life.0 $((life * 3)) 472
	bed_guest_gone $life || tap_bail "the guest does not go"
	expected+="$life $((life * 3 * 500)) $((life * 7 * 300))"$'\n'
done
# Meanwhile xenbwd sleeps, and the kernel drops events that nobody takes.
lost() { awk 'NR > 1 { drops += $9 } END { print drops }' /proc/net/netlink; }
bed_guest 101 0 stays 10.77.0.21 && bed_guest 102 0 goes 10.77.0.22 || tap_bail "no guests"
bed_udp outside 101.0 40 472
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 100" 2
kill -STOP "$BW_PID"
before=$(lost)
bed_guest_gone 102
bed_guest 103 0 comes 10.77.0.23 || tap_bail "no guest"
bed_udp 101.0 103.0 50 472
for _ in {1..50}; do
	[ "$(lost)" = "$before" ] || break
	sleep 0.2
done
tap_ok "events were lost indeed ($before, then $(lost))" test "$(lost)" -gt "$before"
kill $churner
wait $churner 2>/dev/null
kill -CONT "$BW_PID"
bed_udp 103.0 101.0 60 472
bw_wait_sql "the new guest" "SELECT count(*) FROM vif WHERE domid = 103" 1
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "after lost events the vif that stayed is exact" "$(bw_booked_vif 101 0)" "$((100 * 500)) $((50 * 500))"
tap_is "and the one that came" "$(bw_booked_vif 103 0)" "$((50 * 500)) $((60 * 500))"
tap_is "and the one that went is closed" "$(bw_sql "SELECT gone IS NOT NULL FROM vif WHERE domid = 102")" 1
tap_is "every life has its bytes, up to the last packet" \
	"$(for ((life = 1; life <= LIVES; life++)); do echo "$life $(bw_booked_vif $life 0)"; done)" "${expected%$'\n'}"
tap_is "and its own vif and epoch, both closed" \
	"$(bw_sql "SELECT count(*), sum(gone IS NOT NULL), sum(closed IS NOT NULL) FROM vif JOIN epoch ON epoch.vif = vif.id
		WHERE domid < 100")" "$LIVES|$LIVES|$LIVES"
tap_is "all in one bucket" "$(bw_sql "SELECT count(DISTINCT bucket) FROM vif WHERE domid < 100")" 1
tap_is "nothing went wrong on the way" "$(grep -E 'again|fail|cannot|lost' "$BW_LOG")" ""
tap_done
