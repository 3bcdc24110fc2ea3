# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# hvm: an HVM guest has two devices in the bridge for one vif: the tap of its emulated card, which its device model
# moves bytes through, and netback's. Its bytes go through the one until its driver for Xen has the emulated card taken
# out, then through the other. Both are booked as one vif's, to the byte, and so is what is sent last before the one
# goes, and before the guest ends on either.

RANDOM=$SEED
HVM_EACH=$((${ROUNDS:?} / 100 + 1)) # a BIOS takes its time
gzip -c /run/guest.cpio >/run/guest.cpio.gz || tap_bail "no initramfs"
bw_start || tap_bail "no xenbwd"
lab_guest db pvh 10.77.0.12 || tap_bail "no neighbour"

hvm_guest() { # hvm_guest: its kernel takes the emulated card out as it boots, if not told another thing by LAB_UNPLUG
	local before=$SECONDS
	lab_guest web hvm 10.77.0.11 || { cat /var/log/xen/qemu-dm-web.log >&2; tap_bail "no HVM guest"; }
	tap_note "figure: an HVM answers $((SECONDS - before)) seconds of the machine after xl create"
}
hvm_frames() { # hvm_frames TEXT: each way, through the card that it has now
	lab_frames web outside external 60 500 && lab_frames outside web external 61 1000 &&
		lab_frames web outside ignored 62 203 && lab_frames outside web ignored 63 207 &&
		lab_frames web db local 64 1472 && lab_frames db web local 65 99 || tap_bail "$1: frames were not sent"
	lab_settled web db
	class_check "$1: booked input and output by class are what was sent" "$(lab_end web)" "$(lab_end db)"
	lab_listed "$1: so does list-domains" web
}
emulated() { test -e "/sys/class/net/vif${LAB_DOMID[web]}.0-emu"; }
no_emulated() { ! emulated; }

LAB_UNPLUG=unnecessary hvm_guest
tap_ok "an HVM guest has two devices in the bridge" test -e "/sys/class/net/vif${LAB_DOMID[web]}.0/brport"
for way in poweroff destroy; do LAB_UNPLUG=unnecessary tails $HVM_EACH $way hvm " of an HVM, on the emulated card"; done
LAB_UNPLUG=unnecessary tail_back hvm
hvm_frames "the emulated card"
tap_is "nothing of it went through netback's device" "$(lab_counters web)" "0 0"

# What it sends and gets last through the emulated card is not waited for.
lab_frames web outside external 66 700 && lab_frames outside web external 67 701 && lab_frames web db local 68 702 &&
	lab_do web 'ip link set dev eth0 down; rmmod 8139cp; bwload unplug && insmod /lib/xen-netfront.ko && until [ -e /sys/class/net/eth0 ]; do usleep 20000; done' >&2 &&
	lab_card_up web && lab_known web || tap_bail "it did not get its other card"
tap_ok "its device model has taken the tap away" no_emulated
hvm_frames "Xen's card after it"
tap_is "both are one vif" "$(bw_sql "SELECT count(*), count(DISTINCT bucket) FROM vif WHERE domid = ${LAB_DOMID[web]}")" "1|1"

tails $HVM_EACH poweroff hvm " of an HVM, on Xen's card"
tail_back hvm
tap_ok "an HVM whose kernel takes the emulated card out as it boots has one device" no_emulated
hvm_frames "its only card"
tails $HVM_EACH destroy hvm " of an HVM, on Xen's card"
lab_settled db
class_check "the neighbour, all the while" "$(lab_end db)"
bw_stop
tap_is "the classes add up to the counters" "$(class_identity)" ""
