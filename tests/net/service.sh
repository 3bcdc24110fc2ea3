#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a service manager sees of xenbwd: readiness, TERM, exit statuses; and that what the unit gives it is enough.
# Privileges: net/privileges.
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

bed_wait "a writer" bw_writer >/dev/null
bed_wait "a worker" bw_worker >/dev/null
looks() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json 2>/dev/null | jq -r '"\(.split) \(.uplinks[])"')" = "pcap peth0" ]; }
tap_ok "the unit's capabilities are enough to look at the uplink" bed_wait "the split" looks

ignores_term() { local set && set=$(sed -n 's/^SigIgn:\t//p' "/proc/$1/status") && [ $((0x$set >> 14 & 1)) = 1 ]; }
tap_ok "the guard leaves TERM to xenbwd" ignores_term "$(bw_guard)"
tap_ok "and so does xenbw-capture" ignores_term "$(bw_worker)"
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
	"$BW_CONF:9: unknown keyword .pol.; did you mean .poll.?"
"$BUILD/xenbwd" -D -c "$BW_CONF" 2>/dev/null
tap_is "and ends it with status 78" $? 78
bw_config
"$BUILD/xenbwd" -nv -c "$BW_CONF" >"$BED/printed"
tap_is "-n checks a configuration" $? 0
"$BUILD/xenbwd" -nv -c "$BED/printed" | cmp -s - "$BED/printed"
tap_is "-nv prints one that reads the same" $? 0
for option in -nv --help --version; do
	said=$("$BUILD/xenbwd" $option -c "$BW_CONF" 2>&1 >/dev/full)
	tap_is "$option: output that nobody can take ends it with status 74" $? 74
	tap_is "$option: and a line says why" "$said" "xenbwd: cannot write the output: No space left on device"
done
"$BUILD/xenbwd" --wrong 2>/dev/null
tap_is "a wrong option ends it with status 64" $? 64
tap_done
