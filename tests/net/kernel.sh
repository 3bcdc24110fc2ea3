#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# attribution kernel: classes to the byte, whoever dies and restarts meanwhile; others' filters stay; --detach leaves
# nothing. SEED=N repeats a run's instants.
# time-limit: 150
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/classes.sh"

SEED=${SEED:-$RANDOM}
RANDOM=$SEED
KILLS=${KILLS:-8} # while so many packets go each of three ways
PACKETS=${PACKETS:-8000} SECONDS_LONG=${SECONDS_LONG:-10}
PINS=/sys/fs/bpf/xenbw

bed_up || tap_bail "no bed"
bw_config "attribution kernel"
bw_start || tap_bail "no xenbwd"
tap_ok "without a bpffs the log says what to do" bed_wait "its line" grep -q "xenbw-tc: /sys/fs/bpf is no bpffs; mount one" "$BW_LOG"
bw_stop
tap_is "and counting goes on" $? 0
mount -t bpf bpf /sys/fs/bpf || tap_bail "no bpffs"
bw_config "${CLASS_CONF[@]}" "attribution kernel"
# Somebody else's filter, there before ours.
tc qdisc add dev peth0 clsact
theirs() { tc filter "$1" dev peth0 egress prio 5 handle 1 bpf da bytecode "1,6 0 0 $2,"; } # theirs CMD VERDICT: 0 passes, 2 drops
theirs add 0 || tap_bail "no filter of somebody else's"

bw_start || tap_bail "no xenbwd"
class_guests
ends=(1.0 2.0 3.0 dom0)

class_each_way
i=0
for class in external ignored peer direct local rescued; do
	class_udp dom0 outside $class $((10 + i)) $((500 + i))
	i=$((i + 1))
done
tap_is "list-domains says who tells the classes apart" \
	"$("$BUILD/xenbw" -c "$BW_CONF" list-domains | grep -o 'Split by the kernel (eBPF) on peth0.')" "Split by the kernel (eBPF) on peth0."
tap_is "nobody captures a packet" "$(bw_worker)" ""
tap_is "xenbw-tc has the rights to traffic control and BPF only" \
	"$(grep -h '^Cap\(Prm\|Bnd\)' "/proc/$(pgrep -P "$BW_PID" -x xenbw-tc)/status" | tr '\n\t' '  ')" \
	"CapPrm: 0000008000001000 CapBnd: 0000000000000000 "
bw_stop
tap_is "xenbwd ends well" $? 0
class_check "UDP, each class each way" "${ends[@]}"
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""
tap_is "nothing is clipped, estimated or spoofed" \
	"$(bw_sql "SELECT sum(clipped_input + clipped_output), sum(estimated_input + estimated_output), sum(spoofed_output) FROM usage")" "0|0|0"

