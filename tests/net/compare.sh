#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw migrate --compare`: xenbwd beside one that counts the same real packets as nacctd does, into a table of
# netacct's in a real MariaDB. The wall clock is moved from hour to hour; each hour differs for one reason, and each byte
# of difference is told by its cause.
# time-limit: 110
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/old_tables.sh"
. "$(dirname "$0")/../support/nacctd_peer.sh"
export TZ=UTC

START=$((CLOCK_FIRST / 3600 * 3600)) # hour 0
WEB=10.77.0.11 DB=10.77.0.12 TAGGED=10.77.0.14
at() { clock_set $((START + $1 * 3600 + $2)); } # at HOUR SECOND
hour() { date -u -d "@$((START + $1 * 3600))" "+${2-%F %H:00:00}"; }
bytes() { echo $(($1 * 528)); } # datagrams of 500 bytes
send() { bed_udp "$1" "$2" "$3" 500 || tap_bail "the bed lost packets"; }
table() { mariadb_sql "SELECT IFNULL(SUM($3), 0) FROM $1 WHERE ip = '$2' AND time = '$4'" old; }
# written COUNTER ADDRESS HOUR BYTES: until xenbw has them in its table.
written() {
	local i
	for ((i = 0; i < 150; i++)); do
		[ "$(table xenbw_traffic "$2" "$1" "$(hour "$3")")" != "$4" ] || return 0
		sleep 0.1
	done
	tap_bail "hour $3, $1 of $2 is $(table xenbw_traffic "$2" "$1" "$(hour "$3")"), not $4"
}
compare() { LD_PRELOAD=$BUILD/clockshim.so "$BUILD/xenbw" -c "$BW_CONF" migrate --compare "$BED/naccttab" "$@" 2>"$BED/err"; }
# parts HOUR BUCKET COUNTER: "difference cause bytes cause bytes", of the causes that have any.
parts() {
	compare --json --from "$(hour 0)" | jq -r --arg hour "$(hour "$1")" --arg bucket "$2" --arg counter "$3" '.hours[] |
		select(.hour == $hour and .bucket == $bucket and .counter == $counter) |
		[.difference] + (del(.hour, .bucket, .counter, .nacctd, .xenbw, .difference) | to_entries | map(select(.value != 0) | .key, .value)) | join(" ")'
}
is() { tap_is "$1" "$(parts "${@:2:3}")" "$5"; } # is TEXT HOUR BUCKET COUNTER EXPECTED

mariadb_start "$BED/mariadb" || tap_bail "no MariaDB"
mariadb_sql "CREATE USER acct@localhost IDENTIFIED BY 'acct_password'; GRANT SELECT, INSERT, UPDATE ON old.* TO acct@localhost"
printf '[client]\nuser=root\n' >"$BED/admin.cnf"
old_table 0.78 old && mariadb_sql "ALTER TABLE traffic MODIFY output SMALLINT NOT NULL DEFAULT 0" old || tap_bail "no table"
cat >"$BED/naccttab" <<-END
	database        mysql
	mysql_user      acct
	mysql_password  acct_password
	mysql_host      $MARIADB_SOCKET
	mysql_database  old
	compactnet      $WEB 255.255.255.255
	compactnet      $DB 255.255.255.255
	compactnet      $TAGGED 255.255.255.255
	ournet          $WEB 255.255.255.255
	ournet          $DB 255.255.255.255
	ournet          $TAGGED 255.255.255.255
	flush           30
	device          peth0
END
chmod 600 "$BED/naccttab"
: >"$BED/nacctpeering"
bed_up && bed_guest 1 0 web "$WEB" && bed_guest 2 0 db "$DB" && bed_guest 3 0 late 10.77.0.13 && bed_guest 4 0 tagged "$TAGGED" || tap_bail "no bed"
"$BUILD/xenbw" migrate --shadow "$BED/naccttab" --write "$BED/made.conf" >/dev/null || tap_bail "no proposal"
{
	grep -v '^flush' "$BED/made.conf"
	printf '%s\n' "ledger $BW_LEDGER" "rrd_dir none" "user daemon" "control $BW_CONTROL" "timezone UTC" "poll 1" "flush 1"
} >"$BW_CONF"
chmod 600 "$BW_CONF"
"$BUILD/xenbw" -c "$BW_CONF" db init --defaults-file "$BED/admin.cnf" >"$BED/said" || tap_bail "$(cat "$BED/said")"

