#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The installed unit under a real systemd: every directive in force, known bytes to the byte, reload, kill, stop, the
# exit status that is final, and what the journal has.
# time-limit: 180
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/classes.sh"
. "$(dirname "$0")/../support/clock.sh"
. "$(dirname "$0")/../support/hooks.sh"
. "$(dirname "$0")/../support/systemd.sh"
cd "$(dirname "$0")/../.." || exit 1

BW_LEDGER=$SD_ROOT/var/lib/xenbw/ledger.db # where the defaults have it
BW_RRD=$SD_ROOT/var/lib/xenbw/rrd
conf=$SD_ROOT/etc/xenbw/xenbw.conf

bed_up || tap_bail "no bed"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && class_outside || tap_bail "no guests"
ends=(1.0 2.0 dom0)
if ! sd_make; then
	tap_skip "xenbwd under systemd" "systemd cannot be started here"
	tap_done
fi

config() { # config LINE…: the defaults, but for the times
	printf '%s\n' "poll 1" "flush 2" "timezone UTC" "${CLASS_CONF[@]}" "$@" >"$conf"
}
rm -rf "$SD_ROOT/etc/xenbw" "$SD_ROOT/var/lib/xenbw" "$SD_ROOT/usr/local/lib/systemd"
mkdir -p "$SD_ROOT/etc/xenbw" "$SD_ROOT/run/xenstored" "$SD_ROOT$SD_UNITS/xenbwd.service.d" &&
	mount --bind "$XENSTORED_RUNDIR" "$SD_ROOT/run/xenstored" && config || tap_bail "no root for systemd"
tap_ok "make install into its root" make -s BUILD="$BUILD" DESTDIR="$SD_ROOT" PREFIX=/usr/local install
tap_ok "what it installs makes the user" systemd-sysusers --root="$SD_ROOT" "$SD_ROOT/usr/local/lib/sysusers.d/xenbw.conf"
if ! sd_boot; then
	tap_skip "xenbwd under systemd" "systemd cannot be started here"
	tap_done
fi

# "PRIORITY PROGRAM MESSAGE" of what the service said; systemd's own words about it are left out.
journal() { # of a process that had ended before journald looked, it has no name
	sd journalctl --no-pager -o json _SYSTEMD_UNIT=xenbwd.service |
		jq -r '"\(.PRIORITY) \(._COMM // "xenbw-…") \(.MESSAGE)"'
}
in_journal() { journal | grep -qE -- "$1"; }
looks() { [ "$(sd xenbw list-domains --json | jq -r '"\(.split) \(.uplinks[])"')" = "pcap peth0" ]; }
main_pid() { # as the test sees it
	local cgroup
	cgroup=$SD_CGROUP/system.slice/xenbwd.service/cgroup.procs
	pgrep -x xenbwd | while read -r pid; do grep -qx "$pid" "$cgroup" && echo "$pid"; done
}
child_of() { pgrep -P "$1" "$2"; }
committed() { # all that was sent until now
	bw_quiet && class_committed 2
}
in_service() { nsenter --target "$(main_pid)" --mount --pid "$@"; }

tap_ok "without Xen it is not started, and that is no error" sd systemctl start xenbwd
tap_is "for there is no /proc/xen" "$(sd_property ConditionResult) $(sd_property ActiveState)" "no inactive"

# From here on: no Xen is needed, and the clock is the test's. Nothing else of the unit is changed.
cp "$BUILD/clockshim.so" "$SD_ROOT/usr/local/lib" || tap_bail "no clock"
CLOCKSHIM=$SD_ROOT/run/clock
cat >"$SD_ROOT$SD_UNITS/xenbwd.service.d/test.conf" <<-END
	[Unit]
	ConditionPathExists=
	[Service]
	Environment=LD_PRELOAD=/usr/local/lib/clockshim.so CLOCKSHIM=/run/clock
