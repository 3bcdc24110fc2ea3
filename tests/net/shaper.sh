#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# attribution kernel behind a rate limit at the vif: what the limit drops was counted by class before; the vif's counters stay
# the total, and the classes are cut to it.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

mount -t bpf bpf /sys/fs/bpf || tap_bail "no bpffs"
bed_up || tap_bail "no bed"
bw_config "${CLASS_CONF[@]}" "attribution kernel"
bw_start || tap_bail "no xenbwd"
class_guests
tc qdisc add dev vif1.0 root tbf rate 60mbit burst 10k limit 20k || tap_bail "no rate limit"

dropped() { tc -s -j qdisc show dev vif1.0 | jq '.[] | select(.kind == "tbf").drops'; }
# From an address of the outside to the guest, all of it again and again until it is there.
from() { BED_FROM=${CLASS_IP[$1]} bed_tcp outside 1.0 15000000; }

from external &
flows=($!)
from peer &
flows+=($!)
for pid in "${flows[@]}"; do wait "$pid" || tap_bail "no TCP"; done
tap_ok "the limit dropped some" test "$(dropped)" -gt 10
counters=$(bed_ip_bytes vif1.0)
class_committed 2
bw_stop
tap_is "the total is what the vif's counters say" "$(bw_booked_vif 1 0)" "$counters"
tap_is "and each vif's classes add up to it" "$(class_identity)" ""
tap_ok "what was dropped is cut" test "$(bw_sql "SELECT sum(clipped_input) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid = 1")" -gt 10000
booked() { bw_sql "SELECT sum($1) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid = 1"; }
tap_is "nothing of it has become local" "$(booked local_input)" 0
# Which packets were dropped nobody knows: the cut is in proportion to what came, resent or not.
for class in external peer; do
	bytes=$(booked ${class}_input)
	tap_ok "$class has its 15 MB, within a fifth" test "$bytes" -ge 12000000 -a "$bytes" -lt 18000000
done
tap_done
