#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a service manager is told, in any order of a start: ready means committed; reloads, trouble, the watchdog.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/manager.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD
heard() { manager_said | grep -q -- "$1"; }
words() { manager_words | tr '\n' ' '; }

# Before xenstored, before any bridge and uplink, before MySQL.
export XENSTORED_RUNDIR=$BED/xenstore/run
manager_start || tap_bail "no service manager"
bw_config "database mysql" "mysql_host $BED/nobody" "mysql_user acct"
bw_start || tap_bail "no xenbwd"
bed_wait "READY=1" heard READY=1
tap_ok "ready without xenstored, bridge and MySQL: the first reading is committed" \
	test "$(bw_sql 'SELECT count(*) FROM run')" = 1
tap_ok "the control socket answers" "$BUILD/xenbw" -c "$BW_CONF" list-domains
tap_ok "the status names what is missing" bed_wait "a status" heard 'STATUS=0 vifs.*xenst'
bed_up && bed_guest 1 0 web 10.77.0.11 || tap_bail "no bed"
tap_ok "xenstored, bridge and guest come later" bw_wait_sql "the guest" "SELECT count(*) FROM vif WHERE domid = 1" 1
tap_ok "the status is told again" bed_wait "a status" heard 'STATUS=2 vifs, a commit every 2 s'
bed_udp 1.0 outside 100 100
sent=$(bytes 100 100)

# Reloads.
kill -HUP "$BW_PID"
reloaded() { [ "$(words)" = "$1" ]; }
bed_wait "the reload" reloaded "READY=1 $(manager_words | grep RELOADING) READY=1 "
tap_like "a reload begins with its time and ends" "$(words)" '^READY=1 RELOADING=1\|MONOTONIC_USEC=[0-9]+ READY=1 $'
bw_config "pol 1"
kill -HUP "$BW_PID"
bed_wait "the reload" bash -c "sleep 1"
tap_like "so does one that is refused" "$(words)" 'READY=1 RELOADING=1[^ ]* READY=1 $'
bw_config
bw_stop
tap_like "the end" "$(words)" 'STOPPING=1 $'
tap_is "nothing is lost" "$(bw_booked_vif 1 0)" "0 $sent"

# A ledger that refuses the first commit: not ready, but not to be killed for that.
: >"$MANAGER_HEARD"
mkfifo "$BED/hold"
sqlite3 "$BW_LEDGER" <"$BED/hold" &
holder=$!
exec 9>"$BED/hold"
bw_launch 9>&-
bed_wait "the control socket" test -S "$BW_CONTROL"
echo "BEGIN IMMEDIATE;" >&9
refused() { grep -q "ledger.*locked\|busy" <(tail -n 5 "$BW_LOG") || heard EXTEND; }
bed_wait "a refused commit" refused
if heard READY=1; then
	tap_skip "a refused first commit" "it was faster than the lock"
else
	tap_ok "a refused first commit: the start takes longer" bed_wait "more time" heard EXTEND_TIMEOUT_USEC=
	before=$(wc -l <"$BW_LOG")
	stays() { tail -n "+$((before + 1))" "$BW_LOG" | grep -q "pol.*the settings in force stay"; }
	bw_config "pol 1"
	kill -HUP "$BW_PID"
	tap_ok "a reload meanwhile is refused" bed_wait "a refusal" stays
	bw_config
	tap_is "and is not over" "$(manager_words | grep -cE 'READY=1|RELOADING=1')" 0
fi
printf "ROLLBACK;\n.quit\n" >&9
exec 9>&-
wait $holder
tap_ok "ready once it is committed" bed_wait "READY=1" heard READY=1
bw_stop

# The watchdog: as long as the loop goes on, also where the ledger lets it wait.
: >"$MANAGER_HEARD"
export WATCHDOG_USEC=3000000
bw_start || tap_bail "no xenbwd"
sqlite3 "$BW_LEDGER" <"$BED/hold" &
holder=$!
exec 9>"$BED/hold"
echo "BEGIN IMMEDIATE;" >&9
bed_udp 1.0 outside 10 10
sleep 12
printf "ROLLBACK;\n.quit\n" >&9
exec 9>&-
wait $holder
kill -HUP "$BW_PID"
sleep 2
gap=$(manager_said | awk '/WATCHDOG=1/ { split($1, t, ":"); now = t[1] * 3600 + t[2] * 60 + t[3]; if (last && now - last > gap) gap = now - last; last = now } END { printf "%d", gap * 1000 }')
allowed=$(sed -n 's/^WatchdogSec=\([0-9]*\)min/\1/p' "$(dirname "$0")/../../examples/xenbwd.service.in")
tap_note "longest time without a ping: $gap ms, of which 1000 ms are the timer's"
tap_ok "a ledger that lets it wait, and a reload: the unit's watchdog has ten times that" \
	test "$((allowed * 60000 * 2 / 3))" -gt $((10 * gap))
kill -STOP "$XENSTORE_PID"
sleep 2
pings=$(manager_said | grep -c WATCHDOG)
sleep 3
tap_is "a xenstored that hangs: no ping any more" "$(manager_said | grep -c WATCHDOG)" "$pings"
kill -CONT "$XENSTORE_PID"
more() { [ "$(manager_said | grep -c WATCHDOG)" -gt "$pings" ]; }
tap_ok "and pings again when it goes on" bed_wait "a ping" more
bw_stop
tap_is "xenbwd ends well" $? 0
: >"$MANAGER_HEARD"
export WATCHDOG_PID=1
bw_start && sleep 1.5
tap_is "another process's watchdog gets none" "$(manager_said | grep -c WATCHDOG)" 0
bw_stop
manager_stop
tap_done
