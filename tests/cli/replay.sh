#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbw-capture --replay: frames of every kind, made by hand, booked as netacct's rules want it. First those that
# nacctd booked the same way, then one by one those where xenbw means to differ. Lengths are those of IP: 20 bytes of
# header and the payload.
set -u
. "$(dirname "$0")/../support/tap.sh"
work=$(mktemp -d) || tap_bail "no scratch directory"
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

M1=00:16:3e:00:00:01 M2=00:16:3e:00:00:02 M3=00:16:3e:00:00:03 DOM0=00:16:3e:00:00:d0 OUT=00:16:3e:fe:fe:fe

cat >naccttab <<-END
	flush 30
	device peth0
	database mysql
	compactnet 10.0.0.1 255.255.255.255
	compactnet 10.0.0.2 255.255.255.255
	compactnet 10.9.0.3 255.255.255.255
	ournet 10.0.0.0 255.255.255.0
	direct_peer 172.16.0.0 255.240.0.0
	ignorenet 127.0.0.0 255.0.0.0
	ignorenet 198.51.100.0 255.255.255.0
	dontignore 198.51.100.7 255.255.255.255
END
echo 203.0.113.0/24 >nacctpeering
cat >vifs <<-END
	1 $M1 10.0.0.1
	2 $M2 10.0.0.2   # a comment

	3 $M3 10.9.0.3
	0 $DOM0 host 10.0.0.254
END

# replay ARG…: the table without its head, one blank between columns.
replay() {
	"$BUILD/xenbw-capture" --replay -c naccttab --vifs vifs "$@" 2>err | tail -n +2 | tr -s ' '
}

# left LINES, came LINES: frames that left, or came in, booked in a run of their own.
left() { "$BUILD/bwframe" save one.pcap <<<"$1" >/dev/null && replay --out one.pcap; }
came() { "$BUILD/bwframe" save one.pcap <<<"$1" >/dev/null && replay --in one.pcap; }

# rows: of a table, what nacctd's rows would be: "IP input output peer_input peer_output direct_input direct_output
# local_input local_output". A vif has one address here.
rows() {
	awk 'BEGIN { split("external peer direct local", classes); ip[1] = "10.0.0.1"; ip[2] = "10.0.0.2"; ip[3] = "10.9.0.3" }
		{ bytes[$1, $3, $4] += $6 }
		END {
			for (v = 1; v <= 3; v++) {
				line = ip[v]
				for (c = 1; c <= 4; c++)
					line = line " " bytes[v, classes[c], "input"] + 0 " " bytes[v, classes[c], "output"] + 0
				print line
			}
		}'
}

# ---- what nacctd booked the same way: netacct.md 2.1 and 2.2 ----

"$BUILD/bwframe" save out.pcap >/dev/null <<-END || tap_bail "no savefile"
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 count 3            # external: 300
	eth $M1 $OUT ip4 10.0.0.1 203.0.113.5 payload 81                  # peer: 101
	eth $M1 $OUT ip4 10.0.0.1 172.16.9.9 payload 82                   # direct: 102
	eth $M1 $OUT ip4 10.0.0.1 10.0.0.200 payload 83                   # local: 103
	eth $M1 $OUT ip4 10.0.0.1 127.0.0.1 payload 500                   # ignored
	eth $M1 $OUT ip4 10.0.0.1 198.51.100.9 payload 501                # ignored
	eth $M1 $OUT ip4 10.0.0.1 198.51.100.7 payload 84                 # rescued by dontignore: 104
	eth $M1 $OUT ip4 10.0.0.1 10.0.0.1 payload 502                    # ignoremask: both ends are one
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 1480 fragment 0       # fragments, each by its own length: 1500
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 520 last 1480         # and 540
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 options 40 payload 40         # options are of the header: 100
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 8 pad 60              # without the padding: 28
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 0 pad 60              # no payload at all: 20
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 protocol 1 payload 64         # any protocol: 84
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 protocol 47 payload 65        # 85
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 8980                  # a large frame: 9000
	eth $M1 ff:ff:ff:ff:ff:ff ip4 10.0.0.1 255.255.255.255 payload 86 # to all is external output: 106
	eth $M1 01:00:5e:00:00:fb ip4 10.0.0.1 224.0.0.251 payload 87     # 107
	eth $M2 $OUT ip4 10.0.0.2 203.0.113.255 payload 88                # peer: 108
	eth $M2 $OUT ip4 10.0.0.2 203.0.114.0 payload 89                  # just outside of it: external: 109
	eth $M3 $OUT ip4 10.9.0.3 10.0.0.200 payload 90                   # its own side is not in ournet: external: 110
	eth $M3 $OUT ip4 10.9.0.3 172.16.9.9 payload 91                   # external too: 111
	eth $DOM0 $OUT ip4 10.0.0.254 192.0.2.1 payload 503               # in no compactnet: not counted
	eth $M1 $OUT type 0806 payload 46                                 # ARP
	eth $M1 $OUT type 8864 payload 46                                 # PPPoE
	eth $M1 $OUT payload 46                                           # something else
