# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# states: paused, crashed, suspended and dying domains, as list-domains and xenbw-xl name them.

bw_start || tap_bail "no xenbwd"
lab_guest web pv 10.77.0.11 || tap_bail "no guest"
state() { "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -r '[.vifs[] | select(.domain == "web") | .state] | join(" ")'; }
state_is() { [ "$(state)" = "$1" ]; }
state_runs() { state | grep -qxE 'running|blocked'; }
tap_ok "a guest that runs" bed_wait "the state" state_runs
lab_frames web outside external 20 300 && lab_settled web || tap_bail "nothing is booked"
xl pause web
tap_ok "a paused guest" bed_wait "the state paused" state_is paused
tap_like "xenbw-xl says so, too" "$("$BUILD/xenbw-xl")" "^${LAB_DOMID[web]}	[-0-9a-f]{36}	paused	web$"
asked=${EPOCHREALTIME/./}
"$BUILD/xenbw-xl" >/dev/null
tap_note "figure: asking libxenlight for two domains takes $(((${EPOCHREALTIME/./} - asked) / 1000)) ms of the machine, which does one instruction a nanosecond"

# Xen's libraries were upgraded, and the host was not booted: the hypervisor refuses them.
other() { LD_PRELOAD=$BUILD/otherxen.so "$@"; }
other "$BUILD/xenbw-xl" >/tmp/said 2>/tmp/complained
tap_is "libxenlight of another Xen: xenbw-xl lists nothing, and ends with 69" "$? $(wc -c </tmp/said)" "69 0"
tap_like "it says in one line who does not fit whom" "$(cat /tmp/complained)" \
	'^xenbw-xl: cannot list domains: .*; the hypervisor is Xen 4\.[0-9]+, and this is libxenlight\.so\.4\.[0-9.]+: they must be of one version'
tap_is "list-domains has what xenstore and the ledger know, and no state" \
	"$(other "$BUILD/xenbw" -c "$BW_CONF" list-domains --json | jq -r '.vifs[] | select(.domain == "web") | "\(.state) \(.external_output)"')" \
	"up ${CLASS_SENT[$(lab_end web),output,external]}"
tap_like "doctor says so" "$(other "$BUILD/xenbw" -c "$BW_CONF" doctor)" 'warning +states: libxenlight cannot ask the hypervisor'
tap_like "of libraries that fit it says that, too" "$("$BUILD/xenbw" -c "$BW_CONF" doctor)" 'ok +states: libxenlight tells'
xl unpause web
tap_ok "it goes on" bed_wait "the state" state_runs
lab_frames web outside external 21 300 && lab_settled web
class_check "its bytes go on" "$(lab_end web)"
xenstore-write "/local/domain/${LAB_DOMID[web]}/data/cmd" "crash echo c >/proc/sysrq-trigger"
tap_ok "a crashed guest, kept by on_crash" bed_wait "the state crashed" state_is crashed
class_check "its bytes stay" "$(lab_end web)"
xl destroy web
tap_ok "and it is gone" bed_wait "no web" state_is ""

# A destroyed domain goes on dying while somebody has its memory: here xl save, which cannot get rid of what it reads.
lab_guest web pvh 10.77.0.11 && lab_frames web outside external 22 300 && lab_settled web || tap_bail "no guest"
mkfifo /run/held
tail -f /dev/null </run/held &
holder=$!
xl save web /run/held >/dev/null 2>&1 &
tap_ok "a guest that is being saved" bed_wait "the state suspended" state_is suspended
sleep 1
xl destroy web
tap_like "a dying domain, by xenbw-xl" "$("$BUILD/xenbw-xl")" "^${LAB_DOMID[web]}	[-0-9a-f]{36}	dying	"
class_check "its bytes stay" "$(lab_end web)"
kill $holder
is_dead() { ! "$BUILD/xenbw-xl" | grep -q "^${LAB_DOMID[web]}	"; }
tap_ok "and it is gone" bed_wait "its end" is_dead
bw_stop
tap_is "xenbwd ends well" $? 0
