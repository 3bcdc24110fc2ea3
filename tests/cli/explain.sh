#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw explain`: the calculation from raw counters to what a report says, from a ledger made by hand: resets, gaps,
# base lines, bytes beyond the period and in other buckets, and ledgers that do not add up.
# shellcheck disable=SC2016 # the backquotes are those of the output
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

cat "$CLI_TREE/db/schema/ledger.sql" "$CLI_TREE/db/schema/ledger_views.sql" "$CLI_TREE/tests/cli/life.sql" | sqlite3 "$CLI/life.db" ||
	tap_bail "no ledger"
on() { xenbw --ledger "$CLI/life.db" "$@"; }
terminal() { xenbw_on "$1" --ledger "$CLI/life.db" "${@:2}"; }

tap_is "on a terminal" "$(terminal 80 explain web)" 'Bucket  web
Period  2026-11-01 00:00 CET to 2026-12-01 00:00 CET (time zone: Europe/Berlin)
Ledger  up to 2026-11-23 12:00:05 CET

Vif 1: vif3.0, no. 0 of domain web (id 3), MAC 00:16:3e:00:00:01, in xenbr0,
from 2026-09-21 16:13:20 CEST to 2026-11-01 03:26:40 CET
Not observed from 2026-11-01 00:40 CET to 2026-11-01 00:41 CET: no xenbwd; the
counters of epoch 2 went on, and what they grew by is in it
Not observed from 2026-11-01 03:26:40 CET to 2026-11-01 03:36:40 CET: the host
was started anew; epoch 2 ended meanwhile: what it counted from then on is not
known
Epoch 1: tx and rx of vif3.0 (ifindex 5), from 2026-09-21 16:13:20 CEST to
2026-11-01 00:06:40 CET; ended: counters went back (what came after its last
reading, at most a poll before, may be missing)
Not observed until 2026-09-21 16:13:20 CEST: the device had counted before: that
is in its first counters, and no part of this
                          INPUT  PACKETS  OUTPUT  PACKETS
    last counters          2428        2    1500       15
  - first counters         1014        1     500        5
  - 14, 0 bytes a packet     14        1       0       10
  = IP bytes               1400             1000
Epoch 2: tx and rx of vif3.0 (ifindex 5), from 2026-11-01 00:06:40 CET to
2026-11-01 03:26:40 CET; ended: reboot; the carrier went down 2 times without
proof that the counters were reset, so they were taken to go on
    last counters          1140       10     700        7
  - first counters            0        0       0        0
  - 14, 0 bytes a packet    140       10       0        7
  = IP bytes               1000              700
  = all its epochs         2400             1700
  + estimated at its end     25                0
  - in other buckets        100               50
  - before the period       300              150
  = booked in the period   2025             1500
    of it external         1400             1460
    of it peer               20               30
    of it local             480               10
    of it ignored            25                0
    of it unattributed      100                0
    part: estimated          25                0
    part: spoofed             0                5
    in no sum: clipped        7                8

Vif 2: vif1.0, no. 0 of domain web (id 1), since 2026-11-01 03:38:20 CET
Epoch 3: tx and rx of vif1.0 (ifindex 6), since 2026-11-01 03:38:20 CET
                          INPUT  PACKETS  OUTPUT  PACKETS
    last counters             0        0      90        1
  - first counters            0        0       0        0
  - 14, 0 bytes a packet      0        0       0        1
  = IP bytes                  0               90
  = booked in the period      0               90
    of it external            0               90
Event from 2026-11-01 00:06:40 CET to 2026-11-01 00:23:20 CET: spoofed vif3.0, 2
times; the last: second
Event at 2026-11-01 00:25 CET: clock host: went back by 9 s

Bucket web in the period
                          INPUT           OUTPUT
  + vif 1                  2025             1500
  + vif 2                     0               90
  = booked in the period   2025             1590
  - peer                     20               30
  - local                   480               10
  - ignored                  25                0
  = what `report` has      1500             1550
An epoch'"'"'s counters are kept at its begin and at its last reading, not at the
edges of the period: what lies beyond those is known by slots of five minutes.'
tap_is "that is what the report has" "$(on --csv report web | tail -n 1 | cut -d, -f2,3)" "1500,1550"
tap_is "no line is wider than the terminal" "$(terminal 80 explain web | wc -L)" 80

# With a pencil: every result from what stands before it.
cat >"$CLI/pencil.jq" <<'END'
def sum(f): map(f) | add // 0;
def rows($row): map(select(.row == $row));
def side($d): {
	epochs: [group_by(.epoch)[] | select(.[0].epoch) | (rows("last_counters")[0][$d] - rows("first_counters")[0][$d] - rows("link_headers")[0][$d]) - rows("ip_bytes")[0][$d]] | unique,
	headers: [rows("link_headers")[] | select(.[$d + "_packets"] > 0) | .[$d] / .[$d + "_packets"]] | unique,
	vifs: [group_by(.vif)[] | select(.[0].vif) | (rows("ip_bytes") | sum(.[$d])) + (rows("read_before") | sum(.[$d])) + (rows("estimated") | sum(.[$d]))
		- (rows("other_buckets") | sum(.[$d])) - (rows("before") | sum(.[$d])) - (rows("after") | sum(.[$d])) - (rows("booked") | sum(.[$d]))] | unique,
	classes: [group_by(.vif)[] | select(.[0].vif) | (map(select(.row == ("external", "peer", "direct", "local", "ignored", "unattributed"))) | sum(.[$d])) - (rows("booked") | sum(.[$d]))] | unique,
	all: ((rows("of_vif") | sum(.[$d])) - rows("all_vifs")[0][$d]),
	report: (rows("all_vifs")[0][$d] - (map(select(.row | startswith("all_") and . != "all_vifs")) | sum(.[$d])) - rows("report")[0][$d])};
