#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `retain`: old slots leave the ledger of a running xenbwd while bytes flow, and a KILL takes nothing; reports say that
# they are gone, explain and doctor still add up, a closed month stays, and a sink that is behind holds slots back.
# time-limit: 120
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

xenbw() { "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>"$BED/err"; }
finding() { xenbw doctor --json | jq -r --arg c "$1" '.checks[] | select(.check == $c) | .result + " " + .found'; }
old() { bw_sql "SELECT count(*) FROM slot WHERE slot > 0 AND slot < $begin"; }
sums() { bw_booked "vif.domid = 900"; }

bw_past_edge 86400 50 # no month is to end meanwhile
month() { date -ud "$(date -u +%Y-%m-15) $1 months ago" +%Y-%m; } # month N: N months ago
begin=$(($(date -ud "$(month 1)-01" +%s) - 86400)) # of what `retain 1 months` keeps
gone=$(month 3) from=$(date -ud "$(month 3)-01" +%s) to=$(date -ud "$(month 2)-01" +%s)

bed_up || tap_bail "no bed"
bw_config
bw_start && bed_guest 1 0 web 10.77.0.11 || tap_bail "no xenbwd"
bw_wait_sql "the guest" "SELECT count(*) FROM vif WHERE domid = 1" 1
bw_stop
# 30 slots a day of two old vifs, three months back until a month ago; as their counters have it.
sqlite3 "$BW_LEDGER" "
	INSERT INTO run VALUES (0, 'before', $from - 999, $begin, $begin);
	UPDATE meta SET value = unixepoch() - 90000 WHERE key = 'steady';
	INSERT INTO bucket VALUES (901, 'domain'), (902, 'domain');
	INSERT INTO bucket_label VALUES (901, 'shop', 0, NULL), (902, 'mail', 0, NULL);
	INSERT INTO vif SELECT id, 'before', 900, id, NULL, 'x', NULL, NULL, NULL, NULL, id, $from, $begin FROM bucket WHERE id > 900;
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE $from + (i + 1) * 2700 < $begin)
	INSERT INTO slot SELECT id, $from / 300 * 300 + i * 2700, id, '10.0.0.1', 1000,500, 0,0, 0,0, 20,30, 0,0, 0,0, 0,0, 0,0, 0 FROM bucket, n WHERE id > 900;
	INSERT INTO epoch SELECT vif, vif, 'before', vif, 'vif', 0,0, 0,0,0,0, 0,0,0,0, sum(external_input + local_input), sum(external_output + local_output),
		0, $from, $begin, $begin, 'gone', 0, 0, 0, 0 FROM slot WHERE vif > 900 GROUP BY vif" || tap_bail "no ledger"
before=$(sums) rows=$(old)
tap_ok "there are old slots" test "$rows" -gt 1000

bw_start || tap_bail "no xenbwd"
sleep 3
tap_is "without the word they stay" "$(old)" "$rows"
tap_ok "a month is closed" xenbw close "$gone"
closed=$(xenbw bill "$gone" --csv)

# A sink that did not get what is in the second of these months.
bw_stop
held=$(bw_sql "SELECT min(slot) FROM slot WHERE slot >= $to")
sqlite3 "$BW_LEDGER" "INSERT INTO take SELECT (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'take'), slot, bucket, vif, address, slot, slot + 300, 0,0, 0,0,
	0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM slot WHERE slot = $held AND bucket = 901"
sqlite3 "$BW_LEDGER" "INSERT INTO sink VALUES ('mysql', (SELECT seq - 1 FROM sqlite_sequence WHERE name = 'take'))"
bw_config "retain 1 months" "database mysql" "mysql_host $BED/nowhere"
bw_start || tap_bail "no xenbwd"
bw_wait_sql "what every sink has leaves" "SELECT min(slot) FROM slot WHERE slot > 0" "$held"
tap_ok "the log tells once what holds the others back" bed_wait "the line" grep -q '`retain 1 months` is held up' "$BW_LOG"
sleep 3
tap_is "and no more often" "$(grep -c 'is held up' "$BW_LOG") $(bw_sql "SELECT min(slot) FROM slot WHERE slot > 0")" "1 $held"
tap_like "doctor does, too" "$(finding retain)" '^warning slots from .* on are older than 1 months, and stay'

