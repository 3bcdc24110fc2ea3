#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw migrate` where there is no xenstored: what is said of each line, what is proposed, and what bad files are told.
# The guests are in net/migrate.
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

TAB=$CLI/naccttab
# migrate FILE [OPTION…]: in a network of its own, so that no address is this host's.
migrate() {
	unshare --net "$BUILD/xenbw" migrate "$@" 2>"$CLI/err"
}
# line N MEMBER…: what JSON says of a line of the file.
line() {
	local n=$1
	shift
	migrate "$TAB" --json | jq -r --argjson n "$n" ".lines[] | select(.line == \$n) | $*"
}
# fails STATUS PATTERN FILE [OPTION…]: says so, and prints nothing.
fails() {
	local status=$1 pattern=$2 out seen
	shift 2
	out=$(migrate "$@")
	seen=$?
	[ "$seen" = "$status" ] && [ -z "$out" ] && grep -qE -- "$pattern" "$CLI/err" ||
		{ echo "status $seen, $out, $(cat "$CLI/err")"; return 1; }
}

# The article's file with what people get wrong.
cat >"$TAB" <<'END'
# of the dom0
sniff 0
database mysql
mysql_user acct
mysql_password "se cret"   # '#' ends it
mysql_host 192.0.2.1
mysql_port 0
pidfile /var/run/nacctd.pid
compactnet 192.0.2.1 255.255.255.255
compactnet 192.0.2.2 255.255.255.255
compactnet 198.51.100.0/24
compactnet 203.0.113.9 255.255.255.0
compactnet 127.0.0.5 255.255.255.255
ournet 192.0.2.1 255.255.255.255
ournet 192.0.2.2
flush 30
flush 20
errdelay 2
notdev eth1
device peth0
ignorenet 127.0.0.0 255.0.0.0
ignoremask /24
bogus x
mysql_pass other
ournet 010.0.0.0 255.0.0.0
END
for expected in '2|left_out|false' '3|taken|false' '8|left_out|false' '9|taken|false' '11|otherwise|true' '12|otherwise|true' '13|taken|true' \
	'15|otherwise|false' '16|left_out|false' '17|taken|false' '19|left_out|true' '22|refused|true' '23|left_out|true' '24|otherwise|true' \
	'25|refused|false'; do
	tap_is "line ${expected%%|*}: $(sed -n "${expected%%|*}p" "$TAB")" "$(line "${expected%%|*}" '"\(.line)|\(.verdict)|\(.never_worked)"')" "$expected"
done
tap_like "CIDR never matched" "$(line 11 .was)" 'no number of bits behind a slash, and nothing matched'
tap_like "and works now" "$(line 11 .now)" 'reads 198.51.100.0/24, and the line works'
tap_like "host bits never matched" "$(line 12 .was)" 'host bits are set in 203.0.113.9 behind the mask 255.255.255.0'
tap_like "what an ignorenet took away" "$(line 13 .was)" 'an ignorenet holds it'
tap_like "a missing mask" "$(line 15 .was)" 'one address 192.0.2.2, by luck'
tap_like "of two the last counts" "$(line 16 .was)" 'took line 17 instead'
tap_like "an unreadable mask was the default" "$(line 22 .was)" 'took 255.255.255.255, the default'
tap_like "octal numbers" "$(line 25 .was)" 'nacctd read 8.0.0.0, .*octal'
tap_is "no password is told" "$(migrate "$TAB" | grep -c 'cret\|other$')$(migrate "$TAB" --json | grep -c 'cret\|other"')" 00
tap_is "what is missing is noted" "$(migrate "$TAB" --json | jq -r '.notes[]' | sed "s,$CLI,CLI,")" 'No file CLI/nacctpeering: nacctd does not start without it.'
tap_is "dom0 is guessed by the server, others have no owner" "$(migrate "$TAB" --json | jq -c '.addresses[] | [.address, .line, .domain, .evidence]' | head -n 3)" \
	'["127.0.0.5",13,null,"none"]
["192.0.2.1",9,"Domain-0","server"]
["192.0.2.2",10,null,"none"]'
tap_like "why so little is known is said, with the way out" "$(cat "$CLI/err")" 'hardly known: cannot connect to xenstored .*run this on the dom0, as root'

for width in 80 100; do
	tap_is "no line is wider than a terminal of $width" "$(script -qec "stty cols $width; $BUILD/xenbw migrate $TAB 2>/dev/null" /dev/null </dev/null |
		tr -d '\r' | sed '/^Proposal/,$d' | grep -cE ".{$((width + 1))}")" 0
done
tap_is "marked for people: as many as JSON says" "$(migrate "$TAB" | grep -c '^!')" "$(migrate "$TAB" --json | jq '[.lines[] | select(.never_worked)] | length')"

printf '%s\n' '195.187.0.0/16' '10.0.0.1/8' 'x/24' >"$CLI/nacctpeering"
tap_is "nacctpeering beside it is read" "$(migrate "$TAB" --json | jq -c '[.peers, (.peering_faults | length), .notes]')" '[2,2,[]]'
tap_like "its faults with file and line" "$(migrate "$TAB")" "^! .*/nacctpeering:3: the line is left out"

