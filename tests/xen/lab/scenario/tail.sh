# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# tail: a guest ends, or loses its card, in each way that there is (see tails.sh); its neighbour goes on.

RANDOM=$SEED
TAIL_WAYS=(destroy detach poweroff unbind crash)
# shellcheck disable=SC2034 # for lab_config
LAB_CRASH=destroy
bw_start || tap_bail "no xenbwd"
lab_guest db pvh 10.77.0.12 && lab_guest web pvh 10.77.0.11 || tap_bail "no guests"
for way in "${TAIL_WAYS[@]}"; do tails $((${ROUNDS:?} / ${#TAIL_WAYS[@]})) "$way"; done
lab_settled db
class_check "the neighbour, all the while" "$(lab_end db)"
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
