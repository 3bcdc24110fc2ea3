#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw web` and `xenbw passwd`: the JSON is that of the command line; logins; what an owner sees, and by no way more.
# time-limit: 300
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/web.sh"

chmod 755 "$CLI" && chgrp daemon "$CLI/ledger.db" && chmod 640 "$CLI/ledger.db" || tap_bail "no ledger"
printf '%s\n' "user daemon" "web_listen 127.0.0.1:$WEB_PORT" "web_users $CLI/users" \
	'owner acme web' 'owner other web10 mail' >>"$CLI/conf"
admin=$CLI/admin.jar acme=$CLI/acme.jar nobody=$CLI/nobody.jar

# ---- xenbw passwd ----

tap_ok "a user without an owner in the configuration is refused" cli_fails 2 'has no owner .paul.' passwd paul
tap_ok "--admin makes an admin" web_user "$CLI" "$CLI/conf" 'correct horse' --admin root
tap_ok "an owner's name makes one who sees the owner's" web_user "$CLI" "$CLI/conf" 'acme secret' acme
tap_ok "--owner another one" web_user "$CLI" "$CLI/conf" 'paul secret' --owner other paul
tap_is "hashes are yescrypt's, and nothing else is kept" "$(sed 's,[$]y\([$][./A-Za-z0-9]*\)\{3\}$,HASH,' "$CLI/users")" \
	"# NAME:OWNER:HASH, made by \`xenbw passwd\`
root:*:HASH
acme:acme:HASH
paul:other:HASH"
tap_is "root alone may write the file, and the helpers' group read it" "$(stat -c '%U %G %a' "$CLI/users")" "root daemon 640"
tap_ok "a short password is refused" bash -c "! echo short | '$BUILD/xenbw' -c '$CLI/conf' passwd acme"
tap_ok "so is a name that the file cannot hold" cli_fails 2 'cannot be a user' passwd a:b
tap_ok "and an end that nobody needs" cli_fails 1 'there is no user .none.' passwd --remove none

# ---- the start ----

echo "$(date +%s) $CLI_NOW 0" >"$CLOCKSHIM"
web_start "$CLI" "$CLI/conf" "$BUILD/clockshim.so" || tap_bail "xenbw web does not start"
trap 'kill -KILL $WEB_PID 2>/dev/null; rm -rf "$CLI"' EXIT
tap_is "it is the helpers' user, without a capability or a way to one" \
	"$(awk '/^(Uid|Gid|Groups|CapPrm|CapEff|CapInh|CapBnd|NoNewPrivs):/ { $1 = $1; print }' "/proc/$WEB_PID/status" | tr '\n' ';')" \
	"Uid: $(id -u daemon) $(id -u daemon) $(id -u daemon) $(id -u daemon);Gid: $(id -g daemon) $(id -g daemon) $(id -g daemon) $(id -g daemon);Groups:;CapInh: 0000000000000000;CapPrm: 0000000000000000;CapEff: 0000000000000000;CapBnd: 0000000000000000;NoNewPrivs: 1;"
for elsewhere in 0.0.0.0 '[::]' 192.0.2.1; do
	sed "s/^web_listen.*/web_listen $elsewhere:$((WEB_PORT + 1))/" "$CLI/conf" >"$CLI/elsewhere"
	tap_like "it does not listen at $elsewhere without TLS before it" "$("$BUILD/xenbw" -c "$CLI/elsewhere" web 2>&1 | tail -n 1)" 'web_behind_tls yes'
done

# ---- login ----

tap_is "who is not logged in is sent to the login" "$(web_status / -o "$CLI/body" -D "$CLI/headers") $(tr -d '\r' <"$CLI/headers" | sed -n 's/^Location: //p')" "303 /login"
tap_is "a program is told so" "$(web_status /api/report) $(web_ask /api/report | jq -r .error)" "401 Log in first"
tap_is "a wrong password" "$(web_login "$nobody" root 'wrong horse')" 401
tap_is "a name that nobody has" "$(web_login "$nobody" nobody 'correct horse')" 401
tap_is "both are told the same" "$(for name in root nobody; do
	token=$(web_token "$nobody")
	web_ask /login -b "$nobody" --data-urlencode "token=$token" -d "name=$name&password=wrong" | grep -v token
