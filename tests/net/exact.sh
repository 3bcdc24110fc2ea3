#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every byte between guests, dom0 and outside is booked: once, to the right vif, the right way round.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

declare -A to=() from=() # IP bytes that were sent to and from each end
udp() { # udp FROM TO PACKETS PAYLOAD
	local bytes=$(($3 * ($4 + 28)))
	bed_udp "$@" || tap_bail "the bed lost packets: $*"
	from[$1]=$((${from[$1]-0} + bytes))
	to[$2]=$((${to[$2]-0} + bytes))
}

bed_up || tap_bail "no bed"
bw_config
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_guest 3 0 mail 10.77.0.13 "" mailnet &&
	bed_attach 1 1 10.77.0.21 || tap_bail "no guests"
vifs='1.0 2.0 3.0 1.1'

udp 1.0 outside 1000 500
udp outside 1.0 700 1472
udp 2.0 1.0 300 100
udp 1.0 2.0 250 99
udp 3.0 dom0 41 8
udp dom0 3.0 43 1001
udp 1.1 outside 77 777
udp outside 3.0 5000 1472
udp 2.0 3.0 1 8
bw_stop
tap_is "xenbwd ends well" $? 0

for end in $vifs; do
	sent="${to[$end]-0} ${from[$end]-0}"
	booked=$(bw_booked_vif "${end%.*}" "${end#*.}")
	tap_is "vif $end: booked input and output are the bytes that were sent" "$booked" "$sent"
	tap_is "vif $end: they are the kernel's counters without link headers" "$booked" "$(bed_ip_bytes "${BED_VIF[$end]}")"
done
tap_is "a domain's bucket is the sum of its vifs" "$(bw_booked_bucket web)" \
	"$((${to[1.0]} + ${to[1.1]-0})) $((${from[1.0]} + ${from[1.1]}))"
tap_is "nothing else was booked to any guest" "$(bw_booked "domid > 0")" \
	"$((to[1.0] + to[2.0] + to[3.0])) $((from[1.0] + from[1.1] + from[2.0] + from[3.0]))"
tap_is "the ledger describes the vifs as the toolstack did" \
	"$(bw_sql "SELECT domain, domid, devid, mac, addresses, bridge, netdev FROM vif WHERE domid > 0 ORDER BY domid, devid")" \
	"web|1|0|00:16:3e:4d:01:00|10.77.0.11|xenbr0|vif1.0
web|1|1|00:16:3e:4d:01:01|10.77.0.21|xenbr0|vif1.1
db|2|0|00:16:3e:4d:02:00|10.77.0.12|xenbr0|vif2.0
mail|3|0|00:16:3e:4d:03:00|10.77.0.13|xenbr0|mailnet"

# TCP: as many packets as the kernel likes, so the kernel's counters are the only exact expectation.
bw_start || tap_bail "no xenbwd"
bed_tcp 1.0 outside 5000000 && bed_tcp outside 2.0 20000000 && bed_tcp 3.0 1.0 3000000 && bed_tcp dom0 3.0 1000000 ||
	tap_bail "TCP failed"
bw_quiet
bw_stop
for end in $vifs; do
	tap_is "vif $end: after TCP it is still the kernel's counters, to the byte" \
		"$(bw_booked_vif "${end%.*}" "${end#*.}")" "$(bed_ip_bytes "${BED_VIF[$end]}")"
done
read -r input _ < <(bw_booked_vif 2 0)
tap_ok "20 MB of TCP to db are input of db (and headers, less than 4 %)" \
	test "$input" -gt $((to[2.0] + 20000000)) -a "$input" -lt $((to[2.0] + 20800000))
tap_is "each epoch's total is what its takes say" \
	"$(bw_sql "SELECT count(*) FROM epoch e WHERE total_input != (SELECT coalesce(sum($BW_INPUT), 0) FROM usage u WHERE u.vif = e.vif)
		OR total_output != (SELECT coalesce(sum($BW_OUTPUT), 0) FROM usage u WHERE u.vif = e.vif)")" 0
tap_is "every take lies in its slot" \
	"$(bw_sql "SELECT count(*) FROM take WHERE slot % 300 != 0 OR to_time < from_time OR to_time < slot")" 0
tap_done
