# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# galera.sh: a real Galera cluster of one's own, node N at 10.88.0.N in a network namespace of its own. To be sourced
# after mariadb.sh.
#
#   galera_start DIR COUNT     makes the nodes and waits until all are there
#   galera_sql N QUERY [DB]    as root at node N, by its socket
#   galera_kill N              by KILL
#   galera_ready N             waits until a node is in the cluster, and has caught up
#   galera_join N              starts a killed node again, and waits until it has caught up
#   galera_cut N               the other nodes and it do not hear each other any more; its clients still reach it
#   galera_heal N              they do again
#
# A node that comes back gets what it lacks from the others' caches (IST); whole copies (SST) are never made, so nothing but
# mariadbd and the provider is needed: the package galera-4, or GALERA_PROVIDER. The account root@localhost has no
# password. Functions return 1 after one line on standard error when something does not work.

: "${GALERA_PROVIDER:=/usr/lib/galera/libgalera_smm.so}"
GALERA_DIR=
GALERA_COUNT=0
GALERA_NET=10.88.0
declare -a GALERA_PID=()

# What mariadbd calls at both ends of a transfer; the state that the joiner ends with goes through a file.
galera_sst() {
	cat >"$1" <<-'END'
		#!/bin/sh
		role='' address='' gtid='' bypass=''
		while [ $# -gt 0 ]; do
			case $1 in
			--role) role=$2; shift ;;
			--address) address=${2%%:*}; shift ;;
			--gtid) gtid=${2%% *}; shift ;;
			--bypass) bypass=1 ;;
			esac
			shift
		done
		at=$GALERA_STATE/$address
		if [ "$role" = joiner ]; then
			rm -f "$at"
			echo "ready $address:1"
			i=0
			while [ ! -s "$at" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
			cat "$at"
		else
			[ -n "$bypass" ] || exit 1
			echo "$gtid" >"$at.new" && mv "$at.new" "$at" && echo "done $gtid"
		fi
	END
	chmod 755 "$1"
}

# galera_plug N: an end of the switch, in the namespace galeraN; 254 is the script's own, in its namespace
galera_plug() {
	local at=(ip) end=eth0
	if [ "$1" = 254 ]; then
		end=galera0
		ip link add $end type veth peer name "port$1" netns galera || return 1
	else
		at=(ip -n "galera$1")
		ip netns add "galera$1" && "${at[@]}" link set lo up &&
			ip -n galera link add "port$1" type veth peer name $end netns "galera$1" || return 1
	fi
	ip -n galera link set "port$1" master switch up && "${at[@]}" addr add "$GALERA_NET.$1/24" dev $end && "${at[@]}" link set $end up
}

galera_net() {
	local n
	ip netns add galera && ip -n galera link add switch type bridge forward_delay 0 && ip -n galera link set switch up || return 1
	for ((n = 1; n <= GALERA_COUNT; n++)); do galera_plug "$n" || return 1; done
	galera_plug 254
}

galera_in() { # galera_in N CMD…: becomes it
	local n=$1
	shift
	exec nsenter "--net=/run/netns/galera$n" "$@"
}

