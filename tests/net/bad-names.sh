#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whatever bytes xenstore holds as a domain's name: the counting is exact, and no file leaves its folder.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"

# \xNN stands for a byte (xenstore_tool).
# shellcheck disable=SC2016
names=(
	'a/b' 'c:d' 'two  blanks ' 'Grüße-日本' '../../planted' '/run/planted' '.' '..' '%2f' 'a%2fb' 'x'\''y"z;$(touch planted)'
	'new\x0aline' 'nul\x00here' 'bad\xff\xfebytes' 'esc\x1b[31mred' '' 'twin' 'twin' '-rf' 'Domain-0'
	"$(printf 'n%.0s' {1..3000})" "$(printf 'n%.0s' {1..3000})m"
)

bed_up || tap_bail "no bed"
clock_in_slot 0
bw_config "rrd_dir $BW_RRD"
bw_start || tap_bail "no xenbwd"
expected=
for i in "${!names[@]}"; do
	domid=$((i + 1))
	bed_guest $domid 0 "${names[i]}" 10.77.0.$((20 + i)) || tap_bail "no guest called ${names[i]}"
	bed_udp $domid.0 outside $((100 + i)) 72
	expected+="$domid 0 $(((100 + i) * 100))"$'\n'
done
bw_wait_sql "all bytes" "SELECT sum(total_output) FROM epoch" "$(awk '{ sum += $3 } END { print sum }' <<<"$expected")"
list=$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json)
table=$("$BUILD/xenbw" -c "$BW_CONF" list-domains)
clock_in_slot 0 298
clock_wait_slot 1
files() { find "$BW_RRD" -type f -name '*.rrd' 2>/dev/null | wc -l; }
enough() { [ "$(files)" -ge ${#names[@]} ]; }
bed_wait "the RRD files" enough
bw_stop

tap_is "every vif's bytes are exact, whatever its domain is called" \
	"$(for i in "${!names[@]}"; do echo "$((i + 1)) $(bw_booked_vif $((i + 1)) 0)"; done)" "${expected%$'\n'}"
tap_is "each domain has a bucket of its own" \
	"$(bw_sql "SELECT count(*), count(DISTINCT bucket) FROM vif WHERE domid > 0")" "${#names[@]}|${#names[@]}"
tap_is "two live domains of one name have two labels" \
	"$(bw_sql "SELECT group_concat(label, ' ') FROM (SELECT label FROM bucket_label WHERE label LIKE 'twin%' ORDER BY label)")" "twin twin~2"
tap_is "labels are valid text without control characters" \
	"$(bw_sql "SELECT label FROM bucket_label" | iconv -f UTF-8 -t UTF-8 2>&1 | LC_ALL=C grep -c '[[:cntrl:]]')" 0
tap_is "list-domains lists every one of them" \
	"$(jq '[.. | objects | .domid? | numbers | select(. > 0)] | unique | length' <<<"$list")" ${#names[@]}
tap_is "and its table holds no control character" "$(LC_ALL=C grep -c $'[\x01-\x08\x0b-\x1f\x7f]' <<<"$table")" 0
tap_is "each bucket has an RRD file of its own" "$(files)" \
	"$(bw_sql "SELECT count(*) FROM bucket")"
tap_is "no file lies outside of the RRD folder, or in a folder of its own" \
	"$(find "$BED" /run/planted* /planted* planted* -newer "$BW_CONF" -name '*planted*' -not -path "$BW_RRD/*" 2>/dev/null
	find "$BW_RRD" -mindepth 2)" ""
tap_is "no file name begins with a dot or holds a control character" \
	"$(find "$BW_RRD" -type f \( -name '.*' -o -name $'*[\x01-\x1f]*' \))" ""
tap_done
