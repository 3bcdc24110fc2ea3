#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What Prometheus itself says of `xenbw metrics` and of the examples for it: promtool reads the metrics, plays the alert
# rules through, and parses each question of the dashboard, which asks for nothing that is not there.
# shellcheck disable=SC2016 # variables of the dashboard
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
examples=$CLI_TREE/examples

# A daemon that answers; names that somebody chose to be in the way.
"$BUILD/control_says" "$CLI/control" pcap peth0 3 4 500 &
saying=$!
trap 'kill "$saying"; rm -rf "$CLI"' EXIT
sqlite3 "$CLI/ledger.db" "INSERT INTO sink VALUES ('mysql', 1), ('rrd', 2);
	UPDATE vif SET domain = 'a\"b{c=\"d\"} 1' || char(10) || '# EOF\\n' WHERE id = 3; UPDATE bucket_label SET label = CAST(x'ff2c5c' AS TEXT) WHERE bucket = 2"
for ((i = 0; i < 100; i++)); do
	[ ! -S "$CLI/control" ] || break
	sleep 0.1
done
xenbw metrics >"$CLI/metrics" || tap_bail "no metrics"
tap_is "xenbwd answered" "$(grep '^xenbw_up' "$CLI/metrics")" "xenbw_up 1"
tap_is "promtool has nothing to say to the metrics" "$(promtool check metrics <"$CLI/metrics" 2>&1; echo $?)" 0
printf '# HELP xenbw_bad bad\n# TYPE xenbw_bad counter\nxenbw_bad 1\n' >"$CLI/bad"
tap_like "to a bad one it has" "$(promtool check metrics <"$CLI/bad" 2>&1)" 'xenbw_bad counter metrics should have "_total" suffix'

# OpenMetrics: read by Prometheus' strict parser into a database, and back.
xenbw metrics --openmetrics >"$CLI/open"
tap_is "it ends as it must" "$(tail -n 1 "$CLI/open")" "# EOF"
tap_is "counters are called without their ending" "$(sed -n 's/^# TYPE \(.*\) counter$/\1/p' "$CLI/open" | tr '\n' ' ')" \
	"xenbw_vif_bytes xenbw_missed_packets xenbw_stray_bytes "
sed "/^#/!s/\$/ $CLI_NOW/" "$CLI/open" >"$CLI/timed"
tap_ok "Prometheus reads it" promtool tsdb create-blocks-from openmetrics "$CLI/timed" "$CLI/tsdb"
mkdir -p "$CLI/tsdb/wal" # without one it is no database
promtool tsdb dump "$CLI/tsdb" >"$CLI/dump" 2>"$CLI/err"
tap_is "and has each series" "$(grep -c '^{' "$CLI/dump")" "$(grep -vc '^#' "$CLI/metrics")"
tap_is "with its name as it was" "$(grep -cF 'domain="a\"b{c=\"d\"} 1\\x0a# EOF\\x5cn"' "$CLI/dump")" "$(grep -cF 'domain="a\"b{c=\"d\"} 1\\x0a# EOF\\x5cn"' "$CLI/metrics")"
tap_ok "of which there are some" grep -qF 'domain="a\"b{c=\"d\"} 1\\x0a# EOF\\x5cn"' "$CLI/dump"
tap_is "both formats have the same in them" "$(grep -v '^#' "$CLI/open")" "$(grep -v '^#' "$CLI/metrics")"

# The examples ask for nothing else than what is printed.
printed=$(sed 's/[{ ].*//; /^#/d' "$CLI/metrics" | sort -u)
unknown() { grep -oE '\bxenbw_[a-z_]+' | sort -u | grep -vxF "$printed"; }
exprs() { jq -r '.. | objects | select(has("expr")) | .expr' "$examples/grafana-xenbw.json"; }
tap_ok "the dashboard is JSON" jq -e .panels "$examples/grafana-xenbw.json"
tap_ok "it asks something" test "$(exprs | wc -l)" -gt 10
tap_is "what the dashboard asks for is there" "$({ exprs; jq -r '.templating.list[] | .definition // ""' "$examples/grafana-xenbw.json"; } | unknown)" ""
tap_is "its labels are there, too" "$(exprs | grep -oE '[a-z]+(=~|=")' | grep -oE '[a-z]+' | sort -u | grep -vx instance | while read -r label; do
	grep -q "[{,]$label=\"" "$CLI/metrics" || echo "$label"