done | sort | uniq -c | awk '$1 % 2' )" ""
tap_is "an admin" "$(web_login "$admin" root 'correct horse')" 303
tap_is "an owner" "$(web_login "$acme" acme 'acme secret')" 303
tap_is "the cookie is for this host's pages alone, and no script's" \
	"$(token=$(web_token "$nobody"); web_ask /login -D - -o /dev/null -b "$nobody" --data-urlencode "token=$token" -d 'name=acme&password=acme secret' |
		tr -d '\r' | sed -n 's/^Set-Cookie: xenbw=[0-9a-f]*/SESSION/p')" "SESSION; Path=/; HttpOnly; SameSite=Strict"
for wrong in "" "token=" "token=$(printf '0%.0s' {1..64})" "token=zz"; do
	tap_is "a form from elsewhere (${wrong:0:12}) logs nobody in" \
		"$(web_token "$nobody" >/dev/null; web_status /login -b "$nobody" -d "$wrong&name=root&password=correct horse")" 403
done
tap_is "nor does one that a browser says comes from elsewhere" "$(token=$(web_token "$nobody")
	web_status /login -b "$nobody" -H 'Sec-Fetch-Site: cross-site' --data-urlencode "token=$token" -d 'name=root&password=correct horse')" 403
# A slow machine gives a try back every 30 seconds.
for ((i = 0; i < 12; i++)); do
	token=$(web_token "$nobody")
	web_ask /login -D - -o /dev/null -b "$nobody" --data-urlencode "token=$token" -d 'name=victim&password=guess' | tr -d '\r'
done >"$CLI/tries"
tap_is "a name has five tries" "$(grep '^HTTP' "$CLI/tries" | head -n 5 | sort | uniq -c | awk '{ print $1, $3 }')" "5 401"
tap_ok "then it has to wait" grep -q '^HTTP/1.1 429 ' "$CLI/tries"
tap_is "and is told how long" "$(grep -c '^Retry-After: [1-9]' "$CLI/tries")" "$(grep -c '^HTTP/1.1 429 ' "$CLI/tries")"
headers=$(web_ask / -b "$admin" -D - -o /dev/null | tr -d '\r')
for header in "Content-Security-Policy: default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" \
	'X-Content-Type-Options: nosniff' 'X-Frame-Options: DENY' 'Cache-Control: no-store' 'Referrer-Policy: same-origin'; do
	tap_ok "${header%%:*}" grep -qxF "$header" <<<"$headers"
done
tap_is "no page has a script, a style of its own or anything from elsewhere" \
	"$(for path in / '/domain?name=web' /login; do web_ask "$path" -b "$admin"; done | grep -ciE '<script|javascript:| on[a-z]+=|style=|<style|https?://')" 0

# ---- the same as the command line ----

# same PATH WORD…: the API's answer is what `xenbw --json WORD…` says
same() {
	local path=$1
	shift
	tap_is "/api/$path is xenbw $*" "$(web_ask "/api/$path" -b "${jar:-$admin}")" "$(xenbw --json "$@")"
}
same report report
same 'report?month=last' report --month last
same 'report?month=2026-10&by=vif' report --month 2026-10 --by vif
same 'report?by=owner&percentile=1' report --by owner --percentile
same 'report?by=class' report --by class
same 'report?by=address&top=2' report --by address --top 2
same 'report?commit=10M&project=1&domain=web' report --commit 10M --project web
same 'report?owner=acme' report --owner acme
same 'report?from=2026-10-01&to=2026-11-02%2012:00' report --from 2026-10-01 --to '2026-11-02 12:00'
same "report?domain=$(jq -rn --arg s 'Grüße, "Welt"' '$s | @uri')" report 'Grüße, "Welt"'
same list-domains list-domains
same 'list-domains?all=1' list-domains --all
tap_is "metrics are those of xenbw metrics, but for what xenbwd says itself" "$(web_ask /metrics -b "$admin" | grep -v xenbw_up)" "$(xenbw metrics | grep -v xenbw_up)"

# ---- an owner ----

