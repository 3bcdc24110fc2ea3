#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# All unit tests, and two days in the life of xenbwd, under the address, leak and undefined-behaviour sanitizers.
# Keeps its objects in BUILD/lint for the next time.
# time-limit: 800
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"

export UBSAN_OPTIONS=print_stacktrace=1 BED_TIME=200
sanitized=$BUILD/lint/sanitize
tap_ok "everything builds with sanitizers" make -s --no-print-directory -j2 BUILD="$sanitized" CC=clang \
	CFLAGS="-O1 -g -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" \
	all test-programs

# clean CMD…: succeeds, and no sanitizer has said a word.
clean() {
	local out status
	out=$("$@" 2>&1)
	status=$?
	! grep -A 40 -E 'ERROR: (Address|Leak)Sanitizer|runtime error:|^not ok|^Bail out' <<<"$out" && [ "$status" -eq 0 ]
}
for unit in $(make -s --no-print-directory print-unit-tests); do
	tap_ok "unit/$unit" clean env CMOCKA_MESSAGE_OUTPUT=TAP "$sanitized/$unit"
done
for test in net/exact net/come-and-go; do
	tap_ok "$test" clean env BUILD="$sanitized" "tests/$test.sh" "$sanitized"
done
tap_done
