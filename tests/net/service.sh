#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a service manager sees of xenbwd: readiness, no privilege in any thread, TERM, exit statuses; and that what the
# unit gives it is enough.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/manager.sh"

bed_up || tap_bail "no bed"
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
bw_config "rrd_dir $BW_RRD"

manager_start || tap_bail "no service manager"
unit=$(dirname "$0")/../../examples/xenbwd.service.in
bounding=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
BW_UNDER="setpriv --bounding-set -all,$bounding --no-new-privs"
bw_start || tap_bail "no xenbwd"
heard() { manager_words | grep -q "$1"; }
bed_wait "READY=1" heard READY=1
tap_is "it tells the service manager when it is ready" "$(manager_words)" READY=1

writer() { pgrep -P "$BW_PID" xenbw-writer; }
bed_wait "a writer" writer >/dev/null
guard() { pgrep -P "$BW_PID" xenbw-capture; }
worker() { pgrep -P "$(guard)" xenbw-capture; }
bed_wait "a worker" worker >/dev/null
looks() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json 2>/dev/null | jq -r '"\(.split) \(.uplinks[])"')" = "pcap peth0" ]; }
tap_ok "the unit's capabilities are enough to look at the uplink" bed_wait "the split" looks

privileges() { # of every thread of a process, one line for each kind
	sed -n 's/^\(CapPrm\|CapEff\|CapInh\|CapAmb\|NoNewPrivs\):\t*/\1 /p' /proc/"$1"/task/*/status | sort -u
}
none='CapAmb 0000000000000000
CapEff 0000000000000000
CapInh 0000000000000000
CapPrm 0000000000000000
NoNewPrivs 1'
# CAP_NET_RAW is bit 13. It is handed to workers by their bounding set, too.
raw='CapAmb 0000000000000000
CapEff 0000000000002000
CapInh 0000000000002000
CapPrm 0000000000002000
NoNewPrivs 1'
tap_ok "xenbwd has several threads, for libxenstore starts one" test "$(find /proc/"$BW_PID"/task -mindepth 1 -maxdepth 1 | wc -l)" -ge 2
tap_is "no thread of xenbwd has a capability" "$(privileges "$BW_PID")" "$none"
tap_is "no thread of xenbw-writer has a capability" "$(privileges "$(writer)")" "$none"
tap_is "the guard of xenbw-capture has CAP_NET_RAW and no other" "$(privileges "$(guard)")" "$raw"
tap_is "no thread of its worker has a capability" "$(privileges "$(worker)")" "$none"
tap_is "the guard can gain no other one" "$(sed -n 's/^CapBnd:\t//p' "/proc/$(guard)/status")" 0000000000002000
ignores_term() { local set && set=$(sed -n 's/^SigIgn:\t//p' "/proc/$1/status") && [ $((0x$set >> 14 & 1)) = 1 ]; }
tap_ok "its guard leaves TERM to xenbwd" ignores_term "$(guard)"
tap_ok "and so does its worker" ignores_term "$(worker)"
tap_is "the control socket is root's alone" "$(stat -c '%a %U' "$BW_CONTROL")" "600 root"
tap_is "the ledger is readable by its group, not by others" "$(stat -c '%a' "$BW_LEDGER")" 640

bw_stop
tap_is "TERM ends it with status 0" $? 0
bed_wait "STOPPING=1" heard STOPPING=1
tap_is "and it says that it stops" "$(manager_words)" "READY=1
STOPPING=1"
tap_is "the control socket is gone" "$(ls "$BW_CONTROL" 2>/dev/null)" ""
tap_is "the ledger notes a clean end" "$(bw_sql 'SELECT count(*) FROM run WHERE ended IS NOT NULL')" 1
manager_stop

bw_config "pol 5"
tap_like "a wrong keyword names file, line and the nearest word" "$("$BUILD/xenbwd" -D -c "$BW_CONF" 2>&1)" \
	"$BW_CONF:8: unknown keyword .pol.; did you mean .poll.?"
"$BUILD/xenbwd" -D -c "$BW_CONF" 2>/dev/null
tap_is "and ends it with status 78" $? 78
bw_config
"$BUILD/xenbwd" -nv -c "$BW_CONF" >"$BED/printed"
tap_is "-n checks a configuration" $? 0
"$BUILD/xenbwd" -nv -c "$BED/printed" | cmp -s - "$BED/printed"
tap_is "-nv prints one that reads the same" $? 0
"$BUILD/xenbwd" --wrong 2>/dev/null
tap_is "a wrong option ends it with status 64" $? 64
tap_done
