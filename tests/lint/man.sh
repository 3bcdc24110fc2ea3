#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages are clean mdoc.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"

mapfile -t pages < <(tree_files 'man/*')
tap_ok "there are manual pages" test ${#pages[@]} -gt 0
for page in "${pages[@]}"; do
	tap_is "$page" "$(mandoc -T lint -W warning "$page" 2>&1)" ""
done
tap_done
