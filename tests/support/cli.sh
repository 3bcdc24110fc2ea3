# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# cli.sh: xenbw, a ledger for it to read, and a clock that stands still. To be sourced after tap.sh.
#
# CLI is a scratch directory, which goes away with the script. The ledger is tests/cli/ledger.sql, the time zone
# Europe/Berlin, the time 2026-11-23 12:00:10 there, and no xenstored is to be found.

: "${BUILD:=$(dirname "${BASH_SOURCE[0]}")/../../build}"
BUILD=$(realpath "$BUILD") || exit 1
CLI_TREE=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..") || exit 1
CLI=$(mktemp -d) || exit 1
trap 'rm -rf "$CLI"' EXIT
CLI_NOW=1795431610
export CLOCKSHIM=$CLI/clock
export XENSTORED_PATH=$CLI/no-xenstored LC_ALL=C.UTF-8

cat "$CLI_TREE/db/schema/ledger.sql" "$CLI_TREE/db/schema/ledger_views.sql" "$CLI_TREE/tests/cli/ledger.sql" | sqlite3 "$CLI/ledger.db" ||
	{ echo "cli.sh: cannot make the ledger" >&2; exit 1; }
printf '%s\n' "ledger $CLI/ledger.db" "timezone Europe/Berlin" "rrd_dir $CLI/rrd" "control $CLI/control" >"$CLI/conf"

# cli_clock: the clock stands at CLI_NOW. By rename, for a program that a test has running reads it at any moment.
cli_clock() { echo "$(date +%s) $CLI_NOW 0" >"$CLOCKSHIM.new" && mv "$CLOCKSHIM.new" "$CLOCKSHIM"; }

# xenbw WORD…: standard output; standard error is kept in $CLI/err.
xenbw() {
	cli_clock
	LD_PRELOAD=$BUILD/clockshim.so "$BUILD/xenbw" -c "$CLI/conf" "$@" 2>"$CLI/err"
}

# xenbw_on COLUMNS WORD…: the same on a terminal of this width.
xenbw_on() {
	local columns=$1
	shift
	cli_clock
	script -qec "stty cols $columns; LD_PRELOAD=$BUILD/clockshim.so $BUILD/xenbw -c $CLI/conf $* 2>$CLI/err" /dev/null </dev/null | tr -d '\r'
}

# cli_fails STATUS PATTERN WORD…: exits so, says so on standard error, and prints nothing.
cli_fails() {
	local status=$1 pattern=$2 out seen
	shift 2
	out=$(xenbw "$@")
	seen=$?
	if [ "$seen" != "$status" ] || [ -n "$out" ] || ! grep -qE -- "$pattern" "$CLI/err"; then
		echo "xenbw $*: status $seen; stdout: $out; stderr: $(cat "$CLI/err")"
		return 1
	fi
}

# cli_vif ID DOMAIN ADDRESS FROM TO [UUID]: a vif that was there from FROM to TO (UTC), and had a byte in its first and in
# its last slot; charged to its address, as by `bucket ip`.
cli_vif() {
	local from to
	from=$(date -ud "$4" +%s) && to=$(date -ud "$5" +%s) || return 1
	sqlite3 "$CLI/ledger.db" "INSERT OR IGNORE INTO bucket VALUES (90, 'ip');
		INSERT INTO vif (id, boot, domid, devid, uuid, domain, bucket, appeared, gone) VALUES ($1, 'x', $1, 0, NULLIF('${6-}', ''), '$2', 90, $from, $to + 300);
		INSERT OR IGNORE INTO slot SELECT 90, value, $1, '$3', 1,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM json_each('[$from, $to]')"
}
