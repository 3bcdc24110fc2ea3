#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each process is killed again and again at random instants, xenstored and MariaDB too, while known bytes flow, guests
# reboot and are renamed, and slots end: what was sent, the kernel's counters, the ledger, MySQL and the RRD files agree.
#
# What could go wrong: a commit or a row of MySQL is made twice, or not at all, where its maker dies between doing and saying so.
# A helper's successor tells again, or too late, what was settled without it: bytes are raised, clipped or in a wrong class.
# Nothing starts what has died, or two of it run; a vif, bucket or RRD file is taken for another one in an empty xenstore.
#
# SEED=N repeats the choice of pauses; KILLS=N: so many of each victim; KEEP=DIR: ledger, log and RRD files are copied there.
# time-limit: 400
# runs: alone
set -u
. "$(dirname "$0")/../support/tap.sh"
: "${BED_TIME:=400}"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/classes.sh"
. "$(dirname "$0")/../support/clock.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/sums.sh"
cd "$(dirname "$0")/../.." || exit 1
export TZ=UTC

SEED=${SEED:-$RANDOM}
KILLS=${KILLS:-50}
ALONE=$(((KILLS + 2) / 3)) # kills of each helper before xenbwd and the guard are killed too
VICTIMS=(worker writer rrd xenstored mariadbd xenbwd guard)
# The longest pause before a kill, in milliseconds.
declare -A PAUSE=([worker]=1600 [writer]=1600 [rrd]=150 [xenstored]=1600 [mariadbd]=1800 [xenbwd]=900 [guard]=700)
LASTING=(1.0 2.0 dom0) # the ends that are there all the time

# ---- who is who ----

find_xenbwd() { cat "$BED/xenbwd.pid" 2>/dev/null; }
find_worker() { pgrep -f '/xenbw-capture --worker'; }
find_guard() { pgrep -x xenbw-guard; }
find_writer() {
	local xenbwd guard
	xenbwd=$(find_xenbwd) && [ -n "$xenbwd" ] && guard=$(bw_guard "$xenbwd") && pgrep -P "$guard" -x xenbw-writer
}
# librrd's process lives for some milliseconds after each slot: looked for without a process of one's own. FOUND
find_rrd() { # find_rrd WRITER
	FOUND=
	read -r FOUND 2>/dev/null <"/proc/$1/task/$1/children"
	FOUND=${FOUND%% *}
	[ -n "$FOUND" ]
}

# ---- what keeps things running, each in a process of its own ----

problem() { echo "$*" >>"$BED/problems"; }
nap() { sleep "$(($1 / 1000)).$(printf '%03d' $(($1 % 1000)))"; } # nap MILLISECONDS
over() { [ -e "$BED/over" ]; }

# A service manager: another xenbwd soon after each end.
keep_xenbwd() {
	local status
	until over; do
		bw_launch
		echo "$BW_PID" >"$BED/xenbwd.pid"
		wait "$BW_PID"
		status=$?
		rm -f "$BED/xenbwd.pid"
		case $status in 0 | 137 | 143) ;; *) problem "xenbwd ended with status $status" ;; esac # 143: TERM came before it could wait for it
		over || nap $((RANDOM % 100))
	done
}

# The wall clock is moved to the end of each slot, which it then crosses by itself.
keep_clock() {
	local slot=0
	until [ -e "$BED/last_slot" ]; do
		clock_in_slot $slot 298
		sleep 2.1
		slot=$((slot + 1))
	done
}

# flow NUMBER FROM TO CLASS: bytes all the time; what they were is left in a file.
flow() {
	local key
	RANDOM=$((SEED + 100 + $1))
	CLASS_SENT=()
	until [ -e "$BED/calm" ]; do
		class_udp "$2" "$3" "$4" $((300 + RANDOM % 500)) $((50 + RANDOM % 1400)) 2
	done
	for key in "${!CLASS_SENT[@]}"; do echo "$key ${CLASS_SENT[$key]}"; done >"$BED/flow.$1"
}

