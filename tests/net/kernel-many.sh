#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# attribution kernel with so many vifs that putting programs at all of them takes longer than xenbwd waits for an answer.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/classes.sh"
. "$(dirname "$0")/../support/many.sh"

MANY=${MANY:-150} MORE=${MORE:-25} # fewer than 200
splits_by() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json 2>/dev/null | jq -r .split)" = "$1" ]; }
booked() { # booked END CLASSES…: "input output" of these classes
	local end=$1 class in='' out=''
	shift
	for class in "$@"; do in+="${in:+ + }${class}_input" out+="${out:+ + }${class}_output"; done
	bw_sql "SELECT sum($in) || ' ' || sum($out) FROM usage JOIN vif ON vif.id = usage.vif WHERE $(class_where "$end")"
}
both_at() { [ "$(hooks_at "$1" ingress) $(hooks_at "$1" egress)" = "enter deliver" ]; }
traffic() { # traffic SIZE
	class_udp 201.0 outside peer 10 "$1"
	class_udp outside 201.0 ignored 20 "$1"
	class_udp 201.0 202.0 - 30 "$1"
}

mount -t bpf bpf /sys/fs/bpf && bed_up && many_namespace || tap_bail "no bed"
many_nodes 1 "$MANY" && many_vifs 1 "$MANY" || tap_bail "no vifs"
bw_config "${CLASS_CONF[@]}" "attribution kernel"
bed_guest 201 0 web 10.77.0.11 && bed_guest 202 0 db 10.77.0.12 && class_outside || tap_bail "no guests"
bw_start || tap_bail "no xenbwd"
traffic 100
for _ in 1 2 3 4; do bed_wait "the programs" both_at "vif$MANY.0" 2>/dev/null && break; done
splits() { splits_by kernel; }
bed_wait "an answer with classes" splits
# a machine may be quick enough that there is nothing to tell
tap_is "that it takes a while was told, and that it is over" "$(grep -c 'xenbw-tc: putting programs at [0-9]* devices takes a while;' "$BW_LOG")" \
	"$(grep -c 'xenbw-tc: all programs are there$' "$BW_LOG")"
tap_ok "the last of $((MANY + 2)) vifs has its programs" both_at "vif$MANY.0"
tap_is "xenbw-tc was not taken for one that hangs" "$(grep -c 'does not answer\|has ended' "$BW_LOG")" 0
class_committed 4 # some readings more, until it is sure of all
# by then the programs may have been there, or not
local_sent=$((30 * 128))
read -r in out < <(booked 201.0 local)
tap_ok "what went outside before that is not taken for local" test "$in" -eq 0 -a "$out" -le $local_sent
tap_is "and no byte is missing" "$(booked 201.0 "${CLASS_ALL[@]}")" "$((20 * 128)) $((10 * 128 + local_sent))"
class_start_over 201.0 202.0
traffic 200
class_committed 2
class_check "then each class is told" 201.0 202.0
bed_guest 203 0 late 10.77.0.13 && class_outside || tap_bail "no guest"
tap_ok "one that comes later has its programs" bed_wait "them" both_at vif203.0
traffic 300
bw_stop
class_check "and the others are looked at all the time" 201.0 202.0

# More come while xenbwd is away than have their programs at once: of the others, and of that time, nothing is lost.
many_nodes $((MANY + 1)) "$MORE" && many_vifs $((MANY + 1)) "$MORE" || tap_bail "no more vifs"
traffic 350
bw_start || tap_bail "no xenbwd"
bed_wait "the programs" both_at "vif$((MANY + MORE)).0" || tap_bail "no programs at the new vifs"
class_committed 4
class_check "what crossed while xenbwd was away is told in spite of $MORE new vifs" 201.0 202.0
bw_config "${CLASS_CONF[@]}" "attribution pcap"
kill -HUP "$BW_PID"
bed_wait "xenbw-capture" splits_by pcap || tap_bail "no xenbw-capture"
class_committed 2
traffic 400
for _ in 1 2 3; do bed_wait "their end" test ! -e /sys/fs/bpf/xenbw 2>/dev/null && break; done
tap_ok "taking away as many programs holds nobody up" test ! -e /sys/fs/bpf/xenbw
bw_stop
class_check "and each class is told" 201.0 202.0
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""
tap_done
