#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw list-domains` where there is no xenstored: what the ledger knows, and what is said when there is none.
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

list='DOMAIN         ID  STATE  VIF  DEVICE  MAC                ADDRESSES             BRIDGE  BUCKET    IN BIT/S  OUT BIT/S             INPUT  OUTPUT             TOTAL            EXT IN  EXT OUT
=SUM(A1)        6  -        0  -       00:16:3e:00:00:03  10.0.0.3              -       =SUM(A1)         -          -  9007199254740993       0  9007199254740993  9007199254740993        0
web             4  -        0  vif4.0  00:16:3e:00:00:01  10.0.0.1 2001:db8::1  xenbr0  web              -          -        5000000758    1280        5000002038        5000000118      530
web10           5  -        0  vif5.0  00:16:3e:00:00:02  10.0.0.2              xenbr0  web10            -          -              1024    2048              3072              1024     2048
web10           5  -        1  inside  -                  -                     xenbr1  web10            -          -                 1       2                 3                 1        2
total 2026-11                                                                                                          9007204254742776    3330  9007204254746106  9007204254742136     2580
Not listed: 1 vif is gone, with 10 bytes this month. --all lists it.
EXT: booked up to 2026-11-23 12:00:05 CET, 33 bytes of it unattributed.'
tap_is "the vifs that the last run of xenbwd knew" "$(xenbw list-domains --bytes)" "$list"
tap_is "a note says why, of when it is, and what to do" "$(sed "s,$CLI,CLI,; s/run xenbw as root/start xenstored/" "$CLI/err")" \
	'xenbw: note: cannot connect to xenstored at CLI/no-xenstored: No such file or directory. Listed is what the ledger knew at 2026-11-23 12:00:05 CET; start xenstored on the dom0 for the live view'
tap_is "no command is list-domains" "$(xenbw --bytes)" "$list"
tap_is "with units" "$(xenbw | sed '/^total/q' | cut -c 1-13,119-)" 'DOMAIN           INPUT    OUTPUT     TOTAL    EXT IN   EXT OUT
=SUM(A1)      8.00 PiB       0 B  8.00 PiB  8.00 PiB       0 B
web           4.66 GiB  1.25 KiB  4.66 GiB  4.66 GiB     530 B
web10         1.00 KiB  2.00 KiB  3.00 KiB  1.00 KiB  2.00 KiB
web10              1 B       2 B       3 B       1 B       2 B
total 2026-11 8.00 PiB  3.25 KiB  8.00 PiB  8.00 PiB  2.52 KiB'
tap_is "--all lists those that are gone, also before this month" "$(xenbw --all --bytes | sed -n '5,9p')" \
	'web10           5  -        1  inside  -                  -                     xenbr1  web10                 -          -                 1       2                 3                 1        2
Grüße, "Welt"   7  gone     0  vif7.0  00:16:3e:00:00:04  10.0.0.4              xenbr0  Grüße, "Welt"         -          -                 4       6                10                 1        2
mail            9  gone     0  vif9.0  -                  -                     xenbr0  mail                  -          -                 0       0                 0                 0        0
web             3  gone     0  vif3.0  00:16:3e:00:00:01  10.0.0.1              xenbr0  web                   -          -                 0       0                 0                 0        0
total 2026-11                                                                                                               9007204254742780    3336  9007204254746116  9007204254742137     2582'

tap_is "CSV" "$(xenbw --csv --all | tr '\r' '!')" \
	'domain,domid,uuid,state,devid,netdev,mac,addresses,bridge,bucket,input_bytes_per_second,output_bytes_per_second,input,output,total,appeared,gone,not_split,external_input,external_output,peer_input,peer_output,direct_input,direct_output,local_input,local_output,ignored_input,ignored_output,unattributed_input,unattributed_output!
'"'=SUM(A1),6,,,0,,00:16:3e:00:00:03,10.0.0.3,,'=SUM(A1)"',,,9007199254740993,0,9007199254740993,2026-10-26T07:35:00Z,,,9007199254740993,0,0,0,0,0,0,0,0,0,0,0!
web,4,11111111-1111-4111-8111-111111111111,,0,vif4.0,00:16:3e:00:00:01,10.0.0.1 2001:db8::1,xenbr0,web,,,5000000758,1280,5000002038,2026-10-26T07:35:00Z,,,5000000107,508,40,50,0,0,600,700,0,0,11,22!
web10,5,22222222-2222-4222-8222-222222222222,,0,vif5.0,00:16:3e:00:00:02,10.0.0.2,xenbr0,web10,,,1024,2048,3072,2026-10-26T07:35:00Z,,,1024,2048,0,0,0,0,0,0,0,0,0,0!
web10,5,22222222-2222-4222-8222-222222222222,,1,inside,,,xenbr1,web10,,,1,2,3,2026-10-26T07:35:00Z,,,1,2,0,0,0,0,0,0,0,0,0,0!
"Grüße, ""Welt""",7,,gone,0,vif7.0,00:16:3e:00:00:04,10.0.0.4,xenbr0,"Grüße, ""Welt""",,,4,6,10,2026-10-26T07:35:00Z,2026-11-18T11:06:40Z,,1,2,0,0,0,0,0,0,3,4,0,0!
mail,9,,gone,0,vif9.0,,,xenbr0,mail,,,0,0,0,2026-09-21T14:13:20Z,2026-10-03T04:00:00Z,,0,0,0,0,0,0,0,0,0,0,0,0!
web,3,11111111-1111-4111-8111-111111111111,gone,0,vif3.0,00:16:3e:00:00:01,10.0.0.1,xenbr0,web,,,0,0,0,2026-09-21T14:13:20Z,2026-10-26T07:33:20Z,,0,0,0,0,0,0,0,0,0,0,0,0!'
tap_is "JSON: what it says beside the vifs" "$(xenbw --json | jq -c 'del(.vifs, .ledger)')" \
	'{"format":1,"command":"list-domains","time":"2026-11-23T11:00:10Z","source":"ledger","xenbwd_runs":false,"ledger_seen":"2026-11-23T11:00:05Z","timezone":"Europe/Berlin","month":"2026-11","month_from":"2026-10-31T23:00:00Z","month_to":"2026-11-30T23:00:00Z","split":null,"uplinks":null,"dropped":null,"stray_packets":null,"stray_bytes":null,"unattributed":"external"}'
