#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# clang-tidy with .clang-tidy finds nothing in any source of a program. What was clean is kept in BUILD/lint/tidy and
# looked at again when it, a header of it, .clang-tidy or the rule in tests/tests.mk changes.
# time-limit: 1500
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"

tap_ok "clang-tidy" make -k -s --no-print-directory -j2 BUILD="$BUILD/lint/tidy" tidy
tap_done
