#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gcc's analyzer finds nothing in any source of a program. What was clean is kept in BUILD/lint/analyze and looked at
# again when it, a header of it or the rule in tests/tests.mk changes.
# time-limit: 600
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"

tap_ok "gcc -fanalyzer" make -k -s --no-print-directory -j2 BUILD="$BUILD/lint/analyze" analyzer
tap_done