at 0 1000
bw_start || tap_bail "no xenbwd"
bed_wait "the uplink" grep -q 'uplink: peth0' "$BW_LOG" || tap_bail "no uplink"
tap_ok "no row: said" bash -c "! '$BUILD/xenbw' -c '$BW_CONF' migrate --compare '$BED/naccttab' 2>&1 >/dev/null | grep -v 'has no rows yet: there is nothing to compare'"
peer_start old peth0 "$WEB" "$DB" "$TAGGED" || tap_bail "no peer"

# hour 0: both begin; nacctd has an hour that was before
send outside 1.0 10
written input "$WEB" 0 "$(bytes 10)"
peer_write || tap_bail "no write"
# hour 1: nothing differs but for frames with a VLAN tag
at 1 1000
bed_in 4.0 "$BUILD/bwframe" send eth0 eth "${BED_MAC[4.0]}" "${BED_MAC[outside]}" vlan 5 ip4 "$TAGGED" 10.77.0.254 payload 508 count 7 >/dev/null ||
	tap_bail "no frames"
send outside 1.0 100
send outside 2.0 50
written input "$WEB" 1 "$(bytes 100)"
written input "$DB" 1 "$(bytes 50)"
written output "$TAGGED" 1 "$(bytes 7)"
peer_write
# hour 2: 30 datagrams come at its end, and nacctd writes them in the next
at 2 1000
send outside 1.0 70
written input "$WEB" 2 "$(bytes 70)"
peer_write
at 2 3590
send outside 1.0 30
written input "$WEB" 2 "$(bytes 100)"
# hour 3: what is late
at 3 1000
send outside 1.0 40
written input "$WEB" 3 "$(bytes 40)"
peer_write
# hour 4: 40 that are lost while nacctd writes
at 4 1000
peer_begin
send outside 1.0 40
written input "$WEB" 4 "$(bytes 40)"
peer_end
send outside 1.0 960
written input "$WEB" 4 "$(bytes 1000)"
peer_write
# hour 5: guests among themselves, one that no compactnet has, and a counter that ends (SMALLINT here)
at 5 1000
send 1.0 2.0 25
send outside 3.0 5
send 1.0 outside 100
written local_input "$DB" 5 "$(bytes 25)"
written input 10.77.0.13 5 "$(bytes 5)"
written output "$WEB" 5 "$(bytes 100)"
peer_write
# hours 6 and 7: MySQL was away for nacctd; hour 8 has it all
at 6 1000
send outside 2.0 20
written input "$DB" 6 "$(bytes 20)"
at 7 1000
send outside 2.0 10
written input "$DB" 7 "$(bytes 10)"
at 8 1000
send outside 2.0 5
written input "$DB" 8 "$(bytes 5)"
peer_write
# hour 9: nacctd's sums are more than xenbw's, for no reason that anybody knows
at 9 1000
send outside 1.0 10
written input "$WEB" 9 "$(bytes 10)"
peer_write
mariadb_sql "UPDATE traffic SET input = input + 77 WHERE time = '$(hour 9)'" old
at 10 1000
send outside 1.0 10
written input "$WEB" 10 "$(bytes 10)"
peer_write

is "what both counted is equal" 1 "$WEB" input 0
is "of the other guest, too" 1 "$DB" input 0
is "frames with a VLAN tag nacctd did not see" 1 "$TAGGED" output "$(bytes 7) unseen $(bytes 7)"
is "what nacctd wrote an hour late" 2 "$WEB" input "$(bytes 30) late $(bytes 30)"
is "is in the next hour" 3 "$WEB" input "-$(bytes 30) late -$(bytes 30)"
lost=$(bytes 40) bound=$(($(bytes 1000) / 30))
is "what nacctd lost while it wrote: as far as a write a second goes; the rest is not explained" 4 "$WEB" input \
	"$lost writes $bound unexplained $((lost - bound))"
