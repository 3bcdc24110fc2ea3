# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of the ledger's file and of its file system. Read by faults.sh.

LEDGER_DIR=$BED/ledger

fault_ledger_disk_full() {
	mark
	# A log that was long once has its room already.
	wait_for "$ROUND_PATIENCE" "a short log" ledger_log_is_short || problem "the ledger's log stays long"
	cat /dev/zero >"$LEDGER_DIR/fill" 2>/dev/null
	burst
	next_slot_blind
	burst
	told "$BW_LEDGER.*full|full.*$BW_LEDGER"
	rm -f "$LEDGER_DIR/fill"
}
ledger_log_is_short() {
	[ "$(sqlite3 -cmd '.timeout 5000' "$BW_LEDGER" "PRAGMA wal_checkpoint(TRUNCATE)")" = "0|0|0" ] &&
		[ "$(stat -c %s "$BW_LEDGER-wal")" -lt 100000 ]
}
# An edge that no commit can tell of.
next_slot_blind() {
	clock_in_slot "$SLOT" 298
	SLOT=$((SLOT + 1))
	sleep 3
}
fault_ledger_read_only() {
	mark
	: >"$BED/refuses"
	xenbwd_away
	mount --bind "$LEDGER_DIR" "$LEDGER_DIR" && mount -o remount,bind,ro "$LEDGER_DIR" || problem "no read-only mount"
	rm -f "$BED/hold"
	told "ead-only|writable"
	burst
	xenbwd_away
	umount "$LEDGER_DIR" || problem "no umount"
	rm -f "$BED/refuses"
	xenbwd_back
}

# keep_files, put_back: all files of the ledger
keep_files() { rm -rf "$BED/kept" && mkdir "$BED/kept" && cp -a "$BW_LEDGER" "$BW_LEDGER"-* "$BED/kept"; }
put_back() { rm -f "$BW_LEDGER" "$BW_LEDGER"-* && cp -a "$BED/kept/." "$LEDGER_DIR"; }

# starts_on_it: xenbwd as the ledger is now: does it start? It has seconds.
starts_on_it() {
	local i
	mark
	bw_launch
	for ((i = 0; i < 1000; i++)); do
		kill -0 "$BW_PID" 2>/dev/null || break
		log_has 'ready:' && return 0
		sleep 0.01
	done
	wait "$BW_PID"
	[ $? = 69 ] || problem "xenbwd did neither start nor refuse"
	return 1
}
# Cut at any byte it is refused with a line that helps, and left as it is; or all that was committed is there. What goes
# on with a torn one is kept from MySQL: takes that came there from it are not those of the ledger that is put back.
fault_ledger_torn() {
	local file size cut before
	xenbwd_away
	round_config "database none"
	before=$(ledger_sum)
	keep_files
	for _ in 1 2 3; do
		file=$BW_LEDGER
		! ((RANDOM % 3)) && [ -s "$BW_LEDGER-wal" ] && file=$BW_LEDGER-wal
		size=$(stat -c %s "$file")
		cut=$((RANDOM * 32768 + RANDOM)) cut=$((cut % size))
		((RANDOM % 4)) || cut=0
		truncate -s $cut "$file"
		torn_is_told "$file" "$cut" "$size" "$before"
		put_back
	done
	round_config
	xenbwd_back
}
torn_is_told() { # FILE CUT SIZE BEFORE
	local what="${1##*/} cut at $2 of $3" sum
	sum=$(sha256sum <"$1")
	if starts_on_it; then
		bw_kill
		wait_for 10 "the end of the helpers" bash -c "! pgrep '^xenbw'"
		sum=$(ledger_sum)
		[ "$sum" -ge "$4" ] || log_has 'takes that were committed here are missing' || problem "$what: it goes on with $sum of $4 bytes and tells nobody"
	else
		log_has 'damaged|not a ledger|is empty' || problem "$what: refused without a reason"
		[ "$sum" = "$(sha256sum <"$1")" ] || problem "$what: it was changed"
	fi
}
# An older copy counts on from the counters that it knows, so all bytes are in it; MySQL, which is ahead, is left alone
# until the admin has said how to go on. Here the newer one is found again.
fault_ledger_older_copy() {
	rm -rf "$BED/older" && mkdir "$BED/older"
	sqlite3 "$BW_LEDGER" ".backup $BED/older/ledger.db"
	burst
	wait_for "$ROUND_PATIENCE" "the ledger" ledger_has
	wait_for "$ROUND_PATIENCE" "MySQL" rows_agree
	xenbwd_away
	keep_files
	rm -f "$BW_LEDGER" "$BW_LEDGER"-*
	cp -a "$BED/older/ledger.db" "$BW_LEDGER"
	mark
	rm -f "$BED/hold"
	told 'takes that were committed here are missing'
	told 'is ahead of the ledger'
	burst
	wait_for "$ROUND_PATIENCE" "the older ledger" ledger_has || problem "the older ledger has $(ledger_sum) of $(sent_sum)"
	[ "$(mysql_sum)" -le "$(sent_sum)" ] || problem "MySQL has more than was sent"
	xenbwd_away
	put_back
	xenbwd_back
}