# ---- --write ----

mkdir "$CLI/conf.d" # without nacctpeering

tap_ok "--write makes the file" migrate "$TAB" --write "$CLI/conf.d/new.conf"
tap_is "which only its owner may read, as a password is in it" "$(stat -c %a "$CLI/conf.d/new.conf")" 600
tap_ok "xenbwd takes it" "$BUILD/xenbwd" -n -c "$CLI/conf.d/new.conf"
settings() { "$BUILD/xenbwd" -nv -c "$1" 2>/dev/null | grep -E "^($2) "; }
what='flush|errdelay|database|mysql_user|mysql_host|device|ournet|ignorenet|peer|bucket'
sed '/^ignoremask/d; /^ournet 010/d; /^mysql_pass /d' "$TAB" >"$CLI/good.naccttab"
tap_is "it says what the naccttab says, but for what could not be read" "$(settings "$CLI/conf.d/new.conf" "$what")" "$(settings "$CLI/good.naccttab" "$what")"
tap_is "with the password that nacctd used" "$(grep ^mysql_password "$CLI/conf.d/new.conf" | tr -s ' ')" 'mysql_password "se cret"'
before=$(md5sum "$CLI/conf.d/new.conf")
tap_ok "it is not written twice" fails 1 'it is there already.*mv ' "$TAB" --write "$CLI/conf.d/new.conf"
tap_is "and stays as it was" "$(md5sum "$CLI/conf.d/new.conf")" "$before"
tap_ok "nor under a name that would make it nacctd's" fails 1 'name it xenbw.conf' "$TAB" --write "$CLI/naccttab.new"
tap_ok "nor where there is no folder" fails 1 'cannot make .*/none/x.conf: No such file' "$TAB" --write "$CLI/none/x.conf"
sed '/password/d; /mysql_pass/d' "$TAB" >"$CLI/open.naccttab"
migrate "$CLI/open.naccttab" --write "$CLI/open.conf" >/dev/null
tap_is "without a password everybody may read it" "$(stat -c %a "$CLI/open.conf")" 644

tap_is "--shadow: one to run beside nacctd" "$(migrate --shadow "$TAB" --json | jq -r .proposal | grep -c '^mysql_table  *xenbw_traffic$')" 1
tap_is "without it the table is nacctd's" "$(migrate "$TAB" --json | jq -r .proposal | grep -c '^mysql_table')" 0

# ---- what is no naccttab ----

made=$(find "$CLI" | sort)
tap_ok "no file" fails 1 'there is no file .*/usr/local/etc/naccttab' "$CLI/nothing"
tap_ok "a directory" fails 1 "cannot read the configuration $CLI: Is a directory" "$CLI"
: >"$CLI/empty"
tap_ok "an empty file" fails 1 'no line but comments' "$CLI/empty"
head -c 100000 /dev/urandom >"$CLI/garbage"
tap_ok "garbage" fails 1 'garbage:[0-9]+: the line holds a NUL byte' "$CLI/garbage"
tap_ok "a text of another kind" fails 1 'is no naccttab: .*the first \(line 3\) with `root:' <(printf '#\n\nroot:x:0:0\n')
tap_ok "no operand" fails 2 'NACCTTAB is missing'
tap_ok "no CSV" fails 2 'no --csv' "$TAB" --csv
tap_ok "one that xenbwd would end at" fails 1 'makes no xenbw.conf.*rrd_dir' <(echo "compactnet 1.2.3.4"; echo "rrd_dir /run/xenbw")
printf 'compactnet 192.0.2.7 255.255.255.255\nmysql_password gr\374\337e\nnotdev \344\nl\366st x\n' >"$TAB"
tap_is "Latin-1 is no trouble" "$(migrate "$TAB" --json | jq -c '[.lines[].word]')" '["compactnet","mysql_password","notdev","l\\xf6st"]'
migrate "$TAB" --write "$CLI/latin.conf" >/dev/null
tap_is "and stays in the password" "$(LC_ALL=C sed -n 's/^mysql_password *//p' "$CLI/latin.conf" | od -An -b | tr -d '\n')" ' 147 162 374 337 145 012'
printf 'compactnet 192.0.2.7 255.255.255.255 # %2000s\n' long >"$TAB"
tap_like "an overlong line" "$(line 1 .was)" 'cut the line behind its first 1023 bytes'
awk 'BEGIN { for (i = 0; i < 50000; i++) printf "compactnet 10.%d.%d.%d 255.255.255.255\nignorenet 11.%d.%d.%d 255.255.255.255\n", i / 65536, i / 256 % 256, i % 256, i / 65536, i / 256 % 256, i % 256 }' >"$TAB"
tap_is "100,000 lines" "$(timeout 60 "$BUILD/xenbw" migrate "$TAB" --json 2>/dev/null | jq -c '[(.lines | length), (.addresses | length)]')" '[100000,50000]'
rm "$CLI/latin.conf" "$CLI/empty" "$CLI/garbage"
tap_is "nothing was made on the way" "$(find "$CLI" | sort)" "$made"
tap_done
