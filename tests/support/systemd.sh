# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# systemd.sh: a real systemd as the service manager of the test bed. To be sourced after bed.sh, and used after bed_up.
#
#   sd_make                    SD_ROOT: this host's files with a layer above them that is kept in memory; empty /dev, /run
#   …                          the test puts its files there; units of its own into $SD_ROOT$SD_UNITS
#   sd_boot                    systemd as pid 1 on SD_ROOT, with namespaces of its own, except for the network, which is dom0's
#   sd systemctl start xenbwd  a command in there
#   sd_end
#
# Of the host's units it knows only the journal: no other service starts. Where the kernel or the container lacks
# something, sd_make or sd_boot return 1 after one line on standard error. All ends with the bed's pid namespace.

SD_ROOT=$BED/sd/root
SD_UNITS=/run/test-units
SD_CGROUPS=$BED/sd/cgroup # the host's hierarchy, as far as this container sees it
SD_CGROUP=                # the one that systemd takes for the root
SD_OUTER=                 # the process above systemd, which ends with it
SD_PID=                   # of systemd, as the test sees it

sd_complain() { echo "systemd.sh: $*" >&2; return 1; }

sd_make() {
	mkdir -p "$SD_ROOT" "$SD_CGROUPS" "$BED/sd/layer" && mount -t tmpfs tmpfs "$BED/sd/layer" &&
		mkdir "$BED/sd/layer/upper" "$BED/sd/layer/work" || return 1
	mount -t overlay -o "lowerdir=/,upperdir=$BED/sd/layer/upper,workdir=$BED/sd/layer/work" overlay "$SD_ROOT" 2>&1 ||
		sd_complain "no overlay file system" || return 1
	mount -t tmpfs -o mode=755 tmpfs "$SD_ROOT/run" && mount -t tmpfs -o mode=755 tmpfs "$SD_ROOT/dev" &&
		mkdir -p "$SD_ROOT/dev/pts" "$SD_ROOT/dev/shm" "$SD_ROOT$SD_UNITS" && ln -s pts/ptmx "$SD_ROOT/dev/ptmx" &&
		mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$SD_ROOT/dev/pts" ||
		sd_complain "no /dev for systemd" || return 1
	local device
	for device in null zero full random urandom tty; do
		touch "$SD_ROOT/dev/$device" && mount --bind "/dev/$device" "$SD_ROOT/dev/$device" || return 1
	done
	sd_units
}

# The journal, and the few targets that a service's default dependencies name.
sd_units() {
	local target
	cp /lib/systemd/system/systemd-journald.service /lib/systemd/system/systemd-journald.socket \
		/lib/systemd/system/systemd-journald-dev-log.socket "$SD_ROOT$SD_UNITS" ||
		sd_complain "no systemd is installed" || return 1
	for target in sysinit basic shutdown; do
		printf '[Unit]\nDefaultDependencies=no\n' >"$SD_ROOT$SD_UNITS/$target.target" || return 1
	done
	printf '[Unit]\nWants=systemd-journald.service\nAfter=systemd-journald.service\n' >"$SD_ROOT$SD_UNITS/default.target"
}

# What a test leaves behind whose time was up. An hour: others may be running.
sd_sweep() {
	find "$SD_CGROUPS" -mindepth 1 -maxdepth 1 -type d -name 'xenbw-test-*' -mmin +60 | while read -r old; do
		find "$old" -depth -type d -exec rmdir {} \; 2>/dev/null
	done
}

sd_boot() {
	mount -t cgroup2 cgroup2 "$SD_CGROUPS" || sd_complain "no cgroup2 hierarchy" || return 1
	sd_sweep
	SD_CGROUP=$(mktemp -d "$SD_CGROUPS/xenbw-test-XXXXXXXX") || sd_complain "no cgroup can be made" || return 1
	(
		echo "$BASHPID" >"$SD_CGROUP/cgroup.procs" || exit 1
		# shellcheck disable=SC2016
		exec unshare --pid --mount --uts --ipc --cgroup --fork --kill-child bash -c '
			cd "$1" && mount -t proc proc proc && mount --bind proc/sys proc/sys &&
				mount -o remount,bind,ro proc/sys && mount -t sysfs sysfs sys &&
				mount -t cgroup2 cgroup2 sys/fs/cgroup && mkdir run/old && pivot_root . run/old &&
				umount -l /run/old && rmdir /run/old || exit 1
			exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
				SYSTEMD_UNIT_PATH="$2:/usr/local/lib/systemd/system" /lib/systemd/systemd --system --log-target=journal' \
			- "$SD_ROOT" "$SD_UNITS"
	) </dev/null >"$BED/sd/log" 2>&1 &
	SD_OUTER=$!
	bed_wait "systemd's start" sd_find && SD_PID=$(sd_find) &&
		bed_wait "systemd" sd_is_running || sd_complain "systemd does not start: $(tail -n 1 "$BED/sd/log")"
}

sd_find() { pgrep -P "$SD_OUTER" -x systemd; }

sd_is_running() { [ "$(sd systemctl is-system-running)" = running ]; }

# sd CMD…: in systemd's namespaces.
sd() { nsenter --target "$SD_PID" --mount --pid --uts --ipc --cgroup env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

# sd_wait CMD…: repeats what takes long itself until it succeeds, some twenty seconds.
sd_wait() {
	local end=$((SECONDS + 20))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# sd_property NAME: of xenbwd.service.
sd_property() { sd systemctl show --property "$1" --value xenbwd; }

sd_end() {
	kill -KILL "$SD_PID"
	wait "$SD_OUTER" 2>/dev/null
	find "$SD_CGROUP" -depth -type d -exec rmdir {} \;
}
