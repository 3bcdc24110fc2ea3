#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How soon a new vif is listed, and that its very first bytes count.
# runs: alone
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

ROUNDS=9

# ms_until SINCE CMD…: how long after SINCE (µs) CMD first succeeds; -1 when it does not within five seconds.
ms_until() {
	local since=$1
	shift
	while [ "${EPOCHREALTIME/./}" -lt $((since + 5000000)) ]; do
		if "$@" >/dev/null 2>&1; then
			echo $(((${EPOCHREALTIME/./} - since) / 1000))
			return
		fi
	done
	echo -1
}
in_ledger() { [ "$(bw_sql "SELECT count(*) FROM vif JOIN epoch ON epoch.vif = vif.id WHERE domid = $1")" = 1 ]; }
listed() { "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -e "[.. | .domid? | select(. == $1)] | length > 0"; }

# Waits for the device of a domain and writes what it took to $BED/time.DOMID: "ledger list", in ms.
watch_for() {
	local appeared ledger list
	until [ -e "/sys/class/net/vif$1.0" ]; do sleep 0.001; done
	appeared=${EPOCHREALTIME/./}
	ledger=$(ms_until "$appeared" in_ledger "$1")
	echo "$ledger $(ms_until "$appeared" listed "$1")" >"$BED/time.$1"
}

median() { sort -n | sed -n "$((ROUNDS / 2 + 1))p"; }

bed_up || tap_bail "no bed"
bw_config
bw_start || tap_bail "no xenbwd"
in_ledger 0
listed 0 >"$BED/first" # files of both programs are in memory now

for ((domid = 1; domid <= ROUNDS; domid++)); do
	watch_for $domid &
	watcher=$!
	bed_guest $domid 0 guest$domid 10.77.0.$((10 + domid)) && bed_udp $domid.0 outside $((domid * 10)) 72 ||
		tap_bail "no guest"
	wait $watcher
	tap_note "guest$domid: in the ledger after $(cut -d' ' -f1 "$BED/time.$domid") ms, listed after $(cut -d' ' -f2 "$BED/time.$domid") ms"
	sleep 0.0$((domid * 7 % 10)) # not always at the same distance from a poll
done
bw_stop

ledger=$(cat "$BED"/time.* | cut -d' ' -f1 | median) list=$(cat "$BED"/time.* | cut -d' ' -f2 | median)
worst=$(cat "$BED"/time.* | cut -d' ' -f2 | sort -n | tail -n 1)
tap_is "no vif was missed" "$(grep -c -- -1 "$BED"/time.* | grep -vc ':0$')" 0
tap_ok "a new vif is in the ledger within 300 ms (median of $ROUNDS: $ledger ms)" test "$ledger" -le 300
tap_ok "and listed within 300 ms (median: $list ms; that includes the start of xenbw)" test "$list" -le 300
# One slow round may be the machine's: it must only show that no round waits for a poll and a flush.
tap_ok "no round took as long as a flush (maximum: $worst ms)" test "$worst" -le 1500
for ((domid = 1; domid <= ROUNDS; domid++)); do
	sent="0 $((domid * 1000))"
	tap_is "guest$domid: counted from its first byte" "$(bw_booked_vif $domid 0)" "$sent"
done
tap_done