# A month that begins on the 2nd ends in the next one of the calendar: one more is kept.
bw_stop
late=$((to - 86400)) rows=$(bw_sql "SELECT count(*) FROM slot WHERE slot >= $((to - 86400))")
bw_config "retain 1 months" "billing_day 2 mail"
bw_start || tap_bail "no xenbwd"
bw_wait_sql "what is older leaves" "SELECT count(*) FROM slot WHERE slot > 0 AND slot < $late" 0
sleep 3
tap_is "where a month begins later than the 1st, one more stays" "$(bw_sql "SELECT count(*) FROM slot WHERE slot >= $late AND slot < $begin")" "$rows"

# It has it: the rest leaves, while xenbwd is killed now and then and a guest sends.
bw_stop
bw_config "retain 1 months"
for ((i = 0; i < 5; i++)); do
	bw_start || tap_bail "no xenbwd"
	bed_udp 1.0 outside 100 500 || tap_bail "the bed lost packets"
	sleep "0.$((RANDOM % 10))"
	bw_kill
done
bw_start || tap_bail "no xenbwd"
bw_wait_sql "all of them leave" "SELECT count(*) FROM slot WHERE slot > 0 AND slot < $begin" 0
tap_is "totals are what they were" "$(sums)" "$before"
sent() { [ "$(bw_booked "vif.domid = 1" | cut -d' ' -f2)" = $((5 * 100 * 528)) ]; }
tap_ok "what was sent meanwhile is booked, and no more" bed_wait "the bytes" sent
tap_is "one row of each vif is left" "$(bw_sql "SELECT count(*) FROM slot WHERE slot = 0")" 2
tap_is "it says up to when" "$(bw_sql "SELECT value FROM meta WHERE key = 'retired'")" "$begin"
for check in identity epochs rows; do tap_like "doctor: $check" "$(finding $check)" '^ok '; done
tap_like "doctor tells" "$(finding retain)" "^ok slots before $(date -ud "@$begin" +%Y-%m-%d) .* were retired"
tap_is "a report of that time has nothing, and says why" "$(xenbw report --month "$gone" | tail -n 1; grep -c "all of this period.* was retired" "$BED/err")" "Nothing is kept of this period.
1"
tap_is "the closed month is as it was" "$(xenbw bill "$gone" --csv | tail -n +1 | cut -d, -f1-10)" "$(cut -d, -f1-10 <<<"$closed")"
xenbw close "$gone"
tap_is "it is not corrected to nothing" "$? $(grep -c "slots of $gone have been retired" "$BED/err")" "1 1"
tap_like "explain has a line for it" "$(xenbw explain shop --from "$gone-01")" '- retired until [0-9-]+ +[0-9]+'
tap_is "and adds up" "$(xenbw explain shop --from "$gone-01" --json | jq -c '[.adds_up, ([.rows[] | select(.row == "retired") | .input] | add)]')" \
	"[true,$(bw_sql "SELECT total_input FROM epoch WHERE id = 901")]"
bw_stop
tap_is "xenbwd ends well" $? 0

# A clock that is a year ahead for a moment takes nothing away.
. "$(dirname "$0")/../support/clock.sh"
clock_set "$(date +%s)"
sqlite3 "$BW_LEDGER" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
	INSERT INTO slot SELECT 901, unixepoch() / 300 * 300 - i * 300, 901, '10.0.0.1', 1000,500, 0,0, 0,0, 20,30, 0,0, 0,0, 0,0, 0,0, 0 FROM n" || tap_bail "no slots"
bw_start || tap_bail "no xenbwd"
kept=$(bw_sql "SELECT count(*) FROM slot WHERE slot > 0") buckets=$(bw_sql "SELECT count(*) FROM bucket")
tap_ok "there are slots" test "$kept" -gt 0
clock_set $(($(date +%s) + 400 * 86400))
tap_ok "a clock that is set forward is told" bed_wait "the line" grep -qE 'the clock was set forward by 345[0-9]{5} s: `retain` waits' "$BW_LOG"
bed_udp 1.0 outside 100 500 || tap_bail "the bed lost packets"
bw_wait_sql "commits at that time" "SELECT max(seen) > unixepoch() + 399 * 86400 FROM run" 1
sleep 3
clock_set "$(date +%s)"
tap_ok "and back" bed_wait "the line" grep -qE 'the clock was set back by 345[0-9]{5} s' "$BW_LOG"
bw_stop
bw_start || tap_bail "no xenbwd"
sleep 3
tap_ok "no slot is retired" test "$(bw_sql "SELECT count(*) FROM slot WHERE slot > 0")" -ge "$kept"
tap_is "and no domain forgotten" "$(bw_sql "SELECT count(*) FROM bucket")" "$buckets"
bw_stop
tap_done