# What the toolstack does and xenstored's death do not meet: the bed's toolstack would not try again.
lock() { flock 9; }
unlock() {
	declare -p BED_NAME BED_UUID BED_BACKEND | sed 's/^declare -A/declare -gA/' >"$BED/guests"
	flock -u 9
}

# ---- kills ----

# strike VICTIM PID: one kill, of a process that lives.
strike() { bw_strike "$2" && echo "$2" >>"$BED/kills.$1"; }

# found VICTIM: waits for one, as long as `back`: waits between two starts grow up to a minute; FOUND.
found() {
	local i
	for ((i = 0; i < 2500; i++)); do
		FOUND=$(find_"$1") && [ -n "$FOUND" ] && return 0
		sleep 0.03
	done
	problem "no $1 to kill"
	return 1
}

# back VICTIM OLD XENBWD: while no xenbwd is killed its helpers come back by themselves.
back() {
	local i now
	for ((i = 0; i < 2500; i++)); do
		now=$(find_"$1") && [ -n "$now" ] && [ "$now" != "$2" ] && break
		sleep 0.03
	done
	if [ "$(find_xenbwd)" != "$3" ]; then
		problem "another xenbwd while only helpers were killed"
	elif [ "$i" = 2500 ]; then
		problem "no other $1 after the kill of $2"
	else
		echo "$now" >>"$BED/back.$1"
	fi
}

kill_helper() { # worker, writer
	local xenbwd
	found "$1" || return 1
	xenbwd=$(find_xenbwd)
	strike "$1" "$FOUND" || return 1
	[ "$2" -gt "$ALONE" ] || back "$1" "$FOUND" "$xenbwd"
}
kill_worker() { kill_helper worker "$1"; }
kill_writer() { kill_helper writer "$1"; }

kill_rrd() {
	local i j writer
	found writer || return 1
	writer=$FOUND
	for ((i = 0; i < 3000; i++)); do
		if find_rrd "$writer"; then
			for ((j = RANDOM % 60; j > 0; j--)); do :; done
			strike rrd "$FOUND"
			return
		fi
		[ -d "/proc/$writer" ] || return 1
		read -rt 0.001 <>"$BED/never"
	done
	return 1
}

kill_xenstored() {
	lock
	# shellcheck disable=SC1091 # what `unlock` wrote
	. "$BED/guests"
	strike xenstored "$XENSTORE_PID"
	while kill -0 "$XENSTORE_PID" 2>/dev/null; do sleep 0.01; done
	nap $((RANDOM % 600))
	xenstore_launch || problem "no xenstored"
	nap $((RANDOM % 200)) # it is empty
	bed_refill || problem "xenstore cannot be filled"
	flock -u 9
}

kill_mariadbd() {
	strike mariadbd "$MARIADB_PID"
	wait "$MARIADB_PID" 2>/dev/null
	nap $((RANDOM % 200))
	rm -f "$MARIADB_SOCKET"
	mariadb_launch || problem "no mariadbd"
}

kill_xenbwd() {
	found xenbwd && strike xenbwd "$FOUND"
}

# Without it xenbwd is to be restarted, as its log says.
kill_guard() {
	local xenbwd
	found guard || return 1
	xenbwd=$(find_xenbwd)
	strike guard "$FOUND" || return 1
	nap $((RANDOM % 400))
	[ -z "$xenbwd" ] || [ "$(find_xenbwd)" != "$xenbwd" ] || kill -TERM "$xenbwd"
	while [ "$(find_guard)" = "$FOUND" ]; do sleep 0.03; done
}

others_done() {
	local victim
	for victim in "${VICTIMS[@]}"; do
		[ "$victim" = xenbwd ] || [ -e "$BED/done.$victim" ] || return 1
	done
}

