#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# HUP and the ledger: the same one is neither checked again nor ever without its lock; another one is refused while the
# first goes on; copies are taken only as they are now; a KILL between the last commit of one ledger and the first of
# the next doubles nothing; what takes effect later is not called in force.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

FIRST=$BW_LEDGER SECOND=$BED/second.db COPY=$BED/copy.db
SENT=0
send() { # send PACKETS: of 100 bytes, from 1.0
	bed_udp 1.0 outside "$1" 72 || tap_bail "the bed lost packets"
	SENT=$((SENT + $1 * 100))
}
out() { # out LEDGER: what it has of 1.0's output
	[ -e "$1" ] || { echo 0; return; }
	sqlite3 -readonly -cmd '.timeout 5000' "$1" \
		"SELECT coalesce(sum($BW_OUTPUT), 0) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid = 1"
}
all() { echo $(($(out "$FIRST") + $(out "$SECOND") + $(out "$COPY"))); }
exact() { # exact TEXT
	local i
	for ((i = 0; i < 60; i++)); do
		[ "$(all)" = "$SENT" ] && break
		sleep 0.1
	done
	tap_is "$1: each byte is in one ledger" "$(all)" "$SENT"
}
since() { tail -n +$((LINES_BEFORE + 1)) "$BW_LOG"; }
hup() { # hup LINE…: with these settings, and returns when it is ready again
	local before
	LINES_BEFORE=$(wc -l <"$BW_LOG") before=$(grep -c 'ready:' "$BW_LOG")
	bw_config "$@"
	kill -HUP "$BW_PID"
	bw_wait_ready "$before" || tap_bail "not ready after HUP"
}
refused() { # refused TEXT PATTERN LINE…
	local text=$1 pattern=$2
	shift 2
	LINES_BEFORE=$(wc -l <"$BW_LOG")
	bw_config "$@"
	kill -HUP "$BW_PID"
	bed_wait "the refusal" bash -c "tail -n +$((LINES_BEFORE + 1)) $BW_LOG | grep -q 'the settings in force stay'"
	tap_like "$text" "$(since)" "$pattern.*the settings in force stay"
}

bed_up || tap_bail "no bed"
umask 077
bw_config
touch "$FIRST.lock" && chmod 640 "$FIRST.lock" && chgrp daemon "$FIRST.lock"
bw_start || tap_bail "no xenbwd"
tap_is "the lock is its owner's alone, an old one too" "$(stat -c %a "$FIRST.lock")" 600
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
bw_wait_sql "the guest" "SELECT count(*) FROM vif WHERE domid > 0" 1
send 10
exact "the first ledger"

# The lock: somebody waits for it all the time.
flock -x "$FIRST.lock" touch "$BED/got" &
waiter=$!
sleep 0.2
for i in 1 2 3 4 5; do
	send 3
	hup "flush $((i % 2 + 1))"
done
tap_ok "who waits for the lock does not get it by HUPs" test ! -e "$BED/got"
kill -TERM $waiter
wait $waiter 2>/dev/null
hup "user root"
tap_ok "what takes effect later is not called in force" bash -c "! grep -q 'in force from now on.*user' '$BW_LOG'"
hup
exact "the same ledger"

