#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each libFuzzer target for FUZZ_SECONDS (10), from the seeds in tests/fuzz/seeds/TARGET; a finding is kept beside the
# output. What a run found new is kept in BUILD/fuzz/corpus, so that later runs go on from there.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"

seconds=${FUZZ_SECONDS:-10}
for target in "$BUILD"/fuzz/fuzz_*; do
	[ -f "$target" ] && [ -x "$target" ] || continue
	name=${target##*/}
	corpus=$BUILD/fuzz/corpus/$name
	seeds=$(dirname "$0")/seeds/$name
	mkdir -p "$corpus"
	dirs=("$corpus")
	[ ! -d "$seeds" ] || dirs+=("$seeds")
	tap_ok "$name finds nothing in $seconds s" "$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 \
		-artifact_prefix="$BUILD/fuzz/$name-" -print_final_stats=1 "${dirs[@]}"
done
tap_done
