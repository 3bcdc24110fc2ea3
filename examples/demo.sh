#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/demo.sh BUILD: xenbw at work, without Xen (`make demo`).
#
# A small dom0 with three guests is made of network namespaces and a real xenstored; real packets flow, xenbwd counts
# them, and what it booked is compared with what was sent. The wall clock of its programs is moved on by five minutes
# every second, so that a short run fills hours of a graph; the bytes are the real ones. Everything happens in private
# namespaces that end with the script; BUILD/demo keeps the ledger, the RRD files and the graphs. Root only.
set -u
[ $# -eq 1 ] || { echo "usage: examples/demo.sh BUILD" >&2; exit 2; }
BUILD=$(realpath "$1") || exit 1
BED_TIME=300
. "$(dirname "$0")/../tests/support/bed.sh"

if [ -z "${BED_INSIDE-}" ]; then
	IN_DOM0=
	grep -qs control_d /proc/xen/capabilities && IN_DOM0=yes
	export IN_DOM0
fi
bed_enter "$@"
. "$(dirname "$0")/../tests/support/daemon.sh"
. "$(dirname "$0")/../tests/support/clock.sh"

SLOTS=42
MTU_PAYLOAD=1472 # 1500 bytes of IP
OUT=$BUILD/demo
BW_LEDGER=$OUT/ledger.db
BW_RRD=$OUT/rrd
BW_CONF=$OUT/xenbw.conf
declare -A SENT_BY=() SENT_TO=() NAME=([1.0]=web [2.0]=db [3.0]=mail [4.0]=mail)

give_up() { echo "demo: $*" >&2; exit 1; }
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
xenbw() { LD_PRELOAD=$BW_PRELOAD "$BUILD/xenbw" -c "$BW_CONF" "$@"; }
mib() { awk -v b="$1" 'BEGIN { printf "%.1f MiB", b / 1048576 }'; }

# flow FROM TO PACKETS [PAYLOAD [SECONDS]]: sends in the background and remembers how much.
flow() {
	local bytes=$(($3 * (${4:-$MTU_PAYLOAD} + 28)))
	[ "$3" -gt 0 ] || return 0
	bed_udp "$1" "$2" "$3" "${4:-$MTU_PAYLOAD}" "${5-}" &
	FLOWS+=($!)
	[ -z "${NAME[$1]-}" ] || SENT_BY[${NAME[$1]}]=$((${SENT_BY[${NAME[$1]}]-0} + bytes))
	[ -z "${NAME[$2]-}" ] || SENT_TO[${NAME[$2]}]=$((${SENT_TO[${NAME[$2]}]-0} + bytes))
}
arrived() { # waits for the flows
	local pid
	for pid in "${FLOWS[@]}"; do wait "$pid" || give_up "packets were lost on the way"; done
	FLOWS=()
}
# plan SLOT: packets of this slot: a morning that gets busy, a backup, mail in bursts. Always the same.
plan() {
	awk -v k="$1" -v n="$SLOTS" 'BEGIN {
		srand(k + 7); pi = 3.14159265
		day = 0.5 - 0.5 * cos(2 * pi * k / n) + 0.25 * sin(6 * pi * k / n) ^ 2
		printf "%d %d %d %d %d %d\n", 1500 + 11000 * day * (0.85 + 0.3 * rand()),
			400 + 2600 * day * (0.8 + 0.4 * rand()), 900 + 3500 * day * rand(),
			(k > n * 0.62 && k < n * 0.75) ? 9000 + 1500 * rand() : 30 + 60 * rand(),
			k % 9 < 2 ? 1800 + 1500 * rand() : 100 * rand(), k % 7 < 2 ? 2500 * rand() : 60 * rand()
	}'
}
# next_slot N: the clock moves on to the end of the slot before N, and xenbwd closes it.
next_slot() {
	clock_in_slot "$1" -1
	clock_wait_slot "$1"
}
progress() { # progress SLOT TEXT
	local done=$((40 * $1 / SLOTS))
	if [ -t 1 ]; then
		printf '\r  [%s%s] %s\033[K' "$(printf '#%.0s' $(seq 1 $done))" "$(printf '%*s' $((40 - done)) '')" "$2"
	elif [ $(($1 % 8)) = 0 ]; then
		echo "  $2"
	fi
}

