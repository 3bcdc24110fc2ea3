# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# rounds.sh: a xenbwd that is kept running, known bytes in rounds, and their way through ledger, MySQL and RRD files. To
# be sourced after sums.sh.
#
#   round_up                 the bed, MariaDB behind a proxy, two guests, xenbwd
#   flow 1.0 outside peer 100 500 2     in the background, as class_udp; counted as sent
#   burst                    some of it from everywhere, now
#   round NAME               traffic, fault_NAME meanwhile, then all sums; a line of the table
#   round_table
#   strike writer            KILLs the writer as soon as there is one; counted for kill_table
#   kill_table
#
# A fault that a test brings about may say problem "…", which fails it: also where it did not bite, for then it proves
# nothing. No class here is ignored, so MySQL and the RRD files have each byte that the ledger has.

# shellcheck disable=SC2034 # for the script
ROUND_ENDS=(1.0 2.0 dom0)
ROUND_PATIENCE=${ROUND_PATIENCE:-90} # seconds, until all have caught up: waits between two starts of a helper grow up to 60
PROXY=$BED/proxy
# shellcheck disable=SC2034 # for daemon.sh
BW_LEDGER=$BED/ledger/ledger.db

declare -A SENT=() # by end: bytes, both ways
declare -A ROUND_TIMES=() ROUND_SENT=() ROUND_LEDGER=() ROUND_MYSQL=() ROUND_RRD=()
FLOWS=()
SLOT=0
EDGE= # the end of the newest slot that all have

problem() { echo "${FAULT-}: $*" >>"$BED/problems"; }
nap() { sleep "$(($1 / 1000)).$(printf '%03d' $(($1 % 1000)))"; } # nap MILLISECONDS
within() { nap $(($1 + RANDOM % ($2 - $1))); }                   # within FROM TO, in milliseconds

# wait_for SECONDS WHAT CMD…
wait_for() {
	local until=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt "$until" ] || { bed_complain "waited in vain for $what"; return 1; }
		sleep 0.05
	done
}

# ---- xenbwd ----

xenbwd_pid() { cat "$BED/xenbwd.pid" 2>/dev/null; }
worker_pid() { pgrep -f '/xenbw-capture --worker'; }
writer_pid() { pgrep -x xenbw-writer; }
guard_pid() { pgrep -x xenbw-guard; }
tc_pid() { pgrep -x xenbw-tc; }
mariadbd_pid() { echo "$MARIADB_PID"; }
xenstored_pid() { echo "$XENSTORE_PID"; }

# struck VICTIM: KILLs it, if it lives now
struck() {
	local pid
	pid=$("$1_pid") && [ -n "$pid" ] && bw_strike "$pid" && echo "$1" >>"$BED/kills"
}
strike() { wait_for "$ROUND_PATIENCE" "a process to kill" struck "$1" || problem "no $1 to kill"; }
kills() { wc -l <"$BED/kills"; }
kill_table() { sort "$BED/kills" | uniq -c | awk '{ printf "%s%s %d", (NR > 1 ? ", " : ""), $2, $1; sum += $1 } END { print "; in all " sum + 0 }'; }

# A service manager. $BED/hold: it waits; $BED/refuses: a xenbwd that refuses its ledger is expected.
keep_xenbwd() {
	local status
	until [ -e "$BED/over" ]; do
		if [ -e "$BED/hold" ]; then
			sleep 0.05
			continue
		fi
		bw_launch
		echo "$BW_PID" >"$BED/xenbwd.pid"
		wait "$BW_PID"
		status=$?
		rm -f "$BED/xenbwd.pid"
		case $status in
		0 | 137 | 143) ;;
		69) [ -e "$BED/refuses" ] || problem "xenbwd refused to start" ;;
		*) problem "xenbwd ended with status $status" ;;
		esac
		[ -e "$BED/over" ] || nap $((50 + RANDOM % 100))
	done
}