END
"$BUILD/bwframe" save in.pcap >/dev/null <<-END || tap_bail "no savefile"
	eth $OUT $M1 ip4 192.0.2.1 10.0.0.1 payload 180 count 5           # external: 1000
	eth $OUT $M1 ip4 203.0.113.5 10.0.0.1 payload 181                 # peer: 201
	eth $OUT $M1 ip4 172.31.255.255 10.0.0.1 payload 182              # direct: 202
	eth $OUT $M1 ip4 10.0.0.254 10.0.0.1 payload 183                  # local: 203
	eth $OUT $M1 ip4 127.0.0.1 10.0.0.1 payload 500                   # ignored
	eth $OUT $M1 ip4 198.51.100.9 10.0.0.1 payload 501                # ignored
	eth $OUT $M1 ip4 198.51.100.7 10.0.0.1 payload 184                # rescued: 204
	eth $OUT $M2 ip4 192.0.2.1 10.0.0.2 payload 1480 count 1000       # 1500000
	eth $OUT $M3 ip4 10.0.0.200 10.9.0.3 payload 185                  # external: 205
	eth $OUT ff:ff:ff:ff:ff:ff ip4 192.0.2.1 255.255.255.255 payload 502
	eth $OUT 01:00:5e:00:00:01 ip4 192.0.2.1 224.0.0.1 payload 503
	eth $OUT $DOM0 ip4 192.0.2.1 10.0.0.254 payload 504
	eth $OUT $M1 type 0806 payload 46
END
table=$(replay --out out.pcap --in in.pcap)
tap_is "what nacctd booked for each address is booked to the byte" "$(rows <<<"$table")" \
	"10.0.0.1 1204 $((300 + 104 + 1500 + 540 + 100 + 28 + 20 + 84 + 85 + 9000 + 106 + 107)) 201 101 202 102 203 103
10.0.0.2 1500000 109 0 108 0 0 0 0
10.9.0.3 205 221 0 0 0 0 0 0"
tap_is "what the lists ignore is shown as ignored" "$(awk '$3 == "ignored"' <<<"$table")" \
	"1 - ignored input 2 $((520 + 521))
1 - ignored output 3 $((520 + 521 + 522))"
tap_is "nothing was stray or spoofed" "$(grep -cE 'stray|spoofed' <<<"$table")" 0
tap_is "the order of the files does not matter" "$(replay --in in.pcap --out out.pcap)" "$table"
cp naccttab xenbw.conf && sed -i '/compactnet/d; /flush/d' xenbw.conf
table=$("$BUILD/xenbw-capture" --replay -c xenbw.conf --vifs vifs --out out.pcap 2>err | tr -s ' ' | grep '^3')
tap_is "in an xenbw.conf the own side need not be in ournet" "$table" "3 - direct output 1 111
3 - local output 1 110"

# ---- where xenbw differs, on purpose ----

# nacctd: local_output 100 of 10.0.0.1 for each device that it crosses, and nothing for 10.0.0.2.
tap_is "from guest to guest by way of the uplink is charged to both ends" \
	"$(left "eth $M1 $OUT ip4 10.0.0.1 10.0.0.2 payload 80"; came "eth $OUT $M2 ip4 10.0.0.1 10.0.0.2 payload 80")" \
	"1 - local output 1 100
2 - local input 1 100"

# nacctd: nothing, for all of these.
tap_is "tagged frames are counted, without their tags" "$(left "eth $M1 $OUT vlan 5 ip4 10.0.0.1 192.0.2.1 payload 80
	eth $M1 $OUT qinq 5 vlan 6 ip4 10.0.0.1 192.0.2.1 payload 80
	eth $M1 $OUT tag 9100 5 vlan 6 vlan 7 ip4 10.0.0.1 192.0.2.1 payload 80 pad 200")" "1 - external output 3 300"
tap_is "IPv6 is counted, with its header" "$(left "eth $M1 $OUT ip6 2001:db8::1 2001:db8::2 payload 60
	eth $M1 $OUT vlan 1 ip6 2001:db8::1 2001:db8::2 payload 60 pad 500")" "1 - external output 2 200"