rm -rf "$OUT" && mkdir -p "$OUT" || give_up "cannot write to $OUT"
FLOWS=()

say "A dom0 with three guests: web, db and mail (namespaces, a bridge, a real xenstored)"
bed_up || give_up "the test bed does not come up"
CLOCK_FIRST=$(($(date +%s) / CLOCK_SLOT * CLOCK_SLOT - SLOTS * CLOCK_SLOT)) # it ends at the present time
clock_in_slot 0
bw_config "rrd_dir $BW_RRD"
bw_start || give_up "xenbwd does not start"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_guest 3 0 mail 10.77.0.13 ||
	give_up "a guest does not come up"
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 3
grep ' belongs to ' "$BW_LOG" | sed 's/^/  /'

say "Traffic; the clock of this demo moves on by five minutes every second"
mail=3.0
for ((slot = 0; slot < SLOTS; slot++)); do
	read -r pages requests queries backup letters outgoing < <(plan $slot)
	flow 1.0 outside "$pages"
	flow outside 1.0 "$requests" 600
	flow 2.0 1.0 "$queries"
	flow 1.0 2.0 "$queries" 120
	flow 2.0 outside "$backup"
	flow outside $mail "$letters"
	flow $mail outside "$outgoing"
	arrived
	next_slot $((slot + 1))
	if [ $slot = $((SLOTS / 2)) ]; then
		bed_guest_gone 3
		BED_UUID[4]=00000000-0000-4000-8000-000000000003 # the same domain under a new domid
		bed_guest 4 0 mail 10.77.0.13 00:16:3e:4d:03:00 || give_up "mail does not come back"
		mail=4.0
		reboot="  mail was rebooted on the way: a new domid, a new vif, the same bucket"
	fi
	progress $((slot + 1)) "$(LD_PRELOAD=$BW_PRELOAD date -u +%H:%M) UTC  web has sent $(mib "${SENT_BY[web]}"), db $(mib "${SENT_BY[db]}"), mail $(mib "${SENT_BY[mail]-0}")"
done
[ ! -t 1 ] || echo
echo "$reboot"
end=$((CLOCK_FIRST + SLOTS * CLOCK_SLOT))

say "xenbw list-domains (while some more flows)"
flow 1.0 outside 6000 1472 3
flow outside 2.0 900 1000 3
flow outside $mail 300 500 3
sleep 2.4
xenbw list-domains || give_up "xenbw list-domains failed"
arrived

bw_quiet
bw_stop || give_up "xenbwd ended with status $?"
from=$(TZ=UTC date -d "@$CLOCK_FIRST" '+%Y-%m-%d %H:%M')
say "xenbw report --from \"$from\""
xenbw report --from "$from" || give_up "xenbw report failed"

say "Sent and booked, in bytes"
printf '  %-6s %14s %14s %12s   %14s %14s %12s\n' guest 'sent by it' 'as output' difference 'sent to it' 'as input' difference
report=$(xenbw report --json --from "$from") || give_up "xenbw report failed"
wrong=0
for name in web db mail; do
	read -r input output < <(jq -r --arg name "$name" '.rows[] | select(.bucket == $name) | "\(.input) \(.output)"' <<<"$report")
	printf '  %-6s %14d %14d %12d   %14d %14d %12d\n' "$name" "${SENT_BY[$name]}" "$output" $((output - SENT_BY[$name])) \
		"${SENT_TO[$name]}" "$input" $((input - SENT_TO[$name]))
	[ "$output $input" = "${SENT_BY[$name]} ${SENT_TO[$name]}" ] || wrong=1
done
[ $wrong = 0 ] || give_up "booked bytes differ from those that were sent"

say "xenbw graph"
for name in mail db web; do
	graph=$OUT/$name.png
	xenbw graph "$name" --from "$CLOCK_FIRST" --to "$end" --out "$graph" >/dev/null || give_up "no graph of $name"
	echo "  $(realpath --relative-to="$PWD" "$graph")"
done
if [ -n "${IN_DOM0-}" ]; then
	say "This machine is a real dom0. To count its guests:"
	echo "  make install && systemctl enable --now xenbwd && xenbw list-domains"
fi
