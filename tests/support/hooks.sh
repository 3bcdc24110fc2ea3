# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# hooks.sh: xenbw's programs at devices, as links or as filters of tc. To be sourced after bed.sh.
#
#   hooks_at vif1.0 ingress     their names, one a line; false where there is none
#   hooks_take vif1.0 ingress   takes it away, as somebody else would

hooks_at() {
	{ tc filter show dev "$1" "$2" | grep '78656e62.* direct-action' | sed 's/.* name \([^ ]*\).*/\1/' &&
		"$BUILD/bwhooks" "$1" "$2"; } | grep -x 'leave\|arrive\|enter\|deliver'
}
hooks_take() {
	local pin
	pin=/sys/fs/bpf/xenbw/$(cat "/sys/class/net/$1/ifindex")-$2
	if [ -e "$pin" ]; then rm "$pin"; else tc filter del dev "$1" "$2" prio 1 handle 0x78656e62 bpf; fi
}
