#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw top`, `xenbw list-domains --watch` and `xenbw metrics` on a dom0 that lives; terminals of several sizes.
# time-limit: 90
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
export LC_ALL=C.UTF-8

bed_up || tap_bail "no bed"
bw_config
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 "" dbnet && bed_guest 3 0 mail 10.77.0.13 || tap_bail "no guests"
xenbw() { "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>"$BED/err"; }

painted() { grep -q $'\x1b\\[H' "$BED/typescript"; }

# on_terminal COLUMNS LINES WORD…: "PAUSE KEYS", line by line, is typed into what runs on such a terminal, from its first
# picture on, with the shell's MEANWHILE before it; what it painted is in $BED/screen.
on_terminal() {
	local columns=$1 lines=$2 pause keys
	shift 2
	rm -f "$BED/typescript"
	{
		bed_wait "the first picture" painted >&2
		while read -r pause keys; do
			sleep "$pause"
			printf '%b' "$keys"
		done
	} | script -qefc "stty cols $columns rows $lines; ${MEANWHILE-} exec $BUILD/xenbw -c $BW_CONF $*" "$BED/typescript" >/dev/null
	local status=$?
	# each picture begins at the top left; codes that only move or erase go
	sed 's/\x1b\[?[0-9]*[hl]//g; s/\x1b\[[KJ]//g; s/\x1b\[H/\n== picture\n/g; s/\r//g; /^Script /d' "$BED/typescript" >"$BED/screen"
	return $status
}
last_picture() { awk '/^== picture/ { text = ""; next } { text = text $0 "\n" } END { printf "%s", text }' "$BED/screen"; }

bed_udp 1.0 outside 96000 1000 8 &
sender=$!
sleep 0.5
once=$(xenbw top --once --json --interval 2)
tap_is "the sender is first" "$(jq -r '.vifs[0].domain' <<<"$once")" web
rate=$(jq '.vifs[0].output_bytes_per_second' <<<"$once")
tap_note "$rate bytes a second, of 12,336,000 that were to be sent"
tap_ok "with the rate that it sends at" test "$rate" -gt 3000000 -a "$rate" -lt 37000000
tap_is "who is silent has a rate of nothing" "$(jq -c '.vifs[] | select(.domain == "mail") | [.domid, .devid, .netdev, .input_bytes_per_second, .bytes_per_second]' <<<"$once")" \
	'[3,0,"vif3.0",0,0]'
tap_is "JSON says over how long" "$(jq -c '[.format, .command, .seconds]' <<<"$once")" '[1,"top",2]'
tap_is "sorted by name, filtered by device, as CSV" "$(xenbw top --once --csv --sort name --filter VIF | cut -d, -f1-4 | tr -d '\r')" 'domain,domid,devid,netdev
mail,3,0,vif3.0
web,1,0,vif1.0'
tap_like "for people, with a line of all guests" "$(xenbw top --once)" '^all guests +[0-9.]+[kMG]? +[0-9.]+[kMG]?'

wait $sender
bed_udp 1.0 outside 80000 1000 8 &
sender=$!
on_terminal 80 24 top --interval 1 <<'END'
3.5 n
0.3 /we
0.3 \n
0.3 q
END
tap_is "it ends with 0 at q" $? 0
wait $sender
tap_like "on a terminal there is a trend, which has begun" "$(cat "$BED/screen")" '^web +1 +0 +vif1.0 .*M +[▁▂▃▄▅▆▇█]{2,}$'
tap_like "the keys are told" "$(cat "$BED/screen")" '^Keys: r rate, i input, o output, n name, / filter, q quit$'
tap_like "n sorts by name" "$(cat "$BED/screen")" '^xenbw top .* every 1 s, by name$'
tap_is "/ leaves those that match" "$(last_picture | sed -n '3,$p' | awk '{ print $1 }' | tr '\n' ' ')" "web all Keys: "
tap_like "and says so" "$(last_picture)" 'by name, with: we$'
tap_is "no line is wider than the terminal" "$(grep -v '^Script' "$BED/screen" | grep -E '.{81}')" ""
tap_is "the terminal is as it was" "$(grep -c $'\x1b\[?1049l' "$BED/typescript")" 1

on_terminal 40 7 top --interval 1 <<'END'
1.5 i
0.3 \x03
END
tap_is "^C ends it, too" $? 0
tap_is "a small terminal shows what fits" "$(last_picture | awk '{ print $1, $2 }' | sed -n '3,5p')" "Domain-0 0
db 0
all guests"
tap_is "narrow as it is" "$(grep -v '^Script' "$BED/screen" | sed -n '/^== picture/,$p' | grep -v '^xenbw top' | grep -E '.{41}')" ""

MEANWHILE='(sleep 2; stty cols 60 </dev/tty) &' on_terminal 80 24 top --interval 30 <<'END'
4 q
END
tap_like "another size is taken over at once" "$(cat "$BED/screen")" '^Hidden: '

bw_start || tap_bail "no xenbwd"
on_terminal 80 24 list-domains --watch --interval 1 <<'END'
4 q
END
tap_is "list-domains --watch ends at q" $? 0
tap_ok "and was drawn more than once" test "$(grep -c '^== picture' "$BED/screen")" -ge 2
tap_like "with its table" "$(last_picture)" '^web +1  up '
tap_is "and nothing beyond the screen" "$(on_terminal 80 4 list-domains --watch <<<"1.5 q"; last_picture | sed '/^$/d' | wc -l)" 4

# metrics, too: exact, and never less.
sent() { xenbw metrics | sed -n 's/^xenbw_vif_bytes_total{domain="web",.*direction="output"} //p'; }
tap_is "metrics: xenbwd is up" "$(xenbw metrics | grep -E '^xenbw_(up|commit_failing|xenstore_connected) ')" 'xenbw_up 1
xenbw_commit_failing 0
xenbw_xenstore_connected 1'
before=$(sent)
bed_udp 1.0 outside 100 500 || tap_bail "packets were lost"
committed() { [ "$(sent)" != "$before" ]; }
bed_wait "the commit" committed || tap_bail "no commit"
sleep 2.5 # and all of it
tap_is "metrics: a counter has what was sent, to the byte" "$(($(sent) - before))" 52800
bw_kill
tap_is "metrics: it stays when xenbwd is killed, and that is told" "$(($(sent) - before)) $(xenbw metrics | grep '^xenbw_up')" "52800 xenbw_up 0"
bw_start || tap_bail "no xenbwd"
tap_is "metrics: and when it is back" "$(($(sent) - before))" 52800

fails() { # fails STATUS PATTERN WORD…
	local status=$1 pattern=$2
	shift 2
	xenbw "$@" </dev/null >"$BED/out"
	[ $? = "$status" ] && [ ! -s "$BED/out" ] && grep -qE -- "$pattern" "$BED/err" || { cat "$BED/err" "$BED/out"; false; }
}
tap_ok "top needs a terminal, or --once" fails 2 'top: without one there is --once: this needs a terminal' top
tap_ok "--json needs --once" fails 2 'go with --once' top --json
tap_ok "no order" fails 2 'write rate, input, output or name' top --once --sort size
tap_ok "no seconds" fails 2 '`0` is not a number of seconds from 1 to 3600' top --once --interval 0
tap_ok "--watch needs a terminal" fails 2 'this needs a terminal' list-domains --watch
tap_ok "and is not for machines" fails 2 'for people' list-domains --watch --json
tap_ok "top without xenstored says why" env XENSTORED_PATH="$BED/none" bash -c '"$0" -c "$1" top --once 2>&1 | grep -q "cannot connect to xenstored"' "$BUILD/xenbw" "$BW_CONF"
tap_done
