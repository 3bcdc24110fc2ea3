#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw report`: what is written for people, as JSON and as CSV, from a ledger made by hand.
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

tap_is "this month" "$(xenbw report)" 'Period  2026-11-01 00:00 CET to 2026-12-01 00:00 CET (time zone: Europe/Berlin)
Ledger  up to 2026-11-23 12:00:05 CET
BUCKET            INPUT    OUTPUT     TOTAL  PEER IN  PEER OUT  LOCAL IN  LOCAL OUT  IGNORED IN  IGNORED OUT
=SUM(A1)       8.00 PiB       0 B  8.00 PiB      0 B       0 B       0 B        0 B         0 B          0 B
Grüße, "Welt"       1 B       2 B       3 B      0 B       0 B       0 B        0 B         3 B          4 B
web            4.66 GiB     530 B  4.66 GiB     40 B      50 B     600 B      700 B         0 B          0 B
web10          1.00 KiB  2.00 KiB  3.00 KiB      0 B       0 B       0 B        0 B         0 B          0 B
total          8.00 PiB  2.52 KiB  8.00 PiB     40 B      50 B     600 B      700 B         3 B          4 B
input and output hold 33 B that could not be attributed'
tap_is "notes are for special cases" "$(cat "$CLI/err")" ""

tap_is "last month, unsplit; the last slot of it is in, those beside it are not" "$(xenbw report --month last --bytes)" \
	'Period  2026-10-01 00:00 CEST to 2026-11-01 00:00 CET (time zone: Europe/Berlin)
Ledger  up to 2026-11-23 12:00:05 CET
BUCKET    INPUT   OUTPUT    TOTAL
mail          7        7       14
web     1000010  2000020  3000030
total   1000017  2000027  3000044
unsplit: no attribution, so input and output hold all bytes, whatever their way'
tap_is "the same by its name" "$(xenbw report --month 2026-10 --csv)" "$(xenbw report --month last --csv)"
tap_is "the same by its edges" "$(xenbw report --from 2026-10-01 --to 2026-11-01 --csv)" "$(xenbw report --month last --csv)"
tap_is "a month without bytes" "$(xenbw report --month 2025-01)" 'Period  2025-01-01 00:00 CET to 2025-02-01 00:00 CET (time zone: Europe/Berlin)
Ledger  up to 2026-11-23 12:00:05 CET
Nothing was counted in this period.'

tap_is "buckets by name, also one without bytes" "$(xenbw report --bytes mail web10)" \
	'Period  2026-11-01 00:00 CET to 2026-12-01 00:00 CET (time zone: Europe/Berlin)
Ledger  up to 2026-11-23 12:00:05 CET
BUCKET  INPUT  OUTPUT  TOTAL
mail        0       0      0
web10    1025    2050   3075
total    1025    2050   3075'

tap_is "by address" "$(xenbw report --by address --bytes web web10)" \
	'Period  2026-11-01 00:00 CET to 2026-12-01 00:00 CET (time zone: Europe/Berlin)
Ledger  up to 2026-11-23 12:00:05 CET
ADDRESS               DOMAIN       INPUT  OUTPUT       TOTAL  PEER IN  PEER OUT  LOCAL IN  LOCAL OUT
10.0.0.1              web     5000000111     522  5000000633       40        50       600        700
10.0.0.2              web10         1024    2048        3072        0         0         0          0
2001:db8::1           web              7       8          15        0         0         0          0
(several or unknown)  web10            1       2           3        0         0         0          0
total                         5000001143    2580  5000003723       40        50       600        700
input and output hold 33 bytes that could not be attributed'

tap_is "CSV, with CR LF and no formulas" "$(xenbw report --csv | tr '\r' '!')" \
	'bucket,input,output,total,external_input,external_output,unattributed_input,unattributed_output,peer_input,peer_output,direct_input,direct_output,local_input,local_output,ignored_input,ignored_output,clipped_input,clipped_output,estimated_input,estimated_output,spoofed_output!
