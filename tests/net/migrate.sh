#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `xenbw migrate` on a dom0: whose an address is by the toolstack, by the MAC that was heard, by the guest's own word,
# and dom0's own.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"

bed_up || tap_bail "no bed"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && bed_guest 3 0 mail 10.77.0.13 && bed_guest 4 0 "big one" 10.77.0.14 ||
	tap_bail "no guests"
backend() { echo "/local/domain/0/backend/vif/$1/0/ip"; }
# db: only its MAC tells; mail: only its own word; big one: the toolstack, and web claims the address
xenstore-rm "$(backend 2)" && xenstore-rm "$(backend 3)" && ip neigh del 10.77.0.13 dev xenbr0 || tap_bail "no xenstore"
xenstore-write /local/domain/3/attr/vif/0/ipv4/0 10.77.0.13 /local/domain/1/attr/eth0/ip 10.77.0.14 || tap_bail "no xenstore"
ip neigh replace 10.77.0.99 lladdr 00:16:3e:99:99:99 nud permanent dev xenbr0
dom0=${BED_IP[dom0]}
{
	for last in 11 12 13 14 15 99; do echo "compactnet 10.77.0.$last 255.255.255.255"; done
	echo "compactnet $dom0 255.255.255.255"
	echo "mysql_host 10.77.0.15"
} >"$BED/naccttab"
owners() { "$BUILD/xenbw" migrate "$BED/naccttab" --json 2>"$BED/err" | jq -r '.addresses[] | [.address, .domain, .netdev, .mac, .evidence, .remark] | map(. // "-") | join("|")'; }

tap_is "each address, its owner, and how that is known" "$(owners)" "$(sort -t. -k4n <<-END
	10.77.0.11|web|vif1.0|${BED_MAC[1.0]}|toolstack|-
	10.77.0.12|db|vif2.0|${BED_MAC[2.0]}|mac|-
	10.77.0.13|mail|vif3.0|${BED_MAC[3.0]}|guest|-
	10.77.0.14|big one|vif4.0|${BED_MAC[4.0]}|toolstack|claimed by web (vif1.0)
	10.77.0.15|Domain-0|-|-|server|-
	10.77.0.99|-|-|-|none|last heard from 00:16:3e:99:99:99, which is no vif's
	$dom0|Domain-0|xenbr0|-|own|-
END
)"
tap_is "nothing is missing, nothing is said" "$(cat "$BED/err")" ""
"$BUILD/xenbw" migrate "$BED/naccttab" --write "$BED/new.conf" >/dev/null
tap_is "the lines that are proposed" "$(grep 10.77 "$BED/new.conf" | tr -s ' ' | sort -t. -k4n)" "$(sort -t. -k4n <<-END
	# 10.77.0.11 is known to be that of web: toolstack
	address 10.77.0.12 db # its MAC was heard
	#address 10.77.0.13 mail # the guest's word
	# 10.77.0.14 is known to be that of ${BED_MAC[4.0]}: toolstack; but claimed by web (vif1.0)
	mysql_host 10.77.0.15
	#address 10.77.0.15 Domain-0 # probably: mysql_host
	#address 10.77.0.99 OWNER # nobody has it; but last heard from 00:16:3e:99:99:99, which is no vif's
	address $dom0 xenbr0 # this host has it
END
)"
tap_ok "and taken by xenbwd" "$BUILD/xenbwd" -n -c "$BED/new.conf"

# A whole network: those of its addresses that anything is known of; and who has none of them.
{ echo "compactnet 10.77.0.12 255.255.255.254"; } >"$BED/naccttab"
tap_is "of a network what is known" "$(owners | cut -d '|' -f 1,2,5)" "10.77.0.12|db|mac
10.77.0.13|mail|guest"
tap_is "who was never counted" "$("$BUILD/xenbw" migrate "$BED/naccttab" --json | jq -c .not_counted)" '["web (vif1.0)","big one (vif4.0)"]'

# A guest writes what it likes.
for i in {1..40}; do xenstore-write "/local/domain/3/attr/vif/0/ipv4/x$i" "10.77.0.$((100 + i))"; done
xenstore-write /local/domain/3/attr/vif/0/ipv4/0 "$(head -c 3000 /dev/zero | tr '\0' '9')"
tap_ok "a guest's nonsense is borne" timeout 20 "$BUILD/xenbw" migrate "$BED/naccttab"
xenstore-rm /local/domain/3/attr

# The same with two vifs: the domain's name says not which.
bed_also 1.0 10.77.0.21
echo "compactnet 10.77.0.21 255.255.255.255" >"$BED/naccttab"
ip neigh replace 10.77.0.21 lladdr "${BED_MAC[1.0]}" nud permanent dev xenbr0
tap_is "a second address of a vif" "$(owners | cut -d '|' -f 1,2,5)" "10.77.0.21|web|mac"
tap_done
