# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# lab.sh: the lab's dom0, its guests, and frames of known size between them. To be sourced inside dom0, where it takes
# bed.sh's place for daemon.sh and classes.sh.
#
#   lab_up                               bridge xenbr0, uplink peth0, namespace `outside` behind it
#   lab_guest web pv 10.77.0.11          starts a guest and waits until it answers; LAB_DOMID[web] is its number
#   LAB_UNPLUG=never lab_guest web hvm 10.77.0.11   an HVM, with its emulated card (Linux' xen_emul_unplug)
#   lab_do web 'COMMAND'                 runs it in the guest; prints its output, returns its status
#   lab_frames web outside external 100 500    100 frames of 500 bytes payload; noted as classes.sh notes them
#   lab_settled web db                   until as many bytes are booked as were noted for these guests
#   lab_row                              one row of the closing table: all that was noted beside all that was booked
#
# What waits, waits for a condition, at most LAB_PATIENCE seconds.

BED=/run/bed
BUILD=/run/build
LAB_PATIENCE=90
LAB_NUMBER=0 # of commands to guests
declare -A LAB_DOMID=() LAB_MAC=([outside]=00:16:3e:00:00:fe) LAB_IP=([outside]=10.77.0.254)
# shellcheck disable=SC2034 # for classes.sh
declare -A BED_IP=([outside]=10.77.0.254)

# lab_pause SECONDS: no process of its own, for that costs the machine more than the time that passes.
lab_pause() { read -rt "$1" _ <>/run/pause || true; }

bed_complain() { echo "lab.sh: $*" >&2; return 1; }
bed_wait() { # bed_wait WHAT CMD…
	local what=$1 end=$((SECONDS + LAB_PATIENCE))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { bed_complain "waited $LAB_PATIENCE seconds for $what"; return 1; }
		lab_pause 0.2
	done
}

