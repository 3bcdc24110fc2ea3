#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From `attribution kernel` to another, by a reload or a start: what counts in the kernel is taken away, and no byte is
# lost or booked twice.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/classes.sh"

PINS=/sys/fs/bpf/xenbw
left_over() { # devices with a program of ours, and the pins
	local device side
	for device in peth0 vif1.0 vif2.0 vif3.0; do
		for side in ingress egress; do [ -z "$(hooks_at $device $side)" ] || echo "$device $side"; done
	done
	[ ! -e $PINS ] || echo pins
}
is_clear() { [ -z "$(left_over)" ]; }
splits_by() { [ "$("$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -r .split)" = "$1" ]; }
in_force() { grep -c 'in force from now on is .*: attribution$' "$BW_LOG"; }
is_in_force() { [ "$(in_force)" -gt "$1" ]; }
reload() { # reload ATTRIBUTION: until it is in force
	local before
	before=$(in_force)
	bw_config "${CLASS_CONF[@]}" "attribution $1"
	kill -HUP "$BW_PID"
	bed_wait "the new settings" is_in_force "$before" || tap_bail "no reload"
}
traffic() { # traffic SIZE
	class_udp 1.0 outside peer 10 "$1"
	class_udp outside 2.0 ignored 20 "$1"
	class_udp 1.0 2.0 - 30 "$1"
}
start() { # start ATTRIBUTION
	bw_config "${CLASS_CONF[@]}" "attribution $1"
	bw_start || tap_bail "no xenbwd"
}

mount -t bpf bpf /sys/fs/bpf && bed_up || tap_bail "no bed"
start kernel
class_guests
ends=(1.0 2.0 3.0 dom0)
class_committed 2
tap_ok "the kernel counts" splits_by kernel
tap_is "by programs at four devices, and its pins" "$(left_over | wc -l)" 9
traffic 100
reload pcap
tap_ok "after a reload with pcap nothing of it is there" bed_wait "its end" is_clear
has_no_tc() { ! pgrep -P "$BW_PID" -x xenbw-tc; }
tap_ok "nor is xenbw-tc" bed_wait "its end" has_no_tc
tap_is "the log says so" "$(grep -c 'xenbw-tc: what counted in the kernel is taken away$' "$BW_LOG")" 1
bed_wait "xenbw-capture" splits_by pcap
class_committed 2
traffic 200
reload kernel
tap_ok "back to kernel without a start: the log says what to do" \
	bed_wait "the line" grep -q ': the kernel is asked when xenbwd is started again; until then xenbw-capture looks' "$BW_LOG"
bed_wait "xenbw-capture" splits_by pcap
class_committed 2
traffic 300
bw_stop
tap_is "xenbwd ends well" $? 0
class_check "kernel, pcap, and on with pcap" "${ends[@]}"

start kernel
class_committed 2
traffic 400
bw_kill
tap_is "a KILL leaves the programs" "$(left_over | wc -l)" 9
class_start_over "${ends[@]}"
traffic 500
start pcap
tap_ok "a start with pcap takes them away" bed_wait "their end" is_clear
tap_ok "by an xenbw-tc that ends" bed_wait "its end" has_no_tc
class_committed 2
for domid in 1 2; do
	tap_is "and has each byte of guest $domid" "$(bw_sql "SELECT sum(total_input) || ' ' || sum(total_output) FROM epoch JOIN vif ON vif.id = vif WHERE domid = $domid")" \
		"$(bed_ip_bytes vif$domid.0)"
done
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""
class_start_over "${ends[@]}"
traffic 600
bw_stop
class_check "which then tells the classes apart" "${ends[@]}"

start kernel
class_committed 2
bw_stop
start off
tap_ok "so does one with off" bed_wait "their end" is_clear
bw_stop
start kernel
class_committed 2
reload off
tap_ok "and a reload with it" bed_wait "its end" is_clear
bw_stop
tap_is "xenbwd ends well" $? 0
tap_done
