#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw metrics`: what Prometheus is told, that counters go on where a domain begins anew, and a file that is whole.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

echo 'owner acme web' >>"$CLI/conf"
# web's vif of before the reboot, and the one that it has now; a bucket with a name to be quoted.
sqlite3 "$CLI/ledger.db" "
	UPDATE epoch SET total_input = 500, total_output = 9007199254740993;
	INSERT INTO epoch SELECT 2, 1, 'boot-one', 3, 'vif3.0', 0, 14, 0,0,0,0, 0,0,0,0, 1000, 7, 0, 1790000000, 1793000000, 1793000000, 'gone', 0, 0, 0, 0;
	INSERT INTO vif VALUES (20, 'boot-two', 0, 8, '00000000-0000-0000-0000-000000000000', 'Domain-0', NULL, NULL, 'xenbr0', 'xenbr0', 4, 1793000100, NULL);
	INSERT INTO sink VALUES ('mysql', 1); INSERT OR REPLACE INTO sqlite_sequence VALUES ('take', 3)"
xenbw metrics >"$CLI/out"
tap_is "notes are for special cases" "$(cat "$CLI/err")" ""
web='domain="web",uuid="11111111-1111-4111-8111-111111111111",devid="0",bucket="web",owner="acme"'
tap_is "a vif has one counter a direction, also over its domain's reboots, to the byte" "$(grep '^xenbw_vif_bytes_total{domain="web",' "$CLI/out")" \
	"xenbw_vif_bytes_total{$web,direction=\"input\"} 1500
xenbw_vif_bytes_total{$web,direction=\"output\"} 9007199254741000"
tap_is "Domain-0's is known by its bridge, and names are quoted" "$(grep 'domain="Domain-0".*input' "$CLI/out")" \
	'xenbw_vif_bytes_total{domain="Domain-0",uuid="00000000-0000-0000-0000-000000000000",devid="xenbr0",bucket="Grüße, \"Welt\"",owner="",direction="input"} 0'
tap_is "what is gone has none" "$(grep -c 'domain="mail"' "$CLI/out")" 0
tap_is "charged bytes of the month" "$(grep '^xenbw_month_charged_bytes{bucket="web",' "$CLI/out")" \
	'xenbw_month_charged_bytes{bucket="web",owner="acme",direction="input"} 5000000118
xenbw_month_charged_bytes{bucket="web",owner="acme",direction="output"} 530'
tap_is "health" "$(grep -E '^xenbw_(up|ledger|sink|build)' "$CLI/out")" "xenbw_build_info{version=\"$(xenbw --version | cut -d' ' -f2)\"} 1
xenbw_up 0
xenbw_ledger_seen_timestamp_seconds 1795431605
xenbw_sink_behind_takes{sink=\"mysql\"} 2"

# Each series once, each name behind its own HELP and TYPE.
tap_is "no series is there twice" "$(grep -v '^#' "$CLI/out" | sed 's/ [0-9]*$//' | sort | uniq -d)" ""
tap_is "the text is as Prometheus wants it" "$(awk '
	/^# HELP / { help = $3; next }
	/^# TYPE / { if ($3 != help || ($4 != "counter" && $4 != "gauge") || seen[$3]++) print; type = $3; next }
	{ name = $0; sub(/[{ ].*/, "", name); if (name != type || $0 !~ /^[a-z_]+(\{([a-z]+="([^"\\]|\\["\\n])*",?)+\})? [0-9]+$/) print }' "$CLI/out")" ""

# A second look: bytes that came, a new name, a new life. Nothing steps back.
before=$(grep "{$web,direction=\"input\"}" "$CLI/out")
sqlite3 "$CLI/ledger.db" "
	UPDATE vif SET gone = 1795431700 WHERE id = 2;
	INSERT INTO vif SELECT 30, boot, 40, devid, uuid, domain, mac, addresses, bridge, 'vif40.0', bucket, 1795431800, NULL FROM vif WHERE id = 2"
tap_is "a vif that comes again goes on" "$(xenbw metrics | grep "{$web,direction=\"input\"}")" "$before"

tap_ok "a file is written" xenbw metrics --write "$CLI/xenbw.prom"
tap_is "it has the same in it" "$(cat "$CLI/xenbw.prom")" "$(xenbw metrics)"
tap_is "all may read it, and nothing is left beside it" "$(stat -c %a "$CLI/xenbw.prom") $(find "$CLI" -name 'xenbw.prom*' | wc -l)" "644 1"
ln -s "$CLI/conf" "$CLI/link.prom"
xenbw metrics --write "$CLI/link.prom"
tap_is "what a link points to is not written to" "$(grep -c xenbw_up "$CLI/conf") $(stat -c %F "$CLI/link.prom")" "0 regular file"
tap_ok "a folder that is not there is an error" cli_fails 1 "cannot write $CLI/none/x.prom.*: No such file" metrics --write "$CLI/none/x.prom"
mkdir "$CLI/folder.prom"
tap_ok "so is one in the way" cli_fails 1 "cannot put $CLI/folder.prom in place" metrics --write "$CLI/folder.prom"
tap_is "which leaves nothing behind" "$(find "$CLI" -name 'folder.prom.*')" ""
tap_ok "without a ledger there is nothing to tell" cli_fails 1 'xenbwd makes it' metrics --ledger "$CLI/none.db"
tap_done