# xenbwd_away [SIGNAL]: ends it, by KILL or that, and no other is started until xenbwd_back.
xenbwd_away() {
	local pid
	: >"$BED/hold"
	if [ -z "${1-}" ]; then
		struck xenbwd
	else
		pid=$(xenbwd_pid) && kill "-$1" "$pid" 2>/dev/null
	fi
	wait_for "$ROUND_PATIENCE" "the end of xenbwd" bash -c "! pgrep '^xenbw'" || problem "a process stays after xenbwd's end"
}
xenbwd_back() {
	rm -f "$BED/hold"
	wait_for "$ROUND_PATIENCE" "xenbwd" xenbwd_answers || problem "no xenbwd"
}
xenbwd_answers() { "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -e '.split != null'; }

mark() { LINES_BEFORE=$(wc -l <"$BW_LOG"); }
# told PATTERN: the log has such a line since `mark`, or gets it
log_has() { tail -n +$((LINES_BEFORE + 1)) "$BW_LOG" | grep -qE "$1"; }
told() { wait_for "$ROUND_PATIENCE" "a line like $1" log_has "$1" || problem "the log does not say: $1"; }

# Whole at each instant, for a SIGHUP may be on its way: of an empty file all is the default, also the ledger.
round_config() {
	BW_CONF=$BW_CONF.new bw_config "flush 1" "errdelay 0" "attribution pcap" "rrd_dir $BW_RRD" "database mysql" "mysql_user acct" \
		"mysql_password_file $BED/password" "mysql_host $PROXY" "mysql_database netacct" "${CLASS_CONF[@]}" "$@" &&
		mv "$BW_CONF.new" "$BW_CONF"
}
reload() { # reload LINE…
	local before
	before=$(grep -c 'in force from now on' "$BW_LOG")
	round_config "$@"
	kill -HUP "$(xenbwd_pid)"
	wait_for "$ROUND_PATIENCE" "the new settings" log_count_above "$before" 'in force from now on' || problem "no reload"
}
log_count_above() { [ "$(grep -c "$2" "$BW_LOG")" -gt "$1" ]; }

proxy_says() { echo "$*" >"$BED/order.new" && mv "$BED/order.new" "$BED/order"; }
# proxy_did WHAT: how often until now
proxy_did() { grep -c "^$1" "$BED/order.done"; }
proxy_did_more() { [ "$(proxy_did "$1")" -gt "$2" ]; } # proxy_did_more WHAT THAN

# ---- the bed ----

round_up() {
	mkdir "$BED/ledger" && mount -t tmpfs -o size=48m,mode=755 tmpfs "$BED/ledger" && : >"$BED/problems" && : >"$BED/kills" &&
		: >"$BED/order.done" || return 1
	mkdir "$BED/mariadb" && mount -t tmpfs -o size=160m,mode=755 tmpfs "$BED/mariadb" || return 1
	mariadb_start "$BED/mariadb" && mariadb_sql "CREATE DATABASE netacct" && mariadb_sql "$(cat db/schema/mysql.sql)" netacct &&
		mariadb_sql "CREATE USER acct@localhost IDENTIFIED BY 'secret'; GRANT SELECT, INSERT, UPDATE ON netacct.* TO acct@localhost" ||
		return 1
	proxy_says pass
	"$BUILD/bwproxy" "$PROXY" "$MARIADB_SOCKET" "$BED/order" </dev/null &
	bed_up && ip route add 10.77.0.0/16 dev "$BED_BRIDGE" && mount -t bpf bpf /sys/fs/bpf && clock_in_slot $SLOT || return 1
	EDGE=$((CLOCK_FIRST + SLOT * CLOCK_SLOT))
	echo secret >"$BED/password" && chgrp daemon "$BED/password" && chmod 640 "$BED/password" || return 1
	round_config
	bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && class_outside || return 1
	keep_xenbwd &
	# shellcheck disable=SC2034 # for the script
	KEEPER=$!
	bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 2
}

# ---- bytes ----

sent() { SENT[$1]=$((${SENT[$1]-0} + $2)); } # sent END BYTES

# flow FROM TO CLASS PACKETS PAYLOAD [SECONDS]
flow() {
	local bytes=$(($4 * ($5 + 28)))
	(class_udp "$@") &
	FLOWS+=($!)
	[ "$1" = outside ] || sent "$1" $bytes
	[ "$2" = outside ] || sent "$2" $bytes
}
flows_end() {
	local pid
	for pid in "${FLOWS[@]}"; do wait "$pid" || tap_bail "the bed lost packets"; done
	FLOWS=()
}
some() { # some SECONDS
	flow 1.0 outside external $((200 + RANDOM % 300)) $((50 + RANDOM % 1400)) "$1"
	flow outside 2.0 peer $((200 + RANDOM % 300)) $((50 + RANDOM % 1400)) "$1"
	flow 2.0 1.0 - $((200 + RANDOM % 300)) $((50 + RANDOM % 1400)) "$1"
	flow outside dom0 direct $((100 + RANDOM % 100)) $((50 + RANDOM % 1400)) "$1"
}
burst() {
	some 0
	flows_end
}

# ---- sums ----

sent_sum() {
	local end sum=0
	for end in "${!SENT[@]}"; do sum=$((sum + SENT[$end])); done
	echo $sum
}
ledger_sum() { bw_sql "SELECT coalesce(sum($BW_INPUT + $BW_OUTPUT), 0) FROM usage"; }
mysql_sum() { mariadb_sql "SELECT coalesce(sum($(sums_joined + "${SUMS_COLUMNS[@]}")), 0) FROM traffic" netacct; }
rrd_sum() { # rrd_sum AFTER
	# shellcheck disable=SC2046 # labels without blanks
	rrd_rows "$1" $(labels "$1") | awk '{ for (i = 3; i <= NF; i++) sum += $i } END { printf "%d", sum }'
}
ledger_has() { [ "$(ledger_sum)" = "$(sent_sum)" ]; }
slot_is_open() { [ "$(bw_sql "SELECT value FROM meta WHERE key = 'open_slot'")" -ge "$1" ]; }

# next_slot: xenbwd crosses an edge by itself
next_slot() {
	clock_in_slot $SLOT 298
	SLOT=$((SLOT + 1))
	wait_for "$ROUND_PATIENCE" "the next slot" slot_is_open $((CLOCK_FIRST + SLOT * CLOCK_SLOT)) || problem "no new slot"
}

# settle: everything that was sent is everywhere
settle() {
	wait_for "$ROUND_PATIENCE" "the ledger" ledger_has || problem "ledger: $(ledger_sum), sent: $(sent_sum)"
	next_slot
	wait_for "$ROUND_PATIENCE" "MySQL" rows_agree || problem "MySQL differs: $(diff <(rows_ledger) <(rows_mysql) | head -n 20)"
	wait_for "$ROUND_PATIENCE" "the RRD files" rrds_agree "$EDGE" || problem "the RRD files differ"
}

# to_slot N: everything that was sent is everywhere, and it is slot N, from which the RRD files are looked at
to_slot() {
	flows_end
	settle
	ROUND_RRD[$FAULT]=$((${ROUND_RRD[$FAULT]-0} + $(rrd_sum "$EDGE")))
	SLOT=$1
	clock_in_slot "$SLOT"
	EDGE=$((CLOCK_FIRST + SLOT * CLOCK_SLOT))
}

# round NAME
round() {
	local sent ledger mysql FAULT=$1 began=$SECONDS
	sent=$(sent_sum) ledger=$(ledger_sum) mysql=$(mysql_sum)
	some $((1 + RANDOM % 2))
	"fault_$1"
	flows_end
	settle
	ROUND_TIMES[$1]=$((${ROUND_TIMES[$1]-0} + 1))
	ROUND_SENT[$1]=$((${ROUND_SENT[$1]-0} + $(sent_sum) - sent))
	ROUND_LEDGER[$1]=$((${ROUND_LEDGER[$1]-0} + $(ledger_sum) - ledger))
	ROUND_MYSQL[$1]=$((${ROUND_MYSQL[$1]-0} + $(mysql_sum) - mysql))
	ROUND_RRD[$1]=$((${ROUND_RRD[$1]-0} + $(rrd_sum "$EDGE")))
	EDGE=$((CLOCK_FIRST + SLOT * CLOCK_SLOT))
	echo "$1 took $((SECONDS - began)) s" >&2
}

round_difference() { # round_difference NAME: the largest one
	local of="${ROUND_SENT[$1]}" max=0 sum
	for sum in "${ROUND_LEDGER[$1]}" "${ROUND_MYSQL[$1]}" "${ROUND_RRD[$1]}"; do
		sum=$((sum > of ? sum - of : of - sum))
		[ $sum -le $max ] || max=$sum
	done
	echo $max
}
round_table() {
	local name
	printf '%-29s %5s %11s %11s %11s %11s %10s\n' fault times sent ledger MySQL RRD difference
	for name in $(printf '%s\n' "${!ROUND_TIMES[@]}" | sort); do
		printf '%-29s %5d %11d %11d %11d %11d %10d\n' "${name//_/ }" "${ROUND_TIMES[$name]}" "${ROUND_SENT[$name]}" \
			"${ROUND_LEDGER[$name]}" "${ROUND_MYSQL[$name]}" "${ROUND_RRD[$name]}" "$(round_difference "$name")"
	done
}
