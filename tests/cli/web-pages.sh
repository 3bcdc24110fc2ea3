#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The pages of `xenbw web` in a browser (Chromium): followed from link to link and form to form, drawn as wide as a desk's screen and as a
# phone's, well formed, with tables, labels and a way to skip; pictures are kept in BUILD/test-output/web.
# time-limit: 400
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/web.sh"

pictures=$BUILD/test-output/web
mkdir -p "$pictures" "$CLI/pages"
# Three weeks of one more domain, so that there is a course to be drawn; 60 more that are small.
sqlite3 "$CLI/ledger.db" "
	INSERT INTO bucket VALUES (9, 'domain'); INSERT INTO bucket_label VALUES (9, 'shop', 1790000000, NULL);
	INSERT INTO vif VALUES (9, 'boot-two', 19, 0, NULL, 'shop', NULL, '10.0.0.9', 'xenbr0', 'vif19.0', 9, 1793000100, NULL);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
	INSERT INTO slot SELECT 9, 1793487600 + 300 * i, 9, '10.0.0.9', 1000000 + i % 288 * 30000, 9000000 + i % 288 * 200000, 0,0, 0,0, 5000,6000, 0,0, 0,0, 0,0, 0,0, 0 FROM n;
	WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 160) INSERT INTO bucket SELECT i, 'domain' FROM n;
	INSERT INTO bucket_label SELECT id, 'small' || id, 1790000000, NULL FROM bucket WHERE id >= 100;
	INSERT INTO slot SELECT id, 1793487600, 9, '', id,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM bucket WHERE id >= 100" || tap_bail "no ledger"
chmod 755 "$CLI" && chgrp daemon "$CLI/ledger.db" && chmod 640 "$CLI/ledger.db"
printf '%s\n' "user daemon" "web_listen 127.0.0.1:$WEB_PORT" "web_users $CLI/users" 'owner acme web shop' >>"$CLI/conf"
web_user "$CLI" "$CLI/conf" 'correct horse' --admin root && web_user "$CLI" "$CLI/conf" 'acme secret' acme || tap_bail "no users"
echo "$(date +%s) $CLI_NOW 0" >"$CLOCKSHIM"
web_start "$CLI" "$CLI/conf" "$BUILD/clockshim.so" || tap_bail "xenbw web does not start"
trap 'kill -KILL $WEB_PID 2>/dev/null; rm -rf "$CLI"' EXIT

browser() { # browser WORD…: its complaints go to a file
	timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking \
		--user-data-dir="$CLI/chromium" "$@" 2>>"$CLI/browser.err"
}

# Walks as a reader does: by what the pages themselves offer.
jar=$CLI/jar
link() { sed -n "s/.*href=\"\([^\"]*\)\">$2<.*/\1/p" "$CLI/pages/$1.html" | head -n 1 | sed 's/&amp;/\&/g'; } # link PAGE TEXT
get() { web_ask "$2" -b "$jar" >"$CLI/pages/$1.html"; } # get PAGE PATH
# a page of its own folder, with the style beside it, for the browser has no cookie; WIDTH asks it for how wide it is
local_page() {
	sed 's,href="/style.css",href="style.css",' "$CLI/pages/$1.html" >"$CLI/pages/$1-local.html"
	echo '<script>document.title = "wide " + document.documentElement.scrollWidth + " of " + innerWidth</script>' >>"$CLI/pages/$1-local.html"
}

web_ask /style.css >"$CLI/pages/style.css"
get login /login
tap_is "the login by the form's own fields" "$(web_login "$jar" root 'correct horse')" 303
get overview /
next=$(link overview 'smaller ones')
get overview2 "$next"
get domain "$(link overview shop)"
get back "$(link domain 'All domains')"
get month '/?month=2026-10'
get month-domain "$(link month web)"
get days '/domain?name=shop&from=2026-11-02&to=2026-11-05'
get missing /domain?name=nothing
web_login "$CLI/acme" acme 'acme secret' >/dev/null
web_ask / -b "$CLI/acme" >"$CLI/pages/owner.html"