'"'"'=SUM(A1),9007199254740993,0,9007199254740993,9007199254740993,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0!
"Grüße, ""Welt""",1,2,3,1,2,0,0,0,0,0,0,0,0,3,4,0,0,0,0,0!
web,5000000118,530,5000000648,5000000107,508,11,22,40,50,0,0,600,700,0,0,1,2,3,4,0!
web10,1025,2050,3075,1025,2050,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0!'
tap_is "CSV by address has nothing where no address is known" "$(xenbw report --csv --by address web10 | cut -d, -f1-5 | tr -d '\r')" \
	'address,domain,input,output,total
10.0.0.2,web10,1024,2048,3072
,web10,1,2,3'

tap_is "JSON: what it says beside the rows" "$(xenbw report --json | jq -c 'del(.rows, .ledger)')" \
	'{"format":1,"command":"report","time":"2026-11-23T11:00:10Z","by":"domain","from":"2026-10-31T23:00:00Z","to":"2026-11-30T23:00:00Z","timezone":"Europe/Berlin","ledger_seen":"2026-11-23T11:00:05Z","retired_until":null,"unsplit":false}'
tap_is "JSON: the rows" "$(xenbw report --json web | jq -c '.rows[]')" \
	'{"bucket":"web","input":5000000118,"output":530,"total":5000000648,"external_input":5000000107,"external_output":508,"unattributed_input":11,"unattributed_output":22,"peer_input":40,"peer_output":50,"direct_input":0,"direct_output":0,"local_input":600,"local_output":700,"ignored_input":0,"ignored_output":0,"clipped_input":1,"clipped_output":2,"estimated_input":3,"estimated_output":4,"spoofed_output":0}'
tap_like "JSON: integers are exact, beyond what a double holds" "$(xenbw report --json '=SUM(A1)')" '"input": 9007199254740993,'
tap_is "JSON by address has null where no address is known" "$(xenbw report --json --by address web10 | jq -c '.rows[] | [.address, .domain, .total]')" \
	'["10.0.0.2","web10",3072]
[null,"web10",3]'
tap_is "JSON of a month that nothing was attributed in" "$(xenbw report --json --month last | jq .unsplit)" true

rounded=$(xenbw report --from "2026-11-01 00:04" --to 2026-11-01T00:09:59 --bytes web10)
tap_like "times inside a slot go back to its start" "$rounded" '^Period  2026-11-01 00:00 CET to 2026-11-01 00:05 CET'
tap_like "and that slot's bytes are in" "$rounded" '^total +1025 +2050 +3075$'
tap_like "and a note says so" "$(cat "$CLI/err")" '^xenbw: note: .*five minutes'
tap_like "from a day on, until now" "$(xenbw report --from 2026-11-23)" '^Period  2026-11-23 00:00 CET to 2026-11-23 12:05 CET'
tap_like "a narrow terminal loses the classes first" "$(xenbw_on 60 report)" '^Hidden: PEER IN, PEER OUT, LOCAL IN, LOCAL OUT, IGNORED IN,$'
tap_is "and is filled but not exceeded" "$(xenbw_on 60 report --by address | sed -n '3,/^total/p' | wc -L)" 60
tap_like "--wide loses none" "$(xenbw_on 60 report --wide)" 'IGNORED OUT$'

sqlite3 "$CLI/ledger.db" "UPDATE take SET spoofed_output = 50 WHERE seq = 1; INSERT INTO meta VALUES ('unattributed', 'none')"
tap_is "spoofed bytes are shown where there are some; unattributed ones are not charged where the ledger says so" \
	"$(xenbw report --bytes web --from 2026-11-23 | tail -n +3)" \
	'BUCKET  INPUT  OUTPUT  TOTAL  SPOOFED
web       100     200    300       50
total     100     200    300       50
input and output are without 33 bytes that could not be attributed'
tap_is "for machines too" "$(xenbw report --json web | jq -c '.rows[] | [.input, .output, .total, .unattributed_input, .spoofed_output]')" \
	'[5000000107,508,5000000615,11,50]'