# A page that nobody reads is damaged: a start refuses that, a HUP does not look.
bw_stop
cp "$FIRST" "$BED/sound.db"
page=$(sqlite3 "$FIRST" "CREATE TABLE big(t); INSERT INTO big SELECT hex(randomblob(900)) FROM generate_series(1, 400);
	SELECT max(pageno) - 20 FROM dbstat WHERE name = 'big'") && [ "$page" -gt 20 ] || tap_bail "no big table"
bw_start || tap_bail "no xenbwd"
seq 1 20000 | dd of="$FIRST" bs=4096 seek="$page" count=3 iflag=fullblock conv=notrunc status=none
hup
tap_ok "HUP does not check the same ledger again" kill -0 "$BW_PID"
bw_stop
bw_launch
wait "$BW_PID"
tap_is "a start does" $? 69
rm -f "$FIRST" "$FIRST"-*
cp "$BED/sound.db" "$FIRST"
bw_start || tap_bail "no xenbwd"

# The configuration is another user's, and only he may read it.
chown daemon "$BW_CONF"
kill -HUP "$BW_PID"
bed_wait "the refusal" grep -q "xenbw.conf.*chown root.*Permission denied.*the settings in force stay" "$BW_LOG"
tap_is "a configuration that HUP cannot read is refused, with the way out" $? 0
bw_stop
bw_start || tap_bail "no xenbwd"
tap_like "and the start warns of it" "$(tail -n 30 "$BW_LOG")" "SIGHUP cannot read .*chown root"
chown root "$BW_CONF"

# Another ledger, a broken one, and a copy.
head -c 50000 /bin/bash >"$BED/bad.db"
refused "no ledger: the first one goes on" "bad.db" "ledger $BED/bad.db"
sqlite3 "$FIRST" ".backup $COPY"
send 10
sleep 2.5
refused "an old copy is refused, with a way out" "copy.db is a copy.*stop xenbwd, copy the ledger again" "ledger $COPY"
rm -f "$COPY" "$COPY"-* "$COPY.lock"
ln "$FIRST" "$BED/link.db"
refused "nor is it opened by a second name" "another name" "ledger $BED/link.db"
rm -f "$BED"/link.db*
send 10
hup
exact "after refusals"
hup "flush 30" # so that nothing is committed meanwhile
sqlite3 "$FIRST" ".backup $COPY"
tap_is "the copy has all" "$(out "$COPY")" "$(out "$FIRST")"
hup "ledger $COPY"
had=$(out "$FIRST")
send 20
sleep 2.5
tap_is "a copy as it is now is gone on with" "$(out "$COPY")" $((had + 2000))
tap_is "and the first one is left alone" "$(out "$FIRST")" "$had"
bw_stop
# A restart on the first, which was left: what the other has since is not booked again.
bw_config
LINES_BEFORE=$(wc -l <"$BW_LOG")
bw_start || tap_bail "no xenbwd"
send 10
bw_stop
tap_is "a restart on a ledger that was left books only what comes then" "$(out "$FIRST")" $((had + 1000))
tap_like "and says so" "$(since)" "another ledger went on from here"
tap_is "in the ledger too" "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'ledger'")" 1
rm -f "$COPY" "$COPY"-*
SENT=$(all)
bw_start || tap_bail "no xenbwd"
send 10
bw_stop
exact "and the next restart books all again"

# KILL in the window: the ledger before has committed, the next one not yet. A trigger makes its first commit slow.
bw_config "ledger $SECOND"
bw_start || tap_bail "no xenbwd"
send 5
bw_stop
bw_config
bw_start || tap_bail "no xenbwd"
send 40
sleep 2.5
bw_quiet
before=$(all)
sqlite3 "$SECOND" "CREATE VIEW slow AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000000000)
		SELECT i FROM c;
	CREATE TRIGGER slow_run AFTER INSERT ON run BEGIN SELECT count(*) FROM slow; END" || tap_bail "no trigger"
marked() { sqlite3 -readonly "$1" "SELECT count(*) FROM meta WHERE key = 'left'"; }
bw_config "ledger $SECOND"
kill -HUP "$BW_PID"
bw_wait_sql "the last commit of the one before" "SELECT count(*) FROM meta WHERE key = 'left'" 1
sleep 0.5
bw_kill
sqlite3 "$SECOND" "DROP TRIGGER slow_run; DROP VIEW slow" || tap_bail "the trigger stays"
tap_is "it was killed when both ledgers were marked as left" "$(marked "$FIRST") $(marked "$SECOND")" "1 1"
bw_start || tap_bail "no xenbwd"
send 10
bw_stop
tap_is "a KILL between two ledgers doubles nothing" "$(all)" $((before + 1000))
before=$(all)
bw_config
bw_start || tap_bail "no xenbwd"
sleep 1.5
bw_stop
tap_is "nor does a restart on the one before" "$(all)" "$before"
tap_done