is "guests count at both ends" 5 "$DB" local_input "$(bytes 25) guests $(bytes 25)"
is "and never cross nacctd's device" 5 "$WEB" local_output "$(bytes 25) guests $(bytes 25)"
is "a counter at its end" 5 "$WEB" output "$(($(bytes 100) - 32767)) ceiling $(($(bytes 100) - 32767))"
is "a guest without a compactnet" 5 10.77.0.13 input "$(bytes 5) uncounted $(bytes 5)"
is "an hour in which nacctd wrote nothing" 6 "$DB" input "$(bytes 20) late $(bytes 20)"
is "and another" 7 "$DB" input "$(bytes 10) late $(bytes 10)"
is "which were written later" 8 "$DB" input "-$(bytes 30) late -$(bytes 30)"
is "what nobody knows is called so" 9 "$WEB" input "-77 unexplained -77"
tap_is "the parts of each figure are its difference" "$(compare --json --from "$(hour 0)" | jq '[.hours[] |
	select((del(.hour, .bucket, .counter, .nacctd, .xenbw, .difference) | add) != .difference)] | length')" 0
tap_is "figures are the tables'" "$(compare --json --from "$(hour 0)" | jq -r '[.hours[] | .nacctd] + [.hours[] | .xenbw] | add')" \
	"$(mariadb_sql "SELECT (SELECT SUM(input + output + local_input + local_output) FROM traffic) + (SELECT SUM(input + output + local_input + local_output) FROM xenbw_traffic)" old)"
tap_is "of a period only its hours" "$(compare --csv --from "$(hour 2)" --to "$(hour 4)" | tr -d '\r' | sed 1d | cut -d , -f 1 | sort -u | tr '\n' ' ')" "$(hour 2) $(hour 3) "
tap_is "what came before it is known all the same" "$(compare --json --from "$(hour 3)" --to "$(hour 4)" | jq -c '[.hours[] | .late]')" "[-$(bytes 30)]"

said=$(script -qec "stty cols 80; LD_PRELOAD=$BUILD/clockshim.so $BUILD/xenbw -c $BW_CONF migrate --compare $BED/naccttab --from '$(hour 0)'" /dev/null </dev/null | tr -d '\r')
tap_is "no line is wider than 80 columns" "$(grep -cE '.{81}' <<<"$said")" 0
tap_like "people see hour, bucket, counter, both figures, the difference and its cause" "$said" "^$(hour 2 '%m-%d %H') +$WEB +in +36\.1 KiB +51\.6 KiB +15\.5 KiB +late$"
tap_like "with a total" "$said" '^ *total +in '
tap_like "and the causes below, with what is not explained" "$said" '^unexplained +\+[0-9.]+ KiB +-77 B +not explained'
tap_like "and what is not listed" "$said" 'Not listed: [0-9]+ figures that are equal, 3 of buckets'
tap_is "with --all it is" "$(compare --all --from "$(hour 0)" | grep -c 'uncounted$\|10.77.0.13')" 1

refused() { compare "${@:2}" >/dev/null && echo "did it"; grep -qE -- "$1" "$BED/err" || cat "$BED/err"; }
tap_is "a period that both do not have: said with the hours of each" "$(refused "no hour in the period that both have: old.traffic has hours from $(hour 0 '%F %H:00') to $(hour 10 '%F %H:00'), old.xenbw_traffic from" --month 2020-01)" ""
sed '/^mysql_table/d' "$BW_CONF" >"$BED/own.conf" && chmod 600 "$BED/own.conf"
tap_is "one table cannot be compared with itself" "$(refused "writes to nacctd's own table" -c "$BED/own.conf")" ""
{ cat "$BW_CONF"; echo "bucket domain"; } >"$BED/own.conf"
tap_is "nor names with addresses" "$(refused 'it needs `bucket ip`' -c "$BED/own.conf")" ""
tap_is "no --write with it" "$(refused 'leave --write' --write "$BED/x")" ""
tap_is "with an admin's account" "$(compare --defaults-file "$BED/admin.cnf" --csv --from "$(hour 0)" | wc -l)" "$(compare --csv --from "$(hour 0)" | wc -l)"
bw_stop
tap_is "xenbwd ends well" $? 0
tap_done
