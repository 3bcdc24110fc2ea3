#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw list-domains` on a dom0 that lives: the figures are exact before there is a ledger, while xenbwd runs, when it
# was killed, and after it has come back.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

# xenbw WORD…: standard error is kept in $BED/err.
xenbw() { "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>"$BED/err"; }
# figures: "domain devid input output" of each guest's vif
figures() { xenbw --json "$@" | jq -r '.vifs[] | select(.domid > 0) | "\(.domain) \(.devid) \(.input) \(.output)"'; }
bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD
rates_of() { xenbw --json | jq -e '.vifs[] | select(.domid == 1 and .devid == 0) | .output_bytes_per_second | numbers' >/dev/null; }

bed_up || tap_bail "no bed"
bw_past_edge 86400 40 # figures are of this month
bw_config
tap_is "no domain, no ledger" "$(xenbw)" "No domain has a vif now."
tap_like "a note says how the bytes could be kept" "$(cat "$BED/err")" '^xenbw: note: there is no ledger .*start xenbwd'
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 "" dbnet && bed_attach 1 1 10.77.0.21 || tap_bail "no guests"
bed_udp 1.0 outside 1000 500 && bed_udp outside 2.0 70 1472 || tap_bail "packets were lost"
tap_is "without a ledger: bytes since the vifs appeared" "$(xenbw --bytes)" \
	"DOMAIN    ID  STATE  VIF  DEVICE  MAC                ADDRESSES   BRIDGE  BUCKET  IN BIT/S  OUT BIT/S   INPUT  OUTPUT   TOTAL
Domain-0   0  up     $(printf %3d "$(</sys/class/net/$BED_BRIDGE/ifindex)")  xenbr0  -                  -           xenbr0  -              -          -       0       0       0
web        1  up       0  vif1.0  00:16:3e:4d:01:00  10.77.0.11  xenbr0  -              -          -       0  528000  528000
web        1  up       1  vif1.1  00:16:3e:4d:01:01  10.77.0.21  xenbr0  -              -          -       0       0       0
db         2  up       0  dbnet   00:16:3e:4d:02:00  10.77.0.12  xenbr0  -              -          -  105000       0  105000
total                                                                                                 105000  528000  633000"
tap_is "JSON says that there is no ledger, and so no month" "$(xenbw --json | jq -c '[.source, .ledger, .ledger_seen, .month, .xenbwd_runs]')" '["live",null,null,null,false]'
tap_is "what is not known is null" "$(xenbw --json | jq -c '.vifs[1] | [.bucket, .appeared, .gone, .input_bytes_per_second]')" '[null,null,null,null]'

# With xenbw-xl, which finds its domains where xenstored does.
tap_is "the state is the hypervisor's word" \
	"$(export XSHIM_DIR=$XENSTORE_DIR LD_PRELOAD=$BUILD/xshim.so; xenbw --json | jq -r '.vifs[].state' | sort -u)" running

# Helper programs are looked for beside the running one: here stands one that says what the test wants.
mkdir "$BED/bin" && cp "$BUILD/xenbw" "$BED/bin/" || tap_bail "no copy"
helper() { printf '#!/bin/sh\n%s\n' "$1" >"$BED/bin/xenbw-xl" && chmod +x "$BED/bin/xenbw-xl"; }
states() { "$BED/bin/xenbw" -c "$BW_CONF" --json 2>/dev/null | jq -c '[.vifs[] | select(.domid > 0) | .state]'; }
helper 'printf "11\tu\tdying\tx\n1\tu\tpaused\t2\tdb\n"'
tap_is "each domain has its own word, and none where the hypervisor does not know it" "$(states)" '["paused","paused",null]'
helper 'echo 1 u running web; exit 69'
tap_is "a helper that failed is not believed" "$(states)" '["up","up","up"]'
helper "echo \$\$ >$BED/helper.pid; exec sleep 50"
started=$SECONDS
tap_is "a helper that hangs is not waited for" "$(states)" '["up","up","up"]'
tap_ok "longer than three seconds" test $((SECONDS - started)) -le 5
tap_ok "and it is not left behind" test ! -e "/proc/$(cat "$BED/helper.pid")"

bw_start || tap_bail "no xenbwd"
tap_is "a new ledger begins at the present values, for the list as well" "$(figures)" 'web 0 0 0
web 1 0 0
db 0 0 0'
tap_is "notes are for special cases" "$(cat "$BED/err")" ""
bed_udp 1.0 outside 300 100 && bed_udp outside 1.0 40 1000 && bed_udp 2.0 1.1 5 8 || tap_bail "packets were lost"
expected="web 0 $(bytes 40 1000) $(bytes 300 100)
web 1 $(bytes 5 8) 0
db 0 0 $(bytes 5 8)"
tap_is "what xenbwd may not have booked yet counts at once" "$(figures)" "$expected"
sleep 2.5
tap_is "and is the same when it is booked" "$(figures)" "$expected"
bed_wait "rates" rates_of
on_80() { script -qec "stty cols 80; $BUILD/xenbw -c $BW_CONF" /dev/null </dev/null | tr -d '\r'; }
tap_like "80 columns keep what matters most: the rates go first" "$(on_80)" '^DOMAIN +ID  STATE  VIF  DEVICE +INPUT +OUTPUT +TOTAL$'
tap_like "and are named" "$(on_80)" '^Hidden: .*IN BIT/S, OUT BIT/S'
tap_is "no line is longer" "$(on_80 | grep -E '.{81}')" ""
tap_is "JSON names the month and the daemon" "$(xenbw --json | jq -c '[.source, .ledger, .month, .xenbwd_runs]')" \
	"[\"live\",\"$BW_LEDGER\",\"$(date -u +%Y-%m)\",true]"
tap_is "JSON: a vif" "$(xenbw --json | jq -c '.vifs[3] | del(.appeared, .input_bytes_per_second, .output_bytes_per_second) | with_entries(select(.key | test("_(in|out)put$") | not))')" \
	'{"domain":"db","domid":2,"uuid":"00000000-0000-4000-8000-000000000002","state":"up","devid":0,"netdev":"dbnet","mac":"00:16:3e:4d:02:00","addresses":["10.77.0.12"],"bridge":"xenbr0","bucket":"db","input":0,"output":180,"total":180,"gone":null,"not_split":null}'

# The sum goes on through all of this, while bytes flow, with every commit in between: never less, never twice.
bed_udp 1.0 outside 20000 100 6 &
sender=$!
previous=0 steps=0
while kill -0 $sender 2>/dev/null; do
	now=$(figures | awk '$1 == "web" && $2 == 0 { print $4 }')
	[ "$now" -ge "$previous" ] || { tap_point 'not ok' "the figure fell from $previous to $now"; break; }
	previous=$now steps=$((steps + 1))
done
wait $sender
expected="web 0 $(bytes 40 1000) $(($(bytes 300 100) + $(bytes 20000 100)))
web 1 $(bytes 5 8) 0
db 0 0 $(bytes 5 8)"
tap_ok "the figure was asked for many times while bytes flowed, and never fell" test $steps -gt 10
tap_is "it ends where it should" "$(figures)" "$expected"
bed_udp 1.0 outside 30000 1000 2
tap_like "rates are shown as bit/s" "$(xenbw | grep 'vif1.0')" ' [0-9.]+M +[0-9.]+ [KM]iB'

bw_kill
tap_is "killed: what the ledger lacks comes from the counters" "$(figures | head -n 1)" \
	"web 0 $(bytes 40 1000) $(($(bytes 300 100) + $(bytes 20000 100) + $(bytes 30000 1000)))"
tap_like "a note says that nobody counts" "$(cat "$BED/err")" '^xenbw: note: xenbwd does not run'
bed_guest 3 0 late 10.77.0.13 && bed_udp 3.0 outside 10 10 || tap_bail "no guest"
bed_udp outside 1.0 7 8
tap_is "a vif that came meanwhile counts from its first byte" "$(figures | tail -n 1)" "late 0 0 $(bytes 10 10)"
before=$(figures)
bw_start || tap_bail "no xenbwd"
tap_is "back again: the same figures" "$(figures)" "$before"
sleep 2.5
tap_is "also when they are booked" "$(figures)" "$before"
tap_is "a report has the same bytes, less those that stayed inside" "$(xenbw report --csv late web | tr -d '\r' | cut -d, -f1-3 | tail -n 2)" \
	"late,0,$(bytes 10 10)
web,$(($(bytes 40 1000) + $(bytes 7 8))),$(($(bytes 300 100) + $(bytes 20000 100) + $(bytes 30000 1000)))"

bed_guest_gone 3
bw_wait_sql "the end of late" "SELECT count(*) FROM vif WHERE gone IS NOT NULL" 1
tap_is "a domain that is gone is not listed" "$(figures | grep -c late)" 0
tap_like "but told of" "$(xenbw)" '^Not listed: 1 vif is gone, with 380 B this month. --all lists it.$'
tap_is "and listed on demand" "$(figures --all | tail -n 1)" "late 0 0 $(bytes 10 10)"
tap_is "as gone, since a time" "$(xenbw --json --all | jq -c '.vifs[] | select(.state == "gone") | [.domain, (.gone | type)]')" '["late","string"]'

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>"$BED/err"; }
: >"$BED/err" && chmod 666 "$BED/err"
chmod 755 "$BED" && chmod 644 "$BW_LEDGER"*
tap_is "who may not ask xenstore sees what the ledger knew" "$(as_nobody --csv | tr -d '\r' | cut -d, -f1,2,4,5,13,14 | tail -n +2 | sort)" \
	"Domain-0,0,,$(</sys/class/net/$BED_BRIDGE/ifindex),0,0
db,2,,0,0,$(bytes 5 8)
web,1,,0,$(($(bytes 40 1000) + $(bytes 7 8))),$(($(bytes 300 100) + $(bytes 20000 100) + $(bytes 30000 1000)))
web,1,,1,$(bytes 5 8),0"
tap_like "and one note that says so" "$(cat "$BED/err")" '^xenbw: note: .*Permission denied.*run xenbw as root'
chmod 600 "$BW_LEDGER"*
tap_is "who may not read the ledger either is told" "$(as_nobody; echo $?)" 1
tap_like "why" "$(cat "$BED/err")" "^xenbw: .*$BW_LEDGER.*may not read it; run xenbw as root"

xenstore_kill
tap_is "without xenstored root, too, sees what the ledger knew" "$(xenbw --json | jq -r .source)" ledger
bw_stop
tap_done
