#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw web` in a real browser, clicked through: login, overview, a domain, other periods, logout; by mouse, and by keys
# alone, on a desk and on a phone.
# time-limit: 300
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/web.sh"
. "$(dirname "$0")/../support/browser.sh"

chmod 755 "$CLI" && chgrp daemon "$CLI/ledger.db" && chmod 640 "$CLI/ledger.db"
printf '%s\n' "user daemon" "web_listen 127.0.0.1:$WEB_PORT" "web_users $CLI/users" 'owner acme web' >>"$CLI/conf"
web_user "$CLI" "$CLI/conf" 'correct horse' --admin root && web_user "$CLI" "$CLI/conf" 'acme secret' acme || tap_bail "no users"
echo "$(date +%s) $CLI_NOW 0" >"$CLOCKSHIM"
web_start "$CLI" "$CLI/conf" "$BUILD/clockshim.so" || tap_bail "xenbw web does not start"
mkdir "$CLI/chromium"
trap 'kill -KILL $WEB_PID $BROWSER_PID 2>/dev/null; rm -rf "$CLI"' EXIT
browser_start "$CLI/chromium" 1280 900 || tap_bail "no browser: $(tail -n 3 "$CLI/chromium/browser.err")"

heading() { browser_says "document.querySelector('h1').textContent"; }
link() { echo "[...document.querySelectorAll('a')].find(a => a.textContent === '$1')"; } # link TEXT
button() { echo "[...document.querySelectorAll('button')].find(b => b.textContent === '$1')"; }
domains() { browser_says "[...document.querySelectorAll('tbody th a')].map(a => a.textContent).join(' ')"; }
cell() { browser_says "[...document.querySelectorAll('tbody tr')].find(r => r.querySelector('th').textContent === '$1').querySelectorAll('td[title]')[$2].title"; }
report() { xenbw --json report "$@" | jq -r '.rows[0] | "\(.input) bytes \(.output) bytes"'; }
log_in() { # log_in NAME PASSWORD
	browser_click "document.querySelector('#name')" && browser_type "$1" && browser_click "document.querySelector('#password')" && browser_type "$2" &&
		browser_click "document.querySelector('main button')"
}

browser_open "$WEB_URL/" && browser_wait "document.querySelector('#password')"
tap_is "who is not logged in gets the login" "$(browser_says location.pathname)" /login
log_in acme wrong && browser_wait "document.querySelector('[role=alert]')"
tap_like "a wrong password is told" "$(browser_says "document.querySelector('[role=alert]').textContent")" '[Ww]rong|not right|No such'
log_in acme 'acme secret' && browser_wait "document.querySelector('tbody')"
tap_is "the right one leads to the traffic" "$(heading)" Traffic
tap_is "of the owner's domains alone" "$(domains)" web
tap_is "with the report's figures" "$(cell web 0) $(cell web 1)" "$(report web)"
browser_click "$(link web)" && browser_wait "document.querySelector('h1').textContent === 'web'"
tap_is "a click on a domain shows it" "$(heading)" web
tap_ok "with a curve" test "$(browser_says "document.querySelectorAll('main svg').length")" -ge 1
browser_says "(s => { s.value = '2026-10'; s.dispatchEvent(new Event('change')) })(document.querySelector('select'))" >/dev/null
browser_click "$(button 'Show month')" && browser_wait "location.search.includes('month=2026-10')"
tap_like "another month is picked" "$(browser_says "document.querySelector('main').textContent")" '2026-10-01 00:00 CEST to 2026-11-01 00:00 CET'
browser_click "$(link 'All domains')" && browser_wait "document.querySelector('h1').textContent === 'Traffic'"
tap_is "and kept on the way back" "$(cell web 0) $(cell web 1)" "$(report web --month last)"
browser_open "$WEB_URL/domain?name=mail" && browser_wait "document.querySelector('h1')"
tap_is "another's domain is not there" "$(browser_says "document.body.textContent.includes('no domain')")" true
browser_open "$WEB_URL/" && browser_wait "document.querySelector('tbody')"
browser_click "$(button 'Log out')" && browser_wait "document.querySelector('#password')"
browser_open "$WEB_URL/domain?name=web" && browser_wait "document.querySelector('#password')"
tap_is "after the logout there is the login again" "$(browser_says location.pathname)" /login

# Keys alone, on a phone's screen.
browser_size 390 844
browser_open "$WEB_URL/login" && browser_wait "document.querySelector('#password')"
browser_says "document.querySelector('#name').focus()" >/dev/null
browser_type root && browser_key Tab 9 && browser_type 'correct horse' && browser_key Enter 13 $'\r' && browser_wait "document.querySelector('tbody')"
tap_is "keys alone log in" "$(heading)" Traffic
browser_key Tab 9
tap_is "the first thing that Tab comes to skips to the figures" "$(browser_says 'document.activeElement.className')" skip
browser_key Enter 13 $'\r' && browser_wait "location.hash === '#main'"
tap_is "and does so" "$(browser_says location.hash)" "#main"
tap_is "nothing is wider than the phone" "$(browser_says 'document.documentElement.scrollWidth <= innerWidth')" true
browser_picture "$CLI/phone.png"
tap_is "it is drawn" "$(head -c 4 "$CLI/phone.png" | tail -c 3)" PNG
tap_is "no script is allowed, and none is there" "$(browser_says 'document.scripts.length')" 0
browser_stop
tap_ok "it ends" web_stop
tap_done
