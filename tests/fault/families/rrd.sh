# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Faults of the RRD files. Read by faults.sh. Each ends as xenbw-writer(8) says: the file is moved away, or given back.

rrd_victim() { local files=("$BW_RRD"/web.rrd "$BW_RRD"/db.rrd "$BW_RRD"/Domain-0.rrd); echo "${files[RANDOM % 3]}"; }
rrd_slot() { burst; wait_for "$ROUND_PATIENCE" "the ledger" ledger_has; next_slot; }

# Begins with something else, ends too early, or a value is another one.
fault_rrd_corrupt() {
	local file before how=$((RANDOM % 3))
	file=$(rrd_victim)
	rrd_slot # it is there, and is not being written
	wait_for "$ROUND_PATIENCE" "the RRD files" rrds_agree "$EDGE" || problem "the RRD files differ"
	before=$(sha256sum <"$file")
	mark
	case $how in
	0) seq 1 $((100 + RANDOM)) | dd of="$file" bs=1 count=$((8 + RANDOM % 3000)) conv=notrunc status=none ;;
	1) truncate -s $((RANDOM % $(stat -c %s "$file"))) "$file" ;;
	2) seq 1 $((100 + RANDOM)) | dd of="$file" bs=64 seek=$((64 + RANDOM % 64)) count=$((1 + RANDOM % 20)) conv=notrunc status=none ;;
	esac
	[ "$(sha256sum <"$file")" != "$before" ] || problem "$file is not damaged"
	rrd_slot
	if [ $how = 2 ]; then # what no program sees
		within 500 1500
	else
		told "RRD file $file is not written"
		! rrds_agree "$EDGE" || problem "nothing is missing in $file"
	fi
	rm "$file"
}
fault_rrd_missing() {
	local file
	file=$(rrd_victim)
	rrd_slot
	wait_for "$ROUND_PATIENCE" "the RRD files" rrds_agree "$EDGE" || problem "the RRD files differ"
	rm "$file" || problem "no RRD file"
	! rrds_agree "$EDGE" || problem "nothing is missing without $file"
}
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
	rrdtool create "$file" --start $((CLOCK_FIRST + (SLOT + 5000) * CLOCK_SLOT)) --step 300 DS:input:DERIVE:600:0:U DS:output:DERIVE:600:0:U RRA:AVERAGE:0.5:1:600
	chgrp daemon "$file" && chmod 664 "$file"
	rrd_slot
	told "RRD file $file .*lies in the future"
	rm "$file"
}
