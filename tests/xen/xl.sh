#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xenbw-xl: the real libxenlight on a list of domains that the shim gives, and where there is no hypervisor.
set -u
BUILD=${1:-${BUILD:-build}}
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/xenstore.sh"

dir=$(mktemp -d) || tap_bail "no directory"
trap 'xenstore_stop; rm -rf "$dir"' EXIT
xl=$BUILD/xenbw-xl
uuid=79f5d9ee-8775-45be-a6f7-b19947a56d8

xenstore_start "$dir" || tap_bail "no xenstored"
for domid in 1 2 3 4 5 300; do
	xen_domain_create $domid "guest$domid" "$uuid${domid:0:1}" || tap_bail "no domain"
done
xen_domain_rename 2 'a b\x09c\xff'
xen_domain_life 2 b
xen_domain_life 3 p
xen_domain_life 4 s
xen_domain_life 5 c
xen_domain_life 300 d
echo "rm /local/domain/300/name" | xenstore_do
tap_is "one line for each domain: domid, uuid, state, name" "$(xenstore_preload "$xl"; echo $?)" \
	"0	00000000-0000-0000-0000-000000000000	running	Domain-0
1	${uuid}1	running	guest1
2	${uuid}2	blocked	a b\\x09c\\xff
3	${uuid}3	paused	guest3
4	${uuid}4	poweroff	guest4
5	${uuid}5	crashed	guest5
300	${uuid}3	dying	
0"
for ((domid = 10; domid < 2010; domid++)); do echo r >"$dir/domains/$domid"; done
tap_is "two thousand domains are two thousand lines" "$(xenstore_preload "$xl" | wc -l)" 2006
xenstore_stop

if [ -e /dev/xen/privcmd ] || [ -e /proc/xen/privcmd ]; then
	tap_skip "no hypervisor" "there is one"
else
	tap_is "without a hypervisor: one line, nothing on standard output" "$("$xl" 2>"$dir/err" | wc -c) $(wc -l <"$dir/err")" "0 1"
	tap_like "that says so" "$(cat "$dir/err")" '^xenbw-xl: cannot reach the hypervisor: .+; is this a Xen dom0'
	"$xl" 2>/dev/null
	tap_is "and exit status 69" $? 69
fi
tap_like "--help" "$("$xl" --help)" '^usage: xenbw-xl'
tap_like "--version" "$("$xl" --version)" '^xenbw-xl [0-9]'
"$xl" --nonsense 2>"$dir/err"
tap_is "an unknown argument is a usage error" "$? $(wc -l <"$dir/err")" "64 1"
tap_done
