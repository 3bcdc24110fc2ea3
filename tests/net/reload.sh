#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# HUP changes each keyword of the table while bytes flow: no total differs from what was sent, and the new value is in
# force. A keyword that this test does not know fails it. Then storms of HUPs, broken and vanished files, a ledger that
# refuses, HUP with TERM, HUP during a start, HUP while a helper is started again.
# time-limit: 500
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"
. "$(dirname "$0")/../support/mariadb.sh"
cd "$(dirname "$0")/../.." || exit 1

FIRST=$BW_LEDGER SECOND=$BED/second.db
bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

# What was sent: input and output of 1.0 and 2.0.
SENT_IN=0 SENT_OUT=0 SENT_BETWEEN=0
flow() { # 1.0 to outside (external), outside to 1.0 (ignored), 1.0 to 2.0 (local), a second long
	BED_TO=10.77.0.254 bed_udp 1.0 outside 120 301 1 &
	FLOWS=($!)
	BED_FROM=10.99.1.1 bed_udp outside 1.0 140 207 1 &
	FLOWS+=($!)
	bed_udp 1.0 2.0 90 113 1 &
	FLOWS+=($!)
	SENT_OUT=$((SENT_OUT + $(bytes 120 301))) SENT_IN=$((SENT_IN + $(bytes 140 207)))
	SENT_BETWEEN=$((SENT_BETWEEN + $(bytes 90 113)))
}
flown() {
	local pid
	for pid in "${FLOWS[@]}"; do wait "$pid" || tap_bail "the bed lost packets"; done
}

# booked WHERE EXPRESSION: the sum of an expression over both ledgers
booked() {
	local sum=0 ledger n
	for ledger in "$FIRST" "$SECOND"; do
		[ -e "$ledger" ] || continue
		n=$(sqlite3 -readonly -cmd '.timeout 5000' "$ledger" \
			"SELECT coalesce(sum($2), 0) FROM usage JOIN vif ON vif.id = usage.vif WHERE $1") || return 1
		sum=$((sum + n))
	done
	echo "$sum"
}
totals() { echo "$(booked 'domid = 1' "$BW_INPUT") $(booked 'domid = 1' "$BW_OUTPUT") $(booked 'domid = 2' "$BW_INPUT") $(booked 'domid = 2' "$BW_OUTPUT")"; }
sent() { echo "$SENT_IN $((SENT_OUT + SENT_BETWEEN)) $SENT_BETWEEN 0"; }
agree() { [ "$(totals)" = "$(sent)" ]; }
exact() { # exact TEXT: that all that was sent is booked, and no more
	local i
	for ((i = 0; i < 100; i++)); do
		agree && break
		sleep 0.1
	done
	tap_is "$1: each total is what was sent" "$(totals)" "$(sent)"
}

readies() { grep -c 'ready:' "$BW_LOG"; }
# hup: and returns when it is ready again
hup() {
	local before
	before=$(readies)
	kill -HUP "$BW_PID"
	bw_wait_ready "$before" || tap_bail "not ready after HUP"
}
since() { tail -n +$((LINES_BEFORE + 1)) "$BW_LOG"; }
answers() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json 2>/dev/null | jq -r .split)" = "$1" ]; }
looks() { answers pcap; }
processlist() { mariadb_sql "SELECT concat_ws(' ', user, db) FROM information_schema.processlist WHERE user LIKE 'acct%'"; }
connected() { processlist | grep -qx "$1"; }
label() { [ "$(sqlite3 -readonly "$FIRST" "SELECT count(*) FROM bucket_label WHERE label = '$1' AND until IS NULL")" = 1 ]; }
told() { since | grep -q "in force from now on.*[: ]$1\(,\|\$\)"; } # it is a changed one, says the log
# column COLUMN FROM: 10 datagrams from FROM to 1.0 are in this column, once it is looked at again
column() {
	local before after i
	bed_wait "the split" looks
	class_committed 2
	before=$(booked 'domid = 1' "$1")
	BED_FROM=$2 bed_udp outside 1.0 10 72 || return 1
	SENT_IN=$((SENT_IN + 1000))
	for ((i = 0; i < 60; i++)); do
		after=$(booked 'domid = 1' "$1")
		[ "$after" = $((before + 1000)) ] && return 0
		sleep 0.1
	done
	echo "$1 grew by $((after - before)) and not by 1000"
	return 1
}

