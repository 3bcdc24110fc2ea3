#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who xenbwd's processes are and what each may do: every thread of them, with the user that the tests have, without one,
# and with root; what the helpers cannot touch, what they can all the same, and the end of the guard.
# time-limit: 150
set -u
BED_TIME=140
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"

ids=$(getent passwd daemon | cut -d: -f3,4)
uid=${ids%:*} gid=${ids#*:}

# status PID: of every thread of a process, one line for each that differs
status() {
	local task
	for task in /proc/"$1"/task/*/status; do
		awk '/^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs):/ { sub(/:/, ""); $1 = $1; printf "%s; ", $0 }' "$task"
		echo
	done | sort -u
}
# is_like TEXT PID UID GID RAW: its threads have these ids in all four places, no other group, no capability but RAW
# (permitted, effective and inheritable), and can gain none
is_like() {
	tap_is "$1" "$(status "$2" | sed 's/Groups ;/Groups;/')" \
		"Uid $3 $3 $3 $3; Gid $4 $4 $4 $4; Groups; CapInh $5; CapPrm $5; CapEff $5; CapBnd $NONE; CapAmb $NONE; NoNewPrivs 1; "
}
NONE=0000000000000000
RAW=0000000000002000 # CAP_NET_RAW is bit 13
helpers() { bed_wait "the helpers" bash -c "pgrep -x xenbw-writer && pgrep -x xenbw-capture" && bed_wait "the split" looks; }
looks() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json 2>/dev/null | jq -r .split)" = pcap ]; }
said() { tail -n +"$((LINES_BEFORE + 1))" "$BW_LOG" | grep -cE "$1"; }
mark() { LINES_BEFORE=$(wc -l <"$BW_LOG"); }
rrd_reaches() { [ "$(rrdtool last "$BW_RRD/$1.rrd" 2>/dev/null)" -ge $((CLOCK_FIRST + $2 * CLOCK_SLOT)) ]; }
# slot N: web sends in slot N, which is complete afterwards
slot() {
	clock_in_slot "$1" 298
	bed_udp 1.0 outside 10 100 || tap_bail "the bed lost packets"
	clock_wait_slot $(($1 + 1))
}
limits() { # limits [CAPABILITY]…: what the unit gives, without these
	local list one
	list=$(sed -n 's/^CapabilityBoundingSet=//p' "$(dirname "$0")/../../examples/xenbwd.service.in" | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
	for one in "$@"; do
		list=$(sed "s/+$one//; s/,,/,/; s/^,//; s/,\$//" <<<"$list")
	done
	BW_UNDER="setpriv --bounding-set -all,$list --no-new-privs"
}

bed_up || tap_bail "no bed"
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
clock_in_slot 0
bw_config "rrd_dir $BW_RRD" "flush 1"
limits

# What was there before: a folder and files of root's, as the script of 2006 made them; and what is nobody's business.
mkdir -m 755 "$BW_RRD" || tap_bail "no folder"
old=$((CLOCK_FIRST - 300))
for name in web root-only linked foreign; do
	rrdtool create "$BW_RRD/$name.rrd" --start $((old - 300)) --step 300 DS:input:COUNTER:600:0:U DS:output:COUNTER:600:0:U \
		RRA:AVERAGE:0.5:1:600 && rrdtool update "$BW_RRD/$name.rrd" "$old:1000:2000" || tap_bail "no RRD file"
done
chmod 644 "$BW_RRD"/*.rrd && chmod 600 "$BW_RRD/root-only.rrd" && ln "$BW_RRD/linked.rrd" "$BED/elsewhere" &&
	chown 65534:65534 "$BW_RRD/foreign.rrd" && echo secret >"$BED/secret" && chmod 600 "$BED/secret" &&
	ln -s "$BED/secret" "$BW_RRD/symbolic.rrd" && mkfifo -m 600 "$BW_RRD/fifo.rrd" || tap_bail "no files"

bw_start || tap_bail "no xenbwd"
helpers || tap_bail "no helpers"
guard=$(bw_guard)
tap_ok "xenbwd has several threads, for libxenstore starts one" test "$(find /proc/"$BW_PID"/task -mindepth 1 -maxdepth 1 | wc -l)" -ge 2
is_like "each thread of xenbwd: root by its user id, the user's group, no capability" "$BW_PID" 0 "$gid" $NONE
is_like "the guard: the user, CAP_NET_RAW" "$guard" "$uid" "$gid" $RAW
is_like "xenbw-capture: the user, no capability" "$(bw_worker)" "$uid" "$gid" $NONE
is_like "xenbw-writer: the user, no capability" "$(bw_writer)" "$uid" "$gid" $NONE
tap_is "there is no other process of theirs" "$(pgrep -c xenbw)" 4
tap_is "the guard has its socket, and what it writes its log to" \
	"$(find /proc/"$guard"/fd -type l -printf '%f %l\n' | grep -vE '^[012] |anon_inode:\[pidfd\]' | sed 's/\[.*//')" "3 socket:"

# of_the_user PID FILE: whether another process of the same user and group can read this of a process
# shellcheck disable=SC2016
of_the_user() { setpriv --reuid="$uid" --regid="$gid" --clear-groups --bounding-set=-all bash -c 'exec 3<"/proc/$1/$2"' - "$1" "$2" 2>/dev/null; }
setpriv --reuid="$uid" --regid="$gid" --clear-groups sleep 60 &
tap_ok "one of the user can read another's memory" bed_wait "the user" of_the_user $! mem
kill $!
for pid in $guard $(bw_worker) $(bw_writer); do
	tap_ok "but not that of $(cat "/proc/$pid/comm"), nor see its descriptors" bash -c "$(declare -f of_the_user); uid=$uid gid=$gid; ! of_the_user $pid mem && ! of_the_user $pid fd/3 && ! of_the_user $pid environ"
done
tap_is "the ledger's files have that group and mode; nobody else can take its lock" \
	"$(stat -c '%n %a %u:%g' "$BW_LEDGER" "$BW_LEDGER"-wal "$BW_LEDGER"-shm "$BW_LEDGER".lock | sed "s,$BED/,,")" \
	"ledger.db 640 0:$gid
ledger.db-wal 640 0:$gid
ledger.db-shm 640 0:$gid
ledger.db.lock 600 0:$gid"
for file in "$BW_LEDGER" "$BW_LEDGER"-wal "$BW_LEDGER"-shm "$BW_LEDGER".lock; do
	# shellcheck disable=SC2016
	tap_ok "the user cannot write ${file##*/}" bash -c '! "$@"' - setpriv --reuid="$uid" --regid="$gid" --clear-groups \
		--bounding-set=-all bash -c ": >>$file"
done
tap_ok "nor read what is root's alone" bash -c "! setpriv --reuid=$uid --regid=$gid --clear-groups cat $BED/secret"
tap_is "the folder of RRD files, and those of root's, are the group's as well" \
	"$(cd "$BW_RRD" && stat -c '%n %a %u:%g' . web.rrd root-only.rrd)" ". 2775 0:$gid
web.rrd 664 0:$gid
root-only.rrd 660 0:$gid"
tap_is "nothing else was touched: another's, one with two names, a link, a pipe" \
	"$(cd "$BW_RRD" && stat -L -c '%n %a %u:%g' foreign.rrd linked.rrd symbolic.rrd fifo.rrd)" "foreign.rrd 644 65534:65534
linked.rrd 644 0:0
symbolic.rrd 600 0:0
fifo.rrd 600 0:0"
slot 0
tap_ok "the file of root's is gone on with" bed_wait "the RRD file" rrd_reaches web 1
tap_like "from its last values: it is the same" "$(rrdtool info "$BW_RRD/web.rrd")" 'ds\[input\].type = "COUNTER"'
tap_is "and stays root's" "$(stat -c %u:%g "$BW_RRD/web.rrd")" "0:$gid"
tap_is "a new one is the user's" "$(stat -c '%a %u:%g' "$BW_RRD/Domain-0.rrd")" "644 $uid:$gid"

# One that cannot be written says what to do; and so does a folder that cannot be entered.
chown 65534:65534 "$BW_RRD/web.rrd"
slot 1
tap_ok "a file of somebody else's is named, with what to do" bed_wait "the line" \
	grep -qE 'web.rrd.* for the user daemon; .chgrp daemon. and .chmod g\+rw. it, or .chown daemon. it' "$BW_LOG"
chown 0:0 "$BW_RRD/web.rrd"
mark
kill -HUP "$BW_PID"
tap_ok "after a reload it goes on: root's again, it was given to the group" bed_wait "the RRD file" rrd_reaches web 2
tap_is "which needed no capability" "$(stat -c %a:%g "$BW_RRD/web.rrd")" "664:$gid"
is_like "no thread of xenbwd has a capability after a reload" "$BW_PID" 0 "$gid" $NONE
bw_stop
tap_is "it ends well" $? 0
tap_is "and with it all that it started" "$(pgrep -c xenbw)" 0

# An older ledger, with another group, in a folder that only root may enter.
chgrp 0 "$BW_LEDGER"* && chmod 600 "$BW_LEDGER"
mkdir -m 700 "$BED/closed" && mv "$BW_LEDGER"* "$BED/closed" || tap_bail "no folder"
bw_config "ledger $BED/closed/ledger.db" "rrd_dir $BW_RRD" "flush 1"
mark
bw_start || tap_bail "no xenbwd"
tap_ok "the writer names a folder that it may not enter" bed_wait "the line" \
	grep -qF "cannot read ledger $BED/closed/ledger.db: the user daemon may not enter the folder $BED/closed; let its group: \`chgrp daemon $BED/closed && chmod g+x $BED/closed\`" "$BW_LOG"
tap_is "the folder is left as it was" "$(stat -c '%a %g' "$BED/closed")" "700 0"
tap_is "the ledger is the group's" "$(stat -c '%a %g' "$BED/closed/ledger.db")" "640 $gid"
chgrp "$gid" "$BED/closed" && chmod g+x "$BED/closed"
tap_ok "when it may, it goes on" bed_wait "the line" grep -q 'writing RRD files again' "$BW_LOG"

# A folder of root's with other things in it is not given away, also not at a reload.
mkdir -m 755 "$BED/shared" && echo x >"$BED/shared/notes" || tap_bail "no folder"
bw_config "ledger $BED/closed/ledger.db" "rrd_dir $BED/shared" "flush 1"
kill -HUP "$BW_PID"
tap_ok "a folder with other files in it: the writer says what to do" bed_wait "the line" \
	grep -qF "the user daemon cannot write in RRD directory $BED/shared; \`chgrp daemon\`" "$BW_LOG"
tap_is "and it is left as it was" "$(stat -c '%a %u:%g' "$BED/shared")" "755 0:0"
said=$(printf '%s\n' "ledger $BED/closed/ledger.db" "rrd_dir $BED/closed" >"$BED/over.conf"; "$BUILD/xenbwd" -n -c "$BED/over.conf" 2>&1)
tap_is "one that has the ledger in it is refused" $? 78
tap_like "with the reason" "$said" "is where .ledger $BED/closed/ledger.db. lies"

# A password that only root may read.
bw_config "ledger $BED/closed/ledger.db" "rrd_dir $BW_RRD" "flush 1" "database mysql" "mysql_user acct" "mysql_password_file $BED/secret" \
	"mysql_host $BED/no-server"
kill -HUP "$BW_PID"
tap_ok "a password file that it may not read is named, with what to do" bed_wait "the line" \
	grep -qF "the user daemon may not read the MySQL password from $BED/secret; let its group: \`chgrp daemon $BED/secret && chmod 640 $BED/secret\`" "$BW_LOG"
bw_config "ledger $BED/closed/ledger.db" "rrd_dir $BW_RRD" "flush 1"
mark
kill -HUP "$BW_PID"
bed_wait "the reload" bash -c "tail -n +$((LINES_BEFORE + 1)) $BW_LOG | grep -q ready:" && helpers || tap_bail "no helpers"

# The guard's end: without a service manager counting goes on.
mark
kill -KILL "$(bw_guard)"
tap_ok "one line says what is so from now on" bed_wait "the line" \
	grep -q 'xenbw-guard was ended by signal 9; bytes are unattributed, and RRD files and MySQL wait, until xenbwd is restarted; counting goes on' "$BW_LOG"
tap_ok "the helpers end" bed_wait "their end" bash -c '! pgrep -x xenbw-writer && ! pgrep -x xenbw-capture'
bed_udp 1.0 outside 20 100 || tap_bail "the bed lost packets"
BW_LEDGER=$BED/closed/ledger.db
read -r _ output < <(bed_ip_bytes vif1.0)
tap_ok "bytes are counted" bw_wait_sql "these bytes" "SELECT total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1" "$output"
sleep 2.5
tap_is "and nothing else is an error" "$(said 'guard|restart')" 1
kill -HUP "$BW_PID"
tap_ok "a reload says it again" bed_wait "the line" grep -q 'xenbw-guard does not run; bytes are unattributed' "$BW_LOG"
bw_stop
tap_is "it ends well" $? 0

# With one it ends, to be started again; not a byte is lost.
export NOTIFY_SOCKET=$BED/notify
bw_start && helpers || tap_bail "no xenbwd"
kill -KILL "$(bw_guard)"
bed_udp 1.0 outside 30 100 || tap_bail "the bed lost packets"
wait "$BW_PID"
tap_is "the guard is killed: under a service manager xenbwd ends with status 75" $? 75
tap_like "and says why" "$(tail -n 20 "$BW_LOG")" 'xenbw-guard was ended by signal 9; xenbwd commits and ends, to be started again'
tap_ok "nobody is left" bed_wait "their end" bash -c '! pgrep xenbw'
tap_is "the run has a clean end" "$(bw_sql 'SELECT count(*) FROM run WHERE ended IS NULL')" 0
unset NOTIFY_SOCKET
bw_start && helpers || tap_bail "no xenbwd"
read -r _ output < <(bed_ip_bytes vif1.0)
tap_ok "started again, it has all bytes" bw_wait_sql "these bytes" "SELECT total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 1" "$output"

# `user` at a reload
mark
bw_config "ledger $BW_LEDGER" "rrd_dir $BW_RRD" "user root"
kill -HUP "$BW_PID"
tap_ok "another user takes effect at the next start, says a reload" bed_wait "the line" \
	grep -q '.user root. takes effect when xenbwd is started again; until then it is .daemon.' "$BW_LOG"
bw_stop

# Helpers that stay root, by order or because there is nobody else.
own_folder() { chown -R 0:0 "$BW_RRD" "$BED/closed"; }
as_root() { # as_root TEXT
	helpers || tap_bail "no helpers"
	is_like "$1: xenbwd" "$BW_PID" 0 0 $NONE
	is_like "$1: the guard" "$(bw_guard)" 0 0 $RAW
	is_like "$1: xenbw-capture" "$(bw_worker)" 0 0 $NONE
	is_like "$1: xenbw-writer" "$(bw_writer)" 0 0 $NONE
}
own_folder
mark
bw_start || tap_bail "no xenbwd"
as_root "user root"
tap_is "and no warning" "$(said 'user')" 0
bw_stop
bw_config "ledger $BW_LEDGER" "rrd_dir $BW_RRD" "user no-such-user"
mark
bw_start || tap_bail "no xenbwd"
as_root "a user that is missing"
tap_is "one warning names it and the way out" \
	"$(said 'there is no user .no-such-user., so .*without capabilities; make it with .useradd --system no-such-user.')" 1
bw_stop
limits setuid setgid
bw_config "ledger $BW_LEDGER" "rrd_dir $BW_RRD"
mark
bw_start || tap_bail "no xenbwd"
as_root "no right to change the user"
tap_is "is said, with the way out" "$(said 'no right to become the user .daemon., so .*CAP_SETUID and CAP_SETGID')" 1
bw_stop
limits net_raw
bw_config "ledger $BW_LEDGER" "rrd_dir $BW_RRD"
mark
bw_start || tap_bail "no xenbwd"
bed_wait "a writer" bw_writer || tap_bail "no writer"
tap_ok "without the right to open packet sockets that is said" bed_wait "the line" \
	grep -q 'xenbw-guard: no right to open packet sockets' "$BW_LOG"
is_like "and the guard has none" "$(bw_guard)" "$uid" "$gid" $NONE
tap_ok "the writer is at work all the same" test -n "$(bw_writer)"
bw_stop

# A guard that hangs does not hold up the end, though xenbwd has no right to kill it.
limits
bw_start && helpers || tap_bail "no xenbwd"
guard=$(bw_guard)
kill -STOP "$guard"
SECONDS=0
bw_stop
tap_is "a guard that is stopped: xenbwd ends well" $? 0
tap_ok "within some seconds" test $SECONDS -le 8
tap_like "and names what is left" "$(tail -n 5 "$BW_LOG")" "xenbw-guard does not end .*kill -KILL $guard"
kill -CONT "$guard"
tap_ok "which ends when it goes on, and nobody is left" bed_wait "their end" bash -c '! pgrep xenbw'
tap_done
