# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# nacctd_peer.sh: one that counts real packets and writes MySQL's table as nacctd does (nacctd_peer.c). To be sourced
# after mariadb.sh, and clock.sh where the clock is moved.
#
#   peer_start DATABASE DEVICE ADDRESS…
#   peer_begin           a write begins: what was counted is in the table, in the hour that it is now
#   peer_end             the write ends: what came since peer_begin is lost
#   peer_write           both at once

PEER_DATABASE=

peer_start() {
	PEER_DATABASE=$1
	shift
	coproc PEER { LD_PRELOAD=${BW_PRELOAD-} exec "$BUILD/nacctd_peer" "$@"; }
	peer_answer >/dev/null
}

peer_answer() { # the lines up to `-- done`
	local line
	while IFS= read -r -t 20 line <&"${PEER[0]}"; do
		[ "$line" != "-- done" ] || return 0
		printf '%s\n' "$line"
	done
	return 1
}

peer_begin() {
	local sql
	echo begin >&"${PEER[1]}" && sql=$(peer_answer) && mariadb_sql "SET sql_mode = ''; $sql" "$PEER_DATABASE"
}
peer_end() { echo end >&"${PEER[1]}" && peer_answer >/dev/null; }
peer_write() { peer_begin && peer_end; }
