#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Short-lived guests, among devices that come and go by the hundred, and more events than the kernel keeps: every life
# is exact.
# time-limit: 200
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

ROUNDS=3
GUESTS=6 # in each round, all of them the same six domains, rebooted

churn() { # foreign devices, 50 at a time, until it is killed
	local i
	while :; do
		for ((i = 0; i < 50; i++)); do echo "link add junk$i type veth peer name knuj$i"; done | ip -batch -
		for ((i = 0; i < 50; i++)); do echo "link del junk$i"; done | ip -batch -
	done
}

bed_up || tap_bail "no bed"
bw_config "flush 1"
bw_start || tap_bail "no xenbwd"
churn >/dev/null 2>&1 &
churner=$!
expected=
for ((round = 0; round < ROUNDS; round++)); do
	output=0
	for ((guest = 1; guest <= GUESTS; guest++)); do
		domid=$((round * GUESTS + guest))
		BED_UUID[$domid]=22222222-0000-4000-8000-00000000000$guest
		bed_guest $domid 0 phoenix$guest 10.77.0.1$guest 00:16:3e:4d:00:0$guest || tap_bail "no guest"
		bed_udp $domid.0 outside $((domid * 7)) 272 || tap_bail "the bed lost packets"
		output=$((output + domid * 7 * 300))
	done
	# A veth takes what it has received with it; what it has sent is in the kernel's last message.
	bw_wait_sql "the guests' output" "SELECT sum(total_output) FROM epoch WHERE closed IS NULL" $output
	for ((guest = 1; guest <= GUESTS; guest++)); do
		domid=$((round * GUESTS + guest))
		bed_udp outside $domid.0 $((domid * 3)) 472 || tap_bail "the bed lost packets"
		bed_guest_gone $domid || tap_bail "the guest does not go"
		expected+="$domid $((domid * 3 * 500)) $((domid * 7 * 300))"$'\n'
	done
	bw_wait_sql "the guests' end" "SELECT count(*) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE closed IS NULL AND domid > 0" 0
done
kill $churner
wait $churner 2>/dev/null

# xenbwd sleeps, and the kernel drops events that nobody takes.
lost() { awk 'NR > 1 { drops += $9 } END { print drops }' /proc/net/netlink; }
bed_guest 101 0 stays 10.77.0.21 && bed_guest 102 0 goes 10.77.0.22 || tap_bail "no guests"
bed_udp outside 101.0 40 472
bw_wait_sql "the guests" "SELECT count(*) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE closed IS NULL AND domid > 0" 2
kill -STOP "$BW_PID"
for ((i = 0; i < 8000; i++)); do echo "link set dev peth0 alias event$i"; done | ip -batch -
bed_guest_gone 102
bed_guest 103 0 comes 10.77.0.23 || tap_bail "no guest"
bed_udp 101.0 103.0 50 472
tap_ok "more events came than the kernel keeps for one who sleeps" test "$(lost)" -gt 0
kill -CONT "$BW_PID"
bed_udp 103.0 101.0 60 472
bw_wait_sql "the new guest" "SELECT count(*) FROM vif WHERE domid = 103" 1
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "after lost events the vif that stayed is exact" "$(bw_booked_vif 101 0)" "$((100 * 500)) $((50 * 500))"
tap_is "and the one that came" "$(bw_booked_vif 103 0)" "$((50 * 500)) $((60 * 500))"
tap_is "and the one that went is closed" "$(bw_sql "SELECT gone IS NOT NULL FROM vif WHERE domid = 102")" 1

lives=$((ROUNDS * GUESTS))
tap_is "every short life has its bytes" \
	"$(for ((domid = 1; domid <= lives; domid++)); do echo "$domid $(bw_booked_vif $domid 0)"; done)" "${expected%$'\n'}"
tap_is "and its own vif and epoch, both closed" \
	"$(bw_sql "SELECT count(*), sum(gone IS NOT NULL), sum(closed IS NOT NULL) FROM vif JOIN epoch ON epoch.vif = vif.id
		WHERE domid BETWEEN 1 AND 99")" "$lives|$lives|$lives"
tap_is "in the buckets of $GUESTS domains" "$(bw_sql "SELECT count(DISTINCT bucket) FROM vif WHERE domid BETWEEN 1 AND 99")" $GUESTS
tap_is "nothing went wrong on the way" "$(grep -vF 'the kernel cannot tell the classes apart here' "$BW_LOG" | grep -E 'tried again|fail|cannot|reading the counters')" ""
tap_done
