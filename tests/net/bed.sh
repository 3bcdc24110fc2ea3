#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The test bed itself: silent while idle, exact when it sends, and as libxl and netback would leave xenstore.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"

node() { xenstore-read "/local/domain/0/backend/vif/$1"; }

# Everything that any device in any namespace has ever counted, loopback too.
all_counters() {
	local ns
	ip -s -j link show | jq -c '.[] | [.ifname, .stats64]'
	for ns in outside 1.0 2.0; do ip -n "$ns" -s -j link show | jq -c '.[] | [.ifname, .stats64]'; done
}

growth() { # growth DEVICE BEFORE: "input output" since BEFORE
	local now_in now_out was_in was_out
	read -r now_in now_out < <(bed_ip_bytes "$1")
	read -r was_in was_out <<<"$2"
	echo "$((now_in - was_in)) $((now_out - was_out))"
}

has_left() { [ "$(growth peth0 "$1")" = "$2 0" ]; } # has_left BEFORE BYTES

bed_up || tap_bail "no bed"
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
bed_guest 2 0 db 10.77.0.12 00:16:3e:aa:00:02 dbnet || tap_bail "no guest"

tap_is "a guest's backend is connected when its device is up" "$(node 1/0/state) $(node 1/0/hotplug-status)" "4 connected"
tap_is "vifname= is in xenstore and on the device" "$(node 2/0/vifname) $(cat /sys/class/net/dbnet/address)" \
	"dbnet $(cat /sys/class/net/dbnet/address)"
tap_ok "the plain name is gone after the rename" test ! -e /sys/class/net/vif2.0

before=$(all_counters)
sleep 3
tap_is "an idle bed sends not one packet in three seconds" "$(all_counters)" "$before"
tap_is "and has not sent one since it was made" "$(ip -s -j link show | jq '[.[].stats64 | .rx.packets + .tx.packets] | add')" 0

bed_udp 1.0 outside 1000 500
tap_is "1000 datagrams of 500 bytes to outside are 528000 bytes from the guest" "$(bed_ip_bytes vif1.0)" "0 528000"
tap_is "the receiver has them all" "$("$BUILD/bwload" counts "$BED/counts.outside")" "1000 528000 0"
tap_is "the other guest's vif saw nothing of it" "$(bed_ip_bytes dbnet)" "0 0"

bed_udp 2.0 1.0 300 1472
tap_is "guest to guest counts at both ends" "$(bed_ip_bytes dbnet) / $(bed_ip_bytes vif1.0)" "0 450000 / 450000 528000"
bed_udp outside 2.0 20 8
bed_udp dom0 2.0 10 8
tap_is "outside and dom0 reach a guest" "$(bed_ip_bytes dbnet)" "1080 450000"

was=$(bed_ip_bytes vif1.0)
bed_tcp 1.0 outside 3000000
read -r acks sent < <(growth vif1.0 "$was")
tap_ok "3 MB of TCP are 3 MB and some headers" test "$sent" -gt 3000000 -a "$sent" -lt 3200000 -a "$acks" -gt 0
tap_is "and arrive to the byte" "$("$BUILD/bwload" counts "$BED/counts.outside")" "1000 528000 3000000"

started=$(date +%s%N)
bed_udp 1.0 outside 100 100 1
took=$((($(date +%s%N) - started) / 1000000))
tap_ok "a paced flow takes the time it was given ($took ms for 1 s)" test "$took" -ge 950 -a "$took" -lt 3000

bed_void 1.0 outside
was=$(bed_ip_bytes vif1.0) uplink=$(bed_ip_bytes peth0)
bed_spray 1.0 50 1000 64
bed_wait "the last to leave" has_left "$uplink" 92000
tap_is "1000 datagrams to 50 addresses that nobody has are 92000 bytes" "$(growth vif1.0 "$was") / $(growth peth0 "$uplink")" \
	"0 92000 / 92000 0"

bed_attach 1 1 10.77.0.21 || tap_bail "no second vif"
bed_udp 1.1 2.0 7 100
tap_is "a hot-plugged vif is a device of its own" "$(bed_ip_bytes vif1.1)" "0 896"
bed_detach 1 1
tap_ok "a detached vif leaves no device and no node" bash -c \
	'[ ! -e /sys/class/net/vif1.1 ] && ! xenstore-exists /local/domain/0/backend/vif/1/1'
tap_is "its domain keeps the other" "$(node 1/0/state)" 4

{ bed_domain 3 hvm && bed_emu 3 0 10.77.0.13; } || tap_bail "no emulated card"
bed_udp emu3.0 outside 50 100
bed_udp outside emu3.0 30 72
tap_is "the tap of an emulated card sends and receives exactly" "$(bed_ip_bytes vif3.0-emu)" "3000 6400"
bed_attach 3 0 10.77.0.13
bed_emu_gone 3 0
bed_udp outside 3.0 5 72
tap_is "its vif takes over address and MAC" "$(bed_ip_bytes vif3.0)" "500 0"

{ xenstore_kill && xenstore_restart && bed_refill; } || tap_bail "no new xenstored"
tap_is "a new xenstored is filled with what is there" \
	"$(node 1/0/state) $(node 2/0/vifname) $(node 3/0/ip) $(xenstore-read /local/domain/3/name)" "4 dbnet 10.77.0.13 hvm"

for domid in 1 2 3; do bed_guest_gone $domid; done
tap_is "destroyed guests leave no device" "$(ip -j link show | jq -r '[.[].ifname] | sort | join(" ")')" "lo peth0 xenbr0"
tap_is "nor namespace, process or node" "$(ip netns list | wc -l) $(pgrep -c bwload) $(pgrep -c bwtap) $(xenstore-list /local/domain)" \
	"1 2 0 0"
tap_done
