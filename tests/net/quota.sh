#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas: what is reached is told once in each period, by a hook that is called outside of the counting, whatever is
# killed; a hook that hangs, is not root's or does not exist harms nothing.
# time-limit: 240
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
BED_TIME=240
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

HOOK=$BED/hook CALLS=$BED/calls ODD="we\$(b)"
# hook LINE…: the program that is called; each call leaves a line of what it was told.
hook() {
	{
		echo '#!/bin/sh'
		# shellcheck disable=SC2016 # for the hook
		echo 'echo "$XENBW_BUCKET $XENBW_OWNER $XENBW_PERIOD $XENBW_CLASS $XENBW_DIRECTION $XENBW_PERCENT $XENBW_USED $XENBW_LIMIT" >>'"$CALLS"
		printf '%s\n' "$@"
	} >"$HOOK.new"
	chmod 755 "$HOOK.new" && mv "$HOOK.new" "$HOOK"
}
calls() { sort "$CALLS" 2>/dev/null; }
count() { calls | wc -l; }
outcome() { bw_sql "SELECT coalesce(outcome, 'NULL') FROM crossing WHERE percent = $1 AND class = '$2' ORDER BY id DESC LIMIT 1"; }
wait_outcome() { # wait_outcome PERCENT CLASS TEXT
	bw_wait_sql "the outcome of $1 $2" "SELECT outcome FROM crossing WHERE percent = $1 AND class = '$2' ORDER BY id DESC LIMIT 1" "$3"
}
# settled: two commits later, whatever was to be called has been.
settled() {
	local seen i
	for i in 1 2 3; do
		seen=$(bw_sql "SELECT max(seen) FROM run")
		bed_wait "a commit" bash -c "[ \"\$(sqlite3 -readonly $BW_LEDGER 'SELECT max(seen) FROM run')\" -gt $seen ]" || return 1
	done
}
quota_json() { "$BUILD/xenbw" -c "$BW_CONF" quota --json; }

bed_up || tap_bail "no bed"
bw_past_edge 86400 100 # what is reached is told once more on the next day
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 "$ODD" 10.77.0.12 || tap_bail "no guests"
hook 'echo told; printf "a\033[2Jb"'
CONF=("attribution off" "flush 1" "owner acme web db" "quota web billing all both 100000 warn 50,80" "quota owner:acme month all output 150000"
	"quota $ODD day all larger 1MB" "quota_hook $HOOK" "quota_hook_seconds 2")
bw_config "${CONF[@]}"
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 2

bed_udp 1.0 outside 49 972
settled
tap_is "below the first mark nothing is called" "$(count)" 0
tap_is "the command says what is used" "$(quota_json | jq -c '.quotas[0] | [.name, .used, .limit, .percent, .reached]')" '["web",49000,100000,49,null]'
bed_udp 1.0 outside 1 972
wait_outcome 50 all "exit status 0"
tap_is "at the very byte of a mark the hook is called, and told all" "$(calls)" "web acme billing all both 50 50000 100000"
tap_ok "what it says is in the log" bed_wait "the line" grep -q 'quota_hook says: told' "$BW_LOG"
tap_ok "as text" grep -q 'quota_hook says: a\\x1b\[2Jb' "$BW_LOG"
settled
tap_is "once" "$(count)" 1
bw_kill
bw_start || tap_bail "no xenbwd"
bed_udp outside 1.0 29 972
settled
tap_is "after KILL and a new start it is not called again" "$(count)" 1
bed_udp outside 1.0 80 972
wait_outcome 100 all "exit status 0"
tap_is "two marks at once are two calls, each once" "$(calls | grep -c 'web.*both')" 3
tap_is "the last says what is used" "$(calls | grep ' 100 ')" "web acme billing all both 100 159000 100000"
kill -HUP "$BW_PID"
settled
bw_stop
bw_start || tap_bail "no xenbwd"
settled
tap_is "a reload and a restart call nothing again" "$(count)" 3
bed_udp 1.0 outside 100 972
bw_wait_sql "the owner's" "SELECT outcome FROM crossing WHERE bucket = 0" "exit status 0"
tap_is "an owner's domains are counted together" "$(calls | grep month)" " acme month all output 100 150000 150000"
bed_udp 2.0 outside 1000 972 && bed_udp outside 2.0 500 972
bw_wait_sql "the odd name" "SELECT outcome FROM crossing WHERE period = 'day'" "exit status 0"
tap_is "a name that a shell would read is passed on as it is, the larger direction alone counts" "$(calls | grep day)" \
	"$ODD  day all larger 100 1000000 1000000"

