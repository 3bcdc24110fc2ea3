# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# bytes: a PV and a PVH guest; external, ignored and guest-to-guest bytes are booked to the byte, the right way round.

bw_start || tap_bail "no xenbwd"
lab_guest web pv 10.77.0.11 && lab_guest db pvh 10.77.0.12 || tap_bail "no guests"
heard() { lab_do "$1" "awk '/^IpExt: [0-9]/ { print \$8 }' /proc/net/netstat"; } # IP bytes that reached its IP
declare -A before=([web]=$(heard web) [db]=$(heard db))
lab_frames web outside external 300 500 && lab_frames outside web external 200 1000 &&
	lab_frames web outside ignored 101 203 && lab_frames outside web ignored 102 207 &&
	lab_frames web db local 250 1472 && lab_frames db web local 103 99 &&
	lab_frames db outside external 104 1001 && lab_frames outside db external 105 17 &&
	lab_frames db outside peer 106 300 && lab_frames outside db direct 107 301 || tap_bail "frames were not sent"
lab_settled web db
declare -A tells=([pcap]="libpcap" [kernel]="the kernel (eBPF)")
tap_is "list-domains says who tells the classes apart" \
	"$("$BUILD/xenbw" -c "$BW_CONF" list-domains | grep -o 'Split by .*')" "Split by ${tells[$ATTRIBUTION]} on peth0."
for name in web db; do
	read -r input output < <(lab_sum $name)
	tap_is "$name: the guest itself got as many bytes as were sent to it" "$(($(heard $name) - before[$name]))" "$input"
	tap_is "$name: the counters of its vif say the same" "$(lab_counters $name)" "$input $output"
	class_check "$name: booked input and output by class are what was sent" "$(lab_end $name)"
	lab_listed "$name: so does list-domains" $name
done
bw_stop
tap_is "xenbwd ends well" $? 0
tap_is "the classes add up to the counters" "$(class_identity)" ""
