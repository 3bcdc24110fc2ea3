#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/run itself: it counts what it should, and what goes wrong in a test does not go unnoticed. It is run on a
# small tree of tests that is made here.
set -u
. "$(dirname "$0")/../support/tap.sh"

tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/tests/net" "$tree/tests/fault" "$tree/build"
cp "$(dirname "$0")/../run" "$tree/tests/run"
echo '# none' >"$tree/tests/expected-skips"
# shellcheck disable=SC2016
printf '%s\n' '.PHONY: print-unit-tests' 'print-unit-tests:' '	@echo test_good' >"$tree/Makefile"

script() { # script NAME: a test from standard input
	cat >"$tree/tests/$1"
	chmod +x "$tree/tests/$1"
}
# run CI NAME…: the runner's output without times, its exit status at the end
run() {
	local ci=$1 out status
	shift
	out=$(CI=$ci "$tree/tests/run" "$tree/build" "$@" 2>&1 | sed 's/ *[0-9]*\.[0-9] s$//'; exit "${PIPESTATUS[0]}")
	status=$?
	echo "$out"
	echo "exit $status"
}
last_lines() { run "$@" | tail -n 2 | tr '\n' ' '; }

printf '#!/bin/sh\necho ok 1 - first\necho ok 2 - second\necho 1..2\n' >"$tree/build/test_good"
chmod +x "$tree/build/test_good"
tap_is "a good test" "$(run '' unit)" "ok    unit/test_good                  2 points
2 passed, 0 failed, 0 skipped
exit 0"
tap_is "its output is kept" "$(cat "$tree/build/test-output/unit-test_good.tap")" "ok 1 - first
ok 2 - second
1..2"

script net/bad.sh <<'END'
#!/bin/sh
echo 1..3
echo "ok 1 - fine"
echo "not ok 2 - wrong"
echo "# why it is wrong"
echo "ok 3 - fine again"
exit 1
END
tap_is "a failed point is shown with its reason" "$(run '' bad)" "FAIL  net/bad                         3 points
    1 failed
    not ok 2 - wrong
    # why it is wrong
2 passed, 1 failed, 0 skipped
exit 1"

script net/figure.sh <<'END'
#!/bin/sh
echo "# figure: 42 % of everything"
echo "# not a figure"
echo "ok 1 - one"
echo 1..1
END
tap_is "a figure is shown with the test that measured it" "$(run '' figure)" "ok    net/figure                      1 points
      42 % of everything
1 passed, 0 failed, 0 skipped
exit 0"
rm "$tree/tests/net/figure.sh"

script net/skip.sh <<'END'
#!/bin/sh
echo "ok 1 - one"
echo "ok 2 - two # SKIP no hardware"
echo 1..2
END
tap_is "a skip is counted as such" "$(last_lines '' skip)" "1 passed, 0 failed, 1 skipped exit 0 "
tap_is "where CI is set it has failed" "$(last_lines true skip)" "1 passed, 1 failed, 0 skipped exit 1 "
echo 'net/skip: two' >"$tree/tests/expected-skips"
tap_is "unless it is expected" "$(last_lines true skip)" "1 passed, 0 failed, 1 skipped exit 0 "

script net/whole.sh <<'END'
#!/bin/sh
echo "1..0 # SKIP not here"
END
tap_is "a whole test that is skipped is one skip" "$(last_lines '' whole)" "0 passed, 0 failed, 1 skipped exit 0 "

script net/exit.sh <<'END'
#!/bin/sh
echo "ok 1 - one"
echo 1..1
exit 3
END
tap_is "an exit status without a failed point is a failure" "$(last_lines '' exit)" "1 passed, 1 failed, 0 skipped exit 1 "

script net/noplan.sh <<'END'
#!/bin/sh
echo "ok 1 - one"
END
tap_is "no plan is a failure" "$(last_lines '' noplan)" "1 passed, 1 failed, 0 skipped exit 1 "

script net/short.sh <<'END'
#!/bin/sh
echo 1..2
echo "ok 1 - one"
END
tap_is "a missing point is a failure" "$(last_lines '' short)" "1 passed, 1 failed, 0 skipped exit 1 "

script fault/slow.sh <<'END'
#!/bin/sh
# time-limit: 1
echo "ok 1 - one"
echo 1..2
sleep 60
END
started=$SECONDS
tap_is "a test that does not end is killed" "$(last_lines '' fault)" "1 passed, 1 failed, 0 skipped exit 1 "
tap_ok "after its own time limit" test $((SECONDS - started)) -lt 20
tap_is "nobody is called so" "$(run '' nobody | tail -n 1)" "exit 2"
tap_is "all together, side by side" "$(last_lines '')" "9 passed, 5 failed, 2 skipped exit 1 "
tap_done