# Killed while the hook runs: it is not called again, and the ledger says what is known.
hook 'sleep 1; echo done >>'"$BED/done"
CONF+=("quota web month all both 400000")
bw_config "${CONF[@]}"
kill -HUP "$BW_PID"
bed_udp 1.0 outside 200 972
bed_wait "the call" grep -q 'web acme month all both 100' "$CALLS"
bw_kill
bed_wait "the hook's end" test -e "$BED/done"
bw_start || tap_bail "no xenbwd"
settled
tap_is "a hook that runs when xenbwd is killed runs to its end, and is not called again" "$(grep -c 'web acme month' "$CALLS") $(wc -l <"$BED/done")" "1 1"
tap_like "what became of it is not known" "$(bw_sql "SELECT outcome FROM crossing WHERE period = 'month' AND bucket > 0")" "^not known"
tap_ok "the log says so" grep -q 'quota: web: 100 % of 400000 bytes.*it is not known how quota_hook ended' "$BW_LOG"

# A hook that hangs.
hook 'sleep 1000 & echo $! >'"$BED/child" 'sleep 1000'
CONF+=("quota web day all both 700000")
bw_config "${CONF[@]}"
kill -HUP "$BW_PID"
bed_udp 1.0 outside 300 972
bed_wait "the call" test -s "$BED/child"
bed_udp 1.0 outside 123 345 && bed_udp outside 1.0 77 88
settled
bw_wait_sql "the end" "SELECT outcome FROM crossing WHERE period = 'day' AND bytes = 700000" "killed: it took too long"
tap_ok "a hook that hangs is killed, with what it has started" bash -c "! kill -0 $(cat "$BED/child") 2>/dev/null"
tap_ok "which the log says" grep -q 'quota_hook has not ended within 2 s; it is killed' "$BW_LOG"
bw_quiet
settled
tap_is "and meanwhile each byte was counted" "$(bw_booked_vif 1 0)" "$(bed_ip_bytes vif1.0)"

# One that is not root's is refused, and called when it is.
before=$(count)
hook
chown daemon "$HOOK"
CONF+=("quota web day all output 100")
bw_config "${CONF[@]}"
kill -HUP "$BW_PID"
tap_ok "a hook that is not root's is refused" bed_wait "the line" grep -q "$HOOK is not root's.*chown root" "$BW_LOG"
settled
tap_is "and not called" "$(count)" "$before"
tap_is "the ledger does not say that it was" "$(bw_sql "SELECT count(*) FROM crossing WHERE direction = 'output' AND bytes = 100")" 0
chown root "$HOOK"
bw_stop # a minute goes by until it is tried again: a start does that at once
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the call" "SELECT outcome FROM crossing WHERE direction = 'output' AND bytes = 100" "exit status 0"
tap_is "once it is root's, it is called" "$(count)" $((before + 1))
chmod o+w "$HOOK"
CONF+=("quota web day all input 100")
bw_config "${CONF[@]}"
bw_stop
bw_start || tap_bail "no xenbwd"
tap_ok "one that others can write is refused at the start already" bed_wait "the line" grep -q 'quota_hook is not called as it is: others than root can write' "$BW_LOG"
chmod o-w "$HOOK"
bw_stop

# Without a hook.
CONF=("attribution off" "flush 1" "quota web day all both 101")
bw_config "${CONF[@]}"
bw_start || tap_bail "no xenbwd"
tap_ok "without a hook the log says it" bed_wait "the line" grep -q 'quota: web has used .* 100 % of 101 are reached; there is no quota_hook' "$BW_LOG"
tap_is "and the command" "$(quota_json | jq -c '.quotas[0] | [.percent > 100, .percent_told, .reached != null]')" '[true,100,true]'
bw_stop
tap_is "it ends well" $? 0
tap_done
