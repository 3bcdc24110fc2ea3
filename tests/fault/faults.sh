#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every fault that xenbwd(8) tells of, one after the other by chance, while known bytes flow: what was sent, the ledger,
# MySQL and the RRD files agree to the byte after each. campaign.sh kills all at once instead.
#
# What could go wrong: bytes are lost or booked twice where a part fails, comes back, or comes back with an older state;
# something waits for ever, or tells nobody. The clock is that of the night when summer time ends in Europe.
#
# SEED=N repeats the draws; FAULTS="a b": only these; SOAK=SECONDS: draws for so long, each fault again and again; KEEP=DIR: what it worked on is
# copied there.
# time-limit: 420
# runs: alone
set -u
. "$(dirname "$0")/../support/tap.sh"
: "${BED_TIME:=420}"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/classes.sh"
. "$(dirname "$0")/../support/clock.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/sums.sh"
. "$(dirname "$0")/../support/rounds.sh"
# shellcheck disable=SC1090
for family in "$(dirname "$0")"/families/*.sh; do . "$family"; done
cd "$(dirname "$0")/../.." || exit 1
export TZ=Europe/Berlin

SEED=${SEED:-$RANDOM}
RANDOM=$SEED
SOAK=${SOAK:-0}
ENOUGH=${SOAK/#0/240} # seconds, after which no other one is begun
CLOCK_FIRST=$(date -u -d '2025-10-26 00:00' +%s) # an hour before 03:00 is 02:00 again

read -ra names <<<"${FAULTS:-$(compgen -A function fault_ | sed 's/^fault_//' | xargs)}"
shuffled() { printf '%s\n' "${names[@]}" | sort -R --random-source=<(while :; do echo "$1"; done); }

tap_note "seed $SEED"
round_up || tap_bail "no bed"
settle
[ ! -s "$BED/problems" ] || tap_bail "it does not begin well: $(cat "$BED/problems")"
began=$SECONDS draw=0
enough() { [ $((SECONDS - began)) -ge "$ENOUGH" ]; }
until enough; do
	for name in $(shuffled $((SEED + draw))); do
		enough || round "$name"
	done
	draw=$((draw + 1))
	[ "$SOAK" != 0 ] || break # each of them once
done
took=$((SECONDS - began))

: >"$BED/over"
kill -TERM "$(xenbwd_pid)"
wait "$KEEPER"
for name in "${names[@]}"; do
	[ -n "${ROUND_TIMES[$name]-}" ] || continue
	tap_is "${name//_/ }: sent, ledger, MySQL and RRD files agree" "$(round_difference "$name")" 0
done
tap_is "each fault did what it is to do, and was told of" "$(cat "$BED/problems")" ""
from=$((EDGE - (SLOT < 580 ? SLOT + 1 : 580) * CLOCK_SLOT)) # as far back as the files reach
# shellcheck disable=SC2046 # labels without blanks
tap_is "each RRD file has its bucket's slots" "$(diff <(rrd_rows "$from" $(labels)) <(ledger_rows "$from"))" ""
for end in "${ROUND_ENDS[@]}"; do
	booked=$(bw_booked "$(class_where "$end")")
	tap_is "all of $end is booked for it" $((${booked% *} + ${booked#* })) "${SENT[$end]}"
done
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""
tap_is "the ledger is sound" "$(bw_sql "PRAGMA integrity_check; PRAGMA foreign_key_check")" ok
tap_is "MySQL's rows are the ledger's, bucket by bucket and hour by hour" "$(rows_mysql)" "$(rows_ledger)"
tap_note "$took s, ${#ROUND_TIMES[@]} of ${#names[@]} faults, $(bw_sql "SELECT count(DISTINCT slot) FROM usage") slots, $(bw_sql "SELECT count(*) FROM run") runs of xenbwd"
tap_note "$(round_table)"
tap_note "killed: $(kill_table)"
[ "$SOAK" -lt 3600 ] || tap_ok "an hour has 500 kills or more" test "$(kills)" -ge 500
[ -z "${KEEP-}" ] || cp -r "$BED" "$KEEP"
tap_done
