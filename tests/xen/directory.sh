#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The directory of domains and vifs against the real xenstored and the real oxenstored, and under valgrind.
# time-limit: 240
set -u
[ -n "${DIRECTORY_TEST_INSIDE-}" ] || DIRECTORY_TEST_INSIDE=1 exec unshare -m "$0" "$@"
BUILD=${1:-${BUILD:-build}}
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/xenstore.sh"

mount -t tmpfs tmpfs /run || tap_bail "no /run of its own"
dir=$(mktemp -d) || tap_bail "no directory"
driver_pid=
driver_in='' driver_out=''
clean_up() {
	[ -z "$driver_pid" ] || kill "$driver_pid" 2>/dev/null
	xenstore_end KILL
	rm -rf "$dir"
}
trap clean_up EXIT

backend=/local/domain/0/backend/vif
uuid_of() { printf '79f5d9ee-8775-45be-a6f7-%012x' "$1"; } # uuid_of DOMID
mac_of() { printf '00:16:3e:00:%02x:%02x' $(($1 % 256)) "$2"; } # mac_of DOMID DEVID

# The driver, see directory_probe.c. `ask` prints its answer to one command.
probe_begin() { # probe_begin [WRAPPER…]
	coproc PROBE { exec "$@" "$BUILD/directory_probe" 2>>"$dir/stderr"; }
	driver_pid=$PROBE_PID
	exec {driver_in}>&"${PROBE[1]}" {driver_out}<&"${PROBE[0]}" # such as subshells inherit
}
probe_end() {
	local pid=$driver_pid
	driver_pid=
	echo quit >&"$driver_in"
	exec {driver_in}>&- {driver_out}<&-
	wait "$pid"
}
ask() {
	local line
	echo "$1" >&"$driver_in"
	while IFS= read -r -t 60 line <&"$driver_out"; do
		[ "$line" = . ] && return 0
		echo "$line"
	done
	echo "no answer to $1"
}
# look: looks until nothing changes any more; what was written before is seen by the first look. Prints the complaints.
look() {
	local answer=changed
	while [[ $answer != *same* ]]; do
		answer=$(ask probe)
		grep complaint <<<"$answer"
	done
}
vif() { ask vifs | sed -n "s/^$1 $2 //p"; } # vif DOMID DEVID
answer() { ask "$1" | paste -sd ' '; }

guest() { # guest DOMID NAME [DEVID…]: a domain with connected vifs
	local domid=$1 devid
	xen_domain_create "$1" "$2" "$(uuid_of "$1")" || tap_bail "no domain $1"
	shift 2
	for devid; do
		xen_vif_attach "$domid" "$devid" "$(mac_of "$domid" "$devid")" "10.0.$domid.$devid" xenbr0 &&
			xen_vif_state "$domid" "$devid" 4 || tap_bail "no vif $domid.$devid"
	done
}
shown() { # shown DOMID DEVID STATE LEFT NAME: the line of a vif of guest()
	echo "$3 $4 [$5] [$(uuid_of "$1")] [$(mac_of "$1" "$2")] [10.0.$1.$2] [xenbr0] [-]"
}

what_is_there_at_the_start() {
	xen_domain_create 1 web "$(uuid_of 1)"
	xen_vif_attach 1 0 00:16:3E:AA:BB:CC "10.0.0.1/24 2001:DB8::0:1 10.0.0.1" xenbr0
	guest 2 db 0 10 9
	xenstore_do <<-END
		write $backend/2/10/vifname db-ten
		write /local/domain/web0/device/vif/web0/mtu 1500
		write /local/domain/40000/name too-high
		write $backend/stray/0/state 4
		write $backend/02/0/state 4
		write $backend/1/x/state 4
		write $backend/40000/0/state 4
		write $backend/77/3/state 4
	END
	tap_is "it connects" "$(answer open)" "connected changed"
	tap_is "vifs are sorted and complete, stray nodes are none, a vif without a domain is one" "$(ask vifs)" \
		"1 0 1 0 [web] [$(uuid_of 1)] [00:16:3e:aa:bb:cc] [10.0.0.1 2001:db8::1] [xenbr0] [-]
2 0 $(shown 2 0 4 0 db)
2 9 $(shown 2 9 4 0 db)
2 10 $(shown 2 10 4 0 db | sed 's/\[-\]$/[db-ten]/')
77 3 4 0 [-] [-] [-] [-] [-] [-]"
	tap_is "domains are there, Domain-0 too" "$(ask domains)" \
		"0 [Domain-0] [-]
1 [web] [$(uuid_of 1)]
2 [db] [$(uuid_of 2)]"
	look
	ask requests >/dev/null
	tap_is "nothing happens: nothing changed" "$(answer probe)" "connected same"
	tap_is "and that cost one round trip" "$(ask requests)" 1
	echo "rm $backend/77" | xenstore_do
	look
	tap_is "a folder that vanishes takes its vifs along" "$(vif 77 3)" ""
}

