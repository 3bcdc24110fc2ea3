# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# mariadb.sh: a real MariaDB of one's own, reachable by a socket alone. To be sourced.
#
#   mariadb_start DIR                    DIR (made if missing) takes data, socket and log; a second start in the same
#                                        DIR goes on with its data
#   mariadb_sql "CREATE DATABASE x"      as root; rows come without a heading, columns separated by tabs
#   mariadb_stop, mariadb_kill           by TERM, by KILL
#
# MARIADB_ARGS (an array) holds further arguments for mariadbd. After a start MARIADB_SOCKET is the socket's path and
# MARIADB_PID the server's. The account root@localhost has no password. A commit is durable when it is answered. One
# server at a time; DIR should lie on a tmpfs (/run, /dev/shm). Functions return 1 after one line on standard error
# when something does not work; nothing waits longer than twenty seconds.

MARIADB_DIR=
MARIADB_PID=
MARIADB_SOCKET=
declare -p MARIADB_ARGS >/dev/null 2>&1 || declare -a MARIADB_ARGS=()

# The smallest server: it makes its data directory in a second.
MARIADB_SMALL=(--innodb-buffer-pool-size=16M --innodb-log-file-size=8M --innodb-log-buffer-size=1M --key-buffer-size=1M
	--aria-pagecache-buffer-size=1M --performance-schema=OFF)

mariadb_complain() { echo "mariadb.sh: $*" >&2; return 1; }

# mariadb_launch: starts the server on the data that are there.
mariadb_launch() {
	local i
	mariadbd --no-defaults --user=root --datadir="$MARIADB_DIR/data" --socket="$MARIADB_SOCKET" \
		--pid-file="$MARIADB_DIR/pid" --tmpdir="$MARIADB_DIR" --skip-networking "${MARIADB_SMALL[@]}" \
		--innodb-flush-log-at-trx-commit=1 --lc-messages-dir=/usr/share/mysql \
		${MARIADB_ARGS[@]+"${MARIADB_ARGS[@]}"} </dev/null >>"$MARIADB_DIR/log" 2>&1 &
	MARIADB_PID=$!
	for ((i = 0; i < 1000; i++)); do
		[ -S "$MARIADB_SOCKET" ] && mariadb_sql 'DO 0' 2>/dev/null && return 0
		kill -0 "$MARIADB_PID" 2>/dev/null || break
		sleep 0.02
	done
	mariadb_complain "no server in $MARIADB_DIR: $(tail -n 1 "$MARIADB_DIR/log")"
}

mariadb_start() {
	mkdir -p "$1" && MARIADB_DIR=$(realpath "$1") || return 1
	MARIADB_SOCKET=$MARIADB_DIR/sock
	[ ${#MARIADB_SOCKET} -lt 100 ] || mariadb_complain "$1: too long for the path of a socket" || return 1
	rm -f "$MARIADB_SOCKET" # of a server that was killed
	if [ ! -d "$MARIADB_DIR/data/mysql" ]; then
		mariadb-install-db --no-defaults --user=root --datadir="$MARIADB_DIR/data" --tmpdir="$MARIADB_DIR" --skip-test-db \
			--auth-root-authentication-method=normal "${MARIADB_SMALL[@]}" >"$MARIADB_DIR/install.log" 2>&1 ||
			mariadb_complain "mariadb-install-db failed, see $MARIADB_DIR/install.log" || return 1
	fi
	mariadb_launch
}

# mariadb_end SIGNAL: ends the server; nothing to do where none runs.
mariadb_end() {
	[ -n "$MARIADB_PID" ] || return 0
	kill "-$1" "$MARIADB_PID" 2>/dev/null
	wait "$MARIADB_PID" 2>/dev/null
	MARIADB_PID=
}

mariadb_stop() { mariadb_end TERM; }
mariadb_kill() { mariadb_end KILL; }

# mariadb_sql QUERY [DATABASE]: one or more statements as root.
mariadb_sql() {
	mariadb --no-defaults --socket="$MARIADB_SOCKET" --user=root --default-character-set=utf8mb4 -N -B -e "$1" ${2+"$2"}
}
