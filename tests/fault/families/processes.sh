# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of our own processes. Read by faults.sh.

STORM=${STORM:-12} # kills of a storm

# another VICTIM OLD: until there is another one than OLD
another() { wait_for "$ROUND_PATIENCE" "another $1" is_another "$@" || problem "no other $1"; }
is_another() {
	local now
	now=$("$1_pid") && [ -n "$now" ] && [ "$now" != "$2" ]
}
# stopped VICTIM: STOPs it; STOPPED is its pid
stopped() {
	wait_for "$ROUND_PATIENCE" "a $1 to stop" stops "$1" || problem "no $1 to stop"
}
stops() { STOPPED=$("$1_pid") && [ -n "$STOPPED" ] && kill -STOP "$STOPPED" && grep -q '^State:.T' "/proc/$STOPPED/status"; }
goes_on() { kill -CONT "$STOPPED" || problem "it did not live to go on"; }

fault_xenbwd_killed() {
	for _ in 1 2 3; do
		within 100 900
		strike xenbwd
	done
}
helper_killed() { # helper_killed VICTIM PROGRAM
	local old
	within 100 900
	mark
	wait_for "$ROUND_PATIENCE" "a $1" is_another "$1" ""
	old=$("$1_pid")
	strike "$1"
	told "$2 was ended by signal 9"
	burst
	another "$1" "$old"
}
fault_xenbw_capture_killed() { helper_killed worker xenbw-capture; }
fault_xenbw_writer_killed() { helper_killed writer xenbw-writer; }
fault_xenbw_guard_killed() {
	mark
	strike guard
	told 'xenbw-guard was ended by signal 9'
	burst
	kill -TERM "$(xenbwd_pid)" || problem "no xenbwd to start again"
}
fault_all_killed_at_once() {
	local victim pids=()
	within 100 900
	wait_for "$ROUND_PATIENCE" "all processes" all_live || problem "not all of them were there"
	for victim in xenbwd guard writer worker; do pids+=("$("${victim}_pid")"); done
	kill -KILL "${pids[@]}" || problem "not all of them were killed"
	printf '%s\n' xenbwd guard writer worker >>"$BED/kills"
	burst
}
all_live() { is_another xenbwd "" && is_another guard "" && is_another writer "" && is_another worker ""; }

# Whoever lives, one after the other, before the others are back.
fault_kill_storm() {
	local victims=(xenbwd xenbwd guard writer writer worker worker mariadbd xenstored) victim left=$STORM
	while [ "$left" -gt 0 ]; do
		within 20 600
		[ ${#FLOWS[@]} -gt 40 ] || some 1
		victim=${victims[RANDOM % ${#victims[@]}]}
		struck "$victim" || continue
		left=$((left - 1))
		case $victim in
		guard) kill -TERM "$(xenbwd_pid)" 2>/dev/null ;; # as its log says
		mariadbd) mariadb_kill; mariadb_start "$BED/mariadb" || problem "no MariaDB" ;;
		xenstored) xenstore_kill; xenstore_refilled ;;
		esac
	done
}
fault_xenbw_writer_stopped() {
	stopped writer
	burst
	next_slot
	burst
	within 2000 4000
	! rows_agree || problem "MySQL has what its writer had no time for"
	goes_on
}
fault_xenbwd_stopped() {
	stopped xenbwd
	burst
	within 2000 4000
	! ledger_has || problem "the ledger has what nobody booked"
	goes_on
}
fault_hup_storm() {
	local i before
	before=$(grep -c 'in force from now on' "$BW_LOG")
	# On a busy machine many of them are one to xenbwd.
	for ((i = 0; i < 30 || (i < 600 && $(grep -c 'in force from now on' "$BW_LOG") < before + 4); i++)); do
		round_config "flush $((1 + RANDOM % 3))" "attribution $( ((RANDOM % 2)) && echo pcap || echo off)"
		kill -HUP "$(xenbwd_pid)" || problem "no xenbwd to reload"
		nap $((RANDOM % 60))
	done
	log_count_above $((before + 3)) 'in force from now on' || problem "the storm was too weak: $before reloads before it"
	reload "poll 2" "flush 2"
	burst
	reload
}