jar=$acme same report report --owner acme
jar=$acme same 'report?by=vif' report --by vif --owner acme
jar=$acme same 'report?by=address&month=last' report --by address --month last --owner acme
jar=$acme same 'report?domain=web&owner=acme' report --owner acme web
# Of the vifs, those of its buckets.
tap_is "an owner's list has the owner's vifs" "$(web_ask '/api/list-domains?all=1' -b "$acme" | jq -c .vifs)" \
	"$(xenbw --json list-domains --all | jq -c '[.vifs[] | select(.bucket == "web")]')"
sqlite3 "$CLI/ledger.db" "INSERT INTO slot VALUES (3, 1793487600, 2, 'x', 7777777,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0)"
tap_is "what its vif moved for another bucket is not in it" "$(web_ask '/api/list-domains' -b "$acme" | jq -r '.vifs[0].input')" 5000000758
sqlite3 "$CLI/ledger.db" "DELETE FROM slot WHERE address = 'x'"

# What another one has: names, figures, addresses. None of it is in anything that acme can get.
foreign='web10|mail|SUM\(A1|Grüße|10\.0\.0\.[2-9]|3072|9007199254740993|vif5|inside|other'
paths=(/ '/?month=last' '/?page=2' '/?owner=other' '/domain?name=web10' '/domain?name=mail' '/domain?name=%3DSUM(A1)' '/domain?name=web&name=web10'
	'/domain?name=web10&name=web' '/domain?name=web%00web10' '/domain?name=WEB10' '/domain?name=' '/domain?name=web&owner=other' '/domain'
	'/domain?name=web&domain=web10' '/domain?name=*' '/domain?name=%' '/domain?name=web%27%20OR%201=1--' '/domain?name=web&month=2026-10'
	/api/report '/api/report?by=owner' '/api/report?by=class' '/api/report?by=vif&month=last' '/api/report?by=address' '/api/report?owner=other'
	'/api/report?owner=*' '/api/report?owner=acme&owner=other' '/api/report?owner=other&owner=acme' '/api/report?domain=web10' '/api/report?domain=mail&owner=other'
	'/api/report?domain=web&domain=web10' '/api/report?owner=%6fther' '/api/report?top=1' '/api/report?from=1970-01-01' '/api/report?domain=wep'
	/api/list-domains '/api/list-domains?all=1' '/api/list-domains?owner=other' /metrics '/metrics?x=1' //metrics '/./metrics' '/api/../metrics' '/api//report'
	'/api/report/' '/API/report' '/api/report%3fowner=other' '/%2e%2e/metrics' '/..%2fmetrics' '/login/../api/report' '/?../api/report' '/api/report;owner=other' '/api/report#x'
	/ledger.db /users /etc/passwd '/../../../../etc/passwd' "$CLI/users")
