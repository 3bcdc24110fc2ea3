#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbw web beside a real xenbwd: garbage, headers of a megabyte, slow and many clients, and wrk for some seconds, while known bytes
# are counted exactly; who is slow ends in bounded time, and all the others are answered.
# time-limit: 300
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/web.sh"
cd "$(dirname "$0")/../.." || exit 1

bed_up && bed_guest 1 0 web 10.77.0.11 || tap_bail "no bed"
chmod 755 "$BED"
bw_config "web_listen 127.0.0.1:$WEB_PORT" "web_users $BED/users" "owner acme web"
bw_start || tap_bail "no xenbwd"
web_user "$BED" "$BW_CONF" 'correct horse' --admin root || tap_bail "no user"
web_start "$BED" "$BW_CONF" || tap_bail "no xenbw web"
jar=$BED/jar
tap_is "a login" "$(web_login "$jar" root 'correct horse')" 303

# What was sent, and is counted; each part of the test sends some meanwhile.
packets=0
send() { bed_udp 1.0 outside 50 972 1 && packets=$((packets + 50)); }
exact() { # exact TEXT
	bw_wait_sql "$1: all that was sent is booked" "SELECT coalesce(sum($BW_OUTPUT), 0) >= $((packets * 1000)) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid = 1" 1
	tap_is "$1: each byte was counted, and none twice" "$(bw_booked_vif 1 0)" "0 $((packets * 1000))"
}
answers() { [ "$(web_status / -b "$jar")" = 200 ]; }
memory() { awk '/^VmRSS/ { print $2 }' "/proc/$WEB_PID/status"; }
# raw: sends standard input to it, prints what comes back; ends after 20 seconds
raw() { timeout 20 socat -t 20 - "TCP:127.0.0.1:$WEB_PORT" 2>/dev/null; }

send
exact "before"
before=$(memory)

# ---- what is no HTTP, or too much of it ----

send &
sender=$!
get='GET / HTTP/1.1\r\nHost: localhost\r\n'
for bad in 'GET / HTTP/9.9\r\n\r\n' 'GET\r\n\r\n' '\r\n\r\n\r\n' 'BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n' 'DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n' \
	"${get}Content-Length: -1\r\n\r\n" "${get}Content-Length: 99999999999999999999\r\n\r\n" "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" \
	"${get}No colon\r\n\r\n" "${get}: x\r\n\r\n" 'GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n' 'GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n' \
	'GET /?%zz HTTP/1.1\r\nHost: localhost\r\n\r\n' 'GET /?a=1&a=2 HTTP/1.1\r\nHost: localhost\r\n\r\n' 'GET * HTTP/1.1\r\nHost: localhost\r\n\r\n' 'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\na=b'; do
	got=$(printf '%b\r\nConnection: close\r\n\r\n' "${bad%\\r\\n\\r\\n}" | raw | head -n 1 | tr -d '\0\r')
	tap_like "\`${bad:0:40}' is refused, or the end" "${got:-the end}" '^HTTP/1\.[01] (4[0-9][0-9]|303|501) |^the end$'
done
for kind in /dev/urandom /dev/zero; do
	head -c 1000000 $kind | raw | head -c 100 >/dev/null
	tap_ok "a megabyte of $kind does it no harm" answers
done
tap_like "headers of a megabyte are refused" "$({ printf 'GET / HTTP/1.1\r\nHost: localhost\r\nX: '; head -c 1000000 /dev/zero | tr '\0' a; printf '\r\n\r\n'; } | raw | head -n 1)" '^(HTTP/1.1 4[0-9][0-9] .*)?$'
tap_like "so is a line of a megabyte" "$({ printf 'GET /'; head -c 1000000 /dev/zero | tr '\0' a; printf ' HTTP/1.1\r\n\r\n'; } | raw | head -n 1)" '^(HTTP/1.1 4[0-9][0-9] .*)?$'
tap_like "and a form of a megabyte" "$(head -c 1000000 /dev/zero | tr '\0' a | web_status /login --data-binary @- -H 'Expect:')" '^(413|400|000)$'
tap_is "seventeen parameters are too many" "$(web_status "/?$(printf '%s=1&' {a..q})" -b "$jar")" 400
tap_ok "it answers" answers
wait "$sender" || tap_bail "the bed lost packets"
packets=$((packets + 50))
exact "garbage"

# ---- many connections, and slow ones ----

send &
sender=$!
slow=()
for ((i = 0; i < 150; i++)); do # more than it takes at a time; a byte now and then
	{ exec 9<>"/dev/tcp/127.0.0.1/$WEB_PORT" && for ((j = 0; j < 200; j++)); do printf G >&9 || break; sleep 5; done; } 2>/dev/null &
	slow+=($!)
done
connections() { find "/proc/$WEB_PID/fd" -lname 'socket:*' | wc -l; }
many() { [ "$(connections)" -ge 55 ]; }
bed_wait "the slow clients" many
sleep 1
tap_ok "it takes no more connections than it may" test "$(connections)" -le 75
wait "$sender" || tap_bail "the bed lost packets"
packets=$((packets + 50))
exact "slow clients"
began=$(date +%s)
tap_ok "who comes behind them is answered, once the time of the slow ones is over" bash -c \
	"for i in {1..110}; do [ \"\$(curl -s -o /dev/null -w '%{http_code}' --max-time 2 $WEB_URL/login)\" = 200 ] && exit 0; sleep 1; done; exit 1"
tap_note "figure: after $(($(date +%s) - began)) s"
kill "${slow[@]}" 2>/dev/null
wait "${slow[@]}" 2>/dev/null
bed_wait "the slow ones' end" answers
tap_ok "and all are, when they are gone" answers

# ---- as fast as it can ----

cookie=$(awk '$6 == "xenbw" { print $7 }' "$jar")
send &
sender=$!
wrk -t 1 -c 16 -d 2s -H "Cookie: xenbw=$cookie" "$WEB_URL/api/report" >"$BED/wrk" 2>&1
wait "$sender" || tap_bail "the bed lost packets"
packets=$((packets + 50))
tap_like "wrk is answered" "$(cat "$BED/wrk")" 'requests in'
tap_is "and by 200 alone" "$(grep -c 'Non-2xx' "$BED/wrk")" 0
tap_note "figure: $(awk '/Requests\/sec/ { print $2 }' "$BED/wrk") reports a second beside the counting"
exact "wrk"
tap_is "the API says the same to the byte" "$(web_ask /api/report -b "$jar" | jq '[.rows[] | select(.bucket == "web") | .output + .local_output] | add')" $((packets * 1000))
after=$(memory)
tap_ok "its memory has not grown without bounds ($before kB, $after kB)" test "$after" -lt $((before + 20000))
tap_is "its log has no complaint but of forms" "$(grep -cE 'Assertion|BUG|ERROR' "$BED/web.log")" 0

# ---- its end is nobody else's ----

kill -KILL "$WEB_PID" && wait "$WEB_PID" 2>/dev/null
send
exact "xenbw web killed"
bw_stop
tap_is "xenbwd stops well" $? 0
tap_done
