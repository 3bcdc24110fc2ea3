#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The view `traffic` of the ledger: netacct's table for sqlite3, and the article's first query on it, unchanged.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

ask() { TZ=${ZONE-Europe/Berlin} sqlite3 -readonly "$CLI/ledger.db" "$@"; }

tap_is "netacct's columns in their order" "$(ask "SELECT group_concat(name, ' ') FROM pragma_table_info('traffic')")" \
	"id ip time input output peer_input peer_output direct_input direct_output local_input local_output"
tap_is "a row for each bucket and local hour; input and output hold what was not attributed, not what was ignored" \
	"$(ask "SELECT ip, time, input, output, peer_input, peer_output, local_input, local_output FROM traffic WHERE ip <> '=SUM(A1)' ORDER BY time, ip")" \
	'web|2026-09-30 23:00:00|1.0|1.0|0.0|0.0|0.0|0.0
mail|2026-10-01 00:00:00|7.0|7.0|0.0|0.0|0.0|0.0
web|2026-10-01 00:00:00|1000000.0|2000000.0|0.0|0.0|0.0|0.0
web|2026-10-31 23:00:00|10.0|20.0|0.0|0.0|0.0|0.0
web|2026-11-01 00:00:00|5000000007.0|308.0|40.0|50.0|600.0|700.0
web10|2026-11-01 00:00:00|1025.0|2050.0|0.0|0.0|0.0|0.0
Grüße, "Welt"|2026-11-16 01:00:00|1.0|2.0|0.0|0.0|0.0|0.0
web|2026-11-23 12:00:00|111.0|222.0|0.0|0.0|0.0|0.0'
tap_is "hours are those of the reader's time zone" \
	"$(ZONE=Asia/Kolkata ask "SELECT time, input FROM traffic WHERE ip = 'web' ORDER BY time LIMIT 1")" "2026-10-01 03:00:00|1000001.0"

# The article's query, to the byte: what it divided is multiplied again, which changes nothing in a power of two.
article='select traffic.ip, sum(input)/1073741824 inp, sum(output)/1073741824 outp from traffic group by ip'
tap_is "the article's query divides" "$(ask "$article;" | grep '^web|')" "web|4.65754431579262|0.00186315830796957"
tap_is "and is right to the byte, beyond 2^31 too" \
	"$(ask "SELECT ip, CAST(inp * 1073741824 AS INTEGER), CAST(outp * 1073741824 AS INTEGER) FROM ($article) WHERE ip <> '=SUM(A1)' ORDER BY ip")" \
	'Grüße, "Welt"|1|2
mail|7|7
web|5001000129|2000551
web10|1025|2050'

# A second bucket that was called web before: one row an hour, as the MySQL table has; and bytes without any label.
sqlite3 "$CLI/ledger.db" "INSERT INTO bucket VALUES (6, 'domain'), (7, 'domain'); INSERT INTO bucket_label VALUES (6, 'web', 1780000000, 1785000000);
	INSERT INTO slot SELECT 6, slot, vif, address, 9007199254740000 - 5000000007, 0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM slot WHERE bucket = 1 AND slot = 1793487600 AND address = '10.0.0.1';
	INSERT INTO slot SELECT 7, slot + 1800, vif, address, 3, 4, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM slot WHERE bucket = 2 AND vif = 3"
tap_is "two buckets of one name share a row, exact up to 2^53" \
	"$(ask "SELECT count(*), CAST(input AS INTEGER) FROM traffic WHERE ip = 'web' AND time = '2026-11-01 00:00:00'")" "1|9007199254740000"
tap_is "no byte hides for want of a name" "$(ask "SELECT ip, time, input, output FROM traffic WHERE ip LIKE '#%'")" "#7|2026-11-01 00:00:00|3.0|4.0"
for ZONE in Europe/Berlin Asia/Kolkata UTC; do
	tap_is "ids are unique in $ZONE" "$(ask "SELECT count(DISTINCT id) = count(*), count(DISTINCT ip || time) = count(*) FROM traffic")" "1|1"
done
sqlite3 "$CLI/ledger.db" "INSERT INTO meta VALUES ('unattributed', 'none')"
tap_is "input and output are without what was not attributed where the ledger says so" \
	"$(ZONE=Europe/Berlin ask "SELECT ip, time, input, output FROM traffic WHERE ip IN ('mail', 'web') AND time NOT LIKE '2026-11-01%' ORDER BY time, ip")" \
	'web|2026-09-30 23:00:00|1.0|1.0
mail|2026-10-01 00:00:00|0.0|0.0
web|2026-10-01 00:00:00|0.0|0.0
web|2026-10-31 23:00:00|0.0|0.0
web|2026-11-23 12:00:00|100.0|200.0'
before=$(ask "SELECT id, ip, time FROM traffic")
sqlite3 "$CLI/ledger.db" "INSERT INTO slot SELECT bucket, slot, vif, address, external_input, external_output, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM take WHERE bucket = 1; DELETE FROM take WHERE bucket = 1"
tap_is "and stay when takes are folded" "$(ask "SELECT id, ip, time FROM traffic")" "$before"
tap_done