"$BUILD/bwframe" save raw.pcap >/dev/null <<<"ip4 10.0.0.254 192.0.2.1 payload 80" || tap_bail "no savefile"
sed "s/^0 $DOM0/4 $DOM0/" vifs >vifs.4
tap_is "links without a header are read; what they carry is dom0's" \
	"$("$BUILD/xenbw-capture" --replay -c naccttab --vifs vifs.4 --out raw.pcap 2>err | tail -n +2 | tr -s ' ')" \
	"4 - external output 1 100"

# nacctd: 65535 and 0 (no row).
tap_is "a length that is too large is cut to the frame" \
	"$(left "eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 length 65535")" "1 - external output 1 100"
tap_is "a length of 0 is that of the frame (large segments)" \
	"$(left "eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 2980 length 0")" "1 - external output 1 3000"
tap_is "a length that is too small is believed, by both" \
	"$(left "eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 length 50")" "1 - external output 1 50"
tap_is "lengths of IPv6 are treated alike" "$(left "eth $M1 $OUT ip6 ::1 ::2 payload 60 length 65535
	eth $M1 $OUT ip6 ::1 ::2 payload 60 length 0
	eth $M1 $OUT ip6 ::1 ::2 payload 60 length 10")" "1 - external output 3 250"

# nacctd: counts the first two by their length field; the others it read from behind the frame's end.
tap_is "what is no whole IP header is no IP" "$(left "eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 version 6
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 ihl 4
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 cut 33
	eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 captured 33
	eth $M1 $OUT vlan 1 ip4 10.0.0.1 192.0.2.1 payload 80 cut 37
	eth $M1 $OUT vlan 1 vlan 2 cut 16
	eth $M1 $OUT ip6 ::1 ::2 payload 60 cut 53
	eth $M1 $OUT ip6 ::1 ::2 payload 60 version 4
	eth $M1 $OUT cut 13
	eth $M1 $OUT cut 1
	eth $M1 $OUT type 0800 hex 45")" ""
tap_is "a header whose options were not captured is one" \
	"$(left "eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 options 40 payload 40 captured 34")" "1 - external output 1 100"

# nacctd: books these to the address that the frame claims, 10.0.0.2 and 10.0.0.1.
tap_is "a forged source stays with the vif that sent it, and is named" \
	"$(left "eth $M1 $OUT ip4 10.0.0.2 192.0.2.1 payload 80")" \
	"1 - external output 1 100
1 - spoofed output 1 100"
tap_is "a MAC that nobody has is a stray" "$(left "eth 00:16:3e:00:00:99 $OUT ip4 10.0.0.1 192.0.2.1 payload 80
	eth 00:16:3e:00:00:98 $OUT ip4 10.0.0.1 192.0.2.1 payload 80")" "- 00:16:3e:00:00:99 stray output 2 200"
# nacctd: input of 10.0.0.1.
tap_is "frames to a group or to another MAC are nobody's input" \
	"$(came "eth $OUT ff:ff:ff:ff:ff:ff ip4 192.0.2.1 10.0.0.1 payload 80
	eth $OUT 01:00:5e:00:00:01 vlan 4 ip4 192.0.2.1 10.0.0.1 payload 80
	eth $OUT 00:16:3e:00:00:99 ip4 192.0.2.1 10.0.0.1 payload 80")" ""

# ---- the file of vifs ----

cat >vifs <<-END
	7 - routed 10.0.0.1 10.0.0.2
	8 $M3 routed 10.9.0.3
	9 $M2 10.0.0.9 2001:db8::9
	4 $DOM0 host 10.0.0.254
END
tap_is "routed vifs are known by their addresses" "$(left "eth $DOM0 $OUT ip4 10.0.0.1 192.0.2.1 payload 80
	eth $DOM0 $OUT ip4 10.0.0.2 192.0.2.1 payload 81
	eth $DOM0 $OUT ip4 10.9.0.3 192.0.2.1 payload 82
	eth $DOM0 $OUT ip4 10.0.0.254 192.0.2.1 payload 83
	eth $DOM0 $OUT ip4 10.0.0.77 192.0.2.1 payload 84
	eth $M2 $OUT ip6 2001:db8::9 2001:db8::1 payload 60")" "4 - external output 1 103
7 10.0.0.1 external output 1 100
7 10.0.0.2 external output 1 101
8 - external output 1 102
9 2001:db8::9 external output 1 100
- $DOM0 stray output 1 104"

