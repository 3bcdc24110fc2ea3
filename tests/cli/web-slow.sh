#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw web` asked for much: an answer that takes long arrives, one that takes too long is given up, and what is before the ledger, or
# was retired, costs nothing and is not taken for zeros.
# time-limit: 240
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/web.sh"

# 1,000 domains of one owner; one of another owner, busy ever since, of which most of October was retired.
sqlite3 "$CLI/ledger.db" "
	DELETE FROM slot WHERE slot < strftime('%s', '2026-10-30 00:00');
	INSERT INTO meta VALUES ('retired', strftime('%s', '2026-10-30 00:00'));
	INSERT INTO run VALUES (900, 'before', 1785000000, 1795431605, NULL);
	INSERT INTO bucket VALUES (50, 'domain');
	INSERT INTO bucket_label VALUES (50, 'shop', 0, NULL);
	INSERT INTO vif VALUES (50, 'before', 19, 0, NULL, 'shop', NULL, NULL, 'x', 'vif19.0', 50, 1, NULL);
	WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
	INSERT INTO slot SELECT 50, strftime('%s', '2026-10-30 00:00') + 300 * i, 50, '', 3000000,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM n;
	WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1999) INSERT INTO bucket SELECT i, 'domain' FROM n;
	INSERT INTO bucket_label SELECT id, 's' || id, 0, NULL FROM bucket WHERE id >= 1000;
	INSERT INTO slot SELECT id, 1795420800, 50, '', id,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM bucket WHERE id >= 1000" || tap_bail "no ledger"
chmod 755 "$CLI" && chgrp daemon "$CLI/ledger.db" && chmod 640 "$CLI/ledger.db" || tap_bail "no ledger"
printf '%s\n' "user daemon" "web_listen 127.0.0.1:$WEB_PORT" "web_users $CLI/users" 'owner acme shop' \
	"owner big $(printf 's%s ' {1000..1999})" >>"$CLI/conf"
web_user "$CLI" "$CLI/conf" 'acme secret' acme && web_user "$CLI" "$CLI/conf" 'big secret' big || tap_bail "no users"
cli_clock
web_start "$CLI" "$CLI/conf" "$BUILD/clockshim.so" || tap_bail "xenbw web does not start"
trap 'kill -KILL $WEB_PID 2>/dev/null; rm -rf "$CLI"' EXIT
acme=$CLI/acme.jar big=$CLI/big.jar
tap_is "two owners" "$(web_login "$acme" acme 'acme secret') $(web_login "$big" big 'big secret')" "303 303"

# ---- what was retired ----

figures='[.retired_until, (.rows[0] | .input, .p95_input_bytes_per_second, .slots - .slots_unseen, .slots_unseen)]'
october='["2026-10-30T00:00:00Z",903000000,10000,564,8376]' # from 2026-09-30 22:00 UTC on, 25 hours a day once
october_of_web=$(web_ask '/api/report?month=2026-10&percentile=1&domain=shop' -b "$acme")
tap_is "slots that were retired are no zeros" "$(jq -c "$figures" <<<"$october_of_web")" "$october"
tap_is "nor for the command line" "$(xenbw report --month 2026-10 --percentile --json shop | jq -c "$figures")" "$october"
tap_is "JSON says so only where it matters" "$(xenbw report --month 2026-11 --json shop | jq -c .retired_until)" null
tap_like "the page of a domain says so" "$(web_ask '/domain?name=shop&month=2026-10' -b "$acme")" 'What was before 2026-10-30 01:00 CET has been retired'
tap_like "so does the overview of a month that is gone" "$(web_ask '/?month=2026-09' -b "$acme" | tr -d '\n')" 'has been retired.*Nothing is kept of this period'

# ---- what takes long ----

# Years before the ledger are nothing to look at: with them, each domain would take as long as all of them here.
tap_is "from 1970 on" "$(web_ask '/api/report?percentile=1&from=1970-01-01' -b "$big" --max-time 29 | jq -c '[(.rows | length), (.rows[0] | .bucket, .slots - .slots_unseen)]')" '[1000,"s1000",7044]'

used() { cut -d' ' -f14 "/proc/$WEB_PID/stat"; } # of a processor
# asked_slowly SECONDS: the status of a large question in the midst of which the process stands still for so long.
asked_slowly() {
	local before asked i
	before=$(used)
	curl -s -g --max-time 100 -o "$CLI/answer" -w '%{http_code}' -b "$big" "$WEB_URL/api/report?percentile=1" >"$CLI/status" &
	asked=$!
	for ((i = 0; i < 3000 && $(used) < before + 5; i++)); do sleep 0.01; done
	kill -STOP "$WEB_PID"
	sleep "$1"
	kill -0 "$asked" || echo "the answer was there before"
	kill -CONT "$WEB_PID"
	wait "$asked"
	cat "$CLI/status"
}
tap_is "an answer that takes longer than a client may be idle arrives" "$(asked_slowly 12) $(jq '.rows | length' "$CLI/answer")" "200 1000"
tap_is "what takes longer than half a minute is given up" "$(asked_slowly 31) $(jq -r .error "$CLI/answer")" "503 Not now"
tap_like "and the log tells" "$(cat "$CLI/web.log")" 'what was asked takes too long'
tap_is "and others are answered" "$(web_status /api/report -b "$acme")" 200
tap_ok "it ends" web_stop
tap_done
