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
	wait_for "$ROUND_PATIENCE" "the kernel's split" kernel_counts || problem "the kernel does not count"
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
	for dev in peth0 vif1.0 vif2.0; do tc qdisc del dev $dev clsact || problem "$dev had no filter of ours"; done
	told 'a filter of ours was taken away'
	wait_for "$ROUND_PATIENCE" "the filters" filters_are_back || problem "the filters are not put back"
	sleep 1 # a qdisc that comes or goes drops what is just on its way
	burst
	by_pcap
}
filters_are_back() { [ "$(tc filter show dev peth0 egress | wc -l)" -gt 0 ] && [ "$(tc filter show dev vif1.0 egress | wc -l)" -gt 0 ]; }
fault_bpffs_unmounted() {
	by_kernel
	umount -l /sys/fs/bpf || problem "no umount"
	burst
	kernel_counts >/dev/null || problem "what counts has stopped"
	mark
	strike xenbwd
	told 'is no bpffs'
	burst
	mount -t bpf bpf /sys/fs/bpf || problem "no bpffs"
	by_pcap
}
fault_xenbw_tc_killed() {
	by_kernel
	mark
	strike tc
	told 'xenbw-tc has ended'
	burst
	by_pcap
}
