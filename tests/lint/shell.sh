#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every script passes shellcheck, and bash's own reading of it.
# time-limit: 600
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"

mapfile -t scripts < <(tree_scripts)
tap_ok "there are scripts to look at" test ${#scripts[@]} -gt 5
for script in "${scripts[@]}"; do
	tap_ok "$script" shellcheck -x "$script"
done
tap_done
