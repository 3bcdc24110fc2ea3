#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What of xenbw is in the kernel, as `xenbw-tc --show` and `xenbw doctor` tell it: counts to the byte, segments, programs that
# somebody took away or hides from. Polls are a minute apart, so that xenbwd does not mend meanwhile.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/classes.sh"

doctor() { "$BUILD/xenbw" -c "$BW_CONF" doctor --json | jq -r --arg check "$1" '.checks[] | select(.check == $check) | "\(.result) \(.found)"'; }
show() { "$BUILD/xenbw-tc" --show; }
# counted DEVICE DIRECTION CLASS: bytes, packets, segments
counted() { show | awk -F'\t' -v OFS=' ' -v d="$1" -v dir="$2" -v c="$3" '$1 == "count" && $4 == d && $6 == dir && $7 == c { print $8, $9, $10 }'; }
all_sent() { show | awk -F'\t' -v d="$1" '$1 == "sent" && $4 == d { print $5, $6 }'; }

tap_is "without anything of ours there is nothing to show" "$(show; echo $?)" 0
mount -t bpf bpf /sys/fs/bpf || tap_bail "no bpffs"
bed_up || tap_bail "no bed"
bw_config "attribution pcap"
bw_start || tap_bail "no xenbwd"
tap_is "doctor: libpcap tells, and nothing is in the kernel" "$(doctor "kernel programs")" "ok none of ours is there"
bw_stop
bw_config "${CLASS_CONF[@]}" "attribution kernel" "poll 60" "flush 60"
bw_start || tap_bail "no xenbwd"
class_guests
bed_wait "our program" hooks_at vif3.0 ingress || tap_bail "no program"

class_udp 1.0 outside peer 21 100
class_udp outside 1.0 ignored 22 200
class_udp 1.0 2.0 - 23 300
tap_is "output, by class" "$(counted vif1.0 output peer)" "$((21 * 128)) 21 21"
tap_is "input, by class" "$(counted vif1.0 input ignored)" "$((22 * 228)) 22 22"
read -r bytes packets < <(all_sent vif1.0)
read -r counter_input counter_output < <(bed_ip_bytes vif1.0)
tap_is "all that the guest sent is what its counters have" "$bytes" "$counter_output"
tap_ok "in packets" test "$packets" -ge $((21 + 23))
BED_TO=10.99.2.1 bed_tcp 1.0 outside 20000000 || tap_bail "a connection failed"
read -r bytes packets segments < <(counted vif1.0 output peer)
read -r _ more_output < <(bed_ip_bytes vif1.0)
tap_is "TCP to the byte" "$((bytes - 21 * 128))" "$((more_output - counter_output))"
tap_note "20 MB of TCP: $packets packets, $segments segments; input before: $counter_input"
tap_ok "a large packet is several on the wire" test "$segments" -ge $((20000000 / 1460))
tap_ok "and one to the kernel" test "$packets" -lt "$segments"

tap_like "doctor: each program is there" "$(doctor "kernel programs")" '^ok [1-9][0-9]* at [4-9] devices, each there$'
bed_udp 1.0 outside 4000 100 4 &
sender=$!
sleep 0.5
tap_like "and sees what the counters have" "$(doctor "kernel counts")" '^ok all that 3 devices counted in a second, our programs saw$'
wait "$sender"

# Somebody's filter that decides, of the first priority, and later than ours.
counts_beside_another() { # counts_beside_another: what doctor says under traffic
	tc qdisc add dev vif1.0 clsact 2>/dev/null
	tc filter add dev vif1.0 ingress prio 1 handle 1 protocol all bpf da bytecode "1,6 0 0 0," || { echo "no filter of somebody else's"; return; }
	bed_udp 1.0 outside 4000 100 4 &
	sender=$!
	sleep 0.5
	doctor "kernel counts"
	wait "$sender"
	tc filter del dev vif1.0 ingress prio 1 handle 1 bpf || echo "the filter stays"
}
if [ "$("$BUILD/bwhooks" vif1.0 ingress)" = enter ]; then
	tap_like "as a link ours comes before any filter" "$(counts_beside_another)" '^ok all that 3 devices counted in a second, our programs saw$'
else
	tap_skip "as a link ours comes before any filter" "this kernel has no TCX (Linux 6.6)"
fi
tc qdisc del dev vif1.0 clsact
hooks_take vif1.0 ingress || tap_bail "no program of ours"
tap_like "a program that was taken away is missing" "$(show | grep missing | cut -f1,3-)" $'^program\tvif1.0\tingress\tmissing$'
tap_like "doctor says so" "$(doctor "kernel programs")" '^error 1 of [1-9][0-9]* are missing$'

# On a kernel without TCX ours is a filter, and another one of its priority that came later is asked before it.
bw_stop
"$BUILD/xenbwd" --detach || tap_bail "they stay"
BW_PRELOAD=$BUILD/notcx.so bw_start || tap_bail "no xenbwd"
bed_wait "our filter" bash -c "tc filter show dev vif3.0 ingress | grep -q 'handle 0x78656e62 enter:.* direct-action'" || tap_bail "no filter"
tap_like "a filter that hides packets from ours is told" "$(counts_beside_another)" \
	'^error 1 of 3 devices counted [1-9][0-9]* bytes in a second that our programs did not see, first vif1.0$'

bw_stop
tap_like "without xenbwd its programs are left over" "$(doctor "kernel programs")" \
	'^warning [1-9][0-9]* of an earlier xenbwd count at [1-9] devices, and nobody reads what$'
bw_config "attribution pcap"
bw_start || tap_bail "no xenbwd"
is_clear() { [ "$(doctor "kernel programs")" = "ok none of ours is there" ]; }
tap_ok "one with libpcap takes them away" bed_wait "their end" is_clear
tap_is "with all that was theirs" "$(show; echo $?)" 0
tap_done
