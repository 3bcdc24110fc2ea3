#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw close` and `xenbw bill`: a month is closed once, through xenbwd; what comes later is a row of its own.
# time-limit: 90
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

xenbw() { "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>"$BED/err"; }
fails() { # fails PATTERN WORD…: exits with 1, says so and nothing else
	local pattern=$1
	shift
	xenbw "$@" >"$BED/out"
	[ $? = 1 ] && [ ! -s "$BED/out" ] && grep -qE -- "$pattern" "$BED/err" || { cat "$BED/err" "$BED/out"; false; }
}
rows() { xenbw "$@" --csv | cut -d, -f2-9,10 | tail -n +2 | tr -d '\r'; }
# put BUCKET SLOT INPUT OUTPUT: bytes of a slot of last month, as if they were booked late.
put() {
	sqlite3 "$BW_LEDGER" "INSERT INTO slot SELECT $1, $from + $2 * 300, $1, '', $3,$4, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0
		ON CONFLICT DO UPDATE SET external_input = external_input + $3, external_output = external_output + $4"
}

bw_past_edge 86400 20 # no month is to end meanwhile
month=$(date -ud "$(date -u +%Y-%m-15) last month" +%Y-%m)
from=$(date -ud "$month-01" +%s)
to=$(date -ud "$(date -u +%Y-%m-01)" +%s)
slots=$(((to - from) / 300))

bed_up || tap_bail "no bed"
bw_config 'owner acme web =cmd' 'owner globex mail'
bw_start && bw_stop || tap_bail "no xenbwd"
sqlite3 "$BW_LEDGER" "
	INSERT INTO run VALUES (1000, 'before', $from - 999, $to + 99, $to + 99);
	INSERT INTO bucket VALUES (101, 'domain'), (102, 'domain'), (103, 'domain'), (104, 'domain');
	INSERT INTO bucket_label VALUES (101, 'web', 0, NULL), (102, '=cmd', 0, NULL), (103, 'mail', 0, NULL), (104, 'spare', 0, NULL);
	INSERT INTO vif SELECT id, 'before', id, 0, NULL, 'x', NULL, NULL, NULL, NULL, id, 0, 1 FROM bucket WHERE id > 100" || tap_bail "no ledger"
put 101 0 3000 6000 && put 102 0 1000 0 && put 103 7 5 5 && put 104 9 1 0 || tap_bail "no bytes"

tap_ok "nobody writes but xenbwd" fails 'xenbwd does not run, and nobody else writes the ledger' close last
bw_start || tap_bail "no xenbwd"
tap_ok "the bill of a month that is not closed" fails "$month is not closed; .xenbw close $month. does that" bill last
tap_ok "a month that is not over" fails "$(date -u +%Y-%m) is not over: it lasts until $(date -ud "$(date -u +%Y-%m-15) next month" +%Y-%m)-01 00:00 UTC" close this
tap_ok "one without bytes" fails "in 2001-01 nothing was counted" close 2001-01
tap_is "no month" "$(xenbw close never; echo $?; head -n 1 "$BED/err")" "2
xenbw: \`never\` is no month; write this, last or YYYY-MM"
setpriv --reuid nobody --regid nogroup --clear-groups "$BUILD/xenbw" -c "$BW_CONF" close last >"$BED/out" 2>&1
tap_is "only root may ask for it" "$? $(sqlite3 -readonly "$BW_LEDGER" "SELECT count(*) FROM closed")" "1 0"

closed="acme,,closed,0,4000,6000,10000,0
acme,'=cmd,closed,0,1000,0,1000,0
acme,web,closed,0,3000,6000,9000,0
globex,,closed,0,5,5,10,0
globex,mail,closed,0,5,5,10,0
,spare,closed,0,1,0,1,0"
tap_is "a month is closed: owners, their domains, and what is nobody's" "$(rows close "$month" | cut -d, -f1-8)" "$closed"
tap_is "and is told again, by owner, without formulas" "$(rows bill last --owner acme | cut -d, -f1-8)" "$(head -n 3 <<<"$closed")"
tap_is "JSON has the edges, the slots and the basis" "$(xenbw bill last --owner globex --json | jq -c '[.month, .basis, (.rows[0] | .from, .to, .slots, .slots_unseen, .bucket, .basis)]')" \
	"[\"$month\",\"ip\",\"${month}-01T00:00:00Z\",\"$(date -u +%Y-%m)-01T00:00:00Z\",$slots,0,null,\"ip\"]"
tap_like "the daemon's log has it" "$(cat "$BW_LOG")" "^xenbwd: $month is closed: 6 rows"
tap_is "so has the ledger" "$(bw_sql "SELECT kind, object, detail FROM event WHERE kind = 'closed'")" "closed|$month|edition 0, 6 rows"
tap_is "it is not closed twice" "$(xenbw close last; echo "$? $(cat "$BED/err")")" "0 xenbw: note: $month is closed, and nothing has changed since"
tap_like "nothing changes a row" "$(sqlite3 "$BW_LEDGER" "UPDATE closed SET input = 0" 2>&1)" 'a closed month does not change'
tap_like "or takes it away" "$(sqlite3 "$BW_LEDGER" "DELETE FROM closed" 2>&1)" 'a closed month does not change'

# Later: bytes that were not known, another owner, another name.
bw_stop
put 101 1 300 0 && put 103 7 0 100
sqlite3 "$BW_LEDGER" "UPDATE bucket_label SET label = 'www' WHERE bucket = 101"
bw_config 'owner umbrella www =cmd' 'owner globex mail spare'
bw_start || tap_bail "no xenbwd"
before=$(xenbw bill last --csv)
tap_is "the report has the later bytes" "$(xenbw report --month last --csv www mail | cut -d, -f1-4 | tail -n +2 | tr -d '\r')" 'mail,5,105,110
www,3300,6000,9300'
xenbw report --month last >/dev/null
tap_is "and tells of the closed month" "$(cat "$BED/err")" "xenbw: note: $month is closed; \`xenbw bill $month\` has what it was closed with"
tap_is "the closed month has not" "$(rows bill last | cut -d, -f1-8)" "$closed"
tap_is "a correction has the differences, for who was the owner" "$(rows close last | cut -d, -f1-8)" \
	'acme,,correction,1,300,0,300,0
acme,www,correction,1,300,0,300,0
globex,,correction,1,0,100,100,0
globex,mail,correction,1,0,100,100,0'
tap_is "it stands below what was closed, which is as it was" "$(xenbw bill last --csv | grep ,closed,)" "$(grep ,closed, <<<"$before")"
tap_is "and adds up" "$(xenbw bill last --json | jq -c '[.rows[] | select(.bucket)] | group_by(.owner) | map([.[0].owner, (map(.total) | add)])')" \
	'[[null,1],["acme",10300],["globex",110]]'
bw_stop
sqlite3 "$BW_LEDGER" "UPDATE slot SET external_output = 0 WHERE bucket = 103"
bw_start || tap_bail "no xenbwd"
tap_is "less is a difference, too" "$(rows close last | cut -d, -f1-8)" 'globex,,correction,2,0,-105,-105,0
globex,mail,correction,2,0,-105,-105,0'
tap_is "for people" "$(xenbw bill last --owner globex | sed 's/  *$//; /^Closed\|^Changed/s/ *[0-9].*//')" "Month   $month (time zone: UTC)
Closed
Changed
Changed
OWNER   BUCKET  WHAT        INPUT  OUTPUT   TOTAL  95% IN  95% OUT  95%
globex  (all)   closed        5 B     5 B    10 B       0        0    0
globex  (all)   correction    0 B   100 B   100 B       0        0    0
globex  (all)   correction    0 B  -105 B  -105 B       0        0    0
globex  mail    closed        5 B     5 B    10 B       0        0    0
globex  mail    correction    0 B   100 B   100 B       0        0    0
globex  mail    correction    0 B  -105 B  -105 B       0        0    0
total                         5 B     0 B     5 B
Charged bytes: IP bytes as the guest sees them, without Ethernet headers. 95%: bit/s that the busiest 5% of the five-minute slots exceed."
tap_ok "an owner who had nothing" fails "in $month nothing was charged to the owner .umbrella." bill last --owner umbrella

# A percentile that falls, for 'unattributed' is no longer charged: of two buckets, one called otherwise meanwhile, and an owner.
bw_stop
month=$(date -ud "$(date -u +%Y-%m-15) 2 months ago" +%Y-%m)
from=$(date -ud "$month-01" +%s)
sqlite3 "$BW_LEDGER" "
	INSERT INTO run VALUES (999, 'earlier', $from - 999, $(date -ud "$month-01 next month" +%s) + 99, $(date -ud "$month-01 next month" +%s) + 99);
	INSERT INTO bucket VALUES (105, 'domain'), (106, 'domain');
	INSERT INTO bucket_label VALUES (105, 'lib', 0, NULL), (106, 'lic', 0, NULL);
	INSERT INTO vif SELECT id, 'before', id, 0, NULL, 'x', NULL, NULL, NULL, NULL, id, 0, 1 FROM bucket WHERE id > 104;
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
	INSERT INTO slot SELECT id, $from + 300 * i, id, '', 3000100,0, 0,0, 0,0, 0,0, 0,0, 3000100,0, 0,0, 0,0, 0 FROM bucket, n WHERE id > 104" || tap_bail "no ledger"
bw_config 'owner acme lib'
bw_start || tap_bail "no xenbwd"
rates() { xenbw "$@" --csv | cut -d, -f2-5,9-11 | tail -n +2 | tr -d '\r'; }
tap_is "a month with rates is closed" "$(rates close "$month")" 'acme,,closed,0,20001,0,20001
acme,lib,closed,0,20001,0,20001
,lic,closed,0,20001,0,20001'
bw_stop
sqlite3 "$BW_LEDGER" "UPDATE bucket_label SET label = 'lid' WHERE bucket = 105"
bw_config 'unattributed none'
bw_start || tap_bail "no xenbwd"
fallen='acme,,correction,1,-10001,0,-10001
acme,lid,correction,1,-10001,0,-10001
,lic,correction,1,-10001,0,-10001'
tap_is "rates that fall are below 0, so that what is shown adds up" "$(rates close "$month")" "$fallen"
tap_is "also in the bill" "$(rates bill "$month" | grep correction)" "$fallen"
tap_is "which tells what was closed as it was" "$(rates bill "$month" | grep ,closed, | cut -d, -f5 | sort -u)" 20001
tap_is "of one owner" "$(rates bill "$month" --owner acme)" 'acme,,closed,0,20001,0,20001
acme,,correction,1,-10001,0,-10001
acme,lib,closed,0,20001,0,20001
acme,lid,correction,1,-10001,0,-10001'
month=$(date -ud "$(date -u +%Y-%m-15) last month" +%Y-%m)
bw_config 'timezone Asia/Tokyo'
tap_ok "another time zone has other months" fails "was closed with other edges than it has now" close "$month"
tap_done
