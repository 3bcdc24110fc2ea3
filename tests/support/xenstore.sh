# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# xenstore.sh: Debian's real xenstored or oxenstored without a hypervisor, and what a toolstack writes into it.
# To be sourced. BUILD names the build directory (with xshim.so and xenstore_tool; default: build/ in the tree).
#
# One daemon at a time. After a start XENSTORED_RUNDIR is exported, so that every client finds this daemon and no
# other. Values (names, macs, addresses …) may hold \xNN for any byte; a plain backslash is \x5c. Each function
# returns 0, or prints one line on standard error and returns 1. Nothing here waits longer than ten seconds.
#
# In order of a domain's life:
#   xenstore_start DIR; xen_domain_create 5 web <uuid>; xen_vif_attach 5 0 00:16:3e:00:00:05 "10.0.0.5" xenbr0
#   xen_vif_state 5 0 2; xen_vif_state 5 0 4; …; xen_domain_destroy 5; xenstore_stop

: "${BUILD:=$(dirname "${BASH_SOURCE[0]}")/../../build}"
XENSTORE_BIN=$(dirname /usr/lib/xen-*/bin/xenstored) # of the one Xen that is installed
XENSTORE_DIR=      # of the running (or last) daemon
XENSTORE_PID=
XENSTORE_KIND=     # c or ocaml

xenstore_complain() { echo "xenstore.sh: $*" >&2; return 1; }

