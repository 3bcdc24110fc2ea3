#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Takes that waited for a sink in their tens of thousands are folded commit by commit, though no slot becomes complete meanwhile;
# no sum changes. Thousands of lives of a device in one slot become one epoch.
# time-limit: 60
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"

bed_up || tap_bail "no bed"
clock_in_slot 5
bw_config "flush 1"
bw_start && bed_guest 1 0 web 10.77.0.11 || tap_bail "no xenbwd"
bw_wait_sql "the guest" "SELECT count(*) FROM vif WHERE domid = 1" 1
bw_stop
sqlite3 "$BW_LEDGER" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90000)
	INSERT INTO take SELECT NULL, $CLOCK_FIRST + i / 30000 * 300, bucket, id, '', 0, 1, 3,5, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM n, vif WHERE domid = 1" || tap_bail "no takes"
sums=$(bw_sql "SELECT sum(external_input), sum(external_output) FROM usage WHERE slot < $CLOCK_FIRST + 1200")
tap_is "they are there" "$sums $(bw_sql "SELECT count(*) FROM take WHERE slot < $CLOCK_FIRST + 1200")" "270000|450000 90000"
clock_in_slot 5
open=$(bw_sql "SELECT value FROM meta WHERE key = 'open_slot'")
bw_start || tap_bail "no xenbwd"
bw_wait_sql "all of them are folded" "SELECT count(*) FROM take WHERE slot < $CLOCK_FIRST + 1200" 0
tap_is "in the slot that was open before" "$(bw_sql "SELECT value FROM meta WHERE key = 'open_slot'")" "$open"
tap_is "no sum has changed" "$(bw_sql "SELECT sum(external_input), sum(external_output) FROM usage WHERE slot < $CLOCK_FIRST + 1200")" "$sums"
tap_is "they are a row for each slot" "$(bw_sql "SELECT count(*) FROM slot WHERE slot < $CLOCK_FIRST + 1200")" 4
bw_stop
tap_is "xenbwd ends well" $? 0

# As a guest that reconnects ten times a second leaves them, with 1,000 bytes of input and 200 of output in each life.
sqlite3 "$BW_LEDGER" "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
	INSERT INTO epoch(vif, boot, ifindex, netdev, rx_header, tx_header, base_rx_bytes, base_rx_packets, base_tx_bytes, base_tx_packets,
		last_rx_bytes, last_rx_packets, last_tx_bytes, last_tx_packets, total_input, total_output, carrier_down, opened, seen, closed, reason, doubtful)
	SELECT id, boot, 99, netdev, 14, 14, 0,0, 0,0, 228,2, 1014,1, 1000, 200, 0, $CLOCK_FIRST + 1530 + i / 10, $CLOCK_FIRST + 1530 + (i + 1) / 10,
		$CLOCK_FIRST + 1530 + (i + 1) / 10, 'reconnected', 0 FROM n, vif WHERE domid = 1;
	INSERT INTO slot SELECT bucket, $CLOCK_FIRST + 1500, id, 'lives', 2000000,400000, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM vif WHERE domid = 1;
	DELETE FROM slot WHERE slot < $CLOCK_FIRST + 1500" || tap_bail "no lives"
clock_in_slot 7
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the lives become one" "SELECT count(*) FROM epoch WHERE ifindex = 99" 1
explained=$("$BUILD/xenbw" -c "$BW_CONF" explain --from "$(date -d "@$((CLOCK_FIRST + 1500))" "+%F %H:%M")" --to "$(date -d "@$((CLOCK_FIRST + 1800))" "+%F %H:%M")" web)
tap_is "xenbw explain finds that they add up" $? 0
tap_is "and says how many they were" "$(tr -s ' \n' ' ' <<<"$explained" | grep -c 'ended: 2000 lives in five minutes; the last one: reconnected')" 1
bw_stop
tap_done
