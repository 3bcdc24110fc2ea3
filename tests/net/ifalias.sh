#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ifalias: each vif's device has its domain's name as its alias; one that somebody else gave stays, and --detach takes all
# of ours away.
# time-limit: 60
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

alias_of() { ip -j -d link show dev "$1" | jq -r '.[0].ifalias // "-"'; }
has() { [ "$(alias_of "$1")" = "$2" ]; }
is() { # is TEXT DEVICE ALIAS
	bed_wait "the alias of $2" has "$2" "$3"
	tap_is "$1" "$(alias_of "$2")" "$3"
}
helper() { pgrep -P "$BW_PID" -x xenbw-alias; }

bed_up || tap_bail "no bed"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 || tap_bail "no guests"
bw_config
bw_start || tap_bail "no xenbwd"
bw_wait_sql "the guests" "SELECT count(*) FROM vif WHERE domid > 0" 2
tap_is "without the setting there is no alias, and no process for it" "$(alias_of vif1.0) $(helper)" "- "
bw_stop

ip link set dev vif2.0 alias "port 7, rack 2"
bw_config "ifalias on"
bw_start || tap_bail "no xenbwd"
is "a vif has its domain's name" vif1.0 xenbw:web
bed_guest 3 0 mail 10.77.0.13 && bed_attach 1 1 10.77.0.14 '' www0 || tap_bail "no vifs"
is "so has one that comes later" vif3.0 xenbw:mail
is "and one under a name of its own" www0 xenbw:web
tap_is "what somebody else gave stays" "$(alias_of vif2.0)" "port 7, rack 2"
tap_is "neither uplink nor bridge has one" "$(alias_of peth0) $(alias_of xenbr0)" "- -"
tap_is "its process has the right to change devices, and no other" \
	"$(sed -n 's/^Cap\(Prm\|Eff\|Amb\):\t//p' "/proc/$(helper)/status" | tr '\n' ' ')" "0000000000001000 0000000000001000 0000000000000000 "

long=$(printf 'ü%.0s' {1..200})
xen_domain_rename 3 post || tap_bail "no other name"
is "a new name of the domain is taken over" vif3.0 xenbw:post
xen_domain_rename 3 "$long" || tap_bail "no other name"
bed_wait "a short form" bash -c "ip -j link show dev vif3.0 | jq -e '.[0].ifalias | startswith(\"xenbw:üüü\") and (utf8bytelength < 256)' >/dev/null"
tap_ok "one that is too long for the kernel is cut" bash -c "ip -j link show dev vif3.0 | jq -e '.[0].ifalias | startswith(\"xenbw:üüü\") and (utf8bytelength < 256)' >/dev/null"
ip link set dev vif3.0 alias "mine now"
xen_domain_rename 3 other || tap_bail "no other name"
bw_wait_sql "the new name" "SELECT domain FROM vif WHERE domid = 3" other
bed_udp 1.0 outside 100 100
tap_is "what somebody gave meanwhile stays" "$(alias_of vif3.0)" "mine now"
bw_kill
xen_domain_rename 1 shop || tap_bail "no other name"
bw_start || tap_bail "no xenbwd"
is "after KILL its own are known again" vif1.0 xenbw:shop
kill -KILL "$(helper)"
bed_udp 1.0 outside 100 100
xen_domain_rename 1 store || tap_bail "no other name"
tap_ok "when its process is killed the log says so" bed_wait "the line" grep -q 'xenbw-alias has ended; vifs get no alias until xenbwd is started again' "$BW_LOG"
bw_quiet
bw_stop
tap_is "and xenbwd ends well" $? 0
tap_is "with all bytes" "$(bw_booked_vif 1 0)" "$(bed_ip_bytes vif1.0)"
tap_is "the aliases stay" "$(alias_of vif1.0)" xenbw:shop
"$BUILD/xenbwd" --detach
tap_is "--detach ends well" $? 0
tap_is "and takes ours away" "$(alias_of vif1.0) $(alias_of www0)" "- -"
tap_is "and no other" "$(alias_of vif2.0), $(alias_of vif3.0)" "port 7, rack 2, mine now"
tap_done
