#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `bucket ip`: bytes are charged to the address that the admin or else the toolstack gave a vif, across domains, reboots
# and changes of the configuration.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD
warnings() { grep -c 'has several addresses' "$BW_LOG"; }
give() { echo "write /local/domain/0/backend/vif/$1/$2/ip $3" | xenstore_do; } # give DOMID DEVID ADDRESSES: in xenstore

bed_up || tap_bail "no bed"
bw_past_edge 86400 40 # reports are of this month
bw_config "attribution off" "bucket ip"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_attach 1 1 10.77.0.21 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"
bed_udp 1.0 outside 100 100
bed_udp 1.1 outside 200 200
bed_udp outside 2.0 300 300

# Another domain gets the address.
bed_guest_gone 2
bed_guest 3 0 newdb 10.77.0.12 || tap_bail "no guest"
bed_udp outside 3.0 30 30

# Two addresses on one vif: all goes to the first. None: to the domain.
bed_guest 4 0 two 10.77.0.14 && give 4 0 "10.77.0.14 10.77.0.15" &&
	bed_guest 5 0 none 10.77.0.25 && give 5 0 "" || tap_bail "no guests"
bw_wait_sql "the addresses" "SELECT count(*) FROM vif WHERE addresses LIKE '% %' OR domain = 'none' AND addresses IS NULL" 2
bed_udp 4.0 outside 40 40
bed_udp 5.0 outside 50 50
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "each address is a bucket" "$(bw_booked_bucket 10.77.0.11) / $(bw_booked_bucket 10.77.0.21)" \
	"0 $(bytes 100 100) / 0 $(bytes 200 200)"
tap_is "an address stays one bucket, whoever has it" "$(bw_booked_bucket 10.77.0.12)" "$(($(bytes 300 300) + $(bytes 30 30))) 0"
tap_is "takes know their own address, where there is just one" \
	"$(bw_sql "SELECT DISTINCT address, domain FROM usage JOIN vif ON vif.id = usage.vif WHERE domid > 0 ORDER BY address, domain")" "|none
|two
10.77.0.11|web
10.77.0.12|db
10.77.0.12|newdb
10.77.0.21|web"
tap_is "several addresses: the first" "$(bw_booked_bucket 10.77.0.14)" "0 $(bytes 40 40)"
tap_like "with a warning that says how to choose" "$(cat "$BW_LOG")" 'domain two .*without attribution all, go to one of them, 10\.77\.0\.14; choose with'
tap_is "said once" "$(warnings)" 1
tap_is "none: the domain's bucket" "$(bw_booked_bucket none)" "0 $(bytes 50 50)"
tap_is "the report by address is exact" \
	"$("$BUILD/xenbw" -c "$BW_CONF" report --by address --csv | tr -d '\r' | cut -d, -f1-4 | grep ^1)" "10.77.0.11,web,0,12800
10.77.0.12,db,98400,0
10.77.0.12,newdb,1740,0
10.77.0.21,web,0,45600"

# The admin's word: by vif, MAC and domain; an address that a line gives to one is not another's.
bed_guest 6 0 mail 10.77.0.16 && bed_attach 6 1 10.77.0.26 "" mailnet && bed_guest 7 0 cache 10.77.0.17 &&
	bed_guest 8 0 robbed 10.77.0.18 && bed_guest 9 0 wide 10.77.0.19 &&
	give 9 0 "10.77.0.19 10.78.0.19 fd00:0::0019" || tap_bail "no guests"
bw_config "attribution off" "bucket ip" "compactnet 10.78.0.0/16" "address 10.77.0.18 web" "address 2001:DB8:0::11 vif1.0" \
	"address 10.99.0.6 mail" "address 10.99.0.7 00:16:3E:4D:07:00" "address 2001:db8::26 mailnet" "address 10.77.0.15 two"
before=$(bw_booked_bucket 10.77.0.11)
bw_start || tap_bail "no xenbwd"
bed_udp 4.0 outside 14 14
bed_udp 6.0 outside 60 60
bed_udp 7.0 outside 70 70
bed_udp outside 8.0 80 80
bed_udp 9.0 outside 90 90
bw_stop
tap_is "a domain's line makes its choice among the toolstack's addresses" "$(bw_booked_bucket 10.77.0.15)" "0 $(bytes 14 14)"
tap_is "what was booked before stays" "$(bw_booked_bucket 10.77.0.14) / $(bw_booked_bucket 10.77.0.11)" "0 $(bytes 40 40) / $before"
tap_is "by the domain's name, by MAC" "$(bw_booked_bucket 10.99.0.6) / $(bw_booked_bucket 10.99.0.7)" \
	"0 $(bytes 60 60) / 0 $(bytes 70 70)"
