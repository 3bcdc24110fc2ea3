#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw rebucket --rrd` with real RRD files: the plan, what is refused, renaming, going on after an interruption, and
# back. Nothing is ever overwritten. Beside a writer that goes on: net/rrd-rename.
# time-limit: 100
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

MAP=$CLI/files.map RRD=$CLI/rrd
echo "bucket domain" >>"$CLI/conf"
article() { # article ADDRESS: as the how-to's script made it, with an hour in it
	rrdtool create "$RRD/$1.rrd" --step 300 --start $((CLI_NOW - 90000)) DS:input:COUNTER:600:U:U DS:output:COUNTER:600:U:U \
		RRA:AVERAGE:0.5:1:600 RRA:MAX:0.5:6:700 &&
		rrdtool update "$RRD/$1.rrd" "$((CLI_NOW - 4000)):1000:${1##*.}" "$((CLI_NOW - 3700)):5000:9999"
}
contents() { ( cd "$RRD" && find . ! -name . -printf '%P %y ' \( -type f -exec md5sum {} \; -o -printf '\n' \) | sort ); }
rrd() { xenbw rebucket --rrd "$@"; }
state() { rrd --json "$MAP" | jq -r --arg address "$1" '.files[] | select(.address == $address) | "\(.state) \(.becomes) \(.reason)"'; }

tap_ok "no folder" cli_fails 1 'there is no folder of RRD files .*/rrd; see rrd_dir' rebucket --rrd --plan "$MAP"
mkdir "$RRD"
tap_ok "no file of an address" cli_fails 1 'has no file that is named after an address' rebucket --rrd --plan "$MAP"
tap_ok "a map is needed" cli_fails 2 'MAP is missing' rebucket --rrd --apply
tap_ok "nothing of MySQL" cli_fails 2 'leave --defaults-file and --readers-stopped' rebucket --rrd --apply --readers-stopped "$MAP"

# Who had what: 5 two domains, 6 one through a reboot, 7 nobody saw, 8 and 9 one domain; hostile names; IPv6.
sqlite3 "$CLI/ledger.db" "DELETE FROM slot WHERE address LIKE '10.0.0.%'; DELETE FROM take WHERE address LIKE '10.0.0.%'"
cli_vif 101 first 10.0.0.5 "2026-11-03 00:00" "2026-11-08 10:20"
cli_vif 102 second 10.0.0.5 "2026-11-08 10:40" "2026-11-12 23:55"
cli_vif 103 mail 10.0.0.6 "2026-11-02 00:00" "2026-11-04 12:00"
cli_vif 104 mail 10.0.0.6 "2026-11-04 15:10" "2026-11-12 23:55"
cli_vif 105 two 10.0.0.8 "2026-11-02 00:00" "2026-11-12 00:00" one-uuid
cli_vif 106 two 10.0.0.9 "2026-11-02 00:00" "2026-11-12 00:00" one-uuid
cli_vif 107 ../../etc/passwd 10.0.0.10 "2026-11-02 00:00" "2026-11-12 00:00"
cli_vif 108 'a#b' 10.0.0.11 "2026-11-02 00:00" "2026-11-12 00:00"
cli_vif 109 $'nl\nx' 10.0.0.12 "2026-11-02 00:00" "2026-11-12 00:00"
cli_vif 110 six 2001:db8::6 "2026-11-02 00:00" "2026-11-12 00:00"
cli_vif 111 idle 10.0.0.13 "2026-11-02 00:00" "2026-11-12 00:00" # has no file
for address in 10.0.0.{5..12} 2001%3Adb8%3A%3A6; do article "$address" || tap_bail "no RRD file"; done
echo "no RRD at all" >"$RRD/10.0.0.77.rrd"
article web # no address

tap_like "--plan says what it made, and what next" "$(rrd --plan "$MAP")" "files.map: 3 lines by what the ledger saw, 8 for you to decide. Read it, then: xenbw rebucket --rrd "
tap_is "one owner is a line; what had two, what is one of two, and what nobody saw is for the admin" "$(sed '/^# /d; /^$/d; s/, from .*: the/: the/; s/ since .*;/;/' "$MAP" | tr -s ' ')" \
	' 10.0.0.10 ../../etc/passwd # the ledger saw it; what the file has from before comes along