# killer VICTIM NUMBER: kills it KILLS times; xenbwd until all others were, for what waits to be started again is started by
# the next one.
killer() {
	local i=1 idle=0
	RANDOM=$((SEED + $2))
	exec 9>"$BED/lock"
	case $1 in
	mariadbd) mariadb_start "$BED/mariadb" || problem "no mariadbd" ;;
	xenbwd | guard) until [ -e "$BED/alone.worker" ] && [ -e "$BED/alone.writer" ]; do sleep 0.1; done ;;
	esac
	while { [ $i -le "$KILLS" ] || { [ "$1" = xenbwd ] && ! others_done; }; } && [ $idle -lt 300 ]; do
		[ "$1" = rrd ] && ((RANDOM % 2)) || nap $((RANDOM % PAUSE[$1])) # its successor in the same slot too
		if kill_"$1" $i; then
			[ $i != $ALONE ] || : >"$BED/alone.$1"
			i=$((i + 1)) idle=0
		else
			idle=$((idle + 1))
		fi
	done
	echo "$(((${EPOCHREALTIME/./} - BEGAN) / 1000000))" >"$BED/done.$1"
}

kills_of() { grep -c . "$BED/kills.$1"; }

# ---- what is booked ----

sent_of() { # sent_of END: "input output"
	local key sum_input=0 sum_output=0
	for key in "${!CLASS_SENT[@]}"; do
		case $key in
		"$1,input,"*) sum_input=$((sum_input + CLASS_SENT[$key])) ;;
		"$1,output,"*) sum_output=$((sum_output + CLASS_SENT[$key])) ;;
		esac
	done
	echo "$sum_input $sum_output"
}
is_booked() { [ "$(bw_booked "$(class_where "$1")")" = "$(sent_of "$1")" ]; }
wait_booked() { # wait_booked END: a minute, for xenbwd may be dead most of the time
	local i
	for ((i = 0; i < 6; i++)); do bed_wait "the bytes of $1" is_booked "$1" 2>/dev/null && return 0; done
	bed_complain "the bytes of $1 are not booked: $(bw_booked "$(class_where "$1")"), sent: $(sent_of "$1")"
}

# ---- the campaign ----

mkfifo "$BED/never" && exec 9>"$BED/lock" && : >"$BED/problems" || tap_bail "no files"
mariadb_start "$BED/mariadb" && mariadb_sql "CREATE DATABASE netacct" && mariadb_sql "$(cat db/schema/mysql.sql)" netacct &&
	mariadb_sql "CREATE USER acct@localhost IDENTIFIED BY 'secret'; GRANT SELECT, INSERT, UPDATE ON netacct.* TO acct@localhost" ||
	tap_bail "no MariaDB"
mariadb_stop
bed_up && clock_in_slot 0 || tap_bail "no bed"
echo secret >"$BED/password" && chgrp daemon "$BED/password" && chmod 640 "$BED/password"
bw_config "flush 1" "errdelay 0" "attribution pcap" "rrd_dir $BW_RRD" "database mysql" "mysql_user acct" "mysql_password_file $BED/password" \
	"mysql_host $MARIADB_SOCKET" "mysql_database netacct" "${CLASS_CONF[@]}"
lock
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_also outside "${CLASS_IP[ignored]}" || tap_bail "no guests"
unlock
tap_note "seed $SEED"
BEGAN=${EPOCHREALTIME/./}
keep_xenbwd &
keeper=$!
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 2 || tap_bail "no xenbwd"
keep_clock &
clock=$!

flows=() killers=()
i=0
while read -r from to class; do
	flow $i "$from" "$to" "$class" &
	flows+=($!)
	i=$((i + 1))
done <<-END
	1.0 outside external
	1.0 outside ignored
	2.0 outside external
	outside 1.0 external
	outside 2.0 external
	outside 2.0 ignored
	outside dom0 external
	1.0 2.0 local
	2.0 1.0 local
END
flow_count=$i
i=0
for victim in "${VICTIMS[@]}"; do
	killer "$victim" $i &
	killers+=($!)
	i=$((i + 1))
done

