#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# net/kernel with ten million packets, while xenbwd is killed and started again about every second.
set -u
BUILD=$(realpath "$1") || exit 1
export PACKETS=${PACKETS:-3400000} SECONDS_LONG=${SECONDS_LONG:-150} KILLS=${KILLS:-130} BED_TIME=900
exec "$(dirname "$0")/../net/kernel.sh" "$BUILD"
