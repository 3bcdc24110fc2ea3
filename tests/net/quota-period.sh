#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas over the ends of periods, with a clock that this test moves: days, months and billing periods begin anew; what
# came in the last minutes of one is told though it is over.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"

HOOK=$BED/hook CALLS=$BED/calls
cat >"$HOOK" <<END
#!/bin/sh
echo "\$XENBW_PERIOD \$XENBW_PERCENT \$XENBW_USED \$XENBW_FROM \$XENBW_TO \$(expr "\$XENBW_CROSSED_AT" : '\(.*T..\)')" >>$CALLS
END
chmod 755 "$HOOK"
at() { clock_set "$(date -u -d "$1" +%s)"; }
# called TEXT LINE…: that the calls are these, in any order, once no more come
called() {
	local text=$1 lines
	shift
	lines=$(printf '%s\n' "$@" | sort)
	bed_wait "the calls" bash -c "[ \"\$(sort $CALLS 2>/dev/null)\" = '$lines' ]"
	seen=$(bw_sql "SELECT max(seen) FROM run")
	bed_wait "two commits" bash -c "[ \"\$(sqlite3 -readonly $BW_LEDGER 'SELECT max(seen) FROM run')\" -gt $((seen + 2)) ]"
	tap_is "$text" "$(sort "$CALLS")" "$lines"
	rm -f "$CALLS"
}

bed_up || tap_bail "no bed"
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
bw_config "attribution off" "flush 1" "billing_day 15 web" "quota web day all both 50000" "quota web month all both 120000" \
	"quota web billing all both 50000" "quota_hook $HOOK"
at "2026-10-14 23:40:00"
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the guest" "SELECT count(*) FROM vif WHERE domid > 0" 1
bed_udp 1.0 outside 60 972
called "a day and a billing period have their limits" \
	"day 100 60000 2026-10-14T00:00:00Z 2026-10-15T00:00:00Z 2026-10-14T23" \
	"billing 100 60000 2026-09-15T00:00:00Z 2026-10-15T00:00:00Z 2026-10-14T23"
at "2026-10-15 00:02:00"
bed_udp outside 1.0 49 972
bw_wait_sql "the next day" "SELECT count(*) FROM usage WHERE slot >= unixepoch('2026-10-15')" 1
tap_ok "a new period begins with nothing" test ! -e "$CALLS"
bed_udp outside 1.0 1 972
called "and is told again when it is reached" \
	"day 100 50000 2026-10-15T00:00:00Z 2026-10-16T00:00:00Z 2026-10-15T00" \
	"billing 100 50000 2026-10-15T00:00:00Z 2026-11-15T00:00:00Z 2026-10-15T00"

# The last bytes of the month: xenbwd is stopped before they are looked at, and started in the next one.
at "2026-10-31 23:50:00"
bed_wait "the clock" bash -c "[ \"\$(sqlite3 -readonly $BW_LEDGER \"SELECT value >= unixepoch('2026-10-31') FROM meta WHERE key = 'open_slot'\")\" = 1 ]"
kill -STOP "$(bw_writer)"
bed_udp 1.0 outside 10 972
bw_wait_sql "the last bytes" "SELECT sum($BW_OUTPUT) FROM usage WHERE slot >= unixepoch('2026-10-31')" 10000
bw_kill
at "2026-11-01 00:30:00"
bw_start || tap_bail "no xenbwd"
called "a period whose last bytes were not looked at in time is told after its end" \
	"month 100 120000 2026-10-01T00:00:00Z 2026-11-01T00:00:00Z 2026-11-01T00"
bw_stop
tap_is "it ends well" $? 0
tap_done
