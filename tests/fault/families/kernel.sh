# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of the split by the kernel: no total depends on it. Read by faults.sh.

kernel_counts() { "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -e '.split == "kernel"'; }
# It is taken over by a start only.
by_kernel() {
	flows_end # a qdisc that comes drops what is just on its way
	round_config "attribution kernel"
	xenbwd_away TERM
	xenbwd_back
	wait_for 20 "the kernel's split" kernel_counts || problem "the kernel does not count"
	burst
}
by_pcap() {
	round_config
	xenbwd_away TERM
	xenbwd_back
	burst
}

fault_filters_removed() {
	local dev
	by_kernel
	mark
	for dev in peth0 vif1.0 vif2.0; do tc qdisc del dev $dev clsact 2>/dev/null; done
	told 'a filter of ours was taken away'
	sleep 1 # a qdisc that comes or goes drops what is just on its way
	burst
	by_pcap
}
fault_bpffs_unmounted() {
	by_kernel
	umount /sys/fs/bpf || umount -l /sys/fs/bpf || problem "no umount"
	burst
	kill_one KILL xenbwd_pid
	burst
	mount -t bpf bpf /sys/fs/bpf || problem "no bpffs"
	by_pcap
}
fault_xenbw_tc_killed() {
	by_kernel
	mark
	kill -KILL "$(pgrep -x xenbw-tc)"
	told 'xenbw-tc has ended'
	burst
	by_pcap
}
