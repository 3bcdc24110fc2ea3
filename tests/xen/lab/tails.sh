# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# tails.sh: the guest web sends to the outside and to its neighbour db, has just got some bytes, and ends or loses its
# card at a random instant between two polls. To be sourced after lab.sh.
#
#   tails 20 destroy [hvm " of an HVM"]   that, 20 times, a web of this type being back before each; one or two points,
#                        with these words in them; what the counters alone left out as a figure, in milliseconds of what
#                        the guest sent
#   tail_back hvm        web is back after the last of them
#
# netback throws its counters away then. Truth is what arrived: at the uplink, and at the neighbour. With `attribution
# kernel` every byte must be booked; with pcap every external one. RANDOM draws the instants.

declare -A told=() # what was missing, by end, in earlier rounds
tail_lost=         # the way in which web's card went, as long as it is not back

is_gone() { ! test -e "/sys/class/net/vif${LAB_DOMID[web]}.0"; }
has_ended() { is_gone && ! "$BUILD/xenbw-xl" | grep -q "^${LAB_DOMID[web]}	"; } # and its memory is free

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

tail_again() { # tail_again WAY TYPE: it has a card again
	case $1 in
	unbind) lab_do web 'killall -q bwframe; echo vif-0 >/sys/bus/xen/drivers/vif/bind; until [ -e /sys/class/net/eth0 ]; do usleep 20000; done' && lab_card_up web && lab_known web ;;
	detach) lab_do web 'killall -q bwframe; true' && xl network-attach web "mac=${LAB_MAC[web]}" bridge=xenbr0 ip=10.77.0.11 &&
		lab_card_up web && lab_known web ;;
	*) lab_guest web "$2" 10.77.0.11 ;;
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

tail_back() { # tail_back TYPE
	[ -z "$tail_lost" ] || tail_again "$tail_lost" "$1" || tap_bail "no guest after $tail_lost"
	tail_lost=
}

tails() { # tails COUNT WAY [TYPE TEXT]
	local bad=0 rounds=0 lost=0 most=0 bytes=0 way=$2 i text=$2${4-}
	for ((i = 0; i < $1; i++)); do
		tail_back "${3:-pvh}"
		tail_round "$way"
		tail_lost=$way
	done
	tap_is "$text at $1 random instants: what arrived outside is booked to the byte" "$bad" 0
	[ "$ATTRIBUTION" = pcap ] || tap_is "$text: so is all the rest" "$lost" 0
	tap_note "figure: $text: of $bytes bytes to the neighbour, $lost were not booked, at most $most ms in one of $rounds"
}