done)" ""
tap_is "each panel has a number of its own" "$(jq '.panels[].id' "$examples/grafana-xenbw.json" | sort | uniq -d)" ""
{
	printf 'groups:\n  - name: dashboard\n    rules:\n'
	exprs | sed 's/\$__rate_interval/5m/g' | jq -R . | awk '{ printf "      - {record: q%d, expr: %s}\n", NR, $0 }'
} >"$CLI/dashboard.yml"
tap_ok "Prometheus understands its questions" promtool check rules "$CLI/dashboard.yml"
tap_is "what the alerts ask for is there" "$(sed -n 's/^ *expr: //p' "$examples/prometheus-alerts.yml" | unknown)" ""
tap_ok "Prometheus takes the alerts" promtool check rules "$examples/prometheus-alerts.yml"

# Two hosts: on good all is well, on bad all that can go wrong does at minute 60. Asked at 59 and at 180.
alerts=$(sed -n 's/^ *- alert: \(Xenbw[A-Za-z]*\)$/\1/p' "$examples/prometheus-alerts.yml")
series() { # series NAME LABELS GOOD BAD
	printf "      - {series: '%s{job=\"node\",instance=\"good\"%s}', values: '%s'}\n" "$1" "$2" "$3"
	printf "      - {series: '%s{job=\"node\",instance=\"bad\"%s}', values: '%s'}\n" "$1" "$2" "$4"
}
{
	printf 'rule_files: ["%s"]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n' "$examples/prometheus-alerts.yml"
	series xenbw_up "" '1x200' '1x200'
	series node_textfile_mtime_seconds ',file="/x/xenbw.prom"' '0+60x200' '0+60x60 3600x140'
	series xenbw_ledger_seen_timestamp_seconds "" '0+60x200' '0+60x60 3600x140'
	series xenbw_commit_failing "" '0x200' '0x60 1x140'
	series xenbw_xenstore_connected "" '1x200' '1x60 0x140'
	series xenbw_split_failing "" '0x200' '0x60 1x140'
	series xenbw_sink_behind_takes ',sink="mysql"' "$(for ((i = 0; i < 40; i++)); do printf '40 80 120 160 0 '; done)" \
		"$(for ((i = 0; i < 12; i++)); do printf '40 80 120 160 0 '; done) 0+50x140"
	series xenbw_missed_packets_total "" '7x200' '7x60 7+1x140'
	series xenbw_stray_bytes_total "" '7x200' '7x60 7+1x140'
	printf '    alert_rule_test:\n'
	for alert in $alerts; do
		printf '      - {eval_time: 59m, alertname: %s}\n' "$alert"
	done
} >"$CLI/well.yml"
tap_ok "no alert while all is well" promtool test rules "$CLI/well.yml"
fired() { # fired ALERT…: those that are told of bad, and of bad alone, after two hours of trouble
	local alert
	for alert in "$@"; do
		sed -n '/alert_rule_test/q; p' "$CLI/well.yml" >"$CLI/trouble.yml"
		{ echo "    alert_rule_test:"; printf '      - {eval_time: 180m, alertname: %s}\n' "$alert"; } >>"$CLI/trouble.yml"
		promtool test rules "$CLI/trouble.yml" >"$CLI/out" 2>&1 && continue
		grep -q 'instance="bad"' "$CLI/out" && ! grep -q 'instance="good"' "$CLI/out" && echo "$alert"
	done
}
mapfile -t names <<<"$alerts"
tap_is "each tells of the host in trouble, and of no other" "$(fired "${names[@]}")" "$(grep -v XenbwDown <<<"$alerts")"
sed -i '/xenbw_up.*bad/s/1x200/1x60 0x140/' "$CLI/well.yml"
tap_is "so does that of a host without xenbwd" "$(fired XenbwDown)" XenbwDown

tap_is "the timer and its service are sound" "$(mkdir "$CLI/units" && cp "$examples"/xenbw-metrics.* "$CLI/units" &&
	sed -i "s,/usr/local/sbin/xenbw,$BUILD/xenbw," "$CLI/units/xenbw-metrics.service" &&
	systemd-analyze --man=no verify "$CLI/units/xenbw-metrics.timer" "$CLI/units/xenbw-metrics.service" 2>&1 | grep xenbw-metrics)" ""
tap_done
