#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# attribution auto: the kernel tells the classes apart where it can, else xenbw-capture; no byte is lost or booked twice
# where one takes over from the other.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

KERNEL='Split by the kernel (eBPF) on peth0.' PCAP='Split by libpcap on peth0.'
who_splits() { "$BUILD/xenbw" -c "$BW_CONF" list-domains | grep '^Split by'; }
splits_by() { [ "$(who_splits)" = "$1" ]; }
# Some bytes of some classes: traffic SIZE
traffic() {
	class_udp 1.0 outside peer 10 "$1"
	class_udp outside 2.0 ignored 20 "$1"
	class_udp 1.0 2.0 - 30 "$1"
}

bed_up || tap_bail "no bed"
bw_config "${CLASS_CONF[@]}"
bw_start || tap_bail "no xenbwd"
tap_is "without a bpffs one line of the log says why, and what happens" "$(grep -E 'kernel|xenbw-tc' "$BW_LOG" | sed 's/.*xenbw-tc: //')" \
	"the kernel cannot tell the classes apart here: /sys/fs/bpf is no bpffs; mount one with \`mount -t bpf bpf /sys/fs/bpf\`; xenbw-capture looks at packets instead"
class_guests
ends=(1.0 2.0 3.0 dom0)
traffic 100
tap_is "list-domains says who tells the classes apart" "$(who_splits)" "$PCAP"
bw_stop
tap_is "xenbwd ends well" $? 0
class_check "libpcap tells" "${ends[@]}"

mount -t bpf bpf /sys/fs/bpf || tap_bail "no bpffs"
bw_start || tap_bail "no xenbwd"
tap_is "with one the kernel tells" "$(who_splits)" "$KERNEL"
tap_is "and one line of the log says so" "$(grep -c 'xenbwd: the kernel tells the classes apart (eBPF)$' "$BW_LOG")" 1
traffic 200
bw_stop
class_check "the kernel tells" "${ends[@]}"

# xenbw-tc is killed, and nobody is there who would start xenbwd again.
bw_start || tap_bail "no xenbwd"
traffic 300
class_committed 1
kill -KILL "$(pgrep -P "$BW_PID" -x xenbw-tc)"
tap_ok "where xenbw-tc ends, xenbw-capture takes over" bed_wait "xenbw-capture" splits_by "$PCAP"
tap_ok "and the log says so" grep -q 'xenbwd: xenbw-tc has ended; xenbw-capture looks at packets instead until xenbwd is started again$' "$BW_LOG"
class_committed 2
traffic 400
bw_stop
class_check "before it and after it" "${ends[@]}"
bw_start || tap_bail "no xenbwd"
tap_is "after a start the kernel tells again" "$(who_splits)" "$KERNEL"
class_committed 1
traffic 500
bw_stop
class_check "and what it counted meanwhile is not booked again" "${ends[@]}"
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""

# A kernel without TCX, where somebody's filter of another kind has our priority: it would not take ours.
"$BUILD/xenbwd" --detach || tap_bail "no detaching"
BW_PRELOAD=$BUILD/notcx.so
tc qdisc add dev peth0 clsact && tc filter add dev peth0 egress prio 1 protocol ip u32 match u32 0 0 flowid 1:1 || tap_bail "no filter"
bw_start || tap_bail "no xenbwd"
tap_ok "where it cannot sit at a device, xenbw-capture looks" bed_wait "xenbw-capture" splits_by "$PCAP"
tap_like "and the log says where" "$(cat "$BW_LOG")" 'xenbw-tc: cannot put a program at device [0-9]+ \(tc filter, priority 1\): '
class_committed 2
traffic 600
bw_stop
class_check "exactly" "${ends[@]}"
tap_ok "the other's filter is left alone" bash -c 'tc filter show dev peth0 egress | grep -q u32'
tap_done
