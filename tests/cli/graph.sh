#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw graph`: finds the bucket's RRD file, has it drawn, and says where the picture is.
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

rrd() { # rrd FILE: a day of steps of 1000 and 500 bytes per second
	local t input=0 output=0
	local -a updates=()
	rrdtool create "$1" --step 300 --start $((CLI_NOW / 300 * 300 - 86400)) \
		DS:input:DERIVE:600:0:U DS:output:DERIVE:600:0:U RRA:AVERAGE:0.5:1:600 RRA:MAX:0.5:1:600
	for ((t = CLI_NOW / 300 * 300 - 86100; t <= CLI_NOW; t += 300)); do
		updates+=("$t:$((input += 300000)):$((output += 150000))")
	done
	rrdtool update "$1" "${updates[@]}"
}
kind() { # kind FILE: what its first bytes say
	case $(head -c 8 "$1" | od -An -tx1 | tr -d ' \n') in
	89504e470d0a1a0a) echo png ;;
	3c3f786d6c*) echo svg ;;
	*) echo other ;;
	esac
}

width() { od -An -j16 -N4 -tu1 "$1" | awk '{ print $3 * 256 + $4 }'; }

mkdir "$CLI/rrd" "$CLI/out" && rrd "$CLI/rrd/web.rrd" && cp "$CLI/rrd/web.rrd" "$CLI/rrd/2001%3Adb8%3A%3A1.rrd" || tap_bail "no RRD"
sqlite3 "$CLI/ledger.db" "INSERT INTO bucket VALUES (9, 'ip'); INSERT INTO bucket_label VALUES (9, '2001:db8::1', 0, NULL)"
cd "$CLI/out" || tap_bail "no folder"

tap_is "the path is printed" "$(xenbw graph web)" "./web_1d.png"
tap_is "nothing else is said" "$(cat "$CLI/err")" ""
tap_is "the picture is a PNG" "$(kind web_1d.png)" png
tap_is "SVG on demand" "$(xenbw graph --svg web)" "./web_1d.svg"
tap_is "the picture is an SVG" "$(kind web_1d.svg)" svg
tap_is "the name tells the span" "$(xenbw graph web --span week --theme dark)" "./web_1w.png"
tap_is "where it is one" "$(xenbw graph web --from $((CLI_NOW - 7200)) --to $CLI_NOW)" "./web.png"
tap_is "a path of one's own" "$(xenbw graph --out "$CLI/out/x y.png" web)" "$CLI/out/x y.png"
tap_is "the picture is there" "$(kind "$CLI/out/x y.png")" png
tap_is "a name that no file may have" "$(xenbw graph 2001:db8::1)" "./2001%3Adb8%3A%3A1_1d.png"
tap_is "the picture is there" "$(kind 2001%3Adb8%3A%3A1_1d.png)" png
tap_is "JSON" "$(xenbw graph web --json | jq -c .)" '{"format":1,"command":"graph","graphs":[{"bucket":"web","file":"./web_1d.png","owner":null}]}'
tap_is "CSV" "$(xenbw graph web --csv | tr -d '\r')" "bucket,file,owner
web,./web_1d.png,"
tap_is "the ending of a file says that it is SVG" "$(xenbw graph --out "$CLI/out/x.SVG" web) $(kind "$CLI/out/x.SVG")" "$CLI/out/x.SVG svg"
tap_is "twice as large" "$(xenbw graph --zoom 2 --out twice.png web >/dev/null && width twice.png)" $((2 * $(width web_1d.png)))

# Several domains: those that have a file.
cp "$CLI/rrd/web.rrd" "$CLI/rrd/=SUM(A1).rrd"
echo 'owner acme web =SUM(A1)' >>"$CLI/conf"
tap_is "all domains" "$(xenbw graph) $(kind host_1d.png)" "./host_1d.png png"
tap_like "each has its line, and all together one" "$(xenbw graph --legend | sed 's/   *.*//' | tr '\n' ';')" \
	'bit/s;(2001:db8::1|=SUM\(A1\)|web);.*Total;./host_1d.png;$'
tap_is "the largest, and the others" "$(xenbw graph --legend --top 1 | sed -n 's/   *.*//; 4,5p')" "2 others
Total"
tap_is "an owner's" "$(xenbw graph --owner acme --span year --json | jq -c .graphs[0])" '{"bucket":null,"file":"./acme_1y.png","owner":"acme"}'
tap_is "have no others in it" "$(xenbw graph --owner acme --legend | grep -c 2001)" 0
echo nonsense >"$CLI/rrd/web10.rrd"
tap_ok "a file that is none is left out" xenbw graph
tap_like "and told" "$(cat "$CLI/err")" '^xenbw-graph: web10 is left out: cannot draw .*/rrd/web10.rrd: '
rm "$CLI/rrd/web10.rrd"
tap_ok "an owner that is not there" cli_fails 1 'no owner `nobody`' graph --owner nobody
tap_ok "a span that is none" cli_fails 2 '`decade`' graph --span decade
tap_ok "span and --from" cli_fails 2 'not both' graph --span day --from -1d
tap_ok "a theme that is none" cli_fails 2 '`blue`' graph --theme blue
tap_ok "a factor that is none" cli_fails 2 '0.5 to 8, not `big`' graph --zoom big
tap_ok "an owner and a domain" cli_fails 2 'not both' graph --owner acme web
tap_ok "a number for one domain" cli_fails 2 'is one$' graph --top 3 web
tap_ok "a legend in JSON" cli_fails 2 'without --json' graph --legend --json

tap_ok "an unknown bucket is answered with near ones" cli_fails 1 'no bucket `wbe`; near to it are: web$' graph wbe
sqlite3 "$CLI/ledger.db" "INSERT INTO bucket VALUES (10, 'ip'); INSERT INTO bucket_label VALUES (10, '--help', 0, NULL)"
cp "$CLI/rrd/web.rrd" "$CLI/rrd/--help.rrd"
tap_is "a bucket whose name begins with -, behind --" "$(xenbw graph -- --help)" "./--help_1d.png"
tap_ok "a bucket without a file yet" cli_fails 1 "no RRD file of .web10. yet \($CLI/rrd/web10.rrd: No such file" graph web10
one_line() { # one_line WORD…: fails, and one line says why
	cli_fails 1 '^xenbw-graph: .*(nonsense|none/)' "$@" && [ "$(wc -l <"$CLI/err")" = 1 ]
}
tap_ok "a time that rrdtool does not know" one_line graph web --from nonsense
tap_ok "a place where nothing can be written" one_line graph web --out "$CLI/none/web.png"
sed -i 's/^rrd_dir.*/rrd_dir none/' "$CLI/conf"
tap_ok "RRD files that are turned off" cli_fails 1 '`rrd_dir none`' graph web
tap_done
