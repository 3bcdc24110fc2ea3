#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/demo.sh BUILD: xenbw at work, without Xen (`make demo`).
#
# A small dom0 with three guests is made of network namespaces and a real xenstored; real packets flow between them and to
# an outside with a network that is ignored and one that is a peer; xenbwd counts them, xenbw-capture tells them apart, and
# what was booked is compared with what was sent, class by class. The wall clock of its programs is moved on by five minutes
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
CLASSES=(external peer direct local ignored unattributed)
declare -A OUTSIDE=([external]=10.77.0.254 [ignored]=10.99.1.1 [peer]=10.99.2.1) # an address outside for each class
declare -A SENT=() # by GUEST,output|input,CLASS
declare -A NAME=([1.0]=web [2.0]=db [3.0]=mail [4.0]=mail)

give_up() { echo "demo: $*" >&2; exit 1; }
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
xenbw() { LD_PRELOAD=$BW_PRELOAD "$BUILD/xenbw" -c "$BW_CONF" "$@"; }
# screen COMMAND…: as a terminal of 80 columns shows it, also where the output is none.
screen() {
	if [ -t 1 ]; then
		xenbw "$@"
	else
		script -qec "stty cols 80; LD_PRELOAD='$BW_PRELOAD' '$BUILD/xenbw' -c '$BW_CONF' ${*@Q}" /dev/null </dev/null | tr -d '\r'
		return "${PIPESTATUS[0]}"
	fi
}

# remember END input|output CLASS BYTES
remember() {
	local key=${NAME[$1]-},$2,$3
	[ -z "${NAME[$1]-}" ] || SENT[$key]=$((${SENT[$key]-0} + $4))
}
# flow CLASS FROM TO PACKETS [PAYLOAD [SECONDS]]: sends in the background and remembers how much.
flow() {
	local class=$1 from=$2 to=$3 packets=$4 payload=${5:-$MTU_PAYLOAD} BED_FROM=0.0.0.0 BED_TO=${BED_IP[$3]}
	[ "$packets" -gt 0 ] || return 0
	[ "$from" != outside ] || BED_FROM=${OUTSIDE[$class]}
	[ "$to" != outside ] || BED_TO=${OUTSIDE[$class]}
	bed_udp "$from" "$to" "$packets" "$payload" "${6-}" &
	FLOWS+=($!)
	remember "$from" output "$class" $((packets * (payload + 28)))
	remember "$to" input "$class" $((packets * (payload + 28)))
}
sent_by() { # sent_by GUEST: in MiB, of all classes
	local class sum=0
	for class in "${CLASSES[@]}"; do sum=$((sum + ${SENT[$1,output,$class]-0})); done
	awk -v b=$sum 'BEGIN { printf "%.1f MiB", b / 1048576 }'
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
	local done=$((20 * $1 / SLOTS))
	if [ -t 1 ]; then
		printf '\r  [%s%s] %s\033[K' "$(printf '#%.0s' $(seq 1 $done))" "$(printf '%*s' $((20 - done)) '')" "$2"
	elif [ $(($1 % 8)) = 0 ]; then
		echo "  $2"
	fi
}

# outside_known: the guests that are there know the addresses outside.
outside_known() {
	local class
	for class in ignored peer; do bed_also outside "${OUTSIDE[$class]}" || return 1; done
}
# reboot_mail: the same domain under a new domid. xenbwd reads the old vif to its end, and has told the capture of the new
# one when this returns.
reboot_mail() {
	bed_guest_gone 3
	BED_UUID[4]=00000000-0000-4000-8000-000000000003
	bed_guest 4 0 mail 10.77.0.13 00:16:3e:4d:03:00 && outside_known || give_up "mail does not come back"
	bw_wait_sql "mail's new vif" "SELECT group_concat(domid) FROM vif WHERE domid IN (3, 4) AND gone IS NULL" 4
	mail=4.0
}

rm -rf "$OUT" && mkdir -p "$OUT" || give_up "cannot write to $OUT"
FLOWS=()

