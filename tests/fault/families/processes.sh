# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of our own processes. Read by faults.sh.

kill_one() { # kill_one SIGNAL FIND
	local pid
	# shellcheck disable=SC2046,SC2086 # there may be none, or some
	pid=$("$2") && kill "-$1" $pid 2>/dev/null
}

fault_xenbwd_killed() {
	for _ in 1 2 3; do
		within 100 900
		kill_one KILL xenbwd_pid
	done
}
fault_xenbw_capture_killed() { within 100 900; kill_one KILL worker_pid; burst; }
fault_xenbw_writer_killed() { within 100 900; kill_one KILL writer_pid; burst; }
fault_xenbw_guard_killed() {
	mark
	kill_one KILL guard_pid
	told 'xenbw-guard was ended by signal 9'
	burst
	kill_one TERM xenbwd_pid
}
fault_all_killed_at_once() {
	within 100 900
	# shellcheck disable=SC2046
	kill -KILL $(pgrep '^xenbw') 2>/dev/null
	burst
}
fault_xenbw_writer_stopped() {
	local pid
	pid=$(writer_pid) && kill -STOP "$pid"
	burst
	next_slot
	burst
	within 2000 4000
	kill -CONT "$pid"
}
fault_xenbwd_stopped() {
	local pid
	pid=$(xenbwd_pid) && kill -STOP "$pid"
	burst
	within 2000 4000
	kill -CONT "$pid"
}
fault_hup_storm() {
	local i
	for ((i = 0; i < 30; i++)); do
		round_config "flush $((1 + RANDOM % 3))" "attribution $( ((RANDOM % 2)) && echo pcap || echo off)"
		kill_one HUP xenbwd_pid
		nap $((RANDOM % 60))
	done
	reload "poll 2" "flush 2"
	burst
	reload
}
