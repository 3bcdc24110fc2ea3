#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbwd in nacctd's place: the article's naccttab, detaching, the pid file, and HUP without losing a byte.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

TAB=$BED/naccttab
PIDFILE=/run/nacctd.pid

# The article's, but for networks, paths, and no database.
naccttab() { # naccttab [LINE…]
	cat - >"$TAB" <<-END
		# how nacctd was told
		sniff 0
		mysql_user acct
		mysql_password acct_password  # a comment
		mysql_host localhost
		mysql_port 0
		mysql_database netacct
		pidfile $PIDFILE
		compactnet 10.77.0.11 255.255.255.255
		compactnet 10.77.0.12 255.255.255.255
		ournet 10.77.0.11 255.255.255.255
		ournet 10.77.0.12 255.255.255.255
		flush 1
		errdelay 2
		fdelay 60
		device peth0
		ignorenet 127.0.0.0 255.0.0.0
		debug 0
		debugfile /tmp/nacctd.debug
		ledger $BW_LEDGER
		rrd_dir none
		user daemon
		control $BW_CONTROL
	END
	printf '%s\n' "$@" >>"$TAB"
}

naccttab
bed_up && bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no bed"

said=$("$BUILD/xenbwd" -n -c "$TAB" 2>&1)
tap_is "the check finds nothing wrong" $? 0
tap_like "what means nothing here is said with line and reason" "$said" "naccttab:2: .sniff. has no effect: "
tap_is "the networks are understood without a word" "$(grep -cE "ournet|ignorenet|peth0" <<<"$said")" 0
tap_like "and that others can read the password" "$said" "everybody on this host can read the password"
"$BUILD/xenbwd" -nv -c "$TAB" >"$BED/printed" 2>/dev/null
tap_is "the password is not shown" "$(grep -c acct_password "$BED/printed")" 0
"$BUILD/xenbwd" -nv -c "$BED/printed" 2>/dev/null | sed '/is set, and not/d' >"$BED/again"
tap_ok "what -nv prints is a configuration that gives the same again" \
	bash -c "sed '/is set, and not/d' $BED/printed | cmp - $BED/again"
tap_like "buckets are addresses, as nacctd's were" "$(cat "$BED/printed")" '^bucket +ip$'

timeout 20 "$BUILD/xenbwd" -c "$TAB" >>"$BW_LOG" 2>&1
tap_is "it detaches once all is well" $? 0
BW_PID=$(cat $PIDFILE)
tap_is "the pid file names the process" "$(cat "/proc/$BW_PID/comm")" xenbwd
tap_is "it has left the terminal" "$(readlink "/proc/$BW_PID/fd/2") $(ps -o sid= -p "$BW_PID" | tr -d ' ')" "/dev/null $BW_PID"
said=$(timeout 20 "$BUILD/xenbwd" -c "$TAB" 2>&1)
tap_is "a second one refuses, and its status says so" $? 69
tap_like "it names the process and the file" "$said" "process $BW_PID runs already, says the pid file $PIDFILE"
tap_is "the first one's pid file is as before" "$(cat $PIDFILE)" "$BW_PID"

# HUP, again and again, while bytes flow.
runs='SELECT count(*) FROM run'
sent=0 reloads=0
for poll in 1 2 1 2 1 2; do
	bed_udp 1.0 2.0 200 100 && sent=$((sent + $(bytes 200 100)))
	naccttab "poll 1" "flush $poll"
	kill -HUP "$BW_PID"
	bed_udp 1.0 2.0 300 200 && sent=$((sent + $(bytes 300 200)))
	bw_wait_sql "reload $((++reloads))" "$runs" $((reloads + 1)) || break
done
tap_is "each HUP took the settings anew" "$(bw_sql "$runs")" 7
tap_ok "it is the same process" kill -0 "$BW_PID"
tap_is "the pid file is still its own" "$(cat $PIDFILE)" "$BW_PID"

naccttab "poll none"
kill -HUP "$BW_PID"
bed_udp 1.0 2.0 50 50 && sent=$((sent + $(bytes 50 50)))
sleep 0.5
tap_is "a HUP with a broken file changes nothing" "$(bw_sql "$runs")" 7
naccttab "ledger /nowhere/at/all/ledger.db"
kill -HUP "$BW_PID"
bed_wait "the refusal" grep -q "/nowhere/at/all.*the settings in force stay" "$BW_LOG"
tap_is "settings that do not work: the old ones stay, in the same run" "$(bw_sql "$runs")" 7
bed_udp 1.0 2.0 50 50 && sent=$((sent + $(bytes 50 50)))

naccttab
for ((i = 0; i < 40; i++)); do
	kill -HUP "$BW_PID"
	sleep "0.00$((RANDOM % 10))"
done
tap_ok "a storm of HUPs does not end it" kill -0 "$BW_PID"
bed_udp 1.0 2.0 70 70 && sent=$((sent + $(bytes 70 70)))

naccttab "bucket domain"
kill -HUP "$BW_PID"
bw_wait_sql "buckets by name" "SELECT count(*) FROM bucket_label WHERE label = 'web' AND until IS NULL" 1
bed_udp 1.0 2.0 10 1000

kill -TERM "$BW_PID"
# shellcheck disable=SC2016
bed_wait "the end" bash -c '! kill -0 "$1"' - "$BW_PID"
tap_ok "the pid file goes with its process" test ! -e $PIDFILE
tap_is "not one byte was lost: by address" "$(bw_booked_bucket 10.77.0.11) / $(bw_booked_bucket 10.77.0.12)" \
	"0 $sent / $sent 0"
tap_is "and what came after the change, by name" "$(bw_booked_bucket web) / $(bw_booked_bucket db)" \
	"0 $(bytes 10 1000) / $(bytes 10 1000) 0"

# A pid file of one that was killed.
echo 1 >$PIDFILE
naccttab
timeout 20 "$BUILD/xenbwd" -c "$TAB" >>"$BW_LOG" 2>&1
tap_is "a stale pid file is in nobody's way" $? 0
kill -KILL "$(cat $PIDFILE)"
naccttab "ledger /nowhere/at/all/ledger.db"
said=$(timeout 20 "$BUILD/xenbwd" -c "$TAB" 2>&1)
tap_is "what fails before it detaches is its exit status" $? 69
tap_like "and on the terminal" "$said" "/nowhere/at/all"
tap_done
