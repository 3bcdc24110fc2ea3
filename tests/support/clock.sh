# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# clock.sh: a wall clock for xenbwd and xenbw-writer that a test moves (clockshim). To be sourced after daemon.sh;
# what bw_start starts from then on lives by it.

export CLOCKSHIM=$BED/clock
# shellcheck disable=SC2034 # read by bw_launch
BW_PRELOAD=$BUILD/clockshim.so
CLOCK_SLOT=300
CLOCK_FIRST=$(($(date +%s) / CLOCK_SLOT * CLOCK_SLOT - 86400)) # the start of slot 0, a day ago

# clock_set SECONDS [RATE]: it is now this time (UTC), and it runs RATE times as fast as the real one.
clock_set() {
	echo "$(date +%s) $1 ${2-1}" >"$CLOCKSHIM.new" && mv "$CLOCKSHIM.new" "$CLOCKSHIM"
}

# clock_in_slot N [SECOND]: it is now this second of slot N.
clock_in_slot() { clock_set $((CLOCK_FIRST + $1 * CLOCK_SLOT + ${2-20})); }

# clock_wait_slot N: until xenbwd has closed all slots below N. It crosses the edge by itself.
clock_wait_slot() {
	bw_wait_sql "slot $1" "SELECT value FROM meta WHERE key = 'open_slot'" $((CLOCK_FIRST + $1 * CLOCK_SLOT))
}