vifs_come_and_go() {
	xen_vif_attach 1 1 "$(mac_of 1 1)" 10.0.1.1 xenbr0
	look
	tap_is "a vif that is attached is listed" "$(vif 1 1)" "$(shown 1 1 1 0 web)"
	xenstore_do <<-END
		write $backend/1/1/vifname late0
	END
	look
	tap_is "a vifname that comes later is seen" "$(vif 1 1)" "$(shown 1 1 1 0 web | sed 's/\[-\]$/[late0]/')"
	ask requests >/dev/null
	xenstore_do <<-END
		write $backend/1/1/hotplug-status connected
		commit
		write $backend/1/1/feature-sg 1
	END
	tap_is "nodes that are none of ours change nothing" "$(answer wait)" "readable connected same"
	tap_is "and are not read" "$(ask requests)" 1
	xen_vif_detach 1 1
	look
	tap_is "a vif that is detached is gone" "$(vif 1 1)" ""
	tap_is "its neighbour is not" "$(vif 1 0 | cut -d' ' -f1-3)" "1 0 [web]"
	xen_vif_attach 1 1 "$(mac_of 1 1)" "" ""
	look
	tap_is "a vif without address and bridge has none" "$(vif 1 1)" \
		"1 0 [web] [$(uuid_of 1)] [$(mac_of 1 1)] [-] [-] [-]"
	xen_vif_detach 1 1
}

domains_change() {
	xen_domain_rename 1 'new name'
	look
	tap_is "a rename is seen" "$(vif 1 0 | cut -d' ' -f3-4)" "[new name]"
	guest 3 hv1 0
	guest 4 hv1--incoming
	look
	tap_is "a domain that arrives keeps its mark" "$(ask domains | grep hv1)" "3 [hv1] [$(uuid_of 3)]
4 [hv1--incoming] [$(uuid_of 4)]"
	xen_vif_attach 4 0 "$(mac_of 3 0)" 10.0.3.0 xenbr0
	xen_domain_shutdown 3
	xenstore_do <<-END
		write /local/domain/3/name hv1--migratedaway
		commit
		write /local/domain/4/name hv1
	END
	look
	tap_is "two vifs of one MAC live side by side, under their names" "$(ask vifs | grep -F "$(mac_of 3 0)" | cut -d' ' -f1-5)" \
		"3 0 4 0 [hv1--migratedaway]
4 0 1 0 [hv1]"
	xen_domain_destroy 3
	look
	tap_is "a destroyed domain is gone" "$(ask domains | grep '^3 ')$(vif 3 0)" ""
	guest 5 hv1 0
	xen_domain_destroy 4
	look
	tap_is "a new domid under the old name is another domain" "$(ask domains | grep hv1)" "5 [hv1] [$(uuid_of 5)]"
	xen_domain_forget 5
	look
	tap_is "a vif whose domain is gone stays listed, with what was known" "$(vif 5 0)" "$(shown 5 0 4 0 hv1)"
	tap_is "the domain is not" "$(ask domains | grep '^5 ')" ""
	echo "rm $backend/5" | xenstore_do
	guest 6 six 0
	look
	xenstore_do <<-END
		rm /local/domain/6
		write /local/domain/6/vm /vm/$(uuid_of 66)
		write /local/domain/6/name again
	END
	look
	tap_is "a domid that is used again between two looks is the new domain" "$(ask domains | grep '^6 ')" \
		"6 [again] [$(uuid_of 66)]"
	xen_domain_destroy 6
	look
}

