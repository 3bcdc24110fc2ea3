# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# web.sh: xenbw-web for a ledger, and a browser's part by curl. To be sourced after tap.sh. Each test has a port of its own, below those
# that the kernel gives to clients.
#
# WEB is a folder that the user `daemon` may read, whom it runs as. web_start CONF starts it; WEB_URL is where it is, WEB_PID its process.

WEB_PORT=${WEB_PORT:-$((20000 + $$ % 12000))}
WEB_URL=http://127.0.0.1:$WEB_PORT
WEB_PID=

# web_start FOLDER CONF [LIBRARY]: returns when it answers; its log is FOLDER/web.log.
web_start() {
	local i
	: >"$1/web.log"
	LD_PRELOAD=${3-} "$BUILD/xenbw" -c "$2" web </dev/null >>"$1/web.log" 2>&1 &
	WEB_PID=$!
	for ((i = 0; i < 500; i++)); do
		grep -q 'ready:' "$1/web.log" && return 0
		kill -0 "$WEB_PID" 2>/dev/null || break
		sleep 0.02
	done
	cat "$1/web.log" >&2
	return 1
}

# web_stop: by TERM; fails where it does not end.
web_stop() {
	local i
	kill -TERM "$WEB_PID" || return 1
	for ((i = 0; i < 500; i++)); do
		kill -0 "$WEB_PID" 2>/dev/null || return 0
		sleep 0.02
	done
	return 1
}

# web_user FOLDER CONF PASSWORD WORD…: `xenbw passwd WORD…`
web_user() {
	local conf=$2 password=$3 folder=$1
	shift 3
	echo "$password" | "$BUILD/xenbw" -c "$conf" passwd "$@" 2>"$folder/err"
}

# web_ask PATH [CURL'S WORD…]: the body.
web_ask() {
	local path=$1
	shift
	curl -s -g --path-as-is --max-time 20 "$@" "$WEB_URL$path"
}

# web_status PATH [WORD…]: the status, the headers' end.
web_status() {
	local path=$1
	shift
	curl -s -g --path-as-is --max-time 20 -o /dev/null -w '%{http_code}' "$@" "$WEB_URL$path"
}

# web_token JAR: of a fresh login form, whose cookie is kept in the jar.
web_token() { web_ask /login -b "$1" -c "$1" | sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p' | head -n 1; }

# web_login JAR NAME PASSWORD: the status of a login by the form.
web_login() {
	local token
	token=$(web_token "$1")
	web_status /login -b "$1" -c "$1" --data-urlencode "token=$token" --data-urlencode "name=$2" --data-urlencode "password=$3"
}
