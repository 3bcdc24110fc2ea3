#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From `bucket ip` to `bucket domain` with RRD files: the file of the how-to's script (COUNTER, with months before xenbw)
# becomes the domain's by `xenbw rebucket --rrd`, xenbw-writer goes on with it, and back. All that was in it stays.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"

WEB=10.77.0.11 DB=10.77.0.12 MAP=$BED/files.map
at() { echo $((CLOCK_FIRST + $1 * CLOCK_SLOT)); } # the start of slot N
fetch() { rrdtool fetch "$BW_RRD/$1.rrd" "${4-AVERAGE}" -r 300 -s "$2" -e "$(($3 - 1))" | sed 1d; } # fetch LABEL FROM TO [CF]
# bytes LABEL SLOT: input and output of one slot, as the file has them
bytes() { fetch "$1" "$(at "$2")" "$(($(at "$2") + 300))" | awk -v time="$(($(at "$2") + 300)):" '$1 == time { printf "%.0f %.0f\n", $2 * 300, $3 * 300 }'; }
sources() { rrdtool info "$BW_RRD/$1.rrd" | grep -E '^step|^ds.*(index|type|heartbeat)|^rra.*(cf|rows|pdp_per_row)'; }
reaches() { [ "$(rrdtool last "$BW_RRD/$1.rrd")" -ge "$(at "$2")" ]; } # reaches LABEL N: it has all slots below N
rebucket() { LD_PRELOAD=$BUILD/clockshim.so "$BUILD/xenbw" -c "$BW_CONF" rebucket --rrd "$@" >"$BED/said" 2>&1; }
refused() { rebucket "${@:2}" && echo "did it"; grep -qE -- "$1" "$BED/said" || cat "$BED/said"; } # refused PATTERN WORD…
# slot N PACKETS: so many datagrams to each guest, and one to each from the other, in slot N
slot() {
	clock_in_slot "$1" 298
	bed_udp outside 1.0 "$2" 500 && bed_udp 1.0 outside $(($2 + 1)) 500 && bed_udp outside 2.0 "$2" 100 || tap_bail "the bed lost packets"
	clock_wait_slot $(($1 + 1)) || tap_bail "no slot"
}
conf() { bw_config "rrd_dir $BW_RRD" "flush 1" "attribution pcap" "bucket $1"; }

bed_up || tap_bail "no bed"
clock_in_slot 0
# a day of the how-to's script: sums over all time, every five minutes until slot 1 begins; the latter at an odd second
mkdir "$BW_RRD" && rrdtool create "$BW_RRD/$WEB.rrd" --step 300 --start "$(at -301)" DS:input:COUNTER:600:U:U DS:output:COUNTER:600:U:U \
	RRA:AVERAGE:0.5:1:600 RRA:AVERAGE:0.5:6:700 RRA:MAX:0.5:1:600 || tap_bail "no RRD"
for ((i = -300; i < 0; i++)); do echo "$(($(at $i) + 7)):$((5000000000 + i * 30000)):$((7000000000 + i * i))"; done | xargs rrdtool update "$BW_RRD/$WEB.rrd"
old=$(fetch "$WEB" "$(at -300)" "$(at -1)")
tap_is "the script's file has a day" "$(grep -c ': [0-9]' <<<"$old")" 299

conf ip
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web "$WEB" && bed_guest 2 0 db "$DB" || tap_bail "no guests"
bed_wait "the uplink" grep -q 'uplink: peth0' "$BW_LOG" || tap_bail "no uplink"
for n in 1 2 3; do slot $n $((n * 10)); done
bed_wait "the RRD file" reaches "$WEB" 4 && bed_wait "the RRD file" reaches "$DB" 4 || tap_bail "no RRD file"
tap_is "xenbw goes on with it under the address" "$(bytes "$WEB" 2) / $(bytes "$DB" 2)" "$((20 * 528)) $((21 * 528)) / $((20 * 128)) 0"

rebucket --plan "$MAP" || tap_bail "$(cat "$BED/said")"
tap_is "the plan" "$(sed '/^#/d; /^$/d; s/ *#.*//' "$MAP" | tr -s ' ')" " $WEB web
 $DB db"
conf domain
tap_is "not while xenbwd runs" "$(refused 'xenbwd runs: .*stop it first' --apply "$MAP")" ""
bw_stop
tap_is "xenbwd ends well" $? 0
conf ip
tap_is "not while addresses are written" "$(refused 'write .bucket domain. into it first' --apply "$MAP")" ""
conf domain
shape=$(sources "$WEB") until_4=$(fetch "$WEB" "$(at -300)" "$(at 4)")$(fetch "$WEB" "$(at -300)" "$(at 4)" MAX)
whole=$(rrdtool dump "$BW_RRD/$WEB.rrd" | md5sum)
tap_ok "renamed" rebucket --apply "$MAP"
tap_is "all that was in it is in it" "$(rrdtool dump "$BW_RRD/web.rrd" | md5sum)" "$whole"

# the writer goes on
bw_start || tap_bail "no xenbwd"
bed_wait "the uplink" grep -q 'uplink: peth0' "$BW_LOG" || tap_bail "no uplink"
for n in 5 6 7; do slot $n $((n * 10)); done
bed_wait "the RRD file" reaches web 8 && bed_wait "the RRD file" reaches db 8 || tap_bail "no RRD file"
tap_is "what comes now is in the domain's file" "$(bytes web 6) / $(bytes db 6)" "$((60 * 528)) $((61 * 528)) / $((60 * 128)) 0"
tap_is "which has the shape it had" "$(sources web)" "$shape"
tap_is "and what was in it, in all archives" "$(fetch web "$(at -300)" "$(at 4)")$(fetch web "$(at -300)" "$(at 4)" MAX)" "$until_4"
tap_is "also the script's day" "$(fetch web "$(at -300)" "$(at -1)")" "$old"
tap_is "the slots are whole, as the ledger has them" "$(bytes web 7)" "$(bw_sql "SELECT sum(charged_input) || ' ' || sum(charged_output) FROM usage
	JOIN bucket_label l ON l.bucket = usage.bucket AND l.label = 'web' WHERE slot = $(at 7)")"
tap_is "nobody complains" "$(grep -c 'is not written' "$BW_LOG")" 0

# and back
bw_stop
conf ip
tap_ok "taken back" rebucket --undo "$MAP"
bw_start || tap_bail "no xenbwd"
bed_wait "the uplink" grep -q 'uplink: peth0' "$BW_LOG" || tap_bail "no uplink"
for n in 9 10; do slot $n $((n * 10)); done
bed_wait "the RRD file" reaches "$WEB" 11 || tap_bail "no RRD file"
tap_is "the address's file goes on" "$(bytes "$WEB" 10)" "$((100 * 528)) $((101 * 528))"
tap_is "with what came under the name" "$(bytes "$WEB" 6)" "$((60 * 528)) $((61 * 528))"
tap_is "and before it" "$(fetch "$WEB" "$(at -300)" "$(at 4)")$(fetch "$WEB" "$(at -300)" "$(at 4)" MAX)" "$until_4"
bw_stop
tap_is "xenbwd ends well" $? 0
tap_done
