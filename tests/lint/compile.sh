#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gcc and clang build everything without a warning. Keeps its objects in BUILD/lint for the next time.
# time-limit: 600
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"

for cc in gcc clang; do
	tap_ok "$cc builds every program with -Werror" \
		make -s --no-print-directory BUILD="$BUILD/lint/$cc" CC="$cc" CFLAGS="-O2 -g -Werror" all test-programs
done
tap_done