lab_up() {
	mkdir -p "$BED" "$BUILD" /run/netns && mkfifo /run/pause && chmod 755 "$BED" && cp /share/bin/* "$BUILD/" &&
		cat /guest/guest.cpio /share/guest-bin.cpio >/run/guest.cpio &&
		sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 &&
		ip netns add outside && lab_outside sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 &&
		ip -batch - <<-END && ip -n outside -batch - <<-OUTSIDE
			link set dev lo up
			link add xenbr0 address 00:16:3e:00:00:01 type bridge stp_state 0 mcast_snooping 0 forward_delay 0
			link set dev xenbr0 up
			link add peth0 type veth peer name eth0 netns outside
			link set dev peth0 master xenbr0
			link set dev peth0 up
		END
			link set dev eth0 address ${LAB_MAC[outside]}
			link set dev eth0 arp off
			link set dev eth0 up
		OUTSIDE
}

# lab_uplink: the bridge knows where `outside` is. Who sends under its MAC moves this entry, and takes it along at its end.
lab_uplink() { bridge fdb replace "${LAB_MAC[outside]}" dev peth0 master static; }

# lab_outside CMD…: runs a command outside.
lab_outside() { nsenter --net=/run/netns/outside "$@"; }

# lab_tell NAME COMMAND: has it run by the guest, and waits for no answer.
lab_tell() {
	LAB_NUMBER=$((LAB_NUMBER + 1))
	xenstore-write "/local/domain/${LAB_DOMID[$1]}/data/cmd" "$BASHPID.$LAB_NUMBER ${2//[$'\n\t']/ }"
}

# lab_do NAME COMMAND
lab_do() {
	local node=/local/domain/${LAB_DOMID[$1]}/data answer end=$((SECONDS + LAB_PATIENCE))
	lab_tell "$@" || return 1
	while :; do
		answer=$(xenstore-read "$node/done" 2>/dev/null)
		[ "${answer% *}" != "$BASHPID.$LAB_NUMBER" ] || break
		[ $SECONDS -lt $end ] || { bed_complain "no answer from $1"; return 1; }
		lab_pause 0.2
	done
	xenstore-read "$node/out"
	return "${answer##* }"
}

# What a type of guest needs. An HVM's kernel and initramfs go through its BIOS byte by byte (half a megabyte a second of
# the machine), and are unpacked in its own memory.
declare -A LAB_TYPE=(
	[pv]='kernel = "/guest/vmlinux"
ramdisk = "/run/guest.cpio"
memory = 128'
	[pvh]='kernel = "/guest/vmlinux"
ramdisk = "/run/guest.cpio"
memory = 128
tsc_mode = "native"'
	[hvm]='kernel = "/guest/vmlinuz"
ramdisk = "/run/guest.cpio.gz"
memory = 192
tsc_mode = "native"
vga = "none"
vnc = 0
usb = 0
device_model_args_hvm = ["-global", "rtl8139.romfile="]'
)

# lab_config NAME TYPE ADDRESS: MAC and configuration of a guest; LAB_VIFS: more entries of its `vif`; LAB_CRASH: its
# `on_crash`, if not preserve.
lab_config() {
	LAB_IP[$1]=$3
	LAB_MAC[$1]=$(printf '00:16:3e:4d:00:%02x' "${3##*.}")
	cat >"/run/$1.cfg" <<-END
		name = "$1"
		type = "$2"
		${LAB_TYPE[$2]}
		vcpus = 1
		extra = "console=hvc0 quiet mitigations=off init_on_alloc=0 norandmaps cryptomgr.notests rodata=off ip4=$3${LAB_UNPLUG:+ xen_emul_unplug=$LAB_UNPLUG}"
		vif = ["ip=$3,bridge=xenbr0,mac=${LAB_MAC[$1]}"${LAB_VIFS-}]
		on_reboot = "restart"
		on_crash = "${LAB_CRASH:-preserve}"
	END
}

# lab_known NAME: LAB_DOMID, and the bridge knows where it is before it says a word.
lab_known() {
	local card
	LAB_DOMID[$1]=$(xl domid "$1") || return 1
	card=vif${LAB_DOMID[$1]}.0${LAB_UNPLUG:+-emu}
	bed_wait "the card of $1" test -e "/sys/class/net/$card/brport" && bridge fdb replace "${LAB_MAC[$1]}" dev "$card" master static &&
		bed_wait "the guest $1 to connect" grep -qx 1 "/sys/class/net/$card/carrier" &&
		lab_do "$1" true
}

lab_guest() { # lab_guest NAME TYPE ADDRESS
	lab_config "$@" || return 1
	xl create -q "/run/$1.cfg" || { xl list >&2; xl info | grep free_memory >&2; return 1; }
	lab_known "$1"
}

# lab_card_up NAME: a card that has just come to the guest gets its address.
lab_card_up() { lab_do "$1" "ip addr add ${LAB_IP[$1]}/24 dev eth0; ip link set dev eth0 arp off; ip link set dev eth0 up"; }

# lab_end NAME: its end, as classes.sh calls it; LAB_DEVID: of another vif than its first.
lab_end() { if [ "$1" = outside ]; then echo outside; else echo "${LAB_DOMID[$1]}.0"; fi; }

# lab_send FROM LINE: one line of bwframe at an end; prints the IP bytes that were sent.
lab_send() {
	local frames bytes
	if [ "$1" = outside ]; then
		# shellcheck disable=SC2086 # words
		read -r frames bytes < <(lab_outside "$BUILD/bwframe" send eth0 $2)
	else
		read -r frames bytes < <(lab_do "$1" "bwframe send eth0 $2")
	fi
	[ -n "${bytes-}" ] || { bed_complain "nothing was sent by $1"; return 1; }
	echo $((bytes - 14 * frames))
}

# lab_frames FROM TO CLASS COUNT PAYLOAD
lab_frames() {
	local from=${LAB_IP[$1]} to=${LAB_IP[$2]} bytes
	[ "$1" != outside ] || from=${CLASS_IP[$3]}
	[ "$2" != outside ] || to=${CLASS_IP[$3]}
	bytes=$(lab_send "$1" "eth ${LAB_MAC[$1]} ${LAB_MAC[$2]} ip4 $from $to payload $(($5 + 8)) count $4 gap 500") || return 1
	[ "$1" = outside ] || class_note "$(lab_end "$1")" output "$3" "$bytes"
	[ "$2" = outside ] || class_note "$(lab_end "$2")" input "$3" "$bytes"
}

# lab_sum NAME: "INPUT OUTPUT" that was noted for its vif.
lab_sum() {
	local class input=0 output=0 end
	end=$(lab_end "$1")
	for class in "${CLASS_ALL[@]}"; do
		input=$((input + ${CLASS_SENT[$end,input,$class]-0}))
		output=$((output + ${CLASS_SENT[$end,output,$class]-0}))
	done
	echo "$input $output"
}

lab_booked_is() { [ "$(bw_booked_vif "${LAB_DOMID[$1]}" 0)" = "$(lab_sum "$1")" ]; }

lab_settled() { # lab_settled NAME…
	local name
	for name in "$@"; do
		bed_wait "the bytes of $name" lab_booked_is "$name" ||
			bed_complain "$name: sent $(lab_sum "$name"), booked $(bw_booked_vif "${LAB_DOMID[$name]}" 0)" || return 1
	done
}

# lab_counters NAME: "INPUT OUTPUT" by the kernel's counters of its vif, in IP bytes.
lab_counters() {
	local at=/sys/class/net/vif${LAB_DOMID[$1]}.0/statistics
	echo "$(($(cat "$at/tx_bytes") - 14 * $(cat "$at/tx_packets"))) $(cat "$at/rx_bytes")"
}

# lab_listed TEXT NAME: one point: list-domains says of its vif what was noted.
lab_listed() {
	local end direction class noted=
	end=$(lab_end "$2")
	for class in external ignored local; do
		for direction in input output; do noted+="${noted:+ }${CLASS_SENT[$end,$direction,$class]-0}"; done
	done
	tap_is "$1" "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -r --arg name "$2" --argjson domid "${LAB_DOMID[$2]}" '.vifs[] |
		select(.domain == $name and .domid == $domid) | "\(.external_input) \(.external_output) \(.ignored_input) \(.ignored_output) \(.local_input) \(.local_output)"')" "$noted"
}

# lab_stream FROM TO: has a guest send frames there, some hundred a second, until it is told `killall bwframe` or ends.
# What of them arrived is told by lab_arrived.
lab_stream() {
	lab_do "$1" "bwframe send eth0 eth ${LAB_MAC[$1]} ${LAB_MAC[$2]} ip4 ${LAB_IP[$1]} ${LAB_IP[$2]} payload 400 count 1000000 gap 3000 >/dev/null 2>&1 &"
}

# lab_arrived NAME: IP bytes that dom0 handed to this guest, or to `outside`, since its device is there.
lab_arrived() {
	local at=peth0
	[ "$1" = outside ] || at=vif${LAB_DOMID[$1]}.0
	at=/sys/class/net/$at/statistics
	echo $(($(cat "$at/tx_bytes") - 14 * $(cat "$at/tx_packets")))
}

# lab_nap MOST: a random time, in milliseconds.
lab_nap() {
	local ms=$((RANDOM % $1))
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

lab_row() { # lab_row NAME
	local key sent=0
	for key in "${!CLASS_SENT[@]}"; do sent=$((sent + ${CLASS_SENT[$key]})); done
	tap_note "row|$1|$sent|$(bw_sql "SELECT coalesce(sum($BW_INPUT) + sum($BW_OUTPUT), 0) FROM usage JOIN vif ON vif.id = usage.vif WHERE domid > 0")|$SECONDS"
}
