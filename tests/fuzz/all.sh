#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each libFuzzer target for FUZZ_SECONDS (8), two at a time, from the seeds in tests/fuzz/seeds/TARGET; a finding is kept
# beside the output. What a run found new is kept in BUILD/fuzz/corpus, so that later runs go on from there. For long:
#   make fuzzers && FUZZ_SECONDS=3600 BUILD=build tests/fuzz/all.sh
# and for one of them, until it finds something (what it reads is no more than the two folders):
#   build/fuzz/fuzz_conf build/fuzz/corpus/fuzz_conf tests/fuzz/seeds/fuzz_conf
# time-limit: 300
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/pairs.sh"

seconds=${FUZZ_SECONDS:-8}
here=$(dirname "$0")
TMPDIR=$(mktemp -d /dev/shm/xenbw-fuzz.XXXXXX) || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# run TARGET
run() {
	local target=$BUILD/fuzz/$1 corpus=$BUILD/fuzz/corpus/$1 dirs
	mkdir -p "$corpus"
	dirs=("$corpus")
	[ ! -d "$here/seeds/$1" ] || dirs+=("$here/seeds/$1")
	"$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=1024 -artifact_prefix="$target-" \
		-print_final_stats=1 "${dirs[@]}"
}

# well TARGET: it ended and found nothing; prints the end of what it said.
well() {
	pairs_well "$BUILD/fuzz" "$1" >"$TMPDIR/said"
	local status=$?
	tail -n 40 "$TMPDIR/said"
	return "$status"
}

targets=()
for target in "$BUILD"/fuzz/fuzz_*; do
	[ -f "$target" ] && [ -x "$target" ] || continue
	targets+=("${target##*/}")
done
pairs_run "$BUILD/fuzz" run "${targets[@]}"
for name in "${targets[@]}"; do
	tap_ok "$name finds nothing in $seconds s" well "$name"
done
tap_done
