#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A ledger that cannot be used is refused with a line that helps, and left as it is; a full disk costs no byte.
# time-limit: 90
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD

REFUSED=69 # EX_UNAVAILABLE

# refused WHAT LEDGER PATTERN: xenbwd does not start, says the ledger's path and PATTERN, and changes nothing.
refused() {
	local what=$1 path=$2 pattern=$3 before after said status
	bw_config "ledger $path"
	before=$(sha256sum "$path" 2>&1; stat -c '%s %a %Y' "$path" 2>&1)
	said=$(timeout --signal=KILL 10 "$BUILD/xenbwd" -D -c "$BW_CONF" 2>&1)
	status=$?
	after=$(sha256sum "$path" 2>&1; stat -c '%s %a %Y' "$path" 2>&1)
	tap_is "$what: xenbwd exits with $REFUSED" "$status" $REFUSED
	tap_like "$what: it says which file" "$said" "$path"
	tap_like "$what: it says what is wrong and how to go on" "$said" "$pattern"
	tap_is "$what: the file is unchanged" "$after" "$before"
}

bed_up || tap_bail "no bed"
bw_config
bw_start || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 || tap_bail "no guest"
bed_udp 1.0 outside 100 100
bw_stop
cp "$BW_LEDGER" "$BED/sound.db"
size=$(stat -c %s "$BED/sound.db")

cp "$BED/sound.db" "$BED/torn.db"
truncate -s $((size / 2)) "$BED/torn.db"
refused "cut in half" "$BED/torn.db" "damaged.*(recover|move it away)"

cp "$BED/sound.db" "$BED/head.db"
seq 1 100 | dd of="$BED/head.db" bs=100 count=1 conv=notrunc status=none
refused "garbage in the header" "$BED/head.db" "damaged.*(recover|move it away)"

cp "$BED/sound.db" "$BED/middle.db"
seq 1 20000 | dd of="$BED/middle.db" bs=4096 seek=3 count=3 iflag=fullblock conv=notrunc status=none
refused "garbage in the middle" "$BED/middle.db" "damaged.*(recover|move it away)"

cp "$BED/sound.db" "$BED/newer.db"
sqlite3 "$BED/newer.db" 'PRAGMA user_version = 99'
refused "a newer version" "$BED/newer.db" "newer xenbw.*(install|name another)"

sqlite3 "$BED/other.db" 'CREATE TABLE bookmark (url TEXT)'
refused "another program's database" "$BED/other.db" "other program.*name another"

head -c 50000 /bin/bash >"$BED/binary.db"
refused "no database at all" "$BED/binary.db" "not a ledger .not an SQLite database.*move it away"

mkdir "$BED/folder.db"
refused "a folder" "$BED/folder.db" "is a directory, not a ledger"

ln -s "$BED/sound.db" "$BED/link.db"
refused "a symbolic link" "$BED/link.db" "(link|cannot open)"

refused "a folder that is not there" "$BED/no/where/ledger.db" "cannot make the folder"

mkdir "$BED/ro"
cp "$BED/sound.db" "$BED/ro/ledger.db"
mount --bind "$BED/ro" "$BED/ro" && mount -o remount,bind,ro "$BED/ro" || tap_bail "no read-only mount"
refused "a read-only folder" "$BED/ro/ledger.db" "(writable|read-only|Read-only)"
umount "$BED/ro"

cp "$BED/sound.db" "$BED/rofile.db"
mount --bind "$BED/rofile.db" "$BED/rofile.db" && mount -o remount,bind,ro "$BED/rofile.db" || tap_bail "no read-only mount"
refused "a read-only file" "$BED/rofile.db" "(writable|read-only)"
umount "$BED/rofile.db"

bw_config
bw_start && bw_stop
tap_is "the sound ledger still works after all that" $? 0

# The disk becomes full while xenbwd runs, and later free again.
mkdir "$BED/small"
mount -t tmpfs -o size=3m tmpfs "$BED/small" || tap_bail "no small file system"
fill() { head -c 10M /dev/zero >"$BED/small/fill" 2>/dev/null; true; }
BW_LEDGER=$BED/small/ledger.db
bw_config
bw_start || tap_bail "no xenbwd"
bed_attach 1 1 10.77.0.21 || tap_bail "no second vif"
bed_udp 1.1 outside 100 100
bw_wait_sql "the first bytes in the ledger" "SELECT total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE devid = 1" \
	"$(bytes 100 100)"
fill
lines=$(wc -l <"$BW_LOG")
for _ in 1 2 3 4 5; do
	bed_udp 1.1 outside 200 200
	bed_udp outside 1.1 20 20
	sleep 0.8
done
said=$(tail -n +$((lines + 1)) "$BW_LOG")
tap_like "a full disk: the log says which ledger cannot be written" "$said" "$BED/small/ledger.db"
tap_ok "a full disk: and says so a few times only" test "$(grep -c "small/ledger.db" <<<"$said")" -le 4
tap_ok "a full disk: xenbwd goes on" kill -0 "$BW_PID"
rm "$BED/small/fill"
expected="$(bytes 100 20) $(($(bytes 100 100) + $(bytes 1000 200)))"
tap_ok "once there is room, all that was counted meanwhile is written" \
	bw_wait_sql "the ledger to catch up" "SELECT total_input || ' ' || total_output FROM epoch JOIN vif ON vif.id = epoch.vif WHERE devid = 1" "$expected"
fill
bed_udp 1.1 outside 300 300
sleep 1.3
bw_stop
tap_note "exit status with a full disk: $?"
rm "$BED/small/fill"
bed_udp 1.1 outside 30 30
bw_start || tap_bail "no xenbwd"
bw_stop
tap_is "stopped with a full disk, started with room: nothing is lost or doubled" "$(bw_booked_vif 1 1)" \
	"${expected% *} $((${expected#* } + $(bytes 300 300) + $(bytes 30 30)))"
tap_is "and the ledger is sound" "$(bw_sql 'PRAGMA integrity_check')" ok
tap_done