# Guests come, go, reboot and are renamed. What each has sent is in the ledger before it goes.
gone=() domid=10
RANDOM=$((SEED + 50))
declare -A KERNEL=()
while kill -0 "${killers[@]}" 2>/dev/null; do
	domid=$((domid + 1)) name=phoenix
	if ((RANDOM % 3)); then BED_UUID[$domid]=33333333-0000-4000-8000-000000000001; else name=visitor$domid; fi
	lock
	bed_guest $domid 0 $name 10.77.0.21 00:16:3e:4d:00:21 && bed_also outside "${CLASS_IP[ignored]}" || tap_bail "no guest"
	unlock
	class_udp $domid.0 outside external $((200 + RANDOM % 200)) $((50 + RANDOM % 1400)) 1
	class_udp outside $domid.0 ignored $((100 + RANDOM % 200)) $((50 + RANDOM % 1400))
	class_udp $domid.0 1.0 local $((100 + RANDOM % 200)) $((50 + RANDOM % 1400))
	class_udp outside $domid.0 external $((200 + RANDOM % 200)) $((50 + RANDOM % 1400)) 1
	wait_booked $domid.0 || tap_bail "a guest's bytes are not booked"
	KERNEL[$domid.0]=$(bed_ip_bytes "${BED_VIF[$domid.0]}")
	lock
	if ((RANDOM % 2)); then
		BED_NAME[2]=db$domid
		xen_domain_rename 2 db$domid || tap_bail "no rename"
	fi
	bed_guest_gone $domid || tap_bail "the guest does not go"
	unlock
	gone+=("$domid.0")
done
wait "${killers[@]}"
took=$(((${EPOCHREALTIME/./} - BEGAN) / 1000000))

# Calm: all is there again, and everything is caught up.
: >"$BED/calm"
wait "${flows[@]}" || tap_bail "the bed lost packets"
for ((i = 0; i < flow_count; i++)); do
	while IFS=', ' read -r end direction class bytes; do class_note "$end" "$direction" "$class" "$bytes"; done <"$BED/flow.$i" || tap_bail "no flow $i"
done
for end in 1.0 2.0; do KERNEL[$end]=$(bed_ip_bytes "${BED_VIF[$end]}"); done
ends=("${LASTING[@]}" "${gone[@]}")
for end in "${LASTING[@]}"; do wait_booked "$end"; done

for victim in "${VICTIMS[@]}"; do
	tap_ok "$victim was killed $KILLS times" test "$(kills_of "$victim")" -ge "$KILLS"
done
for victim in worker writer; do
	tap_is "$victim: xenbwd started another one each time" "$(wc -l <"$BED/back.$victim")" $ALONE
done
tap_is "nothing else ended or did not start" "$(cat "$BED/problems")" ""

