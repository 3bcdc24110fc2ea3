#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Vifs and domains that appear, change and vanish under traffic: no byte is lost or booked to somebody else.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

WEB=11111111-0000-4000-8000-000000000001
bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

bed_up || tap_bail "no bed"
bw_config
bw_start || tap_bail "no xenbwd"

# A domain's life up to the last packet before its end.
BED_UUID[1]=$WEB
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
bed_udp 1.0 outside 100 100
bed_udp outside 1.0 200 100
sleep 1.3 # a poll has seen these; what follows comes after it
bed_udp 1.0 outside 400 1000
bed_udp outside 1.0 50 1000
bed_guest_gone 1
tap_is "all is booked, up to the last packet before the end" "$(sleep 0.2; bw_wait_sql "the vif's end" \
	"SELECT count(*) FROM vif WHERE domid = 1 AND gone IS NOT NULL" 1; bw_booked_vif 1 0)" \
	"$(($(bytes 200 100) + $(bytes 50 1000))) $(($(bytes 100 100) + $(bytes 400 1000)))"

# The same name and uuid under a new domid: a reboot. With a name of the admin's, which the device gets only later.
BED_UUID[2]=$WEB
BED_HOTPLUG=1.2 bed_guest 2 0 web 10.77.0.11 00:16:3e:4d:01:00 webnet || tap_bail "no guest"
bed_udp outside 2.0 300 100
bw_wait_sql "the new vif" "SELECT count(*) FROM vif WHERE domid = 2" 1
tap_is "a rebooted domain stays in its bucket" \
	"$(bw_sql "SELECT count(DISTINCT bucket), count(*) FROM vif WHERE uuid = '$WEB'")" "1|2"

# Renamed while it runs.
xen_domain_rename 2 www
bed_udp outside 2.0 10 100
bed_attach 2 1 10.77.0.21 || tap_bail "no second vif"
bed_udp 2.1 outside 40 400
bed_udp outside 2.1 60 600
sleep 1.3
bed_udp 2.1 outside 4 400
bed_detach 2 1

# A device that the admin renames by hand, which the kernel allows while it is down.
ip link set dev webnet down && ip link set dev webnet name oddname && ip link set dev oddname up
BED_VIF[2.0]=oddname
bridge fdb replace 00:16:3e:4d:01:00 dev oddname master static
guest_is_up() { bed_in 2.0 ip -o link show eth0 | grep -q 'state UP'; }
bed_wait "the guest's carrier" guest_is_up # without it the guest itself drops what it sends
bed_udp 2.0 outside 11 111 || tap_bail "the bed lost packets"
# The bed deletes the device under its new name.

# An HVM guest: first the emulated card, then its vif.
{ bed_domain 3 hvm && bed_emu 3 0 10.77.0.13 && bed_attach 3 0 10.77.0.13; } || tap_bail "no HVM guest"
bridge fdb replace 00:16:3e:4d:03:00 dev vif3.0-emu master static
sleep 0.5
bed_udp emu3.0 outside 120 300
bed_udp outside emu3.0 130 300
bed_emu_gone 3 0
bridge fdb replace 00:16:3e:4d:03:00 dev vif3.0 master static
bed_udp 3.0 outside 140 300
bed_udp outside 3.0 150 300

# A device that vanishes without any notice in xenstore. What a veth received last is in the kernel's last message.
bed_guest 4 0 gone 10.77.0.14 || tap_bail "no guest"
bed_udp outside 4.0 10 50
sleep 1.3
bed_udp outside 4.0 500 50
ip link del vif4.0

bed_guest_gone 2
sleep 0.3
bw_stop
tap_is "xenbwd ends well" $? 0

tap_is "the vif with the admin's name, through a rename by hand" "$(bw_booked_vif 2 0)" "$(bytes 310 100) $(bytes 11 111)"
tap_is "the hot-plugged vif, until it was detached" "$(bw_booked_vif 2 1)" "$(bytes 60 600) $(bytes 44 400)"
tap_is "the bucket holds both lives of the domain under its new label" "$(bw_booked_bucket www)" \
	"$(($(bytes 200 100) + $(bytes 50 1000) + $(bytes 310 100) + $(bytes 60 600))) $(($(bytes 100 100) + $(bytes 400 1000) + $(bytes 11 111) + $(bytes 44 400)))"
tap_is "the old label has ended" "$(bw_sql "SELECT label, until IS NOT NULL FROM bucket_label WHERE label IN ('web', 'www') ORDER BY label")" "web|1
www|0"
tap_is "an HVM's emulated card and its vif are one vif" "$(bw_booked_vif 3 0)" \
	"$(($(bytes 130 300) + $(bytes 150 300))) $(($(bytes 120 300) + $(bytes 140 300)))"
tap_is "and one row" "$(bw_sql "SELECT count(*) FROM vif WHERE domid = 3")" 1
tap_is "a device that vanished without notice: its last input is in the kernel's last message" "$(bw_booked_vif 4 0)" "$(bytes 510 50) 0"
tap_is "what is gone is closed, what is there is not" \
	"$(bw_sql "SELECT domid, devid, gone IS NOT NULL FROM vif WHERE domid < 4 AND domid > 0 ORDER BY id")" "1|0|1
2|0|1
2|1|1
3|0|0"
tap_done