bad_vifs() { # bad_vifs LINES: what is said about them
	echo "$1" >vifs.bad
	"$BUILD/xenbw-capture" --replay -c naccttab --vifs vifs.bad --out out.pcap 2>err >shown && echo "taken"
	cat err
	[ ! -s shown ] || echo "shown"
}
tap_like "a bad line is named: no number" "$(bad_vifs "x $M1")" '^xenbw-capture: vifs.bad:1: .x. is no number'
tap_like "no MAC" "$(bad_vifs "# first
1 00:16")" '^xenbw-capture: vifs.bad:2: .00:16. is no MAC'
tap_like "MAC left out" "$(bad_vifs 1)" 'vifs.bad:1: .. is no MAC'
tap_like "no address" "$(bad_vifs "1 $M1 10.0.0.0/8")" 'vifs.bad:1: .10.0.0.0/8. is no IPv4 or IPv6 address'
tap_like "vif 0" "$(bad_vifs "0 $M1")" 'vifs.bad:1: 0 is no vif; only dom0'
tap_like "routed without an address" "$(bad_vifs "1 - routed")" 'vifs.bad:1: a routed vif is known by its addresses'
tap_like "nothing to know it by" "$(bad_vifs "1 - 10.0.0.1")" 'vifs.bad:1: without a MAC'
tap_is "no table is shown then" "$(bad_vifs 1 | grep -cE '^(taken|shown)')" 0

# ---- savefiles ----

cat >vifs <<<"1 $M1 10.0.0.1"
"$BUILD/bwframe" save whole.pcap >/dev/null <<<"eth $M1 $OUT ip4 10.0.0.1 192.0.2.1 payload 80 count 10"
# the same frame as pcapng: the head of a section, an interface, a packet of 114 bytes and its padding
{
	printf '\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0'
	printf '\1\0\0\0\x14\0\0\0\1\0\0\0\0\0\4\0\x14\0\0\0'
	printf '\6\0\0\0\x94\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x72\0\0\0\x72\0\0\0'
	tail -c 114 whole.pcap
	printf '\0\0\x94\0\0\0'
} >whole.pcapng
tap_is "pcapng is read too" "$(replay --out whole.pcapng)" "1 - external output 1 100"
head -c $(($(stat -c %s whole.pcap) - 1)) whole.pcap >cut.pcap
tap_is "of a truncated file the whole frames are shown" "$(replay --out cut.pcap)" "1 - external output 9 900"
tap_like "and it is named" "$(cat err)" '^xenbw-capture: the table is incomplete: cut.pcap: truncated dump file'
"$BUILD/xenbw-capture" --replay -c naccttab --vifs vifs --out whole.pcap --out cut.pcap --in in.pcap >shown 2>/dev/null
tap_is "that is an error, and nothing behind it is read" "$? $(tail -n +2 shown | tr -s ' ')" "1 1 - external output 19 1900"
tap_is "no savefile at all" "$(replay --out vifs; tail -n 1 err)" "xenbw-capture: the table is incomplete: vifs: unknown file format"
tap_like "no such file" "$(replay --out nowhere; cat err)" 'the table is incomplete: nowhere: No such file or directory'
tap_is "an empty one" "$(: >empty; replay --out empty; grep -c 'empty: ' err)" 1
printf '\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\x71\0\0\0' >sll.pcap
tap_like "a link type that is not understood is named, with the way out" "$(replay --out sll.pcap; cat err)" \
	'sll.pcap has frames of type LINUX_SLL; xenbw-capture reads Ethernet \(EN10MB\) and plain IP \(RAW\): capture on'

# ---- arguments ----

usage() { "$BUILD/xenbw-capture" "$@" >/dev/null 2>err; echo "$? $(head -c 20 err)"; }
tap_is "without a role" "$(usage)" "2 usage: xenbw-capture"
tap_is "without a file of vifs" "$(usage --replay -c naccttab --out out.pcap)" "2 usage: xenbw-capture"
tap_is "without a savefile" "$(usage --replay -c naccttab --vifs vifs)" "2 usage: xenbw-capture"
tap_is "with an operand" "$(usage --replay -c naccttab --vifs vifs --out out.pcap x)" "2 usage: xenbw-capture"
tap_is "a savefile for the worker" "$(usage --worker --out out.pcap)" "2 usage: xenbw-capture"
tap_is "help names every option" "$("$BUILD/xenbw-capture" --help | grep -oE -- '--?[a-z]+' | sort -u | tr '\n' ' ')" \
	"$(echo --debug --help --in --naccttab --out --replay --syslog --version --vifs --worker -c -capture | tr ' ' '\n' | sort -u | tr '\n' ' ')"
tap_done
