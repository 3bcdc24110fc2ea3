#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# net/kernel where the kernel has no TCX (before Linux 6.6, as Debian 12's own): our programs are filters of tc.
# time-limit: 150
set -u
BUILD=$(realpath "$1") || exit 1
export BW_PRELOAD=$BUILD/notcx.so KILLS=${KILLS:-4} HOOKED=filters
exec "$(dirname "$0")/kernel.sh" "$BUILD"