for path in "${paths[@]}"; do
	# Of a refusal, what was asked is said again: only figures count there.
	body=$(web_ask "$path" -b "$acme")
	status=$(web_status "$path" -b "$acme")
	asked=$(jq -rRn --arg s "${path#*=}" '$s' | sed 's/&.*//; s/%2[78]/(/; s/%29/)/')
	case $status in
	200) tap_is "acme, $path: $status, nothing of others" "$(grep -ciE "$foreign" <<<"$body")" 0 ;;
	*) tap_is "acme, $path: $status, no figure" "$(grep -cE '[0-9]{4,}|[KMG]iB|10\.0\.0' <<<"${body//"$asked"/}")" 0 ;;
	esac
done
tap_is "one that is there and one that is not are refused alike" "$(for name in web10 web99; do web_ask "/domain?name=$name" -b "$acme" | sed "s/$name/NAME/"; done | sort | uniq -c | awk '$1 % 2')" ""
tap_is "metrics are not an owner's, with a login or without" "$(web_status /metrics -b "$acme") $(web_status /metrics)" "403 401"

# Cookies that are none.
good=$(awk '$6 == "xenbw" { print $7 }' "$acme")
adm=$(awk '$6 == "xenbw" { print $7 }' "$admin")
[ ${#good} = 64 ] && [ ${#adm} = 64 ] || tap_bail "no cookies"
for cookie in "xenbw=" "xenbw=${good:0:63}" "xenbw=${good}0" "xenbw=${good^^}x" "xenbw=$(tr '0-9a-f' '1-9a-f0' <<<"$good")" "xenbw=*" "xenbw=root" 'xenbw="; user=root' \
	"XENBW=$adm" "xenbw=$adm; xenbw=$good" "xenbw-login=$adm" "user=root; admin=1" "$(printf 'xenbw=%064d' 0)"; do
	tap_is "the cookie ${cookie:0:20}… is nobody's" "$(web_status /api/report -H "Cookie: $cookie")" 401
done
tap_is "a cookie among others" "$(web_status /api/report -H "Cookie: a=1; xenbw=$good; b=2")" 200

# ---- the end of a session ----

logout=$(web_ask / -b "$acme" | sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p')
tap_is "a logout without the page's token does nothing" "$(web_status /logout -b "$acme" -d 'token=0') $(web_status / -b "$acme")" "403 200"
tap_is "nor by a link" "$(web_status /logout -b "$acme") $(web_status / -b "$acme")" "405 200"
tap_is "a logout" "$(web_status /logout -b "$acme" -d "token=$logout") $(web_status / -b "$acme")" "303 303"
tap_is "a logout again" "$(web_status /logout -b "$acme" -d "token=$logout")" 303
web_login "$acme" acme 'acme secret' >/dev/null
tap_ok "a new password" web_user "$CLI" "$CLI/conf" 'another secret' acme
tap_is "ends the sessions that the old one began" "$(web_status / -b "$acme")" 303
tap_is "and lets in alone" "$(web_login "$acme" acme 'acme secret') $(web_login "$acme" acme 'another secret')" "401 303"
tap_ok "a user that is taken away" xenbw passwd --remove acme
tap_is "is logged out" "$(web_status / -b "$acme")" 303
chmod 644 "$CLI/users"
tap_is "a file that all can read lets nobody in" "$(web_status / -b "$admin") $(grep -c 'chmod 0640' "$CLI/web.log")" "303 1"
chmod 640 "$CLI/users"
web_login "$admin" root 'correct horse' >/dev/null
tap_is "again with its rights" "$(web_status / -b "$admin")" 200
mv "$CLI/ledger.db" "$CLI/away.db"
tap_is "without a ledger there is nothing to see now" "$(web_status / -b "$admin") $(web_status /api/report -b "$admin")" "503 503"
mv "$CLI/away.db" "$CLI/ledger.db"
tap_is "and all of it again when it is back" "$(web_status / -b "$admin")" 200

# ---- other hosts ----

xenbw passwd --remove paul
tap_is "while nobody but admins can log in, metrics need no login on this host" "$(web_status /metrics)" 200
tap_is "a name that somebody else gave to this address is not answered" \
	"$(for host in evil.example 127.0.0.1.evil.example localhost.evil 10.0.0.1 ''; do web_status /metrics -H "Host: $host"; echo; done | sort | uniq -c | awk '{ print $1, $2 }')" "5 421"
tap_is "localhost by any port is" "$(web_status /metrics -H 'Host: localhost:9000') $(web_status /metrics -H 'Host: [::1]')" "200 200"
tap_ok "it ends when it is told to" web_stop
sed -i 's/^web_listen.*/&\nweb_behind_tls yes/' "$CLI/conf"
web_start "$CLI" "$CLI/conf" "$BUILD/clockshim.so" || tap_bail "xenbw web does not start again"
tap_is "a restart ends all sessions" "$(web_status / -b "$admin")" 303
tap_is "behind TLS metrics want an admin" "$(web_status /metrics)" 401
tap_is "any name is answered, and cookies are for TLS alone" \
	"$(token=$(web_ask /login -H 'Host: stats.example' -D "$CLI/headers" | sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p')
	web_ask /login -D - -o /dev/null -H 'Host: stats.example' -H "Cookie: xenbw-login=$token" -d "token=$token&name=root&password=correct horse" |
		tr -d '\r' | sed -n 's/^Set-Cookie: xenbw=[0-9a-f]*/SESSION/p')" "SESSION; Path=/; HttpOnly; SameSite=Strict; Secure"
tap_ok "it ends" web_stop
tap_done
