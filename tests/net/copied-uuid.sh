#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A configuration that was copied with its uuid: two live domains of one uuid. And one that was renamed while xenbwd was
# away, and started again: that is one domain.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

bed_up || tap_bail "no bed"
bw_config
COPIED=00000000-0000-4000-8000-000000000060 RENAMED=00000000-0000-4000-8000-000000000070
bw_start || tap_bail "no xenbwd"
BED_UUID[6]=$COPIED
BED_UUID[7]=$RENAMED
bed_guest 6 0 first 10.77.0.16 && bed_guest 7 0 before 10.77.0.17 || tap_bail "no guest"
bw_wait_sql "the first" "SELECT count(*) FROM vif WHERE domid = 6" 1
BED_UUID[8]=$COPIED
bed_guest 8 0 copy 10.77.0.18 || tap_bail "no guest"
bed_udp outside 6.0 10 100 && bed_udp outside 7.0 20 100 && bed_udp outside 8.0 30 100
bw_wait_sql "the copy" "SELECT count(*) FROM vif WHERE domid = 8" 1
bw_stop
bed_guest_gone 7 && bed_guest_gone 6 || tap_bail "a guest does not go"
BED_UUID[9]=$RENAMED
bed_guest 9 0 after 10.77.0.19 || tap_bail "no guest"
bw_start || tap_bail "no xenbwd"
bed_udp outside 8.0 300 100 && bed_udp outside 9.0 400 100
BED_UUID[10]=$COPIED
bed_guest 10 0 first 10.77.0.16 || tap_bail "no guest"
bed_udp outside 10.0 1000 100
bw_quiet
bw_stop
tap_is "two domains of one uuid have a bucket each, over restarts of one and of xenbwd" \
	"$(bw_booked_bucket first), $(bw_booked_bucket copy)" "$(bytes 1010 100) 0, $(bytes 330 100) 0"
tap_is "it is told once" "$(bw_sql "SELECT object, detail LIKE '%$COPIED%' FROM event WHERE kind = 'label'")" "copy|1"
tap_is "another name while xenbwd was away is a rename" "$(bw_booked_bucket after)" "$(bytes 420 100) 0"
tap_done