END
clock_in_slot 0
tap_ok "systemctl daemon-reload" sd systemctl daemon-reload
tap_ok "systemctl start waits until it is ready" sd systemctl start xenbwd
tap_is "then it is active" "$(sd_property ActiveState) $(sd_property SubState)" "active running"
tap_ok "it has said so" in_journal '^6 xenbwd ready:'
tap_ok "the uplink is looked at" sd_wait looks
[ "$TAP_FAILED" = 0 ] || tap_bail "it does not work at all: $(journal)"
pid=$(main_pid)
guard=$(child_of "$pid" xenbw-guard) worker=$(child_of "$guard" xenbw-capture) writer=$(child_of "$guard" xenbw-writer)
tap_ok "xenbwd, guard, worker and writer are there" test -n "$pid" -a -n "$guard" -a -n "$worker" -a -n "$writer"

# What the unit promises, in force.
tap_is "it runs in dom0's network" "$(readlink "/proc/$pid/ns/net")" "$(readlink /proc/self/ns/net)"
tap_is "in a mount namespace of its own" "$([ "$(readlink "/proc/$pid/ns/mnt")" = "$(readlink "/proc/$SD_PID/ns/mnt")" ] || echo own)" own
for path in / /usr/local /etc /sys/fs/cgroup /proc/sys; do
	tap_ok "$path is read-only" grep -qE '^ro(,|$)' <<<"$(in_service findmnt -n -o VFS-OPTIONS --target $path | tail -n 1)"
done
for path in /var/lib/xenbw /run/xenbw; do
	tap_ok "$path can be written" in_service touch $path/touched
done
tap_is "/home and /root are empty" "$(in_service find /home /root -mindepth 1 2>/dev/null)" ""
tap_is "/tmp is its own" "$(in_service find /tmp /var/tmp -mindepth 1)" ""
tap_is "/dev has no disk and no kernel log" "$(in_service find /dev -type b -o -name kmsg -type c)" ""
tap_ok "other processes are hidden" grep -q hidepid=invisible <<<"$(in_service findmnt -n -o FS-OPTIONS --target /proc | tail -n 1)"
for one in $pid $guard $worker $writer; do
	tap_is "system calls are filtered, and nothing can be gained: $(cat "/proc/$one/comm")" \
		"$(sed -n 's/^\(NoNewPrivs\|Seccomp\):\t*/\1 /p' "/proc/$one/status")" $'NoNewPrivs 1\nSeccomp 2'
done
filters() { sed -n 's/^Seccomp_filters:\t*//p' "/proc/$1/status"; }
tap_is "its worker may do even less" "$(filters "$worker")" "$(($(filters "$guard") + 1))"
capabilities() { sed -n 's/^CapPrm:\t*//p' "/proc/$1/status"; }
tap_is "the guard may hand on CAP_NET_RAW" "$(capabilities "$guard")" 0000000000002000
for one in $pid $worker $writer; do
	tap_is "$(cat "/proc/$one/comm") has no capability" "$(capabilities "$one")" 0000000000000000
done
user=$(sed -n 's/^xenbw:[^:]*:\([0-9]*\):.*/\1/p' "$SD_ROOT/etc/passwd")
tap_ok "there is the user xenbw" test -n "$user"
tap_is "guard, worker and writer are its" "$(stat -c %u "/proc/$guard" "/proc/$worker" "/proc/$writer" | sort -u)" "$user"

# Known bytes of each class.
for class in external peer direct ignored; do
	class_udp 1.0 outside $class 110 210
	class_udp outside 1.0 $class 60 710
	class_udp outside dom0 $class 20 310
done
class_udp 1.0 2.0 - 300 1000
committed
class_check "counted and split to the byte" "${ends[@]}"

# The slot's end: the RRD files.
clock_in_slot 0 299
rrd_reaches() { [ "$(rrdtool last "$BW_RRD/web.rrd")" -ge $((CLOCK_FIRST + CLOCK_SLOT)) ]; }
tap_ok "the RRD files are written" sd_wait rrd_reaches
clock_set $((CLOCK_FIRST + CLOCK_SLOT + 20))