MYSQL=("database mysql" "mysql_user acct" "mysql_password_file $BED/password" "mysql_host $BED/mariadb/sock" "mysql_database netacct")
# new WORD: NEW becomes the lines that give it another value than the base has. effect WORD: that it is in force.
new() {
	NEW=()
	case $1 in
	poll) NEW=("poll 2" "flush 2") ;;
	flush) NEW=("flush 3") ;;
	errdelay) NEW=("errdelay 7") ;;
	bucket) NEW=("bucket ip") ;;
	bucket_suffix) NEW=("${MYSQL[@]}" "bucket_suffix .hosta") ;;
	ledger) NEW=("ledger $SECOND") ;;
	rrd_dir) NEW=("rrd_dir $BED/rrd2") ;;
	control) NEW=("control $BED/control2") ;;
	user) NEW=("user root") ;;
	pidfile) NEW=("pidfile $BED/pid2") ;;
	timezone) NEW=("timezone Asia/Tokyo") ;;
	database) NEW=("${MYSQL[@]}") ;;
	mysql_user) NEW=("${MYSQL[@]}" "mysql_user acct2") ;;
	mysql_password) NEW=("${MYSQL[@]}" "mysql_password_file none" "mysql_password secret") ;;
	mysql_password_file) NEW=("${MYSQL[@]}" "mysql_user acct3" "mysql_password_file $BED/password3") ;;
	mysql_host) NEW=("${MYSQL[@]}" "mysql_host $BED/sock2") ;;
	mysql_port) NEW=("${MYSQL[@]}" "mysql_port 3399") ;;
	mysql_database) NEW=("${MYSQL[@]}" "mysql_database other") ;;
	mysql_table) NEW=("${MYSQL[@]}" "mysql_table traffic2") ;;
	mysql_tls) NEW=("${MYSQL[@]}" "mysql_tls require") ;;
	mysql_tls_ca) NEW=("${MYSQL[@]}" "mysql_tls verify" "mysql_tls_ca $BED/nowhere.pem") ;;
	address) NEW=("bucket ip" "address 10.66.0.1 web") ;;
	compactnet) NEW=("compactnet 10.77.0.0/24") ;;
	attribution) NEW=("attribution off") ;;
	retain) NEW=("retain 25 months") ;;
	unattributed) NEW=("unattributed none") ;;
	device) NEW=("device up0") ;;
	ournet) NEW=("ournet 10.99.4.0/24") ;;
	direct_peer) NEW=("direct_peer 10.99.3.0/24") ;;
	peer) NEW=("peer 10.99.2.0/24") ;;
	ignoremask) NEW=("ignoremask 255.0.0.0") ;;
	ignorenet) NEW=("ignorenet 10.99.4.0/24") ;;
	dontignore) NEW=("dontignore 10.99.1.9") ;;
	owner) NEW=("owner acme web") ;;
	billing_day) NEW=("billing_day 15") ;;
	ifalias) NEW=("ifalias on") ;;
	quota) NEW=("quota web month all both 1TB") ;;
	quota_hook) NEW=("quota_hook /bin/true") ;;
	quota_hook_seconds) NEW=("quota_hook_seconds 5") ;;
	web_listen) NEW=("web_listen 127.0.0.1:8428") ;;
	web_behind_tls) NEW=("web_behind_tls yes") ;;
	web_users) NEW=("web_users /etc/xenbw/users") ;;
	*) return 1 ;;
	esac
}
effect() {
	case $1 in
	poll) since | grep -q 'ready:.*a reading every 2 s' ;;
	flush) since | grep -q 'ready:.*a commit every 3 s' ;;
	bucket) bed_wait "the bucket" label 10.77.0.11 ;;
	bucket_suffix) bed_wait "the row" bash -c "[ -n \"\$(mariadb --no-defaults -S $BED/mariadb/sock -uroot -NBe \"SELECT ip FROM traffic WHERE ip = 'web.hosta'\" netacct)\" ]" ;;
	ledger) [ "$(sqlite3 -readonly "$SECOND" "SELECT count(*) FROM run WHERE ended IS NULL")" = 1 ] ;;
	rrd_dir) [ -d "$BED/rrd2" ] && told rrd_dir ;;
	user) since | grep -q 'user root.* takes effect when xenbwd is started again' ;;
	control) answers pcap && [ ! -e "$BW_CONTROL" ] ;;
	pidfile) [ "$(cat "$BED/pid2")" = "$BW_PID" ] && [ ! -e "$BED/pid" ] ;;
	database) bed_wait "the connection" connected "acct netacct" ;;
	mysql_user) bed_wait "the connection" connected "acct2 netacct" ;;
	mysql_password) bed_wait "the connection" connected "acct netacct" ;;
	mysql_password_file) bed_wait "the connection" connected "acct3 netacct" ;;
	mysql_host) bed_wait "the connection" connected "acct netacct" && told mysql_host ;;
	mysql_database) bed_wait "the connection" connected "acct other" ;;
	mysql_table) bed_wait "the row" bash -c "[ -n \"\$(mariadb --no-defaults -S $BED/mariadb/sock -uroot -NBe \"SELECT ip FROM traffic2 WHERE ip = 'web'\" netacct)\" ]" ;;
	address)
		# an address that no Xen configuration knows has a bucket of its own from now on
		bed_also 1.0 10.66.0.1 && bed_also outside 10.99.1.1 && bed_wait "the split" looks && class_committed 2 &&
			BED_TO=10.66.0.1 bed_udp outside 1.0 10 72 && SENT_IN=$((SENT_IN + 1000)) &&
			bed_wait "its bucket" label 10.66.0.1
		;;
	compactnet) since | grep -q 'everybody\|naccttab' || told compactnet ;;
	attribution) answers off ;;
	unattributed) [ "$(sqlite3 -readonly "$FIRST" "SELECT value FROM meta WHERE key = 'unattributed'")" = none ] ;;
	device) bed_wait "the other uplink" bash -c "tail -n +$LINES_BEFORE $BW_LOG | grep -q 'uplink: up0'" ;;
	ournet) column local_input 10.99.4.1 ;;
	direct_peer) column direct_input 10.99.3.1 ;;
	peer) column peer_input 10.99.2.1 ;;
	ignoremask) column ignored_input 10.77.0.254 ;;
	ignorenet) column ignored_input 10.99.4.1 ;;
	dontignore) column external_input 10.99.1.9 ;;
	ifalias) since | grep -q 'ifalias on. takes effect when xenbwd is started again' ;;
	quota_hook) since | grep -q 'quota_hook /bin/true. takes effect when xenbwd is started again' ;;
	timezone | retain | owner | web_* | billing_day | quota | quota_hook_seconds | errdelay | mysql_port | mysql_tls | mysql_tls_ca) told "$1" ;;
	esac
}