tap_is "JSON: a vif" "$(xenbw --json | jq -c '.vifs[1]')" \
	'{"domain":"web","domid":4,"uuid":"11111111-1111-4111-8111-111111111111","state":null,"devid":0,"netdev":"vif4.0","mac":"00:16:3e:00:00:01","addresses":["10.0.0.1","2001:db8::1"],"bridge":"xenbr0","bucket":"web","input_bytes_per_second":null,"output_bytes_per_second":null,"input":5000000758,"output":1280,"total":5000002038,"appeared":"2026-10-26T07:35:00Z","gone":null,"not_split":null,"external_input":5000000107,"external_output":508,"peer_input":40,"peer_output":50,"direct_input":0,"direct_output":0,"local_input":600,"local_output":700,"ignored_input":0,"ignored_output":0,"unattributed_input":11,"unattributed_output":22}'

for columns in 60 80 100 160; do
	# shellcheck disable=SC2046
	tap_ok "a terminal of $columns columns is not exceeded" test $(xenbw_on $columns --all | sed '/^total/q' | wc -L) -le $columns
done
tap_is "nor by the lines below the table" "$(for columns in 50 60 80; do xenbw_on $columns | sed '1,/^total/d' | grep -E ".{$((columns + 1))}"; done)" ""
tap_is "what does not fit on 80 columns is left out and named" "$(xenbw_on 80 | grep -E '^(DOMAIN|web |Hidden|--wide)')" \
	'DOMAIN         ID  VIF  DEVICE     INPUT    OUTPUT     TOTAL    EXT IN   EXT OUT
web             4    0  vif4.0  4.66 GiB  1.25 KiB  4.66 GiB  4.66 GiB     530 B
Hidden: STATE, MAC, ADDRESSES, BRIDGE, BUCKET, IN BIT/S, OUT BIT/S.
--wide shows all.'

# Nothing, or nothing good, to read.
refuse_ledger() { cli_fails 1 "$2" --ledger "$1" && cli_fails 1 "$2" report --ledger "$1"; }
cp "$CLI/ledger.db" "$CLI/torn.db" && truncate -s 20000 "$CLI/torn.db"
tap_ok "a torn ledger is refused" refuse_ledger "$CLI/torn.db" "$CLI/torn.db.*damaged"
cp "$CLI/ledger.db" "$CLI/newer.db" && sqlite3 "$CLI/newer.db" 'PRAGMA user_version = 99'
tap_ok "a newer ledger is refused" refuse_ledger "$CLI/newer.db" "newer xenbw"
sqlite3 "$CLI/other.db" 'CREATE TABLE bookmark (url TEXT)'
tap_ok "another program's database is refused" refuse_ledger "$CLI/other.db" "other program"
head -c 30000 /bin/bash >"$CLI/binary.db"
tap_ok "what is no database is refused" refuse_ledger "$CLI/binary.db" "$CLI/binary.db is not a ledger \\(not an SQLite database\\).*--ledger FILE"
mkdir "$CLI/folder.db"
tap_ok "a folder is refused, as what it is" refuse_ledger "$CLI/folder.db" "$CLI/folder.db is a directory, not a ledger; .*--ledger FILE"
tap_ok "a report without a ledger says where it comes from" cli_fails 1 "no ledger $CLI/none.db yet: xenbwd makes it" report --ledger "$CLI/none.db"
tap_ok "a list without ledger and xenstored says what to do next" cli_fails 1 'nothing to list yet' --ledger "$CLI/none.db"
tap_is "namely" "$(sed "s,$CLI,CLI,; s/run xenbw as root;/see that xenstored runs, and run xenbw as root;/; s/and see that xenstored runs, and/and/" "$CLI/err")" 'xenbw: there is nothing to list yet
  xenstore  cannot connect to xenstored at CLI/no-xenstored: No such file or directory
  ledger    CLI/none.db is not there; xenbwd makes it when it first runs
What to do next
  on a Xen dom0     see that xenstored runs, and run xenbw as root; systemctl enable --now xenbwd starts the counting
  on another host   look at a copy of a ledger: xenbw --ledger FILE'
tap_ok "a configuration that is not there" cli_fails 1 "$CLI/no.conf" -c "$CLI/no.conf"
echo 'polll 5' >"$CLI/bad.conf"
tap_ok "a wrong configuration" cli_fails 1 'bad.conf:1: .*`poll`' -c "$CLI/bad.conf"
tap_ok "help does not need one" xenbw -c "$CLI/bad.conf" help report
xenbw_to_full() { ! xenbw --all >/dev/full && grep -q '^xenbw: cannot write the output: No space left' "$CLI/err"; }
tap_ok "output that cannot be written is an error" xenbw_to_full
tap_done
