#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `bucket ip`: bytes are charged to the address that the toolstack gave a vif, across domains and reboots.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

bed_up || tap_bail "no bed"
bw_config "bucket ip"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_attach 1 1 10.77.0.21 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"
bed_udp 1.0 outside 100 100
bed_udp 1.1 outside 200 200
bed_udp outside 2.0 300 300

# Another domain gets the address.
bed_guest_gone 2
bed_guest 3 0 newdb 10.77.0.12 || tap_bail "no guest"
bed_udp outside 3.0 30 30

# Two addresses on one vif name no single bucket, and neither does none: these go to their domain's.
xen_domain_create 4 two 00000000-0000-4000-8000-000000000004 &&
	xen_vif_attach 4 0 00:16:3e:4d:04:00 "10.77.0.14 10.77.0.15" xenbr0 &&
	xen_domain_create 5 none 00000000-0000-4000-8000-000000000005 &&
	xen_vif_attach 5 0 00:16:3e:4d:05:00 "" xenbr0 &&
	bw_wait_sql "all vifs" "SELECT count(*) FROM vif" 6
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "each address is a bucket" "$(bw_booked_bucket 10.77.0.11) / $(bw_booked_bucket 10.77.0.21)" \
	"0 $(bytes 100 100) / 0 $(bytes 200 200)"
tap_is "an address stays one bucket, whoever has it" "$(bw_booked_bucket 10.77.0.12)" "$(($(bytes 300 300) + $(bytes 30 30))) 0"
tap_is "takes know their own address" \
	"$(bw_sql "SELECT DISTINCT address, domain FROM usage JOIN vif ON vif.id = usage.vif ORDER BY address, domain")" "10.77.0.11|web
10.77.0.12|db
10.77.0.12|newdb
10.77.0.21|web"
tap_is "several addresses or none: the domain's bucket" \
	"$(bw_sql "SELECT label FROM bucket_label JOIN vif USING (bucket) WHERE domid IN (4, 5) ORDER BY domid")" "two
none"
tap_is "the report by address is exact" \
	"$("$BUILD/xenbw" -c "$BW_CONF" report --by address --csv | tr -d '\r' | cut -d, -f1-4 | tail -n +2)" "10.77.0.11,web,0,12800
10.77.0.12,db,98400,0
10.77.0.12,newdb,1740,0
10.77.0.21,web,0,45600"
tap_done
