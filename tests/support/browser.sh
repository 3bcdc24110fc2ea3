# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# browser.sh: a real Chromium without a screen, driven as a person does: mouse, keys, and what is to be seen. To be sourced
# after tap.sh.
#
# It is spoken to in its DevTools protocol, over two pipes: JSON, each message with a NUL behind it. One browser with one page; BROWSER_PID is its
# process. Waits ten seconds at most, and returns 1 after a line on standard error.

BROWSER_PID=
BROWSER_SERIAL=0
BROWSER_SESSION=

browser_complain() { echo "browser.sh: $*" >&2; return 1; }

# browser_do METHOD [PARAMS]: its result in BROWSER_RESULT.
browser_do() {
	local message params=${2-}
	BROWSER_SERIAL=$((BROWSER_SERIAL + 1))
	printf '{"id":%d,%s"method":"%s","params":%s}\0' $BROWSER_SERIAL "${BROWSER_SESSION:+\"sessionId\":\"$BROWSER_SESSION\",}" "$1" \
		"${params:-{\}}" >&"$BROWSER_TO"
	while IFS= read -r -d '' -t 10 -u "$BROWSER_FROM" message; do
		[[ $message == "{\"id\":$BROWSER_SERIAL,"* ]] || continue # an event
		BROWSER_RESULT=$(jq -c '.result // empty' <<<"$message")
		[ -n "$BROWSER_RESULT" ] || browser_complain "$1: $message"
		return
	done
	browser_complain "$1: no answer"
}

# browser_start FOLDER WIDTH HEIGHT
browser_start() {
	mkfifo "$1/to" "$1/from" || return 1
	chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --remote-debugging-pipe \
		--user-data-dir="$1/profile" about:blank 3<"$1/to" 4>"$1/from" </dev/null >/dev/null 2>"$1/browser.err" &
	BROWSER_PID=$!
	exec {BROWSER_TO}>"$1/to" {BROWSER_FROM}<"$1/from"
	browser_do Target.createTarget '{"url":"about:blank"}' &&
		browser_do Target.attachToTarget "$(jq -c '. + {flatten: true}' <<<"$BROWSER_RESULT")" || return 1
	BROWSER_SESSION=$(jq -r .sessionId <<<"$BROWSER_RESULT")
	browser_do Page.enable && browser_size "$2" "$3"
}

browser_size() { browser_do Emulation.setDeviceMetricsOverride "{\"width\":$1,\"height\":$2,\"deviceScaleFactor\":1,\"mobile\":false}"; }

# browser_says EXPRESSION: what a JavaScript expression is in the page.
browser_says() {
	browser_do Runtime.evaluate "$(jq -nc --arg text "$1" '{expression: $text, returnByValue: true}')" &&
		jq -r '.result.value' <<<"$BROWSER_RESULT"
}

# browser_wait EXPRESSION: until it is true in a page that is all there.
browser_wait() {
	local i
	for ((i = 0; i < 200; i++)); do
		[ "$(browser_says "document.readyState === 'complete' && !!($1)" 2>/dev/null)" = true ] && return 0
		BROWSER_SERIAL=$((BROWSER_SERIAL + 1)) # of the subshell above
		sleep 0.05
	done
	browser_complain "waited in vain for $1 at $(browser_says location.href)"
}

browser_open() { browser_do Page.navigate "{\"url\":\"$1\"}"; }

browser_mouse() { browser_do Input.dispatchMouseEvent "{\"type\":\"$1\",\"x\":$2,\"y\":$3,\"button\":\"left\",\"clickCount\":1}"; }
# browser_click EXPRESSION: the middle of the element that this is.
browser_click() {
	local at
	browser_do Runtime.evaluate "$(jq -nc --arg text "(e => { e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); return {x: r.x + r.width / 2, y: r.y + r.height / 2} })($1)" \
		'{expression: $text, returnByValue: true}')" || return 1
	at=$(jq -r '.result.value | "\(.x) \(.y)"' <<<"$BROWSER_RESULT")
	[ "$at" != "null null" ] || browser_complain "nothing to click on: $1" || return 1
	# shellcheck disable=SC2086 # two numbers
	browser_mouse mousePressed $at && browser_mouse mouseReleased $at
}

# browser_type TEXT: where the cursor is.
browser_type() { browser_do Input.insertText "$(jq -nc --arg text "$1" '{text: $text}')"; }

# browser_key NAME CODE [TEXT]
browser_key() {
	local key
	key=$(jq -nc --arg name "$1" --argjson code "$2" --arg text "${3-}" '{key: $name, code: $name, windowsVirtualKeyCode: $code} + if $text == "" then {} else {text: $text} end')
	browser_do Input.dispatchKeyEvent "$(jq -c '. + {type: "keyDown"}' <<<"$key")" &&
		browser_do Input.dispatchKeyEvent "$(jq -c 'del(.text) + {type: "keyUp"}' <<<"$key")"
}

# browser_picture FILE: as a PNG.
browser_picture() { browser_do Page.captureScreenshot '{"format":"png"}' && jq -r .data <<<"$BROWSER_RESULT" | base64 -d >"$1"; }

browser_stop() {
	browser_do Browser.close >/dev/null 2>&1
	exec {BROWSER_TO}>&- {BROWSER_FROM}<&-
	wait "$BROWSER_PID" 2>/dev/null
}
