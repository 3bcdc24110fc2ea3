#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `xenbw list-domains` says of the split: classes from the ledger, and what xenbwd answers of its capture.
# time-limit: 60
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

xenbw() { "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>"$BED/err"; }
sql() { sqlite3 "$BW_LEDGER" "$1"; }
has_control() { [ -S "$BW_CONTROL" ]; }

# says SPLIT UPLINKS DROPPED STRAY_PACKETS STRAY_BYTES [VIF…]: from now on an xenbwd seems to say so.
saying=
hush() { [ -z "$saying" ] || { kill "$saying"; wait "$saying"; saying=; rm -f "$BW_CONTROL"; } 2>/dev/null; }
says() {
	hush
	"$BUILD/control_says" "$BW_CONTROL" "$@" &
	saying=$!
	bed_wait "somebody who answers" has_control
}

# columns [WORD…]: domain and the figures of the month; below: what stands under the table, without its time
columns() { xenbw --bytes "$@" | sed '/^total/q' | awk '{ print $1, $(NF - 4), $(NF - 3), $(NF - 2), $(NF - 1), $NF }'; }
below() { xenbw "$@" | sed '1,/^total/d; s/up to [0-9-]* [0-9:]* UTC/up to TIME/'; }

bed_up && bw_config 'attribution off' && bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bw_start || tap_bail "no bed"
bed_udp 1.0 outside 1000 500 && bed_udp outside 2.0 70 1472 || tap_bail "packets were lost"
bw_wait_sql "all that was sent" "SELECT sum($BW_INPUT + $BW_OUTPUT) FROM usage" $((528000 + 105000))
bw_stop

# Nothing is split yet.
tap_is "nothing is said twice: where all is unattributed, there are no columns for it" \
	"$(xenbw | grep -c 'EXT')" 0
tap_is "but a line that says so" "$(below)" 'Unsplit: all that is booked is unattributed.'
says off '' 0 0 0
tap_is "off is said, and what it does" "$(below)" 'Attribution is off.
Unsplit: all that is booked is unattributed.'
tap_is "JSON: who splits" "$(xenbw --json | jq -c '[.split, .uplinks, .dropped, .stray_packets, .stray_bytes, .unattributed]')" \
	'["off",[],0,0,0,"external"]'
says pcap 'peth0 bond1' 0 0 0
tap_is "the capture has begun, and nothing is booked of it" "$(below)" 'Split by libpcap on peth0 bond1.
Unsplit: all that is booked is unattributed.'

# As if a capture had seen them: the same totals, by class. Each class in and out.
web=$(sql "SELECT id FROM vif WHERE domain = 'web'") db=$(sql "SELECT id FROM vif WHERE domain = 'db'")
slot=$(sql 'SELECT max(slot) FROM usage')
sql "DELETE FROM take; DELETE FROM slot;
	INSERT INTO slot SELECT bucket, $slot, $web, '', 0,500000, 0,1000, 0,2000, 0,4000, 0,8000, 0,13000, 0,0, 0,0, 0
		FROM vif WHERE id = $web;
	INSERT INTO slot SELECT bucket, $slot, $db, '', 100000,0, 100,0, 200,0, 400,0, 800,0, 3500,0, 0,0, 0,0, 0
		FROM vif WHERE id = $db" || tap_bail "no classes"
tap_is "external and unattributed bytes have columns beside those of all bytes" "$(columns)" \
	'DOMAIN TOTAL EXT IN EXT OUT
Domain-0 0 0 0 0 0
web 0 528000 528000 0 513000
db 105000 0 105000 103500 0
total 105000 528000 633000 103500 513000'
tap_is "the columns stand under their titles" "$(xenbw --bytes | sed '/^total/q' | awk '{ print length }' | sort -u | wc -l)" 1
tap_is "a line below says up to when, and what of it is not known" "$(below)" 'Split by libpcap on peth0 bond1.
EXT: booked up to TIME, 16.1 KiB of it unattributed.'
tap_is "JSON: classes of a vif" "$(xenbw --json | jq -c '.vifs[1] | [.domain, .not_split, .input, .output, .total, .external_input,
	.external_output, .peer_output, .direct_output, .local_output, .ignored_output, .unattributed_input, .unattributed_output]')" \
	'["web",null,0,528000,528000,0,500000,1000,2000,4000,8000,0,13000]'
tap_is "CSV: the same, behind what was there before" "$(xenbw --csv | tr -d '\r' | grep '^db,' | cut -d, -f18-)" \
	',100000,0,100,0,200,0,400,0,800,0,3500,0'
bed_udp 1.0 outside 10 100
tap_is "what is not booked yet is in the totals alone" "$(columns | grep ^web)" \
	"web 0 $((528000 + 1280)) $((528000 + 1280)) 0 513000"
sql "INSERT INTO meta VALUES ('unattributed', 'none') ON CONFLICT DO UPDATE SET value = 'none'"
tap_is "unattributed none: external bytes alone" "$(columns | grep ^total)" \
	"total 105000 $((528000 + 1280)) $((633000 + 1280)) 100000 500000"
tap_is "and a line says so" "$(below | tail -n 1)" 'EXT: booked up to TIME, without 16.1 KiB unattributed.'
tap_is "JSON, too" "$(xenbw --json | jq -c .unattributed)" '"none"'
tap_is "notes are for special cases" "$(cat "$BED/err")" ""

# What goes wrong.
says pcap peth0 1 1 60
tap_is "one packet that was missed, one that is nobody's" "$(below | tail -n 2)" \
	'Missed: 1 packet since xenbwd started; the bytes are unattributed.
Strays: 1 packet (60 B) left under MACs or addresses of no guest.'
tap_is "JSON has the numbers" "$(xenbw --json | jq -c '[.split, .uplinks, .dropped, .stray_packets, .stray_bytes]')" '["pcap",["peth0"],1,1,60]'
says pcap peth0 1234567890 1234567 5000000000 1.0
tap_is "a vif that cannot be split is named" "$(below | grep vif)" 'Cannot be told apart (NAT, or no MAC or address known): vif1.0.'
tap_is "and marked" "$(xenbw --json | jq -c '[.vifs[].not_split]')" '[null,"blind",null]'
tap_is "80 columns are enough for table and lines, however large the numbers" "$(script -qec "stty cols 80; $BUILD/xenbw -c $BW_CONF" /dev/null </dev/null | tr -d '\r' |
	awk 'length > 80')" ""
says failing peth0 0 0 0
tap_is "a capture that does not run is said below" "$(below | head -n 1)" 'Nobody looks at the uplinks at present.'
tap_is "and in a note, whatever the format" "$(xenbw --json >/dev/null; cat "$BED/err")" \
	"xenbw: note: nobody looks at the uplinks at present: bytes are unattributed; xenbwd's log says why"
hush
tap_is "xenbwd does not run: what is booked is said" "$(below)" 'EXT: booked up to TIME, without 16.1 KiB unattributed.'
tap_is "and what only xenbwd knows is null" "$(xenbw --json | jq -c '[.split, .uplinks, .dropped, .stray_packets, .stray_bytes]')" '[null,null,null,null,null]'
tap_done
