# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# tail: a guest that sends to the outside and to its neighbour, and has just got some bytes, ends or loses its card at
# a random instant between two polls. netback throws its counters away then. Truth is what arrived: at the uplink, and
# at the neighbour. With `attribution kernel` every byte is booked; with pcap every external one, and how many bytes the
# counters alone left out is told, in milliseconds of what the guest sent.

RANDOM=$SEED
TAIL_WAYS=(destroy detach poweroff unbind crash)
# shellcheck disable=SC2034 # for lab_config
LAB_CRASH=destroy
TAIL_EACH=$((${ROUNDS:?} / ${#TAIL_WAYS[@]}))
bw_start || tap_bail "no xenbwd"
lab_guest db pvh 10.77.0.12 && lab_guest web pvh 10.77.0.11 || tap_bail "no guests"

is_gone() { ! test -e "/sys/class/net/vif${LAB_DOMID[web]}.0"; }
has_ended() { is_gone && ! "$BUILD/xenbw-xl" | grep -q "^${LAB_DOMID[web]}	"; } # and its memory is free
card_up() { lab_do web 'ip addr add 10.77.0.11/24 dev eth0; ip link set dev eth0 arp off; ip link set dev eth0 up'; }

tail_end() { # tail_end WAY: what happens to it
	case $1 in
	destroy) xl destroy web || is_gone ;; # its own xl may have been quicker
	poweroff) lab_tell web 'poweroff -f' ;;
	crash) lab_tell web 'echo c >/proc/sysrq-trigger' ;;
	detach) xl network-detach web 0 ;;
	unbind) lab_do web 'echo vif-0 >/sys/bus/xen/drivers/vif/unbind' ;;
	esac
}

tail_is_over() { # tail_is_over WAY
	case $1 in
	unbind) grep -qx 0 "/sys/class/net/vif${LAB_DOMID[web]}.0/carrier" ;;
	detach) is_gone ;;
	*) has_ended ;;
	esac
}

tail_again() { # tail_again WAY: it has a card again
	case $1 in
	unbind) lab_do web 'killall -q bwframe; echo vif-0 >/sys/bus/xen/drivers/vif/bind; until [ -e /sys/class/net/eth0 ]; do usleep 20000; done' && card_up && lab_known web ;;
	detach) lab_do web 'killall -q bwframe; true' && xl network-attach web "mac=${LAB_MAC[web]}" bridge=xenbr0 ip=10.77.0.11 &&
		card_up && lab_known web ;;
	*) lab_guest web pvh 10.77.0.11 ;;
	esac
}

# Bytes that were sent to the neighbour and are not booked as the guest's.
tail_missing() {
	local booked
	booked=$(class_booked "$1")
	booked=${booked##*local:}
	booked=${booked%% *}
	echo $((${CLASS_SENT[$1,output,local]} - ${booked#*/}))
}
tail_booked() { # tail_booked END: all that must be; the local rest only where the kernel tells
	[ "$(class_booked "$1")" = "$(class_sent "$1")" ] || { [ "$ATTRIBUTION" = pcap ] && [ "$(class_booked "$1" | external_only)" = "$(class_sent "$1" | external_only)" ]; }
}
external_only() { sed 's/ local:.*//'; }

tail_round() { # tail_round WAY
	local end outside neighbour missing
	end=$(lab_end web)
	outside=$(lab_arrived outside) neighbour=$(lab_arrived db)
	lab_stream web outside && lab_stream web db || tap_bail "nothing is sent"
	lab_nap 1500
	lab_frames outside web external 20 300 || tap_bail "nothing was sent to the guest"
	lab_nap 700
	tail_end "$1" && bed_wait "the end by $1" tail_is_over "$1" || tap_bail "$1 did not work"
	class_note "$end" output external $(($(lab_arrived outside) - outside))
	neighbour=$(($(lab_arrived db) - neighbour))
	class_note "$end" output local $neighbour
	class_note "$(lab_end db)" input local $neighbour
	class_committed 2
	bed_wait "the bytes of $end" tail_booked "$end" || { tap_note "$1 of $end: sent $(class_sent "$end"), booked $(class_booked "$end")"; bad=1; return; }
	missing=$(($(tail_missing "$end") - ${told[$end]-0}))
	told[$end]=$((${told[$end]-0} + missing))
	lost=$((lost + missing))
	# The rate is known by the frames' distance: 428 bytes each 3 ms at most.
	[ $((missing * 3 / 428)) -le "$most" ] || most=$((missing * 3 / 428))
	rounds=$((rounds + 1)) bytes=$((bytes + neighbour))
}

declare -A told=() # what was missing, by end, in earlier rounds
for way in "${TAIL_WAYS[@]}"; do
	bad=0 rounds=0 lost=0 most=0 bytes=0
	for ((i = 0; i < TAIL_EACH; i++)); do
		tail_round "$way"
		tail_again "$way" || tap_bail "no guest after $way"
	done
	tap_is "$way at $TAIL_EACH random instants: what arrived outside is booked to the byte" "$bad" 0
	[ "$ATTRIBUTION" = pcap ] || tap_is "$way: so is all the rest" "$lost" 0
	tap_note "figure: $way: of $bytes bytes to the neighbour, $lost were not booked, at most $most ms in one of $rounds"
done
lab_settled db
class_check "the neighbour, all the while" "$(lab_end db)"
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