# xenstore_wait WHAT CMD…: repeats CMD until it succeeds, at most ten seconds.
xenstore_wait() {
	local what=$1 i
	shift
	for ((i = 0; i < 500; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		[ -n "$XENSTORE_PID" ] && ! kill -0 "$XENSTORE_PID" 2>/dev/null && break
		sleep 0.02
	done
	xenstore_complain "no $what; see $XENSTORE_DIR/log: $(tail -n 1 "$XENSTORE_DIR/log" 2>/dev/null)"
}

# Starts the daemon of XENSTORE_KIND in XENSTORE_DIR, with an empty store.
xenstore_launch() {
	local shim
	shim=$(realpath "$BUILD/xshim.so") || return 1
	rm -f "$XENSTORE_DIR/virq" "$XENSTORE_DIR"/domains/*
	if [ "$XENSTORE_KIND" = c ]; then
		XSHIM_DIR=$XENSTORE_DIR LD_PRELOAD=$shim "$XENSTORE_BIN/xenstored" -N --internal-db=on \
			--pid-file "$XENSTORE_DIR/pid" </dev/null >>"$XENSTORE_DIR/log" 2>&1 &
	else
		XSHIM_DIR=$XENSTORE_DIR LD_PRELOAD=$shim "$XENSTORE_BIN/oxenstored" --no-fork --no-access-log \
			--config-file "$XENSTORE_DIR/conf" --pid-file "$XENSTORE_DIR/pid" \
			</dev/null >>"$XENSTORE_DIR/log" 2>&1 &
	fi
	XENSTORE_PID=$!
	xenstore_wait "answer from the daemon" xenstore-exists / || return 1
	# What init-xenstore-domain or xen-init-dom0 writes at boot.
	xenstore_do <<-END
		write /local/domain/0/domid 0
		write /local/domain/0/name Domain-0
	END
}

# xenstore_start DIR: Debian's C xenstored; DIR (made if missing) takes its socket, log and domain list.
xenstore_start() {
	mkdir -p "$1/run" "$1/domains" || return 1
	XENSTORE_DIR=$(realpath "$1") XENSTORE_KIND=c
	export XENSTORED_RUNDIR=$XENSTORE_DIR/run
	[ ${#XENSTORED_RUNDIR} -lt 90 ] || xenstore_complain "$1: too long for the path of a socket" || return 1
	xenstore_launch
}

# oxenstore_start DIR: Debian's oxenstored. Its socket is always /run/xenstored/socket: to be called in a mount
# namespace of one's own, after `mount -t tmpfs tmpfs /run`.
oxenstore_start() {
	[ "$(readlink /proc/self/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ] ||
		xenstore_complain "oxenstored needs a private mount namespace with a /run of its own" || return 1
	mkdir -p "$1/domains" /run/xenstored || return 1
	XENSTORE_DIR=$(realpath "$1") XENSTORE_KIND=ocaml
	export XENSTORED_RUNDIR=/run/xenstored
	cat >"$XENSTORE_DIR/conf" <<-END || return 1
		pid-file = $XENSTORE_DIR/pid
		persistent = false
		xenstored-log-file = $XENSTORE_DIR/daemon.log
		access-log-file = $XENSTORE_DIR/access.log
		xenstored-kva = /proc/xen/xsd_kva
		xenstored-port = /proc/xen/xsd_port
	END
	xenstore_launch
}

# xenstore_end SIGNAL: ends the daemon; nothing to do where none runs.
xenstore_end() {
	[ -n "$XENSTORE_PID" ] || return 0
	kill "-$1" "$XENSTORE_PID" 2>/dev/null
	wait "$XENSTORE_PID" 2>/dev/null
	XENSTORE_PID=
}

# xenstore_stop, xenstore_kill: by TERM, by KILL. The store's content is lost in both cases.
xenstore_stop() { xenstore_end TERM; }
xenstore_kill() { xenstore_end KILL; }

# xenstore_restart: a new daemon of the same kind in the same place, with an empty store and no domains but 0.
xenstore_restart() { xenstore_end TERM && xenstore_launch; }

# xenstore_do: operations from standard input, see the head of xenstore_tool.c.
xenstore_do() { "$BUILD/xenstore_tool"; }

# Tells the daemon to look at the list of domains; returns when it has.
xenstore_virq() {
	printf x 1<>"$XENSTORE_DIR/virq" && echo sync | xenstore_do
}

# xen_domain_create DOMID NAME UUID: the domain's nodes, then @introduceDomain.
xen_domain_create() {
	local d=/local/domain/$1
	echo "r $3" >"$XENSTORE_DIR/domains/$1" || return 1
	xenstore_do <<-END
		mkdir $d
		perm $d n0 r$1
		write $d/vm /vm/$3
		write $d/name $2
		mkdir /vm/$3
		perm /vm/$3 n0 r$1
		write /vm/$3/name $2
		write /vm/$3/uuid $3
		mkdir $d/device
		mkdir $d/control
		write $d/control/shutdown
		perm $d/control/shutdown n$1
		mkdir $d/data
		perm $d/data n$1
		mkdir /libxl/$1
		write /libxl/$1/type pvh
		write $d/domid $1
		commit
		introduce $1
	END
}

# xen_vif_attach DOMID DEVID MAC IPS BRIDGE [VIFNAME]: the nodes of one vif, in one transaction, as libxl writes
# them: frontend, backend (state 1) and its own. IPS may be empty, BRIDGE too. What the hotplug script and netback
# add comes later: xen_vif_hotplugged, xen_vif_state.
xen_vif_attach() {
	local f=/local/domain/$1/device/vif/$2 b=/local/domain/0/backend/vif/$1/$2 l=/libxl/$1/device/vif/$2 base
	{
		for base in "$b" "$l"; do
			echo "mkdir $base"
			[ "$base" = "$l" ] || echo "perm $base n0 r$1"
			cat <<-END
				write $base/frontend $f
				write $base/frontend-id $1
				write $base/online 1
				write $base/state 1
				write $base/script /etc/xen/scripts/vif-bridge
				write $base/mac $3
				write $base/handle $2
				write $base/type vif
				write $base/hotplug-status
			END
			[ -z "$4" ] || echo "write $base/ip $4"
			[ -z "$5" ] || echo "write $base/bridge $5"
			[ -z "${6-}" ] || echo "write $base/vifname $6"
		done
		cat <<-END
			write $l/backend $b
			mkdir $f
			perm $f n$1 r0
			write $f/backend $b
			write $f/backend-id 0
			write $f/state 1
			write $f/handle $2
			write $f/mac $3
			write $f/trusted 1
			write $f/mtu 1500
			perm $f/mtu n0 r$1
		END
	} | xenstore_do
}

# xen_vif_hotplugged DOMID DEVID: the hotplug script is done (the netdev is in its bridge).
xen_vif_hotplugged() {
	echo "write /local/domain/0/backend/vif/$1/$2/hotplug-status connected" | xenstore_do
}

# xen_vif_state DOMID DEVID N: the backend's state, as netback writes it (2 waits for the guest, 4 connected, 5
# closing, 6 closed).
xen_vif_state() { echo "write /local/domain/0/backend/vif/$1/$2/state $3" | xenstore_do; }

# xen_vif_detach DOMID DEVID: state 5, online 0, state 6, then the nodes go, the frontend's first. A bed with real
# netdevs may write the states itself and delete the netdev before it calls this.
xen_vif_detach() {
	local b=/local/domain/0/backend/vif/$1/$2
	{
		if [ "$(xenstore-read "$b/state" 2>/dev/null)" != 6 ]; then
			printf '%s\n' "write $b/state 5" commit "write $b/online 0" commit "write $b/state 6" commit
		fi
		xenstore_vif_nodes "$1" "$2"
	} | xenstore_do
}

# Operations that remove the nodes of a vif, and the folders above it that become empty.
xenstore_vif_nodes() {
	cat <<-END
		rm /local/domain/$1/device/vif/$2
		commit
		rm /local/domain/0/backend/vif/$1/$2
		prune /local/domain/0/backend/vif/$1
		rm /libxl/$1/device/vif/$2
		commit
	END
}

# xen_domain_rename DOMID NAME: as xl rename, both name nodes.
xen_domain_rename() {
	local vm
	vm=$(xenstore-read "/local/domain/$1/vm") || return 1
	printf '%s\n' "write /local/domain/$1/name $2" "write $vm/name $2" | xenstore_do
}

# xen_domain_life DOMID LETTER: its state in the hypervisor's list, see the head of xshim.c.
xen_domain_life() { sed -i "s/^./$2/" "$XENSTORE_DIR/domains/$1" && xenstore_virq; }

# xen_domain_shutdown DOMID: the guest has powered off: @releaseDomain, the domain stays listed.
xen_domain_shutdown() { xen_domain_life "$1" s; }

# xenstore_preload CMD…: runs a program that uses libxl (xenbw-xl) on the same list of domains.
xenstore_preload() { XSHIM_DIR=$XENSTORE_DIR LD_PRELOAD=$(realpath "$BUILD/xshim.so") "$@"; }

# xen_domain_destroy DOMID: as xl destroy: the frontends vanish, the backends close and go, then the domain's own
# nodes and /vm/<uuid>, then @releaseDomain.
xen_domain_destroy() {
	local vm dev devs
	vm=$(xenstore-read "/local/domain/$1/vm" 2>/dev/null)
	devs=$(xenstore-list "/local/domain/0/backend/vif/$1" 2>/dev/null)
	echo "rm /local/domain/$1/device" | xenstore_do || return 1
	for dev in $devs; do
		xen_vif_detach "$1" "$dev" || return 1
	done
	xen_domain_forget "$1" "$vm"
}

# xen_domain_forget DOMID [/vm/UUID]: only the last step of it; backend nodes that are there stay.
xen_domain_forget() {
	{
		[ -z "${2-}" ] || echo "rm $2"
		printf '%s\n' "rm /local/domain/$1" "rm /libxl/$1"
	} | xenstore_do || return 1
	rm -f "$XENSTORE_DIR/domains/$1"
	xenstore_virq
}