galera_run() { # galera_run N [ARGUMENT…]
	local n=$1 i list
	shift
	for ((i = 1; i <= GALERA_COUNT; i++)); do list+=${list:+,}$GALERA_NET.$i; done
	rm -f "$GALERA_DIR/$n/sock"
	export GALERA_STATE=$GALERA_DIR/state PATH=$GALERA_DIR/bin:$PATH
	galera_in "$n" mariadbd --no-defaults --user=root \
		--datadir="$GALERA_DIR/$n/data" --socket="$GALERA_DIR/$n/sock" --pid-file="$GALERA_DIR/$n/pid" --tmpdir="$GALERA_DIR/$n" \
		--bind-address="$GALERA_NET.$n" --port=3306 "${MARIADB_SMALL[@]}" --lc-messages-dir=/usr/share/mysql \
		--innodb-flush-log-at-trx-commit=1 --binlog-format=ROW --innodb-autoinc-lock-mode=2 --wsrep-on=ON \
		--wsrep-provider="$GALERA_PROVIDER" --wsrep-cluster-name=xenbw --wsrep-cluster-address="gcomm://$list" \
		--wsrep-node-address="$GALERA_NET.$n" --wsrep-node-name="node$n" --wsrep-sst-method=seed \
		--wsrep-sst-receive-address="$GALERA_NET.$n" --wsrep-provider-options="gcache.size=32M;gmcast.listen_addr=tcp://$GALERA_NET.$n:4567;ist.recv_addr=$GALERA_NET.$n:4568;evs.keepalive_period=PT0.3S;evs.inactive_check_period=PT0.3S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;evs.install_timeout=PT4S" \
		"$@" </dev/null >>"$GALERA_DIR/$n/log" 2>&1
}

galera_ready() { # galera_ready N: waits until the node is in the cluster and has caught up
	local i
	for ((i = 0; i < 600; i++)); do
		[ "$(galera_sql "$1" "SHOW STATUS LIKE 'wsrep_ready'" 2>/dev/null)" != $'wsrep_ready\tON' ] || return 0
		kill -0 "${GALERA_PID[$1]}" 2>/dev/null || break
		sleep 0.1
	done
	mariadb_complain "node $1 does not get ready: $(tail -n 1 "$GALERA_DIR/$1/log")"
}

galera_launch() { # galera_launch N [ARGUMENT…]: and waits until it is ready
	galera_run "$@" &
	GALERA_PID[$1]=$!
	galera_ready "$1"
}

galera_sql() {
	mariadb --no-defaults --socket="$GALERA_DIR/$1/sock" --user=root --default-character-set=utf8mb4 -N -B -e "$2" ${3+"$3"}
}

galera_kill() {
	kill -KILL "${GALERA_PID[$1]}" && wait "${GALERA_PID[$1]}" 2>/dev/null
	true
}

galera_join() {
	local position
	(galera_run "$1" --wsrep-recover)
	position=$(sed -n 's/.*WSREP: Recovered position: *//p' "$GALERA_DIR/$1/log" | tail -n 1)
	galera_launch "$1" --wsrep-start-position="$position"
}

galera_cut() {
	(galera_in "$1" nft -f -) <<-END
		table inet cut {
			chain from { type filter hook input priority 0; tcp dport { 4567, 4568 } drop; tcp sport { 4567, 4568 } drop; }
			chain to { type filter hook output priority 0; tcp dport { 4567, 4568 } drop; tcp sport { 4567, 4568 } drop; }
		}
	END
}
galera_heal() { (galera_in "$1" nft delete table inet cut); }

# The first node begins the cluster; the others are copies of it.
galera_start() {
	local n
	[ -e "$GALERA_PROVIDER" ] || mariadb_complain "$GALERA_PROVIDER is not there: apt-get install galera-4" || return 1
	GALERA_COUNT=$2
	galera_net || mariadb_complain "no network for the nodes" || return 1
	mariadb_start "$1/1" && mariadb_stop && GALERA_DIR=$(realpath "$1") && mkdir -p "$GALERA_DIR/bin" "$GALERA_DIR/state" || return 1
	galera_sst "$GALERA_DIR/bin/wsrep_sst_seed"
	galera_launch 1 --wsrep-new-cluster || return 1
	kill -TERM "${GALERA_PID[1]}" && wait "${GALERA_PID[1]}"
	for ((n = 2; n <= GALERA_COUNT; n++)); do
		mkdir "$GALERA_DIR/$n" && cp -a "$GALERA_DIR/1/data" "$GALERA_DIR/$n/data" || return 1
	done
	galera_launch 1 --wsrep-new-cluster || return 1
	for ((n = 2; n <= GALERA_COUNT; n++)); do galera_launch "$n" || return 1; done
}