state_leaves_connected() {
	xen_vif_state 2 0 5
	look
	tap_is "leaving Connected is counted" "$(vif 2 0)" "$(shown 2 0 5 1 db)"
	for state in 6 2 4; do xen_vif_state 2 0 $state; look; done
	tap_is "once" "$(vif 2 0)" "$(shown 2 0 4 1 db)"
	xen_vif_state 2 0 5
	xen_vif_state 2 0 4
	tap_is "leaving and coming back between two looks is a change, of states alone" "$(answer wait)" "readable connected states"
	tap_is "and is counted" "$(vif 2 0)" "$(shown 2 0 4 2 db)"
	look
	printf '%s\n' "write $backend/2/0/state 5" "write $backend/2/0/ip 10.0.2.9" | xenstore_do
	tap_is "with anything else it is a change of more" "$(answer wait)" "readable connected changed"
	printf '%s\n' "write $backend/2/0/state 4" "write $backend/2/0/ip 10.0.2.0" | xenstore_do
	look
	for ((i = 0; i < 3; i++)); do xenstore_do <<<"write $backend/2/0/ip 10.0.2.0"; ask probe >/dev/null; done
	look
	tap_is "other nodes of the vif count for nothing" "$(vif 2 0)" "$(shown 2 0 4 3 db)"
	xenstore_do <<-END
		rm $backend/2/9
		commit
		write $backend/2/9/state 4
	END
	look
	tap_is "a vif that went and came back connected has left" "$(vif 2 9 | cut -d' ' -f1-2)" "4 1"
	xen_vif_detach 2 9
	look
}

# The state is written while the directory reads: an event that comes after the reading of what it tells of is no
# sign of anything.
state_races() { # state_races VIFS
	local writer
	guest 8 racer
	look
	for ((i = 0; i < $1; i++)); do
		printf 'write %s/8/%d/state %d\ncommit\n' $backend $i 1 $backend $i 2 $backend $i 4
	done | xenstore_do &
	writer=$!
	while kill -0 "$writer" 2>/dev/null; do ask probe >/dev/null; done
	look
	tap_is "vifs that connect while they are read have never left" \
		"$(ask vifs | grep -c '^8 [0-9]* 4 0 ')" "$1"
	for ((i = 0; i < $1; i++)); do
		printf 'write %s/8/%d/state %d\ncommit\n' $backend $i 5 $backend $i 6 $backend $i 2 $backend $i 4
	done | xenstore_do &
	writer=$!
	while kill -0 "$writer" 2>/dev/null; do ask probe >/dev/null; done
	look
	tap_is "vifs that reconnect while they are read have all left" \
		"$(ask vifs | grep -c '^8 [0-9]* 4 [12] ')" "$1"
	xen_domain_destroy 8
	look
}