# Frames made by hand: a tag is beside the packet by then (the kernel takes it off), a second one in it. What the counters
# have of tags is no IP and stays inside.
bw_start || tap_bail "no xenbwd"
frames() { # frames COUNT IP_BYTES TAGS WORD…: of the class peer, each way; TAGS in bytes as the counters have them: out, in
	local count=$1 bytes=$2 tags=$3
	shift 3
	bed_in 1.0 "$BUILD/bwframe" send eth0 eth "${BED_MAC[1.0]}" "${BED_MAC[outside]}" "$@" ip4 10.77.0.11 10.99.2.1 payload 100 count "$count" >/dev/null ||
		tap_bail "no frames"
	bed_in outside "$BUILD/bwframe" send "${BED_IF[outside]}" eth "${BED_MAC[outside]}" "${BED_MAC[1.0]}" \
		"$@" ip4 10.99.2.1 10.77.0.11 payload 100 count "$count" >/dev/null || tap_bail "no frames"
	class_note 1.0 output peer $((count * bytes))
	class_note 1.0 output local $((count * ${tags% *}))
	class_note 1.0 input peer $((count * bytes))
	class_note 1.0 input local $((count * ${tags#* }))
}
frames 31 120 "0 0"
frames 32 120 "4 0" vlan 5
frames 33 120 "8 4" qinq 6 vlan 5
frames 34 120 "4 0" vlan 5 fragment 800
frames 35 124 "0 0" options 4 last 1600
bw_stop
class_check "tags, fragments and options" "${ends[@]}"

# While xenbwd is away the kernel counts on.
class_udp 1.0 outside peer 10 100
class_udp outside 2.0 ignored 11 100
class_udp 1.0 2.0 - 12 100
bw_start || tap_bail "no xenbwd"
bw_stop
class_check "while xenbwd is away its classes are counted" "${ends[@]}"

# Killed again and again under traffic.
tap_note "seed $SEED"
BED_TO=10.99.2.1 bed_udp 1.0 outside "$PACKETS" 300 "$SECONDS_LONG" &
flows=($!)
BED_FROM=10.99.3.1 bed_udp outside 2.0 "$PACKETS" 200 "$SECONDS_LONG" &
flows+=($!)
bed_udp 2.0 1.0 "$PACKETS" 100 "$SECONDS_LONG" &
flows+=($!)
for ((i = 0; i < KILLS; i++)); do
	bw_launch
	sleep "0.$(printf '%03d' $((RANDOM % 1000)))"
	bw_kill
	sleep 0.2
done
bw_start || tap_bail "no xenbwd"
for pid in "${flows[@]}"; do wait "$pid" || tap_bail "the bed lost packets"; done
class_committed 2
bw_stop
class_note 1.0 output peer $((PACKETS * 328))
class_note 2.0 input direct $((PACKETS * 228))
class_note 2.0 output local $((PACKETS * 128))
class_note 1.0 input local $((PACKETS * 128))
class_check "$KILLS kills under traffic change no class" "${ends[@]}"
tap_is "the classes still add up" "$(class_identity)" ""
tap_is "and nothing was clipped" "$(bw_sql "SELECT sum(clipped_input + clipped_output) FROM usage")" 0

# Without xenbw-tc, and without somebody who starts xenbwd again, all is unattributed until it is.
class_start_over "${ends[@]}"
bw_start || tap_bail "no xenbwd"
class_committed 1
kill -KILL "$(pgrep -P "$BW_PID" -x xenbw-tc)"
tap_ok "the end of xenbw-tc is told" bed_wait "its end" grep -q 'xenbw-tc has ended' "$BW_LOG"
BED_TO=10.99.2.1 bed_udp 1.0 outside 21 100 || tap_bail "the bed lost packets"
class_note 1.0 output unattributed $((21 * 128))
bw_stop
class_check "without xenbw-tc bytes are unattributed" "${ends[@]}"
bw_start || tap_bail "no xenbwd"
class_committed 2
BED_TO=10.99.2.1 class_udp 1.0 outside peer 22 100
bw_stop
class_check "and split again after a start, nothing twice" "${ends[@]}"

# A guest whose vif's state goes to and fro has xenbw-tc told nothing again; another guest has.
class_start_over "${ends[@]}"
BW_OPTIONS=--debug bw_start || tap_bail "no xenbwd"
class_committed 2
told() { grep -c 'telling xenbw-tc of' "$BW_LOG"; }
before=$(told)
for state in 5 4 5 4; do
	xen_vif_state 1 0 $state
	class_committed 1
done
tap_is "states that change are nothing to tell" "$(told)" "$before"
bed_guest 7 0 newcomer 10.77.0.17 || tap_bail "no guest"
class_committed 2
tap_ok "a new guest is" test "$(told)" -gt "$before"
BED_TO=10.99.2.1 class_udp 1.0 outside peer 27 100
bed_guest_gone 7
bw_stop
class_check "and the classes are as before" "${ends[@]}"

# Somebody takes our programs away: told, put back, and what crossed meanwhile is not taken for local.
class_start_over "${ends[@]}"
bw_start || tap_bail "no xenbwd"
class_committed 2
hooks_take peth0 egress || tap_bail "peth0 had no program"
BED_TO=10.99.2.1 bed_udp 1.0 outside 23 100 || tap_bail "the bed lost packets"
class_note 1.0 output unattributed $((23 * 128))
tap_ok "a program that is taken away is told and put back" bed_wait "the line" grep -q 'xenbw-tc: a program of ours was taken away from device' "$BW_LOG"
class_committed 2
BED_TO=10.99.2.1 class_udp 1.0 outside peer 24 100
class_committed 2 # what a poll finds missing costs the split of all that moved since the last one
{ hooks_take vif2.0 egress && hooks_take vif2.0 ingress; } || tap_bail "vif2.0 had no program"
class_committed 2
class_udp outside 2.0 ignored 25 100
tap_is "both devices are named" "$(grep -c 'xenbw-tc: a program of ours was taken away from device' "$BW_LOG")" 2
bw_stop
class_check "and its bytes are unattributed, not local" "${ends[@]}"

# Or while xenbwd is away; or a guest comes before the next reading looks.
class_udp 1.0 outside peer 26 100
hooks_take peth0 egress || tap_bail "peth0 had no program"
BED_TO=10.99.2.1 bed_udp 1.0 outside 27 100 || tap_bail "the bed lost packets"
bw_start || tap_bail "no xenbwd"
class_committed 2
# what crossed since the last commit is not known, also what the kernel had counted by then
class_note 1.0 output peer $((-26 * 128))
class_note 1.0 output unattributed $(((26 + 27) * 128))
class_check "a program that was away with xenbwd is missed" "${ends[@]}"
bw_stop
bw_config "${CLASS_CONF[@]}" "attribution kernel" "poll 60" "flush 60"
bw_start || tap_bail "no xenbwd"
hooks_take peth0 egress || tap_bail "peth0 had no program"
BED_TO=10.99.2.1 bed_udp 1.0 outside 28 100 || tap_bail "the bed lost packets"
class_note 1.0 output unattributed $((28 * 128))
bed_guest 8 0 another 10.77.0.18 || tap_bail "no guest"
bed_wait "the guest's program" hooks_at vif8.0 ingress || tap_bail "no program for the guest"
bed_guest_gone 8
bw_stop
bw_config "${CLASS_CONF[@]}" "attribution kernel"
class_check "and one that a guest's coming puts back" "${ends[@]}"

# Another configuration changes the classes of what comes after it.
bw_start || tap_bail "no xenbwd"
bw_config "${CLASS_CONF[@]}" "attribution kernel" "peer 10.77.0.254"
kill -HUP "$BW_PID"
bed_wait "the new settings" grep -q 'in force from now on' "$BW_LOG"
class_committed 1
BED_TO=10.77.0.254 bed_udp 1.0 outside 20 100 || tap_bail "the bed lost packets"
class_note 1.0 output peer $((20 * 128))
class_committed 2
class_check "new networks are in force after SIGHUP" "${ends[@]}"
tap_like "taking the filters away is refused while xenbwd runs" "$("$BUILD/xenbwd" --detach 2>&1)" 'another xenbw-tc'
bw_stop

# Somebody else's filter comes after ours, and sees what we see: one that drops shows it.
reaches() { bed_in 1.0 ping -q -c 2 -i 0.2 -W 1 "${BED_IP[outside]}" >/dev/null; }
tap_ok "packets go through both filters" reaches
theirs change 2 || tap_bail "no other filter"
tap_is "and meet the other one" "$(reaches; echo $?)" 1
theirs change 0
tap_is "there are our programs" "$(hooks_at peth0 egress) $(hooks_at vif2.0 ingress)" "leave enter"
[ "${HOOKED-}" != filters ] || tap_ok "as filters" bash -c 'tc filter show dev peth0 egress | grep -q "handle 0x78656e62 leave:"'
"$BUILD/xenbwd" --detach
tap_is "--detach ends well" $? 0
tap_is "after it there is no program of ours" "$(for d in peth0 vif1.0 vif2.0; do hooks_at $d egress; hooks_at $d ingress; done)" ""
tap_ok "no pins" test ! -e $PINS
tap_is "no qdisc that we made" "$(tc qdisc show dev vif1.0 | grep clsact)" ""
tap_ok "and the other's qdisc and filter are there" theirs change 0
"$BUILD/xenbwd" --detach
tap_is "once more there is nothing to do" $? 0

# Uninstalled, it leaves nothing behind either.
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "our programs are there again" "$(hooks_at peth0 egress)" leave
cd "$(dirname "$0")/../.." || tap_bail "no source"
tap_ok "make install, make uninstall" make -s BUILD="$BUILD" PREFIX="$BED/prefix" install uninstall
tap_is "and they are gone" "$(hooks_at peth0 egress)" ""
tap_ok "with the pins" test ! -e $PINS
tap_done
