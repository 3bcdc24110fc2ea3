#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/soak/faults.sh BUILD: the fault campaign for SOAK_SECONDS (an hour), all faults again and again, the larger of
# them in full size, and 500 KILLs among them; then 500 KILLs of each process. Prints TAP and the tables; SEED=N repeats
# it. Exit status 0: not a byte differs.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath "${1:?tests/soak/faults.sh BUILD}") || exit 1
export BUILD SEED="${SEED:-$RANDOM}"
SOAK_SECONDS=${SOAK_SECONDS:-3600}

failed=0
# Two thousand vifs come and go, by 500; the server is silent for half a minute. RRD files of 500 buckets are some minutes'
# work for a busy machine.
BED_TIME=$((SOAK_SECONDS + 3600)) ROUND_PATIENCE=600 SOAK=$SOAK_SECONDS MANY=500 MANY_TIMES=4 MYSQL_SLOW=30 STORM=200 tests/fault/faults.sh || failed=1
BED_TIME=7200 KILLS="${KILLS:-500}" tests/fault/campaign.sh || failed=1
exit $failed
