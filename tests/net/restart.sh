#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What happens while xenbwd is not there, and across a boot of the host.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

bed_up || tap_bail "no bed"
bw_config
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_guest 5 0 old 10.77.0.15 || tap_bail "no guests"
bed_udp 1.0 outside 500 500
bed_udp outside 2.0 500 500
bed_udp outside 5.0 500 500
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "the first run ever takes the present counters as its base line" "$(bw_booked "domid > 0")" "0 0"
tap_is "and knows the vifs" "$(bw_sql "SELECT count(*) FROM vif WHERE domid > 0")" 3

# Between the first run and the second.
bed_udp 1.0 outside 100 100
bed_guest 3 0 mail 10.77.0.13 || tap_bail "no guest"
bed_udp 3.0 outside 70 70
bed_udp outside 3.0 80 80
bw_start || tap_bail "no xenbwd"
bed_udp outside 2.0 30 30
bw_stop
tap_is "bytes that flowed while it was down are booked" "$(bw_booked_vif 1 0)" "0 $(bytes 100 100)"
tap_is "in one take, from the last look to the new one" \
	"$(bw_sql "SELECT count(*), min(to_time >= from_time) FROM usage JOIN take USING (vif, slot) JOIN vif ON vif.id = take.vif WHERE domid = 1")" "1|1"
tap_is "a vif that appeared meanwhile counts from 0" "$(bw_booked_vif 3 0)" "$(bytes 80 80) $(bytes 70 70)"
tap_is "what the base line left out stays out" "$(bw_booked_vif 2 0)" "$(bytes 30 30) 0"

# A vif that vanished while nobody looked: its last bytes are gone with it, what was booked stays.
bed_udp outside 3.0 1000 8
bed_guest_gone 3
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "a vif that vanished meanwhile keeps what was booked" "$(bw_booked_vif 3 0)" "$(bytes 80 80) $(bytes 70 70)"
tap_is "and its end is known" "$(bw_sql "SELECT (gone IS NOT NULL) FROM vif WHERE domid = 3") $(bw_sql "SELECT count(*) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 3 AND closed IS NULL")" "1 0"

# Stopped and started again and again under traffic.
before=$(bw_booked_vif 1 0)
bed_udp 1.0 outside 6000 200 6 &
flow=$!
bed_udp outside 1.0 9000 100 6 &
back=$!
for _ in 1 2 3 4 5 6 7 8; do
	bw_start || tap_bail "no xenbwd"
	sleep 0.4
	bw_stop || tap_bail "xenbwd ended with $?"
	sleep 0.1
done
wait $flow && wait $back || tap_bail "the bed lost packets"
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "eight restarts under traffic lose and double nothing" "$(bw_booked_vif 1 0)" \
	"$((${before% *} + $(bytes 9000 100))) $((${before#* } + $(bytes 6000 200)))"
tap_is "in one epoch" "$(bw_sql "SELECT count(*) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1")" 1

# A domain that was there before the ledger vanishes and comes back: the same ifindex is not the same life.
bed_guest_gone 5
bed_guest 6 0 old 10.77.0.15 || tap_bail "no guest"
bed_udp outside 6.0 10 10
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "its next life counts from 0" "$(bw_booked_vif 6 0)" "$(bytes 10 10) 0"

# The host boots: another boot id, the same numbers of devices, counters from 0.
before=$(bw_booked_vif 1 0)
cat /proc/sys/kernel/random/uuid >"$BED/boot_id"
mount --bind "$BED/boot_id" /proc/sys/kernel/random/boot_id || tap_bail "no other boot id"
bw_start || tap_bail "no xenbwd"
bw_stop
read -r input output < <(bed_ip_bytes vif1.0)
tap_is "after a boot every counter counts from 0" "$(bw_booked "domid = 1")" "$((${before% *} + input)) $((${before#* } + output))"
tap_is "no epoch of the boot before is open" \
	"$(bw_sql "SELECT count(*) FROM epoch WHERE closed IS NULL AND boot != '$(cat "$BED/boot_id")'")" 0

# A second daemon must not count what the first counts.
bw_start || tap_bail "no xenbwd"
first=$BW_PID
bw_launch
wait "$BW_PID"
tap_is "a second xenbwd on the same ledger refuses to run" "$?" 69
BW_PID=$first
bw_stop
tap_is "the first goes on and ends well" $? 0
tap_done
