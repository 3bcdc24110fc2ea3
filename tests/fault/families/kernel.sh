# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of the split by the kernel: no total depends on it. Read by faults.sh.

kernel_counts() { "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -e '.split == "kernel"'; }
# It is taken over by a start only.
by_kernel() {
	flows_end # a clsact qdisc that comes, where there is no TCX, drops what is just on its way
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

fault_programs_removed() {
	local dev
	by_kernel
	mark
	for dev in peth0 vif1.0 vif2.0; do hooks_take $dev ingress && hooks_take $dev egress || problem "$dev had no program of ours"; done
	told 'a program of ours was taken away'
	wait_for "$ROUND_PATIENCE" "the programs" programs_are_back || problem "the programs are not put back"
	burst
	by_pcap
}
programs_are_back() { hooks_at peth0 egress && hooks_at vif1.0 egress; }
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