tap_is "the largest domain is first" "$(grep -o '<a href="/domain[^>]*>[^<]*' "$CLI/pages/overview.html" | head -n 2 | sed 's/.*>//' | tr '\n' ' ')" "=SUM(A1) shop "
tap_is "50 of a page, and the others behind a link" "$(grep -c 'class="trend"><svg' "$CLI/pages/overview.html") $(grep -c 'class="trend"><svg' "$CLI/pages/overview2.html")" "50 16"
tap_is "a link leads back" "$(grep -o '<h1>[^<]*' "$CLI/pages/back.html")" "<h1>Traffic"
tap_like "a month is kept from page to page" "$(cat "$CLI/pages/month-domain.html")" '2026-10-01 00:00 CEST to 2026-11-01 00:00 CET'
tap_like "so are days" "$(cat "$CLI/pages/days.html")" '2026-11-02 00:00 CET to 2026-11-05 00:00 CET'
tap_like "what is not there is said, with a way on" "$(cat "$CLI/pages/missing.html")" 'there is no domain .nothing.'
tap_is "an owner's overview has the owner's domains" "$(grep -o '<a href="/domain[^>]*>[^<]*' "$CLI/pages/owner.html" | sed 's/.*>//' | tr '\n' ' ')" "shop web "
# The figures of a page are those of the report: shop's bytes, exact ones where the mouse is.
tap_is "figures are the report's" "$(grep '>shop<' "$CLI/pages/overview.html" | grep -o 'title="[0-9]*' | tr -dc '0-9\n' | tr '\n' ' ')" \
	"$(xenbw --json report shop | jq -r '.rows[0] | "\(.input) \(.output) \(.total) "')"

for page in login overview domain month-domain days missing owner; do
	html=$CLI/pages/$page.html
	tap_is "$page: one heading, a language, a title, a way to skip" \
		"$(grep -c '<h1>' "$html") $(grep -c '<html lang="en">' "$html") $(grep -c '<title>.* - xenbw</title>' "$html") $(grep -c 'class="skip" href="#main"' "$html") $(grep -c '<main id="main"' "$html")" "1 1 1 1 1"
	tap_is "$page: every cell of a heading has its scope" "$(grep -oE '<th( [^>]*)?>' "$html" | grep -vc 'scope="\(col\|row\)"')" 0
	tap_is "$page: every field has its label" "$(grep -oE '<(input|select)[^>]* id="[a-z]+"' "$html" | sed 's/.* id="//; s/"//' | sort)" "$(grep -o '<label for="[a-z]*"' "$html" | sed 's/.*="//; s/"//' | sort)"
	tap_is "$page: its tags end where they should" "$(sed 's/<!DOCTYPE html>//' "$html" | grep -oE '</?[a-z0-9]+[^>]*>' | grep -vE '^<(meta|link|input|path)|/>$' | awk '
		/^<\// { gsub(/[<\/>]/, ""); if ($0 != open[n--]) { print "unexpected end of " $0; exit } next }
		{ sub(/^</, ""); sub(/[ >].*/, ""); if ($0 != "option" || 1) open[++n] = $0 }
		END { for (; n; n--) print open[n] " has no end" }')" ""
done

# Drawn: nothing is wider than the screen; what does not fit has a box of its own to be moved in.
for page in login overview domain missing; do
	local_page "$page"
	for size in 1280,900 390,844; do
		picture=$pictures/$page-${size%,*}.png
		rm -f "$picture"
		browser --window-size="$size" --screenshot="$picture" "file://$CLI/pages/$page-local.html" >/dev/null
		tap_like "$page is drawn, $size" "$(file -b "$picture" 2>/dev/null || head -c 8 "$picture" | tr -d '\0')" 'PNG'
		dom=$(browser --window-size="$size" --dump-dom "file://$CLI/pages/$page-local.html")
		read -r _ wide _ inner < <(grep -o '<title>wide [0-9]* of [0-9]*' <<<"$dom" | sed 's/<title>//')
		tap_ok "$page fits into $size (${wide:-?} of ${inner:-?})" test "${wide:-9999}" -le "${inner:-0}"
	done
done
dom=$(browser --dump-dom "$WEB_URL/login")
tap_like "the browser takes the login from the server itself" "$dom" '<input id="password" name="password" type="password"'
browser --window-size=390,844 --screenshot="$CLI/served.png" "$WEB_URL/login" >/dev/null
tap_ok "with its style, which the policy allows" cmp "$CLI/served.png" "$pictures/login-390.png"
browser --window-size=1280,900 --blink-settings=preferredColorScheme=0 --screenshot="$pictures/domain-1280-dark.png" "file://$CLI/pages/domain-local.html" >/dev/null
tap_ok "the dark is another picture" bash -c "! cmp -s '$pictures/domain-1280-dark.png' '$pictures/domain-1280.png'"
tap_ok "it ends" web_stop
tap_done
