#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw doctor` with a ledger made by hand: what is damaged there, and who may read what, is named; what cannot be looked
# at is said, and no error. tests/net/doctor.sh has what needs guests and servers.
# shellcheck disable=SC2016,SC2218 # the backquotes are those of messages; xenbw is first the one of cli.sh
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

make_ledger() { # as it was
	rm -f "$CLI/ledger.db"*
	cat "$CLI_TREE/db/schema/ledger.sql" "$CLI_TREE/db/schema/ledger_views.sql" "$CLI_TREE/tests/cli/life.sql" | sqlite3 "$CLI/ledger.db" &&
		chmod 640 "$CLI/ledger.db" || tap_bail "no ledger"
}
make_ledger
echo "user daemon" >>"$CLI/conf"
sed -i "s,^rrd_dir .*,rrd_dir none," "$CLI/conf"
cp "$CLI/conf" "$CLI/plain"
# says CHECK: "result found", of each line of a check.
says() { xenbw doctor --json | jq -r --arg check "$1" '.checks[] | select(.check == $check) | "\(.result) \(.found)"'; }
# finds "text" CHECK PATTERN: one point.
finds() { tap_like "$1" "$(says "$2")" "$3"; }
harm() { sqlite3 "$CLI/ledger.db" "$1"; } # harm SQL

tap_is "a ledger that is as it should be" "$(for check in database epochs identity rows gaps events; do says $check; done)" \
	'ok SQLite finds nothing wrong
ok 3 epochs: what is booked is what their counters grew by
ok 2 vifs: external + peer + direct + local + ignored + unattributed is the total
ok 5 slots and takes: none is impossible
ok xenbwd was neither killed nor away in the last day
ok none in the last day'
finds "who looks at the present finds no xenbwd" xenbwd '^error it does not run: nobody listens on .*/control$'
finds "and what only it knows is not checked" drops '^unchecked xenbwd does not answer$'
finds "commits are recent" commits '^ok the last one was 5 s ago$'
finds "without xenstored there are no vifs to look at" vifs '^unchecked cannot connect to xenstored'
finds "the helpers are of this version" programs '^ok xenbw and its 7 helpers are version'
xenbw doctor >"$CLI/out"
tap_is "an error is exit status 2" $? 2
tap_is "people see a line for each" "$(grep -cE '^(ok|not checked|warning|error) +[A-Za-z]' "$CLI/out")" "$(xenbw doctor --json | jq '.checks | length')"
tap_is "and a line of sums, as JSON has them" "$(tail -n 1 "$CLI/out")" \
	"$(xenbw doctor --json | jq -r '"ok \(.ok), not checked \(.unchecked), warnings \(.warning), errors \(.error)"')"
tap_is "no line is wider than the terminal" "$(xenbw_on 80 doctor | awk 'length > 80')" ""
tap_is "JSON has the status, too" "$(xenbw doctor --json | jq -c '[.command, .status]')" '["doctor",2]'
tap_like "CSV has a row for each" "$(xenbw doctor --csv | tr -d '\r')" '^ok,ledger,identity,'

harm "UPDATE slot SET local_input = local_input + 1 WHERE local_input = 480"
finds "a byte more in a slot" identity '^error 1 of 2 vifs: vif 1 \(web\): classes 2401, counters 2400 bytes of input$'
make_ledger
harm "DELETE FROM take"
finds "a take that is lost" identity '^error 1 of 2 vifs: vif 2 \(web\): classes 0, counters 90 bytes of output$'
make_ledger
harm "UPDATE epoch SET last_rx_bytes = 91 WHERE id = 3"
finds "counters that were not booked" epochs '^error 1 of 3 epochs: epoch 3 counted 91 bytes of output, and has booked 90$'
make_ledger
harm "UPDATE slot SET slot = slot + 1 WHERE slot = 1793487600"
finds "a slot that is none" rows '^error 1 of 5 slots and takes: in table slot$'
make_ledger
harm "UPDATE slot SET external_input = -1 WHERE external_input = 1000"
finds "bytes below 0" rows '^error 1 of 5 slots and takes: in table slot$'
make_ledger
harm "DELETE FROM vif WHERE id = 2"
finds "bytes of nobody" rows '^error .*: a row of (take|epoch) has none of vif$'
make_ledger
dd if=/dev/urandom of="$CLI/ledger.db" bs=4096 seek=5 count=3 conv=notrunc 2>"$CLI/dd" || tap_bail "dd"
tap_like "a damaged file" "$(xenbw doctor | grep -E '^error +(ledger|database|identity|epochs)' | head -n 1)" 'damaged|malformed|cannot'
make_ledger
harm "UPDATE run SET seen = $((CLI_NOW - 900)) WHERE id = 3"
finds "an xenbwd that has stopped to commit" commits '^error the last one was at 2026-11-23 11:45:10 CET: nothing is booked since$'
harm "UPDATE run SET seen = $((CLI_NOW + 900)) WHERE id = 3"
finds "a clock that was stepped back" clock '^error the ledger.s last commit is 900 s ahead of it'
harm "UPDATE run SET seen = $((CLI_NOW - 5000)), ended = NULL WHERE id = 3;
	INSERT INTO run VALUES (4, 'c', $((CLI_NOW - 4000)), $((CLI_NOW - 5)), NULL)"
