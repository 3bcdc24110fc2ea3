#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each exit status of xenbwd(8) and xenbw(8), in the foreground and when detaching; and the unit agrees with them.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
cd "$(dirname "$0")/../.." || exit 1

SEEN=()
says() { # says TEXT STATUS PATTERN CMD…
	local text=$1 expected=$2 pattern=$3 said status
	shift 3
	said=$(timeout --signal=KILL 20 "$@" 2>&1 </dev/null)
	status=$?
	SEEN+=("$expected")
	tap_is "$text: $expected" "$status" "$expected"
	tap_like "$text: the message" "$said" "$pattern"
}
both() { # both TEXT STATUS PATTERN: in the foreground and detaching
	says "$1" "$2" "$3" "$BUILD/xenbwd" -D -c "$BW_CONF"
	says "$1, detaching" "$2" "$3" "$BUILD/xenbwd" -c "$BW_CONF"
}

bed_up || tap_bail "no bed"
bw_config "pidfile $BED/pid"
says "the check" 0 '^$' "$BUILD/xenbwd" -n -c "$BW_CONF"
says "a wrong option" 64 'usage' "$BUILD/xenbwd" --wrong
says "an operand" 64 'no operands' "$BUILD/xenbwd" now
says "the hidden option without a pipe" 64 'own way' "$BUILD/xenbwd" --status-fd 0 -c "$BW_CONF"
says "and with a wrong one" 64 'own way' "$BUILD/xenbwd" --status-fd 3 -c "$BW_CONF"

bw_config "pol 5"
both "a wrong keyword" 78 'unknown keyword.*does not start'
bw_config "mysql_password secret"
chmod 644 "$BW_CONF"
both "a password that all can read" 78 'everybody.*chmod 600.*xenbwd does not start'
chmod 600 "$BW_CONF"
says "a file that is not there" 78 'No such file.*does not start' "$BUILD/xenbwd" -D -c "$BED/none"
bw_config "ledger /nowhere/at/all/ledger.db"
both "a ledger that cannot be opened" 69 '/nowhere/at/all'
bw_config "control /nowhere/at/all/control"
both "a control socket that cannot be made" 69 '/nowhere/at/all'

# Detached: 0 as soon as it runs; relative paths are from where it was started.
bw_config "pidfile $BED/pid"
(cd "$BED" && timeout 20 "$BUILD/xenbwd" -c xenbw.conf) 2>>"$BW_LOG"
tap_is "detached: 0" $? 0
pid=$(cat "$BED/pid")
tap_is "in a session of its own, in /, without a terminal" \
	"$(ps -o sid= -p "$pid" | tr -d ' ') $(readlink "/proc/$pid/cwd") $(readlink "/proc/$pid/fd/0") $(cat "/proc/$pid/comm")" "$pid / /dev/null xenbwd"
tap_is "it is no copy of what started it" "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "$BUILD/xenbwd --status-fd 3 -c $BED/xenbw.conf "
says "a second one" 69 "process $pid runs already" "$BUILD/xenbwd" -c "$BW_CONF"
echo "poll none" >>"$BW_CONF"
kill -HUP "$pid"
sleep 0.5
tap_ok "a HUP with an error ends nothing" kill -0 "$pid"
kill "$pid"
bed_wait "its end" bash -c "! kill -0 $pid"

# Killed while it starts: xenstored hangs.
bw_config
kill -STOP "$XENSTORE_PID"
"$BUILD/xenbwd" -c "$BW_CONF" >"$BED/said" 2>&1 &
first=$!
bed_wait "the second process" pgrep -P $first -x xenbwd
sleep 0.3
kill -KILL "$(pgrep -P $first -x xenbwd)"
wait $first
tap_is "killed while it starts in the background: 70" $? 70
tap_like "and says so" "$(cat "$BED/said")" 'signal 9'
SEEN+=(70)
kill -CONT "$XENSTORE_PID"

# No second process: none can be made.
says "no process for the background" 71 'cannot start' bash -c "cp $BUILD/xenbwd $BED/other && $BED/other -c $BW_CONF"

# Stopped, and the ledger refuses.
bw_start || tap_bail "no xenbwd"
mkfifo "$BED/hold"
sqlite3 "$BW_LEDGER" <"$BED/hold" &
holder=$!
exec 9>"$BED/hold"
echo "BEGIN IMMEDIATE;" >&9
sleep 0.3
kill -TERM "$BW_PID"
wait "$BW_PID"
tap_is "stopped without a last commit: 74" $? 74
SEEN+=(74)
echo ".quit" >&9
exec 9>&-
wait $holder

# Under a service manager, when the guard is gone.
export NOTIFY_SOCKET=$BED/no-manager
bw_start || tap_bail "no xenbwd"
kill -KILL "$(bw_guard)"
wait "$BW_PID"
tap_is "to be started again by the service manager: 75" $? 75
SEEN+=(75)
unset NOTIFY_SOCKET

table=$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' man/xenbwd.8 | sort -n | tr '\n' ' ')
tap_is "xenbwd(8) lists just these" "$table" "$(printf '%s\n' "${SEEN[@]}" | sort -nu | tr '\n' ' ')"
tap_is "the unit starts again after any but those that do not change by themselves" \
	"$(grep -E '^Restart(PreventExitStatus)?=' examples/xenbwd.service.in | tr '\n' ' ')" "Restart=on-failure RestartPreventExitStatus=64 78 "

# xenbw: 0, 1, 2.
bw_config
says "xenbw: done" 0 . "$BUILD/xenbw" -c "$BW_CONF" list-domains
says "xenbw: help" 0 . "$BUILD/xenbw" help
says "xenbw: a bucket that is not there" 1 'knows no bucket' "$BUILD/xenbw" -c "$BW_CONF" report nobody
says "xenbw: no ledger" 1 'there is no ledger' "$BUILD/xenbw" -c "$BW_CONF" --ledger "$BED/none.db" report
says "xenbw: no configuration" 1 'No such file' "$BUILD/xenbw" -c "$BED/none" report
says "xenbw: output that cannot be written" 1 'cannot write' bash -c "$BUILD/xenbw help >/dev/full"
says "xenbw: no such command" 2 'Try' "$BUILD/xenbw" nonsense
says "xenbw: no such option" 2 'Try' "$BUILD/xenbw" report --nonsense
tap_is "xenbw(8) lists just these" "$(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/s/^\.It \([0-9]*\)$/\1/p' man/xenbw.8 | tr '\n' ' ')" "0 1 2 "
tap_done