sent=$(for end in "${ends[@]}"; do echo "$end $(sent_of "$end")"; done)
tap_is "each vif's total is what was sent" "$(for end in "${ends[@]}"; do echo "$end $(bw_booked "$(class_where "$end")")"; done)" "$sent"
tap_is "and what the kernel has counted" "$(for end in 1.0 2.0 "${gone[@]}"; do echo "$end ${KERNEL[$end]}"; done)" "$(grep -v ^dom0 <<<"$sent")"
tap_is "which is what the classes add up to" "$(class_identity)" ""
exceeds() {
	local end word class input output
	for end in "${ends[@]}"; do
		for word in $(class_booked "$end"); do
			class=${word%%:*} input=${word#*:} output=${word#*/}
			input=${input%/*}
			[ "$class" = unattributed ] || { [ "$input" -le "${CLASS_SENT[$end,input,$class]-0}" ] && [ "$output" -le "${CLASS_SENT[$end,output,$class]-0}" ]; } ||
				echo "$end $class: $input/$output, sent ${CLASS_SENT[$end,input,$class]-0}/${CLASS_SENT[$end,output,$class]-0}"
		done
	done
}
tap_is "no class has more than was sent of it, but unattributed" "$(exceeds)" ""
# one that comes while xenbwd has no xenstored is nobody's until it has one again
tap_is "no frame of one that was there all the time was nobody's" \
	"$(bw_sql "SELECT detail FROM event WHERE kind = 'stray' AND detail NOT LIKE '%the first from 00:16:3e:4d:00:21:%'")" ""
tap_is "nothing is estimated or spoofed" "$(bw_sql "SELECT sum(estimated_input + estimated_output), sum(spoofed_output) FROM usage")" "0|0"

# All is seen again, to the byte.
looks() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json 2>/dev/null | jq -r .split)" = pcap ]; }
tap_ok "the split works again" bed_wait "the split" looks
sleep 2.2
class_start_over 1.0 2.0
class_udp 1.0 outside external 110 500
class_udp outside 2.0 ignored 90 400
class_udp 2.0 1.0 local 120 300
wait_booked 1.0
wait_booked 2.0
class_check "each class is seen" 1.0 2.0

# Two more slots end, so that all is in the RRD files.
open_slot() { bw_sql "SELECT value FROM meta WHERE key = 'open_slot'"; }
slots_ended() { [ "$(open_slot)" -gt "$1" ]; }
bed_wait "the slots to end" slots_ended $(($(open_slot) + CLOCK_SLOT))
: >"$BED/last_slot"
wait "$clock"
RRD_FROM=$((CLOCK_FIRST - 10 * CLOCK_SLOT)) # or as far back as the files reach
[ $(($(open_slot) - RRD_FROM)) -lt $((580 * CLOCK_SLOT)) ] || RRD_FROM=$(($(open_slot) - 580 * CLOCK_SLOT))
bed_wait "MySQL to catch up" rows_agree
bed_wait "the RRD files to catch up" rrds_agree $RRD_FROM
: >"$BED/over"
kill -TERM "$(find_xenbwd)"
wait "$keeper"
tap_is "no process is left behind" "$(bed_wait "the processes to end" bash -c '! pgrep "^xenbw"'; pgrep -a '^xenbw')" ""
tap_is "the ledger is sound" "$(bw_sql "PRAGMA integrity_check; PRAGMA foreign_key_check")" ok
tap_is "MySQL's rows are the ledger's, bucket by bucket and hour by hour" "$(rows_mysql)" "$(rows_ledger)"
tap_is "MySQL has each take once" "$(mariadb_sql "SELECT count(*), sum(seq) FROM xenbw_host" netacct)" \
	"1	$(bw_sql "SELECT seq FROM sqlite_sequence WHERE name = 'take'")"
for label in $(labels); do
	tap_is "the RRD file of $label has the ledger's slots" "$(rrd_slots "$label" $RRD_FROM)" "$(ledger_slots "$label" $RRD_FROM)"
done

# The table: bytes of all vifs, both ways.
sent=$(awk '{ sum += $2 + $3 } END { printf "%d", sum + '$((110 * 528 + 90 * 428 + 2 * 120 * 328))' }' <<<"$sent")
booked=$(bw_sql "SELECT sum($BW_INPUT + $BW_OUTPUT) FROM usage")
charged=$(rows_ledger | awk '{ sum += $3 + $4 } END { printf "%d", sum }')
mysql=$(rows_mysql | awk '{ sum += $3 + $4 } END { printf "%d", sum }')
tap_note "$took s under kills, $(bw_sql "SELECT count(DISTINCT slot) FROM usage") slots, ${#gone[@]} guests came and went, $(bw_sql "SELECT count(*) FROM run") runs of xenbwd"
tap_note "$(
	printf '%-10s %6s %12s\n' victim kills seconds
	for victim in "${VICTIMS[@]}"; do printf '%-10s %6d %12s\n' "$victim" "$(kills_of "$victim")" "$(cat "$BED/done.$victim")"; done
	printf '%-22s %14s %14s %11s\n' bytes expected booked difference
	printf '%-22s %14d %14d %11d\n' 'sent, ledger' "$sent" "$booked" $((booked - sent)) 'ledger, MySQL' "$charged" "$mysql" $((mysql - charged))
)"
[ -z "${KEEP-}" ] || cp -r "$BED" "$KEEP"
tap_note "of which unattributed: $(bw_sql "SELECT sum(unattributed_input + unattributed_output) FROM usage")"
tap_done
