#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which share of the programs' lines and branches the unit tests and simulations reach, by room and in all; not below a
# floor. Whether the tests pass is not asked here. Keeps its objects in BUILD/lint for the next time.
# time-limit: 900
set -u
. "$(dirname "$0")/../support/tap.sh"
cd "$(dirname "$0")/../.." || exit 1

covered=$BUILD/lint/coverage
tap_ok "everything builds for coverage" make -s --no-print-directory -j2 BUILD="$covered" CC=gcc CFLAGS="-O0 -g --coverage" all test-programs
find "$covered" -name '*.gcda' -delete
for unit in $(make -s --no-print-directory print-unit-tests); do
	timeout 120 "$covered/$unit" >/dev/null 2>&1
done

summary=$(gcovr --root . --object-directory "$covered/obj" --filter 'src/' --filter 'xen/' --filter 'db/' --exclude-unreachable-branches \
	--gcov-ignore-parse-errors --json-summary - 2>"$covered/gcovr.log")
# "ROOM LINES BRANCHES", percent
figures=$(jq -r '
	def share: if .[1] == 0 then 100 else 1000 * .[0] / .[1] | floor / 10 end;
	def row(name): [name, ([(map(.line_covered) | add), (map(.line_total) | add)] | share),
		([(map(.branch_covered) | add), (map(.branch_total) | add)] | share)] | "\(.[0]) \(.[1]) \(.[2])";
	[.files[] | . + {room: (.filename | split("/") | if .[0] == "src" then (if length > 2 then .[1] else "mains" end) else .[0] end)}] as $files |
	($files | group_by(.room)[] | row(.[0].room)), ($files | row("all"))' <<<"$summary")
while read -r room lines branches; do
	echo "# figure: $(printf '%-8s %5s %% of lines %5s %% of branches' "$room" "$lines" "$branches")"
done <<<"$figures"

# A little below what was reached. The rest (daemon, cli, web, graph, xen), most lines of all, is reached by the tests that run whole
# programs, which are not counted here.
while read -r room floor; do
	lines=$(sed -n "s/^$room \([0-9]*\).*/\1/p" <<<"$figures")
	tap_ok "of $room at least $floor % of the lines are reached" test "${lines:-0}" -ge "$floor"
done <<-END
	account 95
	db 85
	net 90
	config 90
	ipc 85
	all 48
END
tap_done
