#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# attribution kernel: what a guest sent last is booked though its device, and with it each counter, is gone before anybody
# reads it; under traffic, at random instants, and while xenbwd is not there. SEED=N repeats a run's instants.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/classes.sh"

SEED=${SEED:-$RANDOM}
RANDOM=$SEED
ROUNDS=8
WEB=11111111-0000-4000-8000-000000000001

# of all vifs of web, which was booked: booked COLUMN…
booked() { bw_sql "SELECT $(printf "coalesce(sum(%s), 0) || ' ' || " "$@") '' FROM usage JOIN vif ON vif.id = usage.vif WHERE uuid = '$WEB'" | sed 's/ $//'; }
input_of() { bed_ip_bytes "$1" | cut -d' ' -f1; }
comes() { # comes DOMID: web is there, and known to xenbwd and the kernel
	BED_UUID[$1]=$WEB
	bed_guest "$1" 0 web "10.77.0.$((20 + $1 % 200))" || tap_bail "no guest"
	bw_wait_sql "the guest" "SELECT count(*) FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = $1" 1
	bed_wait "our program" hooks_at "vif$1.0" ingress
}
vanishes() { # its device goes, and nobody has read its counters
	ip link del "vif$1.0"
	bed_end_gone "$1.0" && xen_vif_detach "$1" 0 && xen_domain_destroy "$1"
	unset "BED_NAME[$1]" "BED_UUID[$1]"
}
floods() { # floods FROM TO PACKETS PAYLOAD: for two seconds, or until `kill $!`
	bed_at "$1"
	"${BED_AT[@]}" "$BUILD/bwload" udp "${BED_IP[$2]}" "$BED_PORT" "$BED/counts.$2" "$3" "$4" 2 >/dev/null 2>&1 &
}
gone() { bw_wait_sql "the end of vif $1.0" "SELECT count(*) FROM vif WHERE domid = $1 AND gone IS NOT NULL" 1; }

mount -t bpf bpf /sys/fs/bpf || tap_bail "no bpffs"
bed_up || tap_bail "no bed"
bw_config "attribution kernel" "poll 60" "flush 60"
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 db 10.77.0.11 || tap_bail "no guest"

# Known bytes, then the end at once. No reading comes in between: polls are a minute apart.
local_sent=0 external_sent=0
for ((i = 0; i < ROUNDS; i++)); do
	comes $((10 + i))
	bed_udp "$((10 + i)).0" 1.0 $((100 + i)) $((500 + i)) || tap_bail "the bed lost packets"
	bed_udp "$((10 + i)).0" outside $((50 + i)) $((700 + i)) || tap_bail "the bed lost packets"
	vanishes $((10 + i))
	local_sent=$((local_sent + (100 + i) * (528 + i)))
	external_sent=$((external_sent + (50 + i) * (728 + i)))
	gone $((10 + i))
done
tap_is "what was sent before a device vanished is booked, by class" "$(booked local_output external_output)" \
	"$local_sent $external_sent"
tap_is "by the kernel's own count, not raised by what was seen outside" "$(booked estimated_output unattributed_output)" "0 0"

# Cut off while it sends, somewhere. What arrived was sent.
tap_note "seed $SEED"
before_local=$(input_of vif1.0) before_external=$(bed_ip_bytes peth0 | cut -d' ' -f1)
for ((i = 0; i < ROUNDS; i++)); do
	comes $((30 + i))
	floods "$((30 + i)).0" 1.0 2000 400
	flows=($!)
	floods "$((30 + i)).0" outside 3000 300
	flows+=($!)
	sleep "0.$(printf '%03d' $((RANDOM % 1000)))"
	vanishes $((30 + i))
	kill "${flows[@]}"
	wait "${flows[@]}" 2>/dev/null
	gone $((30 + i))
done
local_sent=$((local_sent + $(input_of vif1.0) - before_local))
external_sent=$((external_sent + $(bed_ip_bytes peth0 | cut -d' ' -f1) - before_external))
tap_is "under traffic, too" "$(booked local_output external_output)" "$local_sent $external_sent"

# While xenbwd is killed the kernel counts on; the device vanishes before the next one starts.
comes 50
bw_wait_sql "the ledger's word that the kernel has counted it from its begin" \
	"SELECT ahead_known FROM epoch JOIN vif ON vif.id = epoch.vif WHERE domid = 50" 1
bed_udp 50.0 1.0 10 100 || tap_bail "the bed lost packets"
bw_kill
bed_udp 50.0 1.0 200 600 || tap_bail "the bed lost packets"
bed_udp 50.0 outside 90 800 || tap_bail "the bed lost packets"
vanishes 50
bw_start || tap_bail "no xenbwd"
gone 50
tap_is "and where xenbwd was not there at the end" "$(booked local_output external_output)" \
	"$((local_sent + 10 * 128 + 200 * 628)) $((external_sent + 90 * 828))"

tap_is "the ledger says that the output's end is known" "$(bw_sql "SELECT DISTINCT reason FROM epoch WHERE closed IS NOT NULL")" \
	"device gone, output counted to its end"
tap_is "no packet was missing in the kernel's count" "$(bw_sql "SELECT count(*) FROM event WHERE kind = 'tail'")" 0

# Somebody takes our program away: that is told, and the counters stay the truth.
comes 60
bed_udp 60.0 1.0 10 100 || tap_bail "the bed lost packets"
kill -HUP "$BW_PID" # a poll
bed_wait "a poll" grep -q 'no setting has changed' "$BW_LOG"
kill -HUP "$BW_PID"
bed_wait "another one" bash -c "[ \$(grep -c 'no setting has changed' '$BW_LOG') = 2 ]"
hooks_take vif60.0 ingress
bed_udp 60.0 1.0 20 100 || tap_bail "the bed lost packets"
bw_stop
tap_is "xenbwd ends well" $? 0
tap_ok "a program that was taken away is told" grep -q 'xenbw-tc: a program of ours was taken away from device' "$BW_LOG"
tap_is "the counters' bytes are booked all the same, their way is not known" "$(booked local_output unattributed_output)" \
	"$((local_sent + 20 * 128 + 200 * 628)) $((20 * 128))"
tap_done
