#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What xenbwd's loop does again and again grows with a host as the host does, not with its square: instructions that
# callgrind counts, which no busy computer changes, on a host and on one that is four times as large.
# time-limit: 240
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"

FACTOR=4
MOST=8 # times the work: sorting and what the C library does are more than FACTOR, each with each is 16

# Before a part: what it needs beside loop_work.
BRIDGES=0
prepare_uplinks() { # so many bridges, each with a port that leads out, and one without
	{
		[ "$BRIDGES" -gt 0 ] || echo "link add inner type bridge"
		while [ "$BRIDGES" -lt "$1" ]; do
			BRIDGES=$((BRIDGES + 1))
			echo "link add br$BRIDGES type bridge"
			echo "link add peth$BRIDGES type veth peer name far$BRIDGES"
			echo "link set dev peth$BRIDGES master br$BRIDGES"
		done
	} >"$BED/batch"
	ip -batch "$BED/batch"
}
prepare_nat() { # connections of every other vif, which this host translates
	local i
	for ((i = 0; i < $1; i += 2)); do
		echo "src=10.0.$((i / 256)).$((i % 256)) dst=192.0.2.7 src=192.0.2.7 dst=198.51.100.1"
	done >"$BED/connections"
}
prepare_follow() { :; }

said() { # said PART SIZE: what loop_work says when it has done its work
	case $1 in
	follow) echo "$2 vifs with two addresses" ;;
	uplinks) echo "$2 uplinks, $((2 * $2)) records, $((2 * $2)) devices" ;;
	nat) echo "$(($2 / 2)) told, $(($2 / 2)) translated" ;;
	esac
}

# work PART SIZE: the instructions of its function, and what it says.
work() {
	local said
	said=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect="work_$1" \
		"$BUILD/loop_work" "$1" "$2" "$BED/connections" 2>"$BED/valgrind") || { cat "$BED/valgrind" >&2; return 1; }
	echo "$(sed -n 's/^==[0-9]*== Collected : *//p' "$BED/valgrind") $said"
}

grows() { # grows PART SIZE
	local part=$1 n answer
	local -a counted=()
	for n in "$2" $(($2 * FACTOR)); do
		"prepare_$part" "$n" || tap_bail "cannot prepare $part"
		answer=$(work "$part" "$n") || tap_bail "$part does not run under callgrind"
		tap_is "$part, $n: it is done" "${answer#* }" "$(said "$part" "$n")"
		counted+=("${answer%% *}")
	done
	tap_note "figure: $part: $((counted[0] / 1000)) thousand instructions for $2, $((counted[1] / 1000)) for $n"
	tap_ok "$part: the work grows as the host" test $((counted[0])) -gt 0 -a $((counted[1])) -le $((counted[0] * MOST))
}

if grep -q __asan_init "$BUILD/loop_work"; then
	tap_skip "the loop's work" "it was built with a sanitizer"
	tap_done
fi
grows follow 250
grows uplinks 60
grows nat 500
tap_done