#10.0.0.11 a#b # a name that this file cannot hold
#10.0.0.12 nl\x0ax # a name that this file cannot hold
#10.0.0.5 first # one of 2 owners: the file has all of them and cannot be divided
#10.0.0.5 second # one of 2 owners: the file has all of them and cannot be divided
 10.0.0.6 mail # the ledger saw it; what the file has from before comes along
#10.0.0.7 ? # the ledger never saw it
#10.0.0.77 ? # the ledger never saw it
#10.0.0.8 two # one of several files of this domain: their sum is no rename; choose one
#10.0.0.9 two # one of several files of this domain: their sum is no rename; choose one
 2001:db8::6 six # the ledger saw it; what the file has from before comes along'
tap_ok "a plan is not written twice" cli_fails 1 'is there already, and stays as it is' rebucket --rrd --plan "$MAP"
before=$(contents)
tap_is "what will be done" "$(state 10.0.0.6) / $(state 10.0.0.10) / $(state 2001:db8::6)" \
	"ready mail.rrd null / ready %2E.%2F..%2Fetc%2Fpasswd.rrd null / ready six.rrd null"
tap_is "for people, on 80 columns" "$(xenbw_on 80 rebucket --rrd "$MAP" | grep -cE '.{81}|^ +10 +10\.0\.0\.6 +mail +ready$')" 1
tap_is "looking changes nothing" "$(contents)" "$before"

# refuses TEXT PATTERN LINES…: such a map renames nothing.
refuses() {
	printf '%s\n' "${@:3}" >"$CLI/bad.map"
	tap_ok "$1" cli_fails 1 "$2" rebucket --rrd --apply "$CLI/bad.map"
	tap_is "$1: and nothing is renamed" "$(contents)" "$before"
	tap_ok "$1: nor is anything on record" test ! -e "$CLI/bad.map.done"
}
refuses "two addresses of one domain" 'lines 1 and 2 give two files to two; their sum is no rename: choose one' "10.0.0.8 two" "10.0.0.9 two"
refuses "an address of two domains" 'lines 1 and 2 give the file of 10.0.0.5 to two domains' "10.0.0.5 first" "10.0.0.5 second"
refuses "a domain that is an address" ':1: the domain .10.0.0.6. is itself an address' "10.0.0.5 10.0.0.6" "10.0.0.6 mail"
refuses "no domain" ':1: behind the address stands the domain' "10.0.0.5"
refuses "no address" ':2: .web. is no address' "10.0.0.6 mail" "web x"
refuses "no line" 'no line but comments' "# 10.0.0.6 mail"
refuses "a file that is there" 'line 1: web.rrd is there already, and stays as it is' "10.0.0.5 web" "10.0.0.6 mail"
refuses "a file that is no RRD" 'line 2: 10.0.0.77.rrd: librrd says' "10.0.0.6 mail" "10.0.0.77 x"
refuses "a file that is not there" 'line 1: 10.0.0.13.rrd: it is not there' "10.0.0.13 idle"
ln -s 10.0.0.5.rrd "$RRD/10.0.0.14.rrd"
ln -s nowhere "$RRD/dangling.rrd"
rrdtool create "$RRD/10.0.0.15.rrd" --step 60 DS:input:COUNTER:600:U:U DS:output:COUNTER:600:U:U RRA:AVERAGE:0.5:1:600
rrdtool create "$RRD/10.0.0.16.rrd" --step 300 DS:load:GAUGE:600:U:U RRA:AVERAGE:0.5:1:600
mkdir "$RRD/10.0.0.17.rrd"
before=$(contents)
refuses "a symbolic link" 'it is a symbolic link, which is not followed' "10.0.0.14 x"
refuses "a link in the new name's place" 'dangling.rrd is there already' "10.0.0.6 dangling"
refuses "another step: the writer could not go on" 'its step is 60 seconds, and must be 300' "10.0.0.15 x"
refuses "other data sources" 'it has no data sources .input. and .output.' "10.0.0.16 x"
refuses "a directory" 'it is a directory' "10.0.0.17 x"
sed 's/^bucket domain/bucket ip/' "$CLI/conf" >"$CLI/conf.ip"
mv "$CLI/conf" "$CLI/conf.domain" && mv "$CLI/conf.ip" "$CLI/conf"
refuses "while the configuration has addresses" 'write .bucket domain. into it first' "10.0.0.6 mail"
mv "$CLI/conf.domain" "$CLI/conf"