tap_is "a month that nothing was attributed in has nothing to charge then" "$(xenbw report --bytes --month last web | tail -n 2)" \
	'total       0       0      0
input and output are without 3000030 bytes that could not be attributed'
tap_ok "an unknown bucket is answered with near ones" cli_fails 1 'no bucket `wbe`; near to it are: web$' report wbe
tap_ok "or with how to list them" cli_fails 1 'no bucket `zzzzzz`; `xenbw completion buckets`' report zzzzzz
tap_ok "a label that a bucket has given up is not known" cli_fails 1 'no bucket `web2`' report web2
for label in -1 --help -; do
	sqlite3 "$CLI/ledger.db" "UPDATE bucket_label SET label = '$label' WHERE label = 'web10'"
	tap_is "a bucket $label, behind --" "$(xenbw report --csv -- "$label" web | tail -n +2 | cut -d, -f1 | tr -d "'" | tr '\n' ' ')" "$label web "
	tap_is "also where -- stands before the command" "$(xenbw --csv -- report "$label" | tail -n +2 | cut -d, -f1 | tr -d "'")" "$label"
	sqlite3 "$CLI/ledger.db" "UPDATE bucket_label SET label = 'web10' WHERE label = '$label'"
done
tap_ok "without -- that is told" cli_fails 2 'unknown option -1; a bucket whose name begins with - stands behind --$' report -1

# Who pays, from when on.
sqlite3 "$CLI/ledger.db" "UPDATE take SET spoofed_output = 0; DELETE FROM meta WHERE key = 'unattributed'"
cp "$CLI/conf" "$CLI/conf.plain"
printf '%s\n' 'owner acme web mail' 'owner globex web10' >>"$CLI/conf"
tap_is "by owner" "$(xenbw report --by owner --month last --bytes | tail -n +3)" \
	'OWNER    INPUT   OUTPUT    TOTAL
acme   1000017  2000027  3000044
total  1000017  2000027  3000044
unsplit: no attribution, so input and output hold all bytes, whatever their way'
tap_is "what belongs to nobody comes last; JSON has null for it" "$(xenbw report --by owner --json | jq -c '[.rows[] | .owner, .total]')" \
	'["acme",5000000648,"globex",3075,null,9007199254740996]'
tap_is "one owner's domains" "$(xenbw report --owner globex --csv | cut -d, -f1-4 | tr -d '\r')" 'bucket,input,output,total
web10,1025,2050,3075'
tap_ok "an owner that nobody is" cli_fails 1 'has no owner `umbrella`; see `owner`' report --owner umbrella
tap_is "by vif" "$(xenbw report --by vif --bytes web web10 | sed -n '3,/^total/p')" \
	'DOMAIN  ID  VIF  DEVICE       INPUT  OUTPUT       TOTAL  PEER IN  PEER OUT  LOCAL IN  LOCAL OUT
web      4    0  vif4.0  5000000118     530  5000000648       40        50       600        700
web10    5    0  vif5.0        1024    2048        3072        0         0         0          0
web10    5    1  inside           1       2           3        0         0         0          0
total                    5000001143    2580  5000003723       40        50       600        700'
tap_is "by class" "$(xenbw report --by class --bytes web | sed -n '3,/^total/p')" \
	'CLASS              INPUT  OUTPUT       TOTAL
external      5000000107     508  5000000615
peer                  40      50          90
direct                 0       0           0
local                600     700        1300
ignored                0       0           0
unattributed          11      22          33
total         5000000758    1280  5000002038'
tap_is "the largest" "$(xenbw report --top 1 --bytes | sed -n '3,/^total/p' | cut -c -52)" \
	'BUCKET               INPUT  OUTPUT             TOTAL
=SUM(A1)  9007199254740993       0  9007199254740993
(3 more)        5000001144    2582        5000003726
total     9007204254742137    2582  9007204254744719'
tap_is "machines get just them" "$(xenbw report --top 2 --csv | cut -d, -f1 | tr -d '\r' | tr '\n' ' ')" "bucket '=SUM(A1) web "

