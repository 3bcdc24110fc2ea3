# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# daemon.sh: xenbwd in the test bed, and what its ledger says. To be sourced after bed.sh.
#
# Everything lies in $BED. The helpers run as the user `daemon`, whom every Debian has. A script that ends badly gets the end of the daemon's log on standard error.

BW_LEDGER=$BED/ledger.db
# shellcheck disable=SC2034 # for the scripts that have RRDs
BW_RRD=$BED/rrd
BW_CONTROL=$BED/control
BW_CONF=$BED/xenbw.conf
BW_LOG=$BED/xenbwd.log
BW_PID=

BW_INPUT='external_input + peer_input + direct_input + local_input + ignored_input + unattributed_input'
BW_OUTPUT='external_output + peer_output + direct_output + local_output + ignored_output + unattributed_output'

bw_at_exit() {
	local status=$?
	[ $status = 0 ] || [ $status = 130 ] || tail -n 60 "$BW_LOG" >&2
	exit $status
}
trap bw_at_exit EXIT

# Its processes: the guard, whose children the helpers are.
bw_guard() { pgrep -P "${1:-$BW_PID}" -x xenbw-guard; }
bw_writer() { pgrep -P "$(bw_guard)" -x xenbw-writer; }
bw_worker() { pgrep -P "$(bw_guard)" -x xenbw-capture; }

# bw_config [LINE…]: the configuration of the tests (poll 1, flush 2, no RRD); a LINE comes after it and wins.
bw_config() {
	printf '%s\n' "poll 1" "flush 2" "bucket domain" "timezone UTC" "ledger $BW_LEDGER" "rrd_dir none" \
		"user daemon" "control $BW_CONTROL" "$@" >"$BW_CONF"
}

# bw_launch: starts xenbwd without waiting. BW_PRELOAD: a library to preload; BW_UNDER: words before its own, of a
# program that becomes it; BW_OPTIONS: options more.
bw_launch() {
	# shellcheck disable=SC2086 # words
	LD_PRELOAD=${BW_PRELOAD-} ${BW_UNDER-} "$BUILD/xenbwd" -D ${BW_OPTIONS-} -c "$BW_CONF" </dev/null >>"$BW_LOG" 2>&1 &
	BW_PID=$!
}

# bw_start: starts xenbwd and returns when it says that it is ready.
bw_start() {
	local before
	: >>"$BW_LOG"
	before=$(grep -c 'ready:' "$BW_LOG")
	bw_launch
	bw_wait_ready "$before"
}

bw_wait_ready() { # bw_wait_ready BEFORE: until the log says that it is ready once more often than BEFORE
	local i
	for ((i = 0; i < 1000; i++)); do
		[ "$(grep -c 'ready:' "$BW_LOG")" -gt "$1" ] && return 0
		kill -0 "$BW_PID" 2>/dev/null || { bed_complain "xenbwd ended: $(tail -n 1 "$BW_LOG")"; return 1; }
		sleep 0.01
	done
	bed_complain "xenbwd was not ready within ten seconds"
}

# bw_stop: by TERM; returns its exit status (137 when it had to be killed after ten seconds).
bw_stop() {
	local i
	kill -TERM "$BW_PID" || return 1
	for ((i = 0; i < 1000; i++)); do
		kill -0 "$BW_PID" 2>/dev/null || break
		sleep 0.01
	done
	kill -KILL "$BW_PID" 2>/dev/null
	wait "$BW_PID" 2>/dev/null
}

# bw_strike PID: KILLs a process; false where there is none that lives.
bw_strike() {
	local stat=
	read -r stat 2>/dev/null <"/proc/$1/stat" && [[ $stat != *') Z '* ]] && kill -KILL "$1" 2>/dev/null
}

bw_kill() {
	kill -KILL "$BW_PID" && wait "$BW_PID" 2>/dev/null
	true
}

# bw_sql QUERY: from the ledger, columns separated by |.
bw_sql() {
	sqlite3 -readonly -cmd '.timeout 5000' "$BW_LEDGER" "$1"
}

# bw_booked WHERE: "input output", the sum of all classes of the vifs for which WHERE holds.
bw_booked() {
	bw_sql "SELECT coalesce(sum($BW_INPUT), 0) || ' ' || coalesce(sum($BW_OUTPUT), 0)
		FROM usage JOIN vif ON vif.id = usage.vif WHERE $1"
}

# bw_booked_vif DOMID DEVID, bw_booked_bucket LABEL
bw_booked_vif() { bw_booked "domid = $1 AND devid = $2"; }
bw_booked_bucket() { bw_booked "usage.bucket = (SELECT bucket FROM bucket_label WHERE label = '$1' AND until IS NULL)"; }

# bw_quiet: returns when no device of dom0 has counted anything for a tenth of a second.
bw_quiet() {
	local before now i
	for ((i = 0; i < 100; i++)); do
		now=$(ip -s -j link show | jq -c '[.[].stats64]')
		[ "$now" = "${before-}" ] && return 0
		before=$now
		sleep 0.1
	done
	bed_complain "the bed does not become quiet"
}

# bw_wait_sql WHAT QUERY EXPECTED: until a query gives this.
bw_wait_sql() {
	# shellcheck disable=SC2016
	bed_wait "$1" bash -c '[ "$(sqlite3 -readonly "$1" "$2")" = "$3" ]' - "$BW_LEDGER" "$2" "$3"
}

# bw_past_edge PERIOD SECONDS: waits for the next hour (3600) or day (86400) of UTC where so few seconds are left of this
# one, for what a test looks at is to be of one of them.
bw_past_edge() {
	local left=$(($1 - $(date +%s) % $1))
	[ $left -ge "$2" ] || sleep $left
}