# The web, by a unit of its own, reads beside it.
tap_ok "a user for the web" sd sh -c 'echo "correct horse" | xenbw passwd --admin root'
tap_ok "systemctl start xenbw-web" sd systemctl start xenbw-web
WEB_PORT=8427
. "$(dirname "$0")/../support/web.sh"
logged_in() { [ "$(web_login "$BED/jar" root 'correct horse')" = 303 ]; }
tap_ok "a login" sd_wait logged_in
tap_is "what it tells is what the command line does" "$(web_ask /api/report -b "$BED/jar" | jq -c .rows)" "$(sd xenbw --json report | jq -c .rows)"
web=$(pgrep -x xenbw-web)
tap_is "it is the helpers' user, without a capability, its system calls filtered" "$(stat -c %u "/proc/$web") $(capabilities "$web") $(sed -n 's/^Seccomp:\t*//p' "/proc/$web/status")" \
	"$user 0000000000000000 2"
tap_ok "systemctl stop xenbw-web" sd systemctl stop xenbw-web

# Reload.
config "flush 3"
tap_ok "systemctl reload" sd systemctl reload xenbwd
tap_ok "takes the new settings" sd_wait in_journal '^6 xenbwd ready:.* a commit every 3 s'
tap_is "it is the same process" "$(main_pid)" "$pid"
tap_ok "the uplink is looked at again" sd_wait looks
class_udp 1.0 outside external 33 100
committed
# What crossed in the moment of the reload nobody saw; here nothing did.
class_check "nothing is lost by it" "${ends[@]}"
echo "pol 5" >"$conf"
tap_ok "a wrong configuration" sd systemctl reload xenbwd
tap_ok "is an error of its own priority" sd_wait in_journal '^3 xenbwd .*unknown keyword'
tap_is "and costs nothing" "$(sd_property ActiveState) $(main_pid)" "active $pid"
config

# A helper that dies.
kill -KILL "$(child_of "$guard" xenbw-capture)"
tap_ok "what a helper says has its priority, too" sd_wait in_journal '^3 xenbw-guard xenbw-capture was ended by signal 9'
tap_ok "it is started again" sd_wait looks

# KILL.
committed
class_start_over "${ends[@]}"
before=$(bw_booked_vif 1 0)
kill -KILL "$pid"
bed_udp 1.0 outside 500 500 || tap_bail "the bed lost packets"
is_back() { [ -n "$(main_pid)" ] && [ "$(main_pid)" != "$pid" ] && looks; }
tap_ok "killed, it is started again" sd_wait is_back
tap_is "by systemd" "$(sd_property NRestarts)" 1
committed
read -r input output <<<"$before"
tap_is "not a byte is lost" "$(bw_booked_vif 1 0)" "$input $((output + 500 * 528))"
tap_is "each vif's classes add up to what its counters say" "$(class_identity)" ""

# Stop.
sd systemctl stop xenbwd
tap_is "systemctl stop" "$? $(sd_property ActiveState) $(sd_property Result) $(sd_property ExecMainStatus)" "0 inactive success 0"
tap_is "leaves no process" "$(sd ps -eo comm= | grep xenbw)" ""
tap_is "and a clean end in the ledger" "$(bw_sql 'SELECT count(*) FROM run WHERE ended IS NULL')" 1 # of the one that was killed
tap_is "the files stay" "$(find "$BW_LEDGER" "$BW_RRD/web.rrd" | wc -l)" 2