finds "a kill and a gap" gaps '^warning xenbwd was killed or away 1 times in a day, for 1000 s; last from 2026-11-23 10:36:50 CET to 2026-11-23 10:53:30 CET$'
harm "INSERT INTO event VALUES (9, $((CLI_NOW - 60)), 'spoofed', 'vif1.0', 'x')"
finds "an event" events '^warning in the last day: 1 spoofed$'
harm "UPDATE take SET clipped_output = 50"
finds "more seen than counted" "seen and counted" '^warning in the last day 50 B more were seen on an uplink than the counters have'
make_ledger
harm "UPDATE take SET unattributed_output = 90, external_output = 0"
finds "bytes that nobody saw" "seen and counted" '^warning 90 B of the last day.s bytes were seen by nobody'
rm -f "$CLI/ledger.db"*
finds "no ledger" ledger '^error .*/ledger.db is not there$'
finds "so nothing can be said of it" identity '^unchecked there is no ledger$'
echo "no SQLite" >"$CLI/ledger.db"
finds "another file in its place" ledger '^error '
make_ledger

chmod 666 "$CLI/ledger.db"
finds "a ledger that others may write" "ledger's mode" '^error .* has mode 666: others may write it$'
chmod 644 "$CLI/ledger.db"
finds "a ledger that everybody may read" "ledger's mode" '^warning .* has mode 644: everybody may read it$'
chmod 640 "$CLI/ledger.db"
finds "a ledger as it should be" "ledger's mode" '^ok .* has mode 640$'
printf '%s\n' "user nosuch" >>"$CLI/conf"
finds "a user that is missing" user '^error there is no user nosuch'
mkdir "$CLI/rrd" && chmod 755 "$CLI/rrd" && { cat "$CLI/plain"; echo "rrd_dir $CLI/rrd"; } >"$CLI/conf"
finds "a folder that the writer may not write in" "RRD folder" '^error the user daemon may not write in'
chgrp daemon "$CLI/rrd" && chmod 775 "$CLI/rrd"
finds "and may" "RRD folder" '^ok the user daemon may write in'
{ cat "$CLI/plain"; printf '%s\n' "database mysql" "mysql_user x" "mysql_host $CLI/nobody" "mysql_password_file $CLI/password"; } >"$CLI/conf"
echo secret >"$CLI/password" && chmod 622 "$CLI/password"
finds "a password that others may write" "password's mode" '^error '
finds "a server that is away" MySQL '^error cannot connect'
echo "wrong words" >"$CLI/conf"
finds "a configuration with an error" configuration '^error .*conf:1: '
cp "$CLI/plain" "$CLI/conf"

# A helper that is missing, and one of another version.
mkdir "$CLI/bin" && cp "$BUILD"/xenbw* "$BUILD/clockshim.so" "$CLI/bin/" && chmod -R a+rX "$CLI" || tap_bail "no copy"
BUILD=$CLI/bin
printf '#!/bin/sh\necho xenbw-tc 0.0\n' >"$CLI/bin/xenbw-tc"
rm "$CLI/bin/xenbw-rrd"
finds "helpers" programs 'error xenbw-rrd does not start'
finds "of another version" programs 'error xenbw-tc is of another version than this xenbw'

# As the user nobody: what may not be looked at is no error.
chmod 600 "$CLI/ledger.db"
xenbw() {
	echo "$(date +%s) $CLI_NOW 0" >"$CLOCKSHIM"
	setpriv --reuid nobody --regid nogroup --clear-groups env LD_PRELOAD="$BUILD/clockshim.so" "$BUILD/xenbw" -c "$CLI/conf" "$@" 2>"$CLI/err"
}
finds "a closed ledger is not checked" ledger '^unchecked cannot read the ledger .*: the user nobody may not read it; run xenbw as root$'
finds "nor is what is in it" identity '^unchecked the ledger cannot be read$'
chmod 600 "$CLI/conf"
finds "a closed configuration is not checked" configuration '^unchecked cannot read .*Permission denied'
tap_ok "no operand" cli_fails 2 'doctor' doctor now
tap_done