mapfile -t words < <(sed -n 's/^\t{"\([a-z_-]*\)", VALUE_.*/\1/p' src/config/keywords.c)
mapfile -t printed < <("$BUILD/xenbwd" -nv -c /dev/null | sed 's/ .*//')
inert() { grep -q "{\"$1\", VALUE_INERT," src/config/keywords.c; }
tap_ok "there are keywords" test ${#words[@]} -gt 40
tap_is "the program prints no keyword that the table lacks" \
	"$(comm -13 <(printf '%s\n' "${words[@]}" | sort -u) <(printf '%s\n' "${printed[@]}" | sort -u))" ""

export TZ=UTC
mariadb_start "$BED/mariadb" && mariadb_sql "CREATE DATABASE netacct; CREATE DATABASE other" || tap_bail "no MariaDB"
for base in netacct other; do mariadb_sql "$(cat db/schema/mysql.sql)" $base || tap_bail "no tables"; done
mariadb_sql "CREATE TABLE traffic2 LIKE traffic" netacct
for user in acct acct2; do mariadb_sql "CREATE USER $user@localhost IDENTIFIED BY 'secret'; GRANT ALL ON *.* TO $user@localhost"; done
mariadb_sql "CREATE USER acct3@localhost IDENTIFIED BY 'another'; GRANT ALL ON *.* TO acct3@localhost"
ln -s "$BED/mariadb/sock" "$BED/sock2"
echo secret >"$BED/password" && echo another >"$BED/password3" && chgrp daemon "$BED"/password* && chmod 640 "$BED"/password*

bed_up || tap_bail "no bed"
ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up || tap_bail "no other device"
BASE=("flush 1" "rrd_dir $BW_RRD" "pidfile $BED/pid" "ignorenet 10.99.1.0/24")
umask 077
bw_config "${BASE[@]}"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && class_outside || tap_bail "no guests"
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 2
bed_wait "the split" looks

# All that have no effect at once; in a naccttab, which a compactnet line makes of it.
INERT=()
for word in "${words[@]}"; do ! inert "$word" || INERT+=("$word 1"); done
LINES_BEFORE=$(wc -l <"$BW_LOG")
flow
bw_config "${BASE[@]}" "${INERT[@]}" "compactnet 10.77.0.0/24"
hup
flown
for word in "${INERT[@]}"; do
	tap_ok "${word% 1} has no effect, and says so" grep -q "\`${word% 1}\` has no effect" <(since)
done
exact "words without effect"

for word in "${words[@]}"; do
	! inert "$word" || continue
	new "$word" || { tap_ok "this test knows the keyword $word" false; continue; }
	LINES_BEFORE=$(wc -l <"$BW_LOG")
	flow
	sleep 0.15
	bw_config "${BASE[@]}" "${NEW[@]}"
	hup
	flown
	effect "$word" >"$BED/why" 2>&1 # in this shell: it may send
	tap_is "$word: the new value is in force" "$?" 0
	exact "$word"
done
tap_note "$(readies) times ready"
LINES_BEFORE=$(wc -l <"$BW_LOG")
flow
bw_config "${BASE[@]}"
hup
flown
exact "all defaults again"

# The ledger: there and back, again and again; a third one is new each time.
for i in 1 2 3 4; do
	flow
	bw_config "${BASE[@]}" "ledger $SECOND"
	hup
	sleep 0.1
	bw_config "${BASE[@]}"
	hup
	flown
done
exact "four times to the other ledger and back"
tap_is "no open epoch is left behind in the ledger that is in use, no device has two" \
	"$(sqlite3 -readonly "$FIRST" "SELECT ifindex, count(*) FROM epoch WHERE closed IS NULL GROUP BY ifindex HAVING count(*) > 1")" ""
rm -f "$SECOND" "$SECOND"-* "$SECOND.lock"
before=$(totals)
read -r SENT_IN out SENT_BETWEEN _ <<<"$before"
SENT_OUT=$((out - SENT_BETWEEN))
flow
bw_config "${BASE[@]}" "ledger $SECOND"
hup
bw_config "${BASE[@]}"
hup
flown
exact "a new ledger begins where the first one stopped"

# Classes: a reload leaves at most one commit's split unattributed, and puts nothing into another class.
bed_wait "the split" looks && class_committed 2
class() { booked 'domid = 1' "$1"; }
classes() { echo "$(class external_input) $(class external_output) $(class ignored_input) $(class ignored_output) $(class local_input) $(class local_output)"; }
bw_quiet && class_committed 2
read -r -a old <<<"$(classes)"
for i in 1 2 3; do
	flow
	hup
	flown
	bed_wait "the split" looks && class_committed 2
done
exact "reloads that change nothing"
read -r -a now <<<"$(classes)"
within() { [ "$2" -ge 0 ] && [ "$2" -le "$3" ] || { echo "$1: $2 of $3"; return 1; }; }
tap_is "nothing becomes what it is not" \
	"$((now[0] - old[0])) $((now[3] - old[3])) $((now[4] - old[4]))" "0 0 0"
tap_ok "external bytes are external or unattributed" within external $((now[1] - old[1])) $((3 * $(bytes 120 301)))
tap_ok "ignored bytes are ignored or unattributed" within ignored $((now[2] - old[2])) $((3 * $(bytes 140 207)))
tap_ok "local bytes are local or unattributed" within local $((now[5] - old[5])) $((3 * $(bytes 90 113)))
read -r -a old <<<"$(classes)"
flow
flown
exact "afterwards"
read -r -a now <<<"$(classes)"
tap_is "afterwards each class is exact again" "$((now[1] - old[1])) $((now[2] - old[2])) $((now[5] - old[5]))" \
	"$(bytes 120 301) $(bytes 140 207) $(bytes 90 113)"

# A storm.
flow
for ((i = 0; i < 100; i++)); do
	kill -HUP "$BW_PID"
	sleep 0.008
done
flown
tap_ok "a hundred HUPs in a second do not end it" kill -0 "$BW_PID"
exact "a hundred HUPs in a second"

# Files that are no good.
refused() { # refused TEXT PATTERN [held]: with `held` nothing is booked for now
	local before
	LINES_BEFORE=$(wc -l <"$BW_LOG") before=$(readies)
	flow
	kill -HUP "$BW_PID"
	bed_wait "the refusal" bash -c "tail -n +$((LINES_BEFORE + 1)) $BW_LOG | grep -qE 'the settings in force stay'"
	flown
	tap_like "$1: the settings in force stay, and why" "$(since)" "$2.*the settings in force stay"
	[ -n "${3-}" ] || exact "$1"
}
bw_config "${BASE[@]}" "pol 3"
refused "a broken file" "unknown keyword"
: >"$BW_CONF"
refused "a file that was cut to nothing" "has become empty.*write a comment"
mv "$BW_CONF" "$BW_CONF.away"
refused "a file that vanished" "No such file"
bw_config "${BASE[@]}" "mysql_password secret"
chmod 644 "$BW_CONF"
refused "a password that all can read" "chmod 600"
chmod 600 "$BW_CONF"
bw_config "${BASE[@]}"

# A ledger that refuses commits: held by another for longer than a commit waits.
mkfifo "$BED/hold"
sqlite3 "$FIRST" <"$BED/hold" &
holder=$!
exec 9>"$BED/hold"
echo "BEGIN IMMEDIATE;" >&9
sleep 0.3
refused "a ledger that refuses" "the ledger refuses a commit" held
printf "ROLLBACK;\n.quit\n" >&9
exec 9>&-
wait $holder
exact "a ledger that works again"
hup
exact "and takes new settings again"

# Helpers that are just started again.
kill -KILL "$(bw_writer)" "$(bw_worker)"
flow
hup
flown
exact "HUP while the helpers are away"
tap_ok "the split is back" bed_wait "the split" looks
tap_ok "and the writer" bed_wait "a writer" bw_writer
sleep 0.3
tap_is "one writer, and one worker" "$(bw_writer | wc -l) $(bw_worker | wc -l)" "1 1"

# HUP and TERM at once; HUP at any moment of a start.
flow
sleep 0.1
kill -HUP "$BW_PID"
kill -TERM "$BW_PID"
for ((i = 0; i < 1000; i++)); do
	kill -0 "$BW_PID" 2>/dev/null || break
	sleep 0.01
done
wait "$BW_PID"
tap_is "HUP and TERM at once: it stops, with status 0" $? 0
flown
survived=0
for ms in 10 20 30 40 60 80 120; do
	bw_launch
	for ((i = 0; i < 1000; i++)); do
		grep -qx xenbwd "/proc/$BW_PID/comm" && grep -q '^SigBlk:.*[13579bdf]$' "/proc/$BW_PID/status" && break
		sleep 0.001
	done
	sleep "0.0$(printf '%02d' $((ms % 100)))"
	kill -HUP "$BW_PID"
	sleep 0.5
	kill -0 "$BW_PID" 2>/dev/null && survived=$((survived + 1))
	bw_stop
done
tap_is "HUP during a start ends nothing" $survived 7
exact "HUP and TERM"
tap_ok "the ledger is sound" test "$(sqlite3 "$FIRST" 'PRAGMA integrity_check')" = ok
tap_ok "the pid file is gone with it" test ! -e "$BED/pid"
mariadb_stop
tap_done
