#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The figures below a graph are those of the ledger: of each span, as far as the RRD file's archives go.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

# 40 days of slots of two domains, in the ledger and, as xenbw-writer writes them, in RRD files; no two are alike. It ends
# when the ledger's open slot begins; web10 came three days ago.
end=1795431600
begin=$((end / 86400 * 86400 - 40 * 86400))
day=$((end - 86400))
sqlite3 "$CLI/ledger.db" "DELETE FROM slot; DELETE FROM take;
	WITH RECURSIVE n(t) AS (SELECT $begin UNION ALL SELECT t + 300 FROM n WHERE t + 300 < $end)
		INSERT INTO slot SELECT 1, t, 2, '', t * 7919 % 40000003, t * 104729 % 900000011, 0,0, 0,0, 5,5, 0,0, 0,0, 0,0, 0,0, 0 FROM n;
	WITH RECURSIVE n(t) AS (SELECT $end - 3 * 86400 UNION ALL SELECT t + 300 FROM n WHERE t + 300 < $end)
		INSERT INTO slot SELECT 2, t, 3, '', t * 31 % 70000001, t * 37 % 300007, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM n"
make_rrd() { # make_rrd BUCKET FILE BEGIN
	rrdtool create "$2" --step 300 --start "$3" DS:input:DERIVE:600:0:U DS:output:DERIVE:600:0:U \
		RRA:{AVERAGE,MAX}:0.5:{1:600,6:700,24:775,288:797}
	{ echo "$3:0:0"
	sqlite3 -separator : "$CLI/ledger.db" "SELECT slot + 300, sum(external_input) OVER (ORDER BY slot), sum(external_output) OVER (ORDER BY slot)
		FROM slot WHERE bucket = $1"; } | tail -n +1 | grep -v "^$3:0:0$" | xargs -n 500 rrdtool update "$2"
}
mkdir "$CLI/rrd"
# one update before the first slot: its bytes are counted from there
make_rrd 1 "$CLI/rrd/web.rrd" "$begin" && make_rrd 2 "$CLI/rrd/web10.rrd" $((end - 3 * 86400)) || tap_bail "no RRD"
cd "$CLI" || tap_bail "no folder"

local_time() { TZ=Europe/Berlin date -d "@$1" '+%Y-%m-%d %H:%M'; }
# reported BUCKET FROM WORD…: input and output of a report
reported() { xenbw report --from "$(local_time "$2")" --to "$(local_time $end)" "${@:3}" | awk -v name="$1" '$1 == name { print $2, $3, $4, $5 }'; }
legend() { xenbw graph --to $end --legend "$@"; }
single() { legend "$@" | awk '$1 == "Input" || $1 == "Output" { print $5, $6 }' | paste -sd ' '; }
row() { local name=$1; shift; legend "$@" | awk -v name="$name" '$1 == name { print $5, $6, $10, $11 }'; }

for days in 1 2 3; do
	from=$((end - days * 86400))
	tap_is "$days days: the sums are the report's" "$(single web --from $from)" "$(reported web $from)"
	tap_is "$days days: those of each domain of the host" "$(row web --from $from) $(row web10 --from $from)" "$(reported web $from) $(reported web10 $from)"
	tap_is "$days days: that of all" "$(row Total --from $from)" "$(reported total $from)"
done
# Edges of the archives' rows: half an hour for a week, two hours for a month, days beyond (UTC).
for span in week:$((end - 7 * 86400)) days:$((end / 86400 * 86400 - 14 * 86400)) month:$((end / 86400 * 86400 - 30 * 86400)); do
	from=${span#*:}
	tap_is "a ${span%:*}: the same" "$(single web --from "$from")" "$(reported web "$from")"
done
tap_is "a year has all that is there" "$(single web --span year)" "$(reported web "$begin")"

# Current, average, maximum: from the slots themselves.
rates() { # rates DIRECTION FROM
	sqlite3 "$CLI/ledger.db" "SELECT external_$1 FROM slot WHERE bucket = 1 AND slot >= $2 ORDER BY slot" | awk '
		function text(rate) { rate *= 8 / 1000; unit = "k"; if (rate >= 999.5) { rate /= 1000; unit = "M" }
			return sprintf("%.*f%s", rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0, rate, unit) }
		{ last = $1; sum += $1; n++; if ($1 > most) most = $1 }
		END { print text(last / 300), text(sum / n / 300), text(most / 300) }'
}
tap_is "current, average and maximum of a day" "$(legend web --from $day | awk '$1 == "Input" || $1 == "Output" { print $2, $3, $4 }')" "$(rates input $day)
$(rates output $day)"
tap_is "a month's maximum is that of a slot, not of two hours" "$(legend web --from $((end - 30 * 86400)) | awk '$1 == "Output" { print $4 }')" \
	"$(rates output $((end - 30 * 86400)) | cut -d' ' -f3)"
tap_is "the sum of several has none that is not known" "$(legend --span month | awk '$1 == "Total" { print $4, $9 }')" "- -"

percentile() { legend --percentile "$@" | sed -n 's/^95th percentile of five minutes: //p'; }
p95() { # p95 FROM WORD…: the same, from a report
	xenbw report --percentile --from "$(local_time "$1")" --to "$(local_time $end)" "${@:2}" --json |
		jq -r '.rows[] | "\(.p95_input_bytes_per_second) \(.p95_output_bytes_per_second)"' | head -n 1 | awk '
		function text(rate) { rate *= 8 / 1000; unit = "k"; if (rate >= 999.5) { rate /= 1000; unit = "M" }
			return sprintf("%.*f%s", rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0, rate, unit) }
		{ printf "%s (input %s, output %s)\n", text($1 > $2 ? $1 : $2), text($1), text($2) }'
}
for days in 1 30; do
	tap_is "the 95th percentile of $days days is the report's" "$(percentile web --from $((end - days * 86400)))" "$(p95 $((end - days * 86400)) web)"
done
echo 'owner acme web web10' >>"$CLI/conf"
tap_is "so is that of an owner" "$(percentile --owner acme --from $day)" "$(p95 $day --by owner --owner acme)"

tap_is "a time without data says so" "$(legend web --from 20100101 --to 20100201 2>&1 | head -n 1)" "No traffic is on record in this time."
tap_is "also of all" "$(legend --from 20100101 --to 20100201 2>&1 | head -n 1)" "No traffic is on record in this time."
is_xml() { xenbw graph "$1" --percentile --out x.svg >/dev/null && xmllint --noout x.svg; }
tap_ok "SVG is well-formed XML" is_xml web
tap_ok "also of several" is_xml --owner=acme
tap_done
