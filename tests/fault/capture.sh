#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbw-capture is killed, stopped, loses its uplink and its guard: no total changes, what nobody saw is unattributed, and
# it is seen again as soon as somebody looks again.
# time-limit: 180
set -u
BED_TIME=170
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"

looks() { # looks OLD: another worker than OLD is at work
	local now
	now=$(bw_worker) && [ "$now" != "$1" ] && says pcap
}
says() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json 2>/dev/null | jq -r .split)" = "$1" ]; }
# seen_again: somebody looks, and has done so for a whole poll.
seen_again() { bed_wait "the split" says pcap && class_committed 2; }
# replaced OLD: within half a minute, for the waits between two starts grow
replaced() { bed_wait "another worker" looks "$1" 2>/dev/null || bed_wait "another worker" looks "$1" 2>/dev/null || bed_wait "another worker" looks "$1"; }
totals() { echo "$(bw_booked_vif 1 0) $(bw_booked_vif 2 0)"; }
of() { bw_sql "SELECT coalesce(sum($2), 0) FROM usage JOIN vif ON vif.id = usage.vif WHERE $(class_where "$1")"; }

bed_up || tap_bail "no bed"
bw_config "${CLASS_CONF[@]}"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && class_outside || tap_bail "no guests"
seen_again || tap_bail "nobody looks"

# Killed while bytes flow: a new one each time.
class_udp 1.0 outside external 6000 500 12 &
first=$!
class_udp outside 2.0 peer 6000 300 12 &
second=$!
for _ in 1 2 3; do
	sleep 0.$((RANDOM % 10))
	old=$(bw_worker) && kill -KILL "$old" || tap_bail "no worker"
	bed_wait "another worker" looks "$old" || tap_bail "no other worker"
done
wait "$first" && wait "$second" || tap_bail "the bed lost packets"
class_committed 2
tap_is "three kills: not a byte more or less in all" "$(totals)" "0 $((6000 * 528)) $((6000 * 328)) 0"
tap_is "what was not seen is unattributed, the rest external or peer" \
	"$(($(of 1.0 "external_output + unattributed_output"))) $(($(of 2.0 "peer_input + unattributed_input")))" "$((6000 * 528)) $((6000 * 328))"
tap_ok "some was seen, some was not" test "$(of 1.0 external_output)" -gt 0 -a "$(of 1.0 unattributed_output)" -gt 0
tap_is "the guard says how each ended" "$(grep -c 'xenbw-capture was ended by signal 9' "$BW_LOG")" 3

# One that is held up for a second or so by a busy host costs nothing: each class to the byte.
class_start_over 1.0 2.0
old=$(bw_worker)
for _ in 1 2; do
	kill -STOP "$old"
	class_udp 1.0 outside external 70 500
	class_udp outside 2.0 peer 60 300
	class_udp 2.0 1.0 - 80 400
	sleep 0.8 # long enough for a poll to go without its answer, and shorter than the patience
	kill -CONT "$old"
	seen_again || tap_bail "nobody looks"
done
class_check "a worker that is late loses nothing" 1.0 2.0

# One that hangs holds nothing up, and is used again when it goes on. What it tells then was booked already.
old=$(bw_worker)
kill -STOP "$old"
started=${EPOCHREALTIME/./}
class_udp 1.0 outside external 100 500
class_udp 2.0 1.0 - 100 400
class_committed 3
took=$(((${EPOCHREALTIME/./} - started) / 1000))
tap_ok "a worker that is stopped holds up no commit (four took $took ms)" test $took -lt 8000
tap_is "the totals go on" "$(totals)" "111280 $((6240 * 528)) $((6120 * 328)) 111280"
tap_ok "xenbw says that nobody looks" says failing
tap_ok "and the log does" grep -q 'has not answered in time' "$BW_LOG"
kill -CONT "$old"
tap_ok "when it goes on it is used again" seen_again
tap_is "it is the same" "$(bw_worker)" "$old"
tap_is "what it saw meanwhile is nothing that others sent" "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'spoofed'")" 0
tap_is "and nothing too much" "$(of 1.0 clipped_output)" 0
class_start_over 1.0 2.0
class_udp 1.0 outside external 110 500
class_udp 2.0 1.0 - 120 400
class_committed 2
class_check "and all is seen" 1.0 2.0
kill -STOP "$old"
tap_ok "one that hangs for long is replaced" replaced "$old"

# The uplink goes, and another one takes its place.
ip link del peth0
tap_ok "xenbwd says that there is no uplink" bed_wait "the line" grep -q 'no uplink is found' "$BW_LOG"
class_start_over 1.0 2.0
class_udp 2.0 1.0 - 130 400
CLASS_SENT[2.0,output,local]=$((CLASS_SENT[2.0,output,local] - 130 * 428)) CLASS_SENT[1.0,input,local]=$((CLASS_SENT[1.0,input,local] - 130 * 428))
class_note 2.0 output unattributed $((130 * 428))
class_note 1.0 input unattributed $((130 * 428))
class_committed 2
class_check "without an uplink all is unattributed" 1.0 2.0
ip link add peth0 type veth peer name eth0 netns outside && bed_port peth0 00:16:3e:00:00:fe &&
	ip -n outside link set dev eth0 address 00:16:3e:00:00:fe && ip -n outside addr add 10.77.0.254/24 dev eth0 &&
	ip -n outside link set dev eth0 up || tap_bail "no uplink"
for end in 1.0 2.0; do
	bed_in outside ip neigh replace "${BED_IP[$end]}" lladdr "${BED_MAC[$end]}" nud permanent dev eth0 || tap_bail "no neighbour"
done
tap_ok "a new one is found" seen_again
class_start_over 1.0 2.0
class_udp 1.0 outside external 140 500
class_udp 2.0 1.0 - 150 400
class_committed 2
class_check "and all is seen" 1.0 2.0

# One that hangs does not outlive the wish to have it.
old=$(bw_worker)
kill -STOP "$old"
bw_config "${CLASS_CONF[@]}" "attribution off"
kill -HUP "$BW_PID"
tap_ok "attribution off: one that hangs is ended" bed_wait "its end" bash -c "! kill -0 $old"
bw_config "${CLASS_CONF[@]}"
kill -HUP "$BW_PID"
bed_wait "another worker" looks "$old" && seen_again || tap_bail "nobody looks"

# Without its guard nothing is started any more; counting goes on.
old=$(bw_worker)
kill -KILL "$(bw_guard)"
tap_ok "xenbwd says what is so until when" bed_wait "the line" \
	grep -q 'xenbw-guard was ended by signal 9; bytes are unattributed, and RRD files and MySQL wait, until xenbwd is restarted' "$BW_LOG"
tap_ok "the worker ends, too" bed_wait "its end" bash -c "! kill -0 $old"
class_udp 1.0 outside external 160 500
before=$(of 1.0 "$BW_OUTPUT")
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "the totals go on to the end" "$(of 1.0 "$BW_OUTPUT")" "$((before > 0 ? (6000 + 140 + 100 + 110 + 140 + 160) * 528 : 0))"
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""
tap_is "no process is left" "$(pgrep -f xenbw-capture)" ""
tap_done