.rows | side("input"), side("output")
END
pencil() { on --json explain "$@" | jq -c -f "$CLI/pencil.jq"; }
tap_is "all of it, added up from JSON" "$(pencil web)" \
	'{"epochs":[0],"headers":[14],"vifs":[0],"classes":[0],"all":0,"report":0}
{"epochs":[0],"headers":[0],"vifs":[0],"classes":[0],"all":0,"report":0}'
tap_is "the month before, with what came after it" "$(pencil web --month 2026-10 | head -n 1)" '{"epochs":[0],"headers":[14],"vifs":[0],"classes":[0],"all":0,"report":0}'
tap_is "which is there" "$(on --csv explain web --month last | grep -c '^after,1,')" 1
tap_is "the other bucket has its part" "$(on --json explain old --month 2026-09 | jq -c '.rows[] | select(.row == ("booked", "other_buckets")) | [.row, .input, .output]')" \
	'["other_buckets",2325,1650]
["booked",100,50]'
tap_is "what was not observed has no numbers" \
	"$(on --json explain web | jq -c '[.rows[] | select(.row == "not_observed") | .input, .output, .input_packets] | unique')" '[null]'
tap_is "JSON: what it says beside the rows" "$(on --json explain web | jq -c 'del(.rows, .ledger)')" \
	'{"format":1,"command":"explain","time":"2026-11-23T11:00:10Z","bucket":"web","from":"2026-10-31T23:00:00Z","to":"2026-11-30T23:00:00Z","timezone":"Europe/Berlin","ledger_seen":"2026-11-23T11:00:05Z","unattributed_charged":true,"adds_up":true}'
tap_is "CSV: an epoch" "$(on --csv explain web | grep ',1,1,' | tr -d '\r')" \
	'epoch,1,1,vif3.0,web,3,2026-09-21T14:13:20Z,2026-10-31T23:06:40Z,,,,,"ended: counters went back (what came after its last reading, at most a poll before, may be missing)"
not_observed,1,1,vif3.0,web,3,,2026-09-21T14:13:20Z,,,,,"the device had counted before: that is in its first counters, and no part of this"
last_counters,1,1,vif3.0,web,3,,,2428,2,1500,15,
first_counters,1,1,vif3.0,web,3,,,1014,1,500,5,
link_headers,1,1,vif3.0,web,3,,,14,1,0,10,
ip_bytes,1,1,vif3.0,web,3,,,1400,,1000,,'
tap_like "a bucket without a byte" "$(on explain idle)" '^Nothing was counted in this period'
sqlite3 "$CLI/life.db" "INSERT INTO meta VALUES ('unattributed', 'none')"
tap_is "unattributed bytes that are not charged are taken off, too" "$(on --csv explain web | grep -E '^(all_un|report)' | tr -d '\r')" \
	'all_unattributed,,,,,,,,100,,0,,
report,,,,,,,,1400,,1550,,'
tap_is "and it adds up" "$(pencil web | cut -d, -f4-)" "$(printf '"classes":[0],"all":0,"report":0}\n%.0s' 1 2)"
tap_like "a ledger that nobody has written to for long" \
	"$(sqlite3 "$CLI/life.db" "UPDATE run SET seen = 1795430000 WHERE id = 3"; on explain web)" 'Not observed from 2026-11-23 11:33:20 CET to 2026-11-23 12:00:10 CET: no commit'

# fails PATTERN SQL: a ledger with this damage is shown, and does not add up.
fails() {
	cp "$CLI/life.db" "$CLI/copy.db"
	sqlite3 "$CLI/copy.db" "$2"
	xenbw --ledger "$CLI/copy.db" explain web >"$CLI/out"
	[ $? = 1 ] && grep -q '^Bucket web in the period' "$CLI/out" && grep -qE "does not add up: $1\$" "$CLI/err" || { cat "$CLI/err"; return 1; }
}
tap_ok "a byte less in a slot" fails 'vif 1 has 2424 bytes of input, and should have 2425' "UPDATE slot SET peer_input = 19 WHERE peer_input = 20"
tap_ok "a byte more in an epoch's counters" fails 'epoch 3 has 90 bytes of output, and should have 91' "UPDATE epoch SET last_rx_bytes = 91 WHERE id = 3"
tap_ok "--month with --from" cli_fails 2 'explain: --month, or --from and --to, not both' explain web --month this --from 2026-11-01
tap_ok "an unknown bucket" cli_fails 1 'near to it are: web' explain wbe
tap_ok "no bucket" cli_fails 2 'explain' explain
tap_done
