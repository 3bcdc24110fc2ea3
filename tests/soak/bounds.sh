#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A year with 10,000 domains a day that are never seen again, kept forever and with a month retained: how large ledger and
# memory become, how long commits and reports take. Takes half an hour each, and 2 GB of /tmp and of memory. DAYS=n.
set -u
BUILD=$(realpath "${1:?a build folder}") || exit 1
failed=0
for retain in 0 1; do
	echo "# retain $retain"
	DAYS=${DAYS:-365} RETAIN=$retain CMOCKA_MESSAGE_OUTPUT=TAP "$BUILD/test_sim_bounds" || failed=1
done
exit $failed