values_of_any_bytes() {
	local long complaints
	long=$(printf 'n%.0s' {1..3900})
	[ "$XENSTORE_KIND" = c ] || long=${long:0:2000} # oxenstored takes no longer ones
	xen_domain_create 9 "$long" "$(uuid_of 9)"
	xen_vif_attach 9 0 'zz:16:3e:00:00:05' '10.0.0.9 10.0.0.999 nonsense' 'br/0' 'a\x00b'
	xenstore_do <<<"write $backend/9/0/state 4\x00"
	complaints=$(look)
	tap_is "values that are not sane are left out" "$(vif 9 0)" \
		"0 0 [$long] [$(uuid_of 9)] [-] [10.0.0.9] [-] [-]"
	tap_is "and told of with path, value and reason" "$(sort <<<"$complaints")" \
		"complaint: xenstore $backend/9/0/bridge: left out: \"br/0\": is not a name for a network device
complaint: xenstore $backend/9/0/ip: left out: \"10.0.0.9 10.0.0.999 nonsense\": 10.0.0.999 and 1 more are not addresses of a host
complaint: xenstore $backend/9/0/mac: left out: \"zz:16:3e:00:00:05\": is not the MAC address of a host
complaint: xenstore $backend/9/0/state: left out: \"4\\x00\": is not a xenbus state
complaint: xenstore $backend/9/0/vifname: left out: \"a\\x00b\": is not a name for a network device"
	xenstore_do <<<"write $backend/9/0/mac zz:16:3e:00:00:05"
	tap_is "each once" "$(look)" ""
	xenstore_do <<-END
		write $backend/9/0/mac $long
		write $backend/9/0/state 4
		write $backend/9/0/vifname
	END
	complaints=$(look)
	tap_is "a long value is cut" "$(grep mac <<<"$complaints")" \
		"complaint: xenstore $backend/9/0/mac: left out: \"$(printf 'n%.0s' {1..64})…\": is not the MAC address of a host"
	tap_is "a good value is taken again" "$(vif 9 0 | cut -d' ' -f1)" 4
	xenstore_do <<-'END'
		write /local/domain/9/name a/b:c\x0ad\x00e\xff\xc3\xbc\x1b[0m
		write /local/domain/9/vm /vm/79f5d9ee-8775-45be-a6f7-b19947a56d8
	END
	complaints=$(look)
	tap_is "a name of any bytes is printable" "$(ask domains | grep '^9 ')" \
		'9 [a/b:c\x0ad\x00e\xffü\x1b[0m] [-]'
	tap_is "a bad uuid is none" "$complaints" \
		'complaint: xenstore /local/domain/9/vm: left out: "/vm/79f5d9ee-8775-45be-a6f7-b19947a56d8": is not /vm/ and a uuid'
	xenstore_do <<-END
		write /local/domain/9/name
		write /local/domain/9/vm /vm/$(uuid_of 9)
	END
	look
	tap_is "an empty name is none" "$(ask domains | grep '^9 ')" "9 [-] [$(uuid_of 9)]"
	for ((i = 0; i < 100; i++)); do echo "write $backend/9/$i/mac bad$i"; done | xenstore_do
	complaints=$(look)
	tap_is "many complaints at once are cut to a number" "$(grep -c bad <<<"$complaints") $(tail -n 1 <<<"$complaints")" \
		"64 complaint: xenstore: 36 more values were left out that had no place in this list"
	xen_domain_destroy 9
	look
}

xenstored_dies() {
	local before
	before=$(ask vifs)
	xenstore_kill
	tap_is "a dead daemon is noticed" "$(answer probe)" \
		"not connected error: lost the connection to xenstored; going on with what is known same"
	tap_is "what was known is kept" "$(ask vifs)" "$before"
	tap_like "why there is no connection is told" "$(answer probe)" \
		"^not connected error: cannot connect to xenstored at $XENSTORED_RUNDIR/socket: .* same$"
	tap_is "once" "$(answer probe)" "not connected same"
	xenstore_launch
	tap_is "a new daemon is found" "$(answer probe)" "connected changed"
	tap_is "its store is empty" "$(ask vifs)" ""
	tap_is "but for Domain-0" "$(ask domains)" "0 [Domain-0] [-]"
	guest 2 db 0
	look
	tap_is "it is watched" "$(vif 2 0)" "$(shown 2 0 4 0 db)"
	xen_domain_rename 2 renamed
	look
	tap_is "names too" "$(vif 2 0 | cut -d' ' -f3)" "[renamed]"
	xenstore_restart
	guest 2 db 0
	tap_like "a daemon that was replaced between two looks is a lost connection" "$(answer probe)" "^not connected error: lost"
	answer probe >/dev/null
	look
	tap_is "what is there again has not left" "$(vif 2 0)" "$(shown 2 0 4 0 db)"
	xen_vif_state 2 0 5
	look
	tap_is "and is watched again" "$(vif 2 0)" "$(shown 2 0 5 1 db)"
	xenstore_do <<<'rm /local'
	look
	tap_is "a store that loses everything has nothing" "$(ask vifs)$(ask domains)" ""
	guest 2 db 0
	look
	tap_is "and may come back" "$(vif 2 0)" "$(shown 2 0 4 0 db)"
}

# The connection breaks in the middle of a reading; libxenstore's thread must not keep anybody from going on.
xenstored_dies_while_it_is_read() {
	local round i writer count=0 answer=connected noticed=0 found=0 lost=0
	for ((round = 0; round < 8; round++)); do
		for ((i = 0; i < 3000; i++)); do printf 'write %s/2/%d/ip 10.0.0.%d\ncommit\n' $backend $((i % 50)) $((i % 200)); done |
			xenstore_do 2>/dev/null &
		writer=$!
		ask probe >/dev/null
		(sleep "0.0$round"; kill -KILL "$XENSTORE_PID") &
		for ((i = 0, count = 0; i < 200; i++)); do
			answer=$(answer probe)
			[ "$(ask vifs | wc -l)" -ge "$count" ] || lost=$((lost + 1))
			count=$(ask vifs | wc -l)
			[[ $answer == connected* ]] || break
		done
		[ $i = 200 ] || noticed=$((noticed + 1))
		wait $writer
		xenstore_restart || tap_bail "no daemon"
		for ((i = 0; i < 5; i++)); do [[ $(answer probe) != connected* ]] || break; done
		[ $i = 5 ] || found=$((found + 1))
	done
	tap_is "a daemon that dies while it is read is noticed each time, and the next one found" "$noticed $found" "8 8"
	tap_is "no vif is lost with the connection" $lost 0
	tap_is "and all is read" "$(look; ask vifs | wc -l) $(ask domains)" "0 0 [Domain-0] [-]"
}

many_vifs() { # many_vifs VIFS
	local i requests
	xenstore_restart
	for ((i = 1; i <= $1; i++)); do
		printf 'write /local/domain/%d/vm /vm/%s\n' $((1000 + i)) "$(uuid_of $((1000 + i)))"
		printf 'write /local/domain/%d/name guest%d\n' $((1000 + i)) "$i"
		printf "write $backend/%d/0/%s\n" $((1000 + i)) "mac $(mac_of $((i % 256)) $((i / 256)))" \
			$((1000 + i)) 'ip 10.1.2.3' $((1000 + i)) 'bridge xenbr0' $((1000 + i)) 'state 4'
		echo commit
	done | xenstore_do
	answer probe >/dev/null
	ask requests >/dev/null
	tap_is "many domains: connected" "$(answer probe)" "connected changed"
	tap_is "all are there" "$(ask vifs | grep -c ' 4 0 \[guest')" "$1"
	requests=$(ask requests)
	if [ "$XENSTORE_KIND" = c ]; then
		tap_ok "reading them took no more than ten requests each" test "$requests" -le $(($1 * 10))
	else
		tap_ok "domains that cannot be listed are searched for" test "$requests" -gt 32000
	fi
	tap_note "$1 domains with a vif each: read in $(($(ask time) / 1000)) ms, $requests requests"
	look
	ask requests >/dev/null
	xen_vif_state 1500 0 5
	tap_is "the state of one of them changes" "$(answer wait)" "readable connected states"
	requests=$(ask requests)
	tap_ok "that is one vif to read again" test "$requests" -le 7
	tap_note "one changed vif: $requests requests, $(ask time) microseconds"
	for ((i = 0; i < 500; i++)); do printf "write $backend/%d/0/ip 10.1.2.%d\ncommit\n" 1500 $((i % 200)); done | xenstore_do
	tap_is "a storm of events for one vif" "$(answer wait)" "readable connected changed"
	requests=$(ask requests)
	tap_ok "is one vif to read again too" test "$requests" -le 13
	xen_domain_create 999 late "$(uuid_of 999)"
	look
	ask requests >/dev/null
	xen_domain_shutdown 999
	ask wait >/dev/null
	requests=$(ask requests)
	tap_ok "a release of one domain among many does not read the others" test "$requests" -le 5
	tap_like "a vif is listed soon after it was written" "$(ask 'latency 200' | tee "$dir/latency")" '^[0-9]+ [0-9]+$'
	tap_note "from the commit to its place in the list, median and longest of 200: $(cat "$dir/latency") microseconds"
}

story() { # story TITLE STARTER VIFS [WRAPPER…]
	local starter=$2 vifs=$3
	tap_note "$1"
	shift 3
	"$starter" "$dir/store" || tap_bail "no $starter"
	probe_begin "$@"
	what_is_there_at_the_start
	vifs_come_and_go
	domains_change
	state_leaves_connected
	state_races "$vifs"
	values_of_any_bytes
	xenstored_dies
	xenstored_dies_while_it_is_read 2>/dev/null # bash tells of each job that was killed
	[ "$vifs" -lt 200 ] || many_vifs 1000
	probe_end
	tap_is "the driver ends well" $? 0
	tap_is "and had nothing to say on standard error" "$(cat "$dir/stderr")" ""
	xenstore_stop
	rm -rf "$dir/store"
}

story "xenstored" xenstore_start 200
story "oxenstored" oxenstore_start 200
if grep -q __asan_init "$BUILD/directory_probe"; then
	tap_skip "the reader under valgrind" "it was built with a sanitizer"
elif command -v valgrind >/dev/null; then
	story "xenstored, the reader under valgrind" xenstore_start 50 \
		valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible
else
	tap_skip "the reader under valgrind" "no valgrind"
fi
tap_done