say "A dom0 with three guests: web, db and mail"
echo "(namespaces, a bridge, a real xenstored)"
bed_up || give_up "the test bed does not come up"
CLOCK_FIRST=$(($(date +%s) / CLOCK_SLOT * CLOCK_SLOT - SLOTS * CLOCK_SLOT)) # it ends at the present time
clock_in_slot 0
networks=("ignorenet 10.99.1.0/24   # backup servers of the provider's: not billed" "peer      10.99.2.0/24")
bw_config "rrd_dir $BW_RRD" "${networks[@]}"
bw_start || give_up "xenbwd does not start"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_guest 3 0 mail 10.77.0.13 ||
	give_up "a guest does not come up"
outside_known || give_up "there is no outside"
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 3
grep -E ' belongs to |uplink' "$BW_LOG" | sed 's/^/  /'
say "What the configuration says of networks"
printf '  %s\n' "${networks[@]}"

say "What they send; the clock of this demo moves on by five minutes every second"
mail=3.0
for ((slot = 0; slot < SLOTS; slot++)); do
	read -r pages requests queries backup letters outgoing < <(plan $slot)
	flow external 1.0 outside "$pages"
	flow external outside 1.0 "$requests" 600
	flow local 2.0 1.0 "$queries"
	flow local 1.0 2.0 "$queries" 120
	flow ignored 2.0 outside "$backup"
	flow external 2.0 outside $((queries / 8))
	flow external outside 2.0 $((queries / 8)) 300
	flow external outside $mail "$letters"
	flow external $mail outside $((outgoing / 2))
	flow peer $mail outside $((outgoing / 2))
	arrived
	next_slot $((slot + 1))
	[ $slot != $((SLOTS / 2)) ] || reboot_mail
	progress $((slot + 1)) "$(LD_PRELOAD=$BW_PRELOAD date -u +%H:%M) UTC  web $(sent_by web), db $(sent_by db), mail $(sent_by mail)"
done
[ ! -t 1 ] || echo
echo "  mail was rebooted on the way: a new domid, a new vif, the same bucket"
end=$((CLOCK_FIRST + SLOTS * CLOCK_SLOT))

say "xenbw list-domains (while some more flows)"
flow external 1.0 outside 6000 1472 3
flow ignored outside 2.0 900 1000 3
flow external outside $mail 300 500 3
sleep 2.4
screen list-domains || give_up "xenbw list-domains failed"
arrived

bw_quiet
bw_stop || give_up "xenbwd ended with status $?"
from=$(TZ=UTC date -d "@$CLOCK_FIRST" '+%Y-%m-%d %H:%M')
say "xenbw report --from \"$from\""
screen report --from "$from" || give_up "xenbw report failed"

say "Sent and booked, in bytes, by class; 0: no difference"
printf '  %-6s%-9s%12s%11s%5s   %12s%11s%5s\n' guest class 'sent by it' 'as output' diff 'sent to it' 'as input' diff
report=$(xenbw report --json --from "$from") || give_up "xenbw report failed"
wrong=0
for name in web db mail; do
	for class in "${CLASSES[@]}"; do
		read -r input output < <(jq -r --arg name "$name" --arg class "$class" \
			'.rows[] | select(.bucket == $name) | "\(.[$class + "_input"]) \(.[$class + "_output"])"' <<<"$report")
		by=${SENT[$name,output,$class]-0} to=${SENT[$name,input,$class]-0}
		[ "$by $to $output $input" != "0 0 0 0" ] || continue
		printf '  %-6s%-9s%12d%11d%5d   %12d%11d%5d\n' "$name" "$class" \
			"$by" "$output" $((output - by)) "$to" "$input" $((input - to))
		[ "$output $input" = "$by $to" ] || wrong=1
	done
done
[ $wrong = 0 ] || give_up "booked bytes differ from those that were sent"

say "xenbw graph"
for name in mail db web; do
	graph=$OUT/$name.png
	xenbw graph "$name" --from "$CLOCK_FIRST" --to "$end" --out "$graph" >/dev/null || give_up "no graph of $name"
	echo "  $(realpath --relative-to="$PWD" "$BED_BUILD/demo/$name.png")"
done
xenbw graph --from "$CLOCK_FIRST" --to "$end" --out "$OUT/host.png" >/dev/null || give_up "no graph of all"
echo "  $(realpath --relative-to="$PWD" "$BED_BUILD/demo/host.png")"
if [ -n "${IN_DOM0-}" ]; then
	say "This machine is a real dom0. To count its guests:"
	echo "  make install && systemctl enable --now xenbwd && xenbw list-domains"
fi
