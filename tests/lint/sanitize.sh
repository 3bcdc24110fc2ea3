#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# All unit tests, and days in the life of every program, under the address, leak and undefined-behaviour sanitizers: the
# scripts two at a time. Whatever a program has to say goes to a file, also of one that another started. Keeps its
# objects in BUILD/lint for the next time.
# time-limit: 1800
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"
. tests/support/pairs.sh

sanitized=$BUILD/lint/sanitize
mkdir -p "$sanitized"
echo leak:rrd_open >"$sanitized/suppressions" # librrd's own, of a file that it finds damaged
export UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=$sanitized/suppressions:print_suppressions=0 BED_TIME=200
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

# ---- whole programs ----

reports=$sanitized/reports logs=$sanitized/logs
rm -rf "$reports" "$logs"
mkdir -p "$logs" && mkdir -m 1777 "$reports" # the programs that gave up their rights write there too
echo detect_leaks=0 >"$sanitized/options-xenbw-graph" # fontconfig and librrd leave to the end of the process what they hold
export ASAN_OPTIONS=log_path=$reports/said:include_if_exists=$sanitized/options-%b
export UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/said BUILD=$sanitized

run() {
	"tests/$1.sh" "$sanitized"
}

no_reports() {
	cat "$reports"/* 2>/dev/null
	[ -z "$(ls "$reports")" ]
}

scripts=(net/auto net/tail net/compare net/quota net/quota-period net/split net/rrd net/exact net/come-and-go net/bucket-ip net/readers fault/capture xen/directory
	net/close cli/list-domains cli/report cli/web cli/top cli/explain cli/doctor cli/live cli/db cli/migrate net/migrate cli/split cli/replay cli/graph cli/graph-figures cli/xenbw-graph cli/traffic-view)
pairs_run "$logs" run "${scripts[@]}"
for test in "${scripts[@]}"; do
	tap_ok "$test" pairs_well "$logs" "$test"
done
tap_ok "no program had anything to say to its sanitizer" no_reports
tap_done
