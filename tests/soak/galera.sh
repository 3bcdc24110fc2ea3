#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Exactly once with a Galera cluster: `mysql_host a,b,c`, three real nodes, and packets all the time. The node that
# xenbw-writer writes to is killed, and comes back, GALERA_ROUNDS times, at random instants; now and then xenbw-writer with
# it, or the node is frozen until the others have put it out, and then goes on with what it was amid; or the network between
# it and the others is cut, so that it cannot commit what it was given, and mended. In the end each node has what the ledger
# has, and what was sent.
# Needs the package galera-4 (or GALERA_PROVIDER: the path of its library). Some ten seconds a round.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
ROUNDS=${GALERA_ROUNDS:-30}
BED_TIME=$((ROUNDS * 60 + 120))
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/galera.sh"

export TZ=UTC
SUMS="SELECT ip, SUM(input), SUM(output), SUM(local_input), SUM(local_output) FROM traffic GROUP BY ip ORDER BY ip"
at() { galera_sql "$1" "SET SESSION wsrep_sync_wait = 7; $2" netacct; }
ledger() { bw_sql "SELECT label, sum(charged_input), sum(charged_output), sum(local_input), sum(local_output) FROM usage JOIN bucket_label USING (bucket)
	WHERE until IS NULL GROUP BY bucket HAVING sum(charged_input + charged_output + local_input + local_output) > 0 ORDER BY label" | tr '|' '\t'; }
# The address of the node that the writer is connected to.
node() { ss -Htnp state established dport = :3306 | awk '/xenbw-writer/ { sub(/:3306$/, "", $4); sub(/^.*\./, "", $4); print $4; exit }'; }
writes_to() { # writes_to [N]: to a node, but not to N
	local now
	now=$(node)
	[ -n "$now" ] && [ "$now" != "${1-}" ]
}
is_in() { [ "$(galera_sql "$1" "SHOW STATUS LIKE 'wsrep_cluster_status'" | cut -f 2)" = "$2" ]; } # is_in N Primary
all_are_there() { [ "$(galera_sql 1 "SHOW STATUS LIKE 'wsrep_cluster_size'" | cut -f 2)" = 3 ]; }
# The node that is written to is cut off from the others: it is no part of the cluster any more, but still answers.
cut_off() {
	bed_wait "a connection" writes_to || return 1
	n=$(node)
	galera_cut "$n" && bed_wait "node $n to be alone" is_in "$n" non-Primary && sleep 5 && written &&
		bed_wait "another node" writes_to "$n" && is_in "$n" non-Primary && galera_heal "$n" && galera_ready "$n" &&
		bed_wait "three nodes" all_are_there
}
written() { # until MySQL has all that the ledger has
	local i newest
	newest=$(bw_sql "SELECT ifnull(max(seq), 0) FROM take")
	for ((i = 0; i < 600; i++)); do
		[ "$(bw_sql "SELECT ifnull(max(seq), 0) FROM sink WHERE name = 'mysql'")" -lt "$newest" ] || return 0
		sleep 0.1
	done
	bed_complain "MySQL is behind for a minute"
}

ip link set lo up && bed_up || tap_bail "no bed"
mkdir /run/galera && mount -t tmpfs -o size=1500m tmpfs /run/galera && galera_start /run/galera 3 || tap_bail "no cluster"
tap_is "three nodes" "$(galera_sql 1 "SHOW STATUS LIKE 'wsrep_cluster_size'" | cut -f 2)" 3
galera_sql 1 "CREATE USER boss@'%' IDENTIFIED BY 'b'; GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION" || tap_bail "no account"
printf '[client]\nuser=boss\npassword=b\n' >"$BED/admin.cnf"
bw_config "flush 1" "errdelay 1" "database mysql" "mysql_user acct" "mysql_password p" "mysql_host $GALERA_NET.1, $GALERA_NET.2,$GALERA_NET.3" "mysql_tls off"
chmod 600 "$BW_CONF"
"$BUILD/xenbw" -c "$BW_CONF" db init --defaults-file "$BED/admin.cnf" >"$BED/said" 2>&1 || tap_bail "$(cat "$BED/said")"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"
bw_start || tap_bail "no xenbwd"
bed_guest_gone 1 && bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest" # counted from its first byte

# packets all the time; how many is in a file
(
	n=0
	while [ ! -e "$BED/stop" ]; do
		bed_udp 1.0 outside 100 500 && bed_udp outside 1.0 50 300 && bed_udp 1.0 2.0 20 100 || exit 1
		echo $((++n)) >"$BED/sent.new" && mv "$BED/sent.new" "$BED/sent"
		sleep 0.1
	done
) &
sender=$!

bad=0 killed='' first=$SECONDS
for ((round = 1; round <= ROUNDS; round++)); do
	written || { bad=$round; break; }
	n=$(node)
	killed+="${n:-none} "
	sleep "0.$((RANDOM % 1000 + 1000))"
	sleep "$((RANDOM % 2)).$((RANDOM % 10))"
	: "${n:=1}"
	if [ $((round % 4)) = 2 ]; then
		killed+="(cut off) "
		cut_off || bad=$round
	elif [ $((round % 4)) = 0 ]; then
		killed+="(frozen) "
		kill -STOP "${GALERA_PID[$n]}"
		sleep 5 # there is more to write now
		written || bad=$round
		kill -CONT "${GALERA_PID[$n]}"
		galera_ready "$n" || bad=$round
	else
		[ $((RANDOM % 4)) != 0 ] || kill -KILL "$(bw_writer)" # both at once
		galera_kill "$n"
		written && galera_join "$n" || bad=$round
	fi
	[ "$bad" = 0 ] || break
done
tap_is "$ROUNDS nodes were killed, frozen or cut off, and MySQL caught up each time" "$bad" 0
tap_note "nodes: $killed; $(((SECONDS - first) / ROUNDS)) s a round"
touch "$BED/stop"
wait $sender
tap_is "all packets arrived" "$?" 0
sent=$(cat "$BED/sent")
bw_wait_sql "the last byte" "SELECT sum(charged_output) FROM usage JOIN bucket_label USING (bucket) WHERE label = 'web' AND until IS NULL" $((sent * 100 * 528)) ||
	echo "# $(ledger)"
written || tap_bail "MySQL is behind"
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "the ledger has what was sent" "$(ledger | grep '^web')" "$(printf 'web\t%d\t%d\t0\t%d' $((sent * 50 * 328)) $((sent * 100 * 528)) $((sent * 20 * 128)))"
for n in 1 2 3; do
	tap_is "node $n has what the ledger has: no byte is lost, none is there twice" "$(at $n "$SUMS")" "$(ledger)"
done
tap_is "all nodes have the same marker" "$(for n in 1 2 3; do at $n "SELECT seq, taken FROM xenbw_host"; done | sort -u | wc -l)" 1
tap_is "no two rows of an hour" "$(at 1 "SELECT COUNT(*) FROM (SELECT 1 FROM traffic GROUP BY ip, time HAVING COUNT(*) > 1) x")" 0
for n in 1 2 3; do galera_kill $n; done
tap_done
