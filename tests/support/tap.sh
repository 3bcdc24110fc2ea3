# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# tap.sh: the points of a shell test. To be sourced. Each call prints one TAP line; a failed point is followed by
# what was expected and what was seen. tap_done prints the plan and ends the script.

TAP_POINTS=0
TAP_FAILED=0

tap_point() {
	TAP_POINTS=$((TAP_POINTS + 1))
	[ "$1" = ok ] || TAP_FAILED=$((TAP_FAILED + 1))
	echo "$1 $TAP_POINTS - $2"
}

# tap_note TEXT: a comment; several lines become several comments.
tap_note() {
	local text=$*
	echo "# ${text//$'\n'/$'\n'# }"
}

# tap_ok TEXT CMD…: passes when CMD succeeds.
tap_ok() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then
		tap_point ok "$text"
	else
		tap_point 'not ok' "$text"
		tap_note "failed: $*"
		[ -z "$out" ] || tap_note "$out"
	fi
}

# tap_is TEXT SEEN EXPECTED: passes when both are the same text.
tap_is() {
	if [ "$2" = "$3" ]; then
		tap_point ok "$1"
	else
		tap_point 'not ok' "$1"
		tap_note "expected: $3"
		tap_note "seen:     $2"
	fi
}

# tap_like TEXT SEEN PATTERN: passes when the extended regular expression matches somewhere.
tap_like() {
	if grep -qE -- "$3" <<<"$2"; then
		tap_point ok "$1"
	else
		tap_point 'not ok' "$1"
		tap_note "expected a match of: $3"
		tap_note "seen: $2"
	fi
}

# tap_skip TEXT WHY: a point that cannot be tried here.
tap_skip() {
	tap_point ok "$1 # SKIP $2"
}

# tap_bail WHY: the test cannot go on; the missing plan makes it a failure.
tap_bail() {
	echo "Bail out! $*"
	exit 1
}

tap_done() {
	echo "1..$TAP_POINTS"
	[ "$TAP_FAILED" = 0 ]
	exit
}
