# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of the RRD files. Read by faults.sh. Each ends as xenbw-writer(8) says: the file is moved away, or given back.

rrd_victim() { local files=("$BW_RRD"/web.rrd "$BW_RRD"/db.rrd "$BW_RRD"/Domain-0.rrd); echo "${files[RANDOM % 3]}"; }
rrd_slot() { burst; wait_for 30 "the ledger" ledger_has; next_slot; }

fault_rrd_corrupt() {
	local file
	file=$(rrd_victim)
	mark
	seq 1 $((100 + RANDOM)) | dd of="$file" bs=64 seek=$((RANDOM % 20)) count=$((1 + RANDOM % 20)) conv=notrunc status=none
	rrd_slot
	within 500 1500 # damage in the header is told of; in a value it is not seen by anybody
	rm -f "$file"
}
fault_rrd_missing() { rm -f "$(rrd_victim)"; }
fault_rrd_read_only() {
	mark
	mount --bind "$BW_RRD" "$BW_RRD" && mount -o remount,bind,ro "$BW_RRD" || problem "no read-only mount"
	xenbwd_away # whose writer has the folder open
	rm -f "$BED/hold"
	rrd_slot
	told 'ead-only file system'
	xenbwd_away
	umount "$BW_RRD" || problem "no umount"
	xenbwd_back
}
fault_rrd_from_the_future() {
	local file
	file=$(rrd_victim)
	mark
	rm -f "$file"
	rrdtool create "$file" --start $((CLOCK_FIRST + 5000 * CLOCK_SLOT)) --step 300 DS:input:DERIVE:600:0:U DS:output:DERIVE:600:0:U RRA:AVERAGE:0.5:1:600
	chgrp daemon "$file" && chmod 664 "$file"
	rrd_slot
	told 'lies in the future'
	rm -f "$file"
}