# The kernel tells the classes apart, within what the unit allows.
config "attribution pcap"
sd mount -t bpf -o mode=700 bpf /sys/fs/bpf || tap_bail "no bpffs" # which systemd leaves out in a container
in_kernel() { [ "$(sd xenbw list-domains --json | jq -r '"\(.split) \(.uplinks[])"')" = "kernel peth0" ]; }
tap_ok "attribution pcap: systemctl start" sd systemctl start xenbwd
tap_ok "xenbw-capture tells" sd_wait looks
tap_is "there was nothing to take away" "$(journal | grep '^[0-4] xenbw-tc')" ""
class_udp 1.0 outside external 21 100
config "attribution kernel"
sd systemctl reload xenbwd
tap_ok "attribution kernel, and a reload: xenbwd has itself started again for it" sd_wait in_journal '^6 xenbwd .attribution kernel. wants xenbw-tc, .* commits and ends'
tap_ok "the kernel tells" sd_wait in_kernel
pid=$(main_pid) tc=$(child_of "$(main_pid)" xenbw-tc)
tap_is "xenbw-tc has the rights to traffic control and BPF only" "$(capabilities "$tc")" 0000008000001000
committed
class_start_over "${ends[@]}"
class_udp 1.0 outside peer 30 100
kill -KILL "$pid"
class_udp 1.0 outside peer 40 100
in_kernel_again() { [ -n "$(main_pid)" ] && [ "$(main_pid)" != "$pid" ] && in_kernel; }
tap_ok "killed, it is started again" sd_wait in_kernel_again
committed
class_check "and no class has changed" "${ends[@]}"
pid=$(main_pid)
kill -KILL "$(child_of "$pid" xenbw-tc)"
tap_ok "without xenbw-tc it has itself started again" sd_wait in_kernel_again
config "attribution pcap"
sd systemctl reload xenbwd
tap_ok "attribution pcap again: it is taken away" sd_wait in_journal '^6 xenbw-tc what counted in the kernel is taken away'
tap_is "which is no trouble" "$(journal | grep -c '^[0-4] xenbw-tc')" 0
config "attribution kernel"
sd systemctl reload xenbwd
tap_ok "and kernel once more" sd_wait in_kernel
sd systemctl stop xenbwd
tap_ok "xenbwd --detach takes all of it away" sd xenbwd --detach
tap_is "no program is left" "$(hooks_at peth0 egress)" ""

# A quota's hook, and aliases, within what the unit allows.
install -m 755 examples/quota-limit "$SD_ROOT/usr/local/sbin/" || tap_bail "no hook"
config "attribution off" "ifalias on" "quota web day all both 1kB" "quota_hook /usr/local/sbin/quota-limit"
tap_ok "with quota_hook and ifalias: systemctl start" sd systemctl start xenbwd
class_udp 1.0 outside external 20 100
is_limited() { tc qdisc show dev vif1.0 | grep -q 'tbf 7b77: root.*rate 10Mbit'; }
tap_ok "the hook limits the vif" sd_wait is_limited
tap_ok "and has said so" sd_wait in_journal '^6 xenbw-hook quota_hook says: quota-limit: tc qdisc replace dev vif1.0'
tap_ok "its end is known" sd_wait in_journal '^6 xenbwd quota_hook: exit status 0'
has_alias() { ip link show dev vif1.0 | grep -q 'alias xenbw:web$'; }
tap_ok "the vif has its alias" sd_wait has_alias
sd systemctl stop xenbwd
tap_is "nothing of it runs on" "$(sd ps -eo comm= | grep xenbw)" ""

# 78.
echo "pol 5" >"$conf"
sd systemctl start xenbwd 2>/dev/null
tap_is "a start with a wrong configuration fails" $? 1
sleep 6 # RestartSec is 5
tap_is "exit status 78 is final" "$(sd_property ActiveState) $(sd_property ExecMainStatus) $(sd_property NRestarts)" "failed 78 0"

lines=$(journal)
tap_is "every line in the journal has a priority of xenbw's own" "$(grep -vE '^[3467] xenbw' <<<"$lines"; grep -E ' <[0-9]>' <<<"$lines")" ""
sd_end
tap_done