# ---- a full disk: what is to be renamed must be on record first ----

mkdir "$CLI/full" && mount -t tmpfs -o size=16k tmpfs "$CLI/full" || tap_bail "no tmpfs"
trap 'umount "$CLI/full"; rm -rf "$CLI"' EXIT
echo "10.0.0.6 mail" >"$CLI/full/map"
head -c 16384 /dev/zero >"$CLI/full/filler" 2>/dev/null
tap_ok "a full disk" cli_fails 1 'cannot write .*/full/map.done, which is needed to take it back: No space' rebucket --rrd --apply "$CLI/full/map"
tap_is "and nothing is renamed" "$(contents)" "$before"
rm "$CLI/full/filler"
tap_ok "with room again it goes on" rrd --apply "$CLI/full/map"
tap_ok "and is taken back" rrd --undo "$CLI/full/map"
tap_is "all is as it was" "$(contents)" "$before"

# ---- renaming, and back ----

dump=$(rrdtool dump "$RRD/10.0.0.6.rrd" | md5sum)
inode=$(stat -c %i "$RRD/10.0.0.6.rrd")
# an interruption between record and rename: it is on record, and has its old name
echo "$(stat -c %d "$RRD/10.0.0.6.rrd") $inode 10.0.0.6 mail" >"$MAP.done"
tap_like "applied" "$(rrd --apply "$MAP")" '^Renamed: 3 files; done before: 0\.'
tap_is "it is the same file, with all that was in it" "$(stat -c %i "$RRD/mail.rrd") $(rrdtool dump "$RRD/mail.rrd" | md5sum)" "$inode $dump"
tap_ok "a hostile name stays in the folder" test -f "$RRD/%2E.%2F..%2Fetc%2Fpasswd.rrd"
tap_like "again: nothing is left to do" "$(rrd --apply "$MAP")" '^Renamed: 0 files; done before: 3\.'
tap_is "which is shown" "$(state 10.0.0.6)" "done mail.rrd null"
after=$(contents)
article 10.0.0.6 # the writer made it anew meanwhile
anew=$(md5sum <"$RRD/10.0.0.6.rrd")
mv "$RRD/six.rrd" "$RRD/moved" && cp "$RRD/moved" "$RRD/six.rrd"
tap_ok "a file that is another one now is not taken back, nor is any other" cli_fails 1 'six.rrd is not the file that was renamed' rebucket --rrd --undo "$MAP"
tap_is "none is" "$([ -e "$RRD/mail.rrd" ] && echo there)" there
mv "$RRD/moved" "$RRD/six.rrd"
tap_like "taken back" "$(rrd --undo "$MAP")" '^Taken back: 3 files\.'
tap_like "what was made anew is put aside, and said" "$(cat "$CLI/err")" 'note: 10.0.0.6.rrd, which xenbwd made anew from the ledger meanwhile, is 10.0.0.6~anew.rrd now'
tap_is "with all that was in it" "$(md5sum <"$RRD/10.0.0.6~anew.rrd")" "$anew"
rm "$RRD/10.0.0.6~anew.rrd"
tap_is "all is as it was" "$(contents)" "$before"
tap_ok "twice: nothing is left to take back" cli_fails 1 'nothing to take back' rebucket --rrd --undo "$MAP"
tap_ok "and applied again" rrd --apply "$MAP"
tap_is "it is as it was then" "$(contents)" "$after"
tap_done
