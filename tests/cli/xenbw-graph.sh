#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbw-graph draws PNG and SVG from real RRD files, whole or not at all, and says what is wrong.
set -u
. "$(dirname "$0")/../support/tap.sh"

# Under a sanitizer: fontconfig and librrd leave memory behind at their end.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
graph=$BUILD/xenbw-graph
now=$(date +%s)

# make_rrd FILE ARCHIVE…: a day of 1,000 bytes a second in and 250 out.
make_rrd() {
	local file=$1 i
	local -a updates=()
	shift
	rrdtool create "$file" --step 300 --start $((now - 90000)) DS:input:COUNTER:600:U:U DS:output:COUNTER:600:U:U "$@"
	for ((i = 1; i <= 290; i++)); do
		updates+=("$((now - 90000 + i * 300)):$((i * 300000)):$((i * 75000))")
	done
	rrdtool update "$file" "${updates[@]}"
}

# png_size FILE: "WIDTH HEIGHT" from the picture's head, or nothing where it is no PNG.
png_size() {
	[ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || return
	od -An -j16 -N8 -tu1 "$1" | awk '{ print $3 * 256 + $4, $7 * 256 + $8 }'
}

fails() { # fails STATUS WORDS ARGUMENT…
	local status=$1 words=$2 out seen
	shift 2
	out=$("$graph" "$@" 2>&1)
	seen=$?
	[ "$seen" = "$status" ] && grep -qF -- "$words" <<<"$out" && return
	echo "status $seen: $out"
	return 1
}

make_rrd "$dir/web.rrd" RRA:AVERAGE:0.5:1:600 RRA:MAX:0.5:1:600
make_rrd "$dir/plain.rrd" RRA:AVERAGE:0.5:1:600

tap_ok "a day is drawn by default" "$graph" --rrd "$dir/web.rrd" --out "$dir/web.png" --title web
read -r width height < <(png_size "$dir/web.png")
tap_ok "it is a PNG around a plot of 800 x 240" test "${width:-0}" -gt 800 -a "${width:-0}" -lt 1000 -a "${height:-0}" -gt 240 -a "${height:-0}" -lt 400
tap_is "the picture has the mode of any new file" "$(stat -c %a "$dir/web.png")" "$(printf '%o' $((0666 & ~$(umask))))"
cp "$dir/web.png" "$dir/before.png"
tap_ok "the size can be chosen" "$graph" --rrd "$dir/web.rrd" --out "$dir/web.png" --title web --width 300 --height 100
read -r width height < <(png_size "$dir/web.png")
tap_ok "and is smaller then" test "${width:-999}" -lt 500 -a "${height:-999}" -lt 260
tap_ok "dark colours make another picture" "$graph" --rrd "$dir/web.rrd" --out "$dir/dark.png" --title web --dark
tap_ok "which is a PNG as well" test -n "$(png_size "$dir/dark.png")"
tap_ok "SVG is XML with a picture" "$graph" --rrd "$dir/web.rrd" --out "$dir/web.svg" --title 'a<b>&"c' --svg
tap_like "and says so in its head" "$(head -n 2 "$dir/web.svg")" '<svg '
tap_ok "a file without maxima is drawn" "$graph" --rrd "$dir/plain.rrd" --out "$dir/plain.png" --title plain
tap_ok "a time without data is drawn" "$graph" --rrd "$dir/web.rrd" --out "$dir/none.png" --title none --from 20100101 --to 20100201
tap_ok "-6h counts from the end that was given" "$graph" --rrd "$dir/web.rrd" --out "$dir/past.png" --title past --from -6h --to now-12h
long=$(printf 'Straße der Übung 長い名前 %.0s' {1..200})
tap_ok "a title of kilobytes of UTF-8 is cut, not refused" "$graph" --rrd "$dir/web.rrd" --out "$dir/long.png" --title "$long"
mkdir "$dir/a=b:c\\d"
cp "$dir/web.rrd" "$dir/a=b:c\\d/x:=\\.rrd"
tap_ok "no character of a file's name is special" "$graph" --rrd "$dir/a=b:c\\d/x:=\\.rrd" --out "$dir/a=b:c\\d/x:=\\.png" --title x
tap_ok "a caching daemon in the environment is left alone" \
	env RRDCACHED_ADDRESS="unix:$dir/nobody" "$graph" --rrd "$dir/web.rrd" --out "$dir/web.png" --title web
chmod 0444 "$dir/web.rrd"
mkdir "$dir/open" && chmod 1777 "$dir/open" && chmod 0755 "$dir" && cp "$graph" "$dir/graph"
tap_ok "who may only read the file can draw it" \
	setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/graph" --rrd "$dir/web.rrd" --out "$dir/open/web.png" --title web

tap_ok "a missing file is an error that names it" fails 1 "cannot open RRD file $dir/no.rrd: No such file" --rrd "$dir/no.rrd" --out "$dir/x.png" --title x
: >"$dir/empty.rrd"
tap_ok "an empty file is an error that names it" fails 1 "RRD file $dir/empty.rrd is empty" --rrd "$dir/empty.rrd" --out "$dir/x.png" --title x
tap_ok "a file that is no RRD is an error that names it" fails 1 "cannot draw $dir/before.png: '$dir/before.png' is not an RRD file" \
	--rrd "$dir/before.png" --out "$dir/x.png" --title x
tap_ok "a directory is an error that names it" fails 1 "is no regular file" --rrd "$dir" --out "$dir/x.png" --title x
rrdtool create "$dir/other.rrd" --step 300 DS:load:GAUGE:600:U:U RRA:AVERAGE:0.5:1:600
tap_ok "a file of something else is an error that names it" fails 1 "cannot draw $dir/other.rrd: No DS called 'input'" --rrd "$dir/other.rrd" --out "$dir/x.png" --title x
tap_ok "a time that is none is an error that names it" fails 1 "--from \`frob\` is no time that RRDtool knows" --rrd "$dir/web.rrd" --out "$dir/x.png" --title x --from frob
tap_ok "an end before the start is an error that names it" fails 1 "the first must be the earlier one" --rrd "$dir/web.rrd" --out "$dir/x.png" --title x --from now --to -1d
tap_ok "a place that is not there is an error that names it" fails 1 "cannot write $dir/no/x.png: No such file" --rrd "$dir/web.rrd" --out "$dir/no/x.png" --title x
tap_ok "a size that is too small is an error that names it" fails 2 "takes 100 to 4000 pixels, not \`5\`" --rrd "$dir/web.rrd" --out "$dir/x.png" --title x --width 5
tap_ok "a missing argument is an error that names it" fails 2 "usage: xenbw-graph" --rrd "$dir/web.rrd" --title x
tap_is "no error left a picture or a part of one" "$(cd "$dir" && find . -name 'x.png' -o -name '.xenbw*')" ""
cp "$dir/before.png" "$dir/web.png"
fails 1 "" --rrd "$dir/no.rrd" --out "$dir/web.png" --title x >/dev/null
tap_ok "an error leaves the old picture as it was" cmp "$dir/before.png" "$dir/web.png"
tap_done