echo 'billing_day 15 web10' >>"$CLI/conf"
sqlite3 "$CLI/ledger.db" "INSERT INTO take SELECT 9, 1794787200, 2, 3, '', 1794787200, 1794787300, 8,9, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0"
tap_is "a billing day of its own is a period of its own" "$(xenbw report --bytes web10 mail | head -n 5)" \
	'Period  2026-11-01 00:00 CET to 2026-12-15 00:00 CET (time zone: Europe/Berlin)
Ledger  up to 2026-11-23 12:00:05 CET
Months begin on each domain'"'"'s billing_day
BUCKET  INPUT  OUTPUT  TOTAL                  FROM                    TO
mail        0       0      0  2026-11-01 00:00 CET  2026-12-01 00:00 CET'
tap_is "for machines, too" "$(xenbw report --json web10 mail | jq -c '.rows[] | [.bucket, .total, .from, .to]')" \
	'["mail",0,"2026-10-31T23:00:00Z","2026-11-30T23:00:00Z"]
["web10",17,"2026-11-14T23:00:00Z","2026-12-14T23:00:00Z"]'
tap_is "times that are named win" "$(xenbw report --from 2026-11-01 --csv web10 | cut -d, -f1-4 | tail -n 1)" "web10,1033,2059,3092"

# A day of 288 slots, of which xenbwd ran in 240. Twelve are a twentieth of those; web is busy in 13 of them.
cp "$CLI/conf.plain" "$CLI/conf"
sqlite3 "$CLI/ledger.db" "
	DELETE FROM run; INSERT INTO run VALUES (1, 'boot-one', 1793487600, 1793487600 + 240 * 300 - 1, 1793487600 + 240 * 300 - 1);
	DELETE FROM slot WHERE slot > 1793487300;
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
	INSERT INTO slot SELECT 1, 1793487600 + i * 3000, 2, '', 3000000 + i * 300,600, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM n"
day() { xenbw report --from 2026-11-01 --to 2026-11-02 "$@" web; }
tap_is "the 95th percentile, of what was seen" "$(day --commit 80k | sed -n '3,5p;7,$p')" \
	'BUCKET     INPUT    OUTPUT     TOTAL  95% IN  95% OUT    95%  OVER  SLOTS  UNSEEN
web     37.2 MiB  7.62 KiB  37.2 MiB   80.0k       16  80.0k    12    288      48
total   37.2 MiB  7.62 KiB  37.2 MiB                                       
OVER: slots with more than 80.0k bit/s, in or out'
tap_is "for machines" "$(day --json --percentile | jq -c '.rows[] | [.p95_input_bytes_per_second, .p95_output_bytes_per_second, .p95_bytes_per_second, .slots, .slots_unseen, .slots_over]')" \
	'[10000,2,10000,288,48,null]'
tap_is "a projection" "$(xenbw report --project --csv web --from 2026-11-01 --to "2026-11-02 16:00" | cut -d, -f4,5 | tail -n 1)" "39031200,78063484"
tap_ok "no percentile of addresses" cli_fails 2 'go with --by domain or owner' report --by address --percentile
tap_ok "no rate" cli_fails 2 '`--commit fast` is no rate; write bit/s, such as 10M' report --commit fast
tap_ok "no number" cli_fails 2 '`--top 0` is not a number' report --top 0
tap_ok "no month" cli_fails 2 '`13` is no month; write this, last or YYYY-MM' report --month 13
tap_ok "no time" cli_fails 2 '`now` is no time; write' report --from now
tap_ok "an empty period" cli_fails 2 'not before its end' report --from 2026-11-02 --to 2026-11-01
tap_ok "--month with --from" cli_fails 2 'not both' report --month this --from 2026-11-01
tap_ok "--by what?" cli_fails 2 'write domain, address, vif, owner or class' report --by host
tap_done
