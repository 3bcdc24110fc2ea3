#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbwd, xenbw-writer and xenstored killed under traffic: no byte is lost or counted twice.
# SEED=N repeats a run's instants.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

SEED=${SEED:-$RANDOM}
RANDOM=$SEED
KILLS=20

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD
new_writer() { [ -n "$(bw_writer)" ] && [ "$(bw_writer)" != "$1" ]; }

bed_up || tap_bail "no bed"
bw_config "rrd_dir $BW_RRD"
bw_start || tap_bail "no xenbwd"
bw_stop
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"

tap_note "seed $SEED"
bed_udp 1.0 outside 12000 300 14 &
out=$!
bed_udp outside 2.0 13000 200 14 &
in=$!
bed_udp 2.0 1.0 11000 100 14 &
between=$!
for ((i = 0; i < KILLS; i++)); do
	bw_launch
	sleep "0.$(printf '%03d' $((RANDOM % 1000)))"
	bw_kill
done
wait $out && wait $in && wait $between || tap_bail "the bed lost packets"
tap_ok "the ledger is sound after $KILLS kills" test "$(bw_sql 'PRAGMA integrity_check')" = ok
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "$KILLS kills of xenbwd change no total of the sender" "$(bw_booked_vif 1 0)" "$(bytes 11000 100) $(bytes 12000 300)"
tap_is "nor of the receiver" "$(bw_booked_vif 2 0)" "$(bytes 13000 200) $(bytes 11000 100)"
tap_is "and each vif has one epoch" "$(bw_sql "SELECT count(*) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid > 0")" 2
tap_is "no writer is left behind" "$(bed_wait 'the writers to end' bash -c '! pgrep -x xenbw-writer'; pgrep -cx xenbw-writer)" 0

bw_start || tap_bail "no xenbwd"
for i in 1 2; do
	bed_wait "a writer" bw_writer
	old=$(bw_writer)
	kill -KILL "$old"
	tap_ok "a killed xenbw-writer is started again ($i)" bed_wait "a new writer" new_writer "$old"
	bed_udp 1.0 outside 100 100
done

# xenstored dies, comes back empty, and is filled again.
xenstore_kill
bed_udp 1.0 outside 50 50
sleep 1.3
bed_udp 1.0 outside 60 60
xenstore_restart || tap_bail "no xenstored"
sleep 1.3
bed_udp outside 1.0 70 70
bed_refill || tap_bail "xenstore cannot be filled"
sleep 1.3
bed_udp outside 1.0 80 80
bed_attach 2 1 10.77.0.22 || tap_bail "no second vif"
bed_udp outside 2.1 90 90
tap_ok "xenbwd watches the new xenstored" bw_wait_sql "the new vif" "SELECT count(*) FROM vif WHERE domid = 2 AND devid = 1" 1
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "no byte was lost while xenstored was away" "$(bw_booked_vif 1 0)" \
	"$(($(bytes 11000 100) + $(bytes 70 70) + $(bytes 80 80))) $(($(bytes 12000 300) + 2 * $(bytes 100 100) + $(bytes 50 50) + $(bytes 60 60)))"
tap_is "the new vif counts from its first byte" "$(bw_booked_vif 2 1)" "$(bytes 90 90) 0"
tap_is "no epoch ended while its device lived" \
	"$(bw_sql "SELECT count(*), sum(closed IS NOT NULL) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1")" "1|0"
tap_is "and no vif became two" "$(bw_sql "SELECT count(*) FROM vif WHERE domid IN (1, 2)")" 3

# Without any xenstored at the start, the known vifs are counted all the same.
xenstore_kill
bw_start || tap_bail "no xenbwd without xenstored"
bed_udp 1.0 outside 10 10
sleep 1.3
xenstore_restart && bed_refill || tap_bail "no xenstored"
sleep 1.3
bed_udp 1.0 outside 10 10
bw_stop
tap_is "a start without xenstored loses nothing" "$(bw_booked "domid = 1 AND devid = 0")" \
	"$(($(bytes 11000 100) + $(bytes 70 70) + $(bytes 80 80))) $(($(bytes 12000 300) + 2 * $(bytes 100 100) + $(bytes 50 50) + $(bytes 60 60) + 2 * $(bytes 10 10)))"
tap_done