tap_is "an address that is another's by a line: the domain" "$(bw_booked_bucket robbed)" "$(bytes 80 80) 0"
tap_is "of several addresses that of a compactnet" "$(bw_booked_bucket 10.78.0.19)" "0 $(bytes 90 90)"

# By the vif's name, in IPv6, where the domain has no line of its own.
bw_config "attribution off" "bucket ip" "address 2001:DB8:0::11 vif3.0" "address 2001:db8::0:26 mailnet" "compactnet fd00::/8"
bw_start || tap_bail "no xenbwd"
bed_udp outside 3.0 33 33
bed_udp 6.1 outside 61 61
bed_udp 9.0 outside 9 19
bw_stop
tap_is "by the vif's name, the address in its canonical text" "$(bw_booked_bucket 2001:db8::11)" "$(bytes 33 33) 0"
tap_is "by the name that the admin gave the vif" "$(bw_booked_bucket 2001:db8::26)" "0 $(bytes 61 61)"
tap_is "the toolstack's IPv6 address, too" "$(bw_booked_bucket fd00::19)" "0 $(bytes 9 19)"

# To domains and back: bytes stay where they were booked, and the sum is exact.
bw_config "attribution off"
bw_start || tap_bail "no xenbwd"
bed_udp 1.0 outside 11 11
bw_stop
bw_config "attribution off" "bucket ip"
bw_start || tap_bail "no xenbwd"
bed_udp 1.0 outside 12 12
bed_udp 1.1 outside 13 13
bw_stop
tap_is "bucket domain: the domain" "$(bw_booked_bucket web)" "0 $(bytes 11 11)"
tap_is "and back: the addresses, with what they had" "$(bw_booked_bucket 10.77.0.11) / $(bw_booked_bucket 10.77.0.21)" \
	"0 $(($(bytes 100 100) + $(bytes 12 12))) / 0 $(($(bytes 200 200) + $(bytes 13 13)))"
tap_is "the sum is the kernel's" "$(bw_booked "domid = 1 AND devid = 0") / $(bw_booked "domid = 9")" \
	"$(bed_ip_bytes vif1.0) / $(bed_ip_bytes vif9.0)"

# With attribution each address has its own: what crossed the uplink under it.
bw_config "bucket ip" "ignorenet 10.99.1.0/24"
bw_start || tap_bail "no xenbwd"
bed_also 4.0 10.77.0.15 && bed_also outside 10.99.1.1 || tap_bail "no addresses"
before="$(bw_booked_bucket 10.77.0.14) $(bw_booked_bucket 10.77.0.15)"
read -r in1 out1 in2 out2 <<<"$before"
bed_udp 4.0 outside 101 100
BED_FROM=10.77.0.15 bed_udp 4.0 outside 57 200
BED_TO=10.77.0.15 bed_udp outside 4.0 33 300
BED_TO=10.77.0.15 BED_FROM=10.99.1.1 bed_udp outside 4.0 22 400
bed_udp 4.0 1.0 9 500
bw_stop
tap_is "two addresses of a vif are two buckets; what stayed inside is the first one's" \
	"$(bw_booked_bucket 10.77.0.14) / $(bw_booked_bucket 10.77.0.15)" \
	"$in1 $((out1 + $(bytes 101 100) + $(bytes 9 500))) / $((in2 + $(bytes 33 300) + $(bytes 22 400))) $((out2 + $(bytes 57 200)))"
tap_is "in their classes" "$(bw_sql "SELECT address, sum(external_input), sum(external_output), sum(ignored_input), sum(local_output) FROM usage
	JOIN vif ON vif.id = usage.vif WHERE domid = 4 AND external_input + external_output + ignored_input > 0 GROUP BY address ORDER BY address")" \
	"10.77.0.14|0|$(bytes 101 100)|0|0
10.77.0.15|$(bytes 33 300)|$(bytes 57 200)|$(bytes 22 400)|0"
tap_is "the vif's sum is the kernel's" "$(bw_booked "domid = 4")" "$(bed_ip_bytes vif4.0)"
tap_done
