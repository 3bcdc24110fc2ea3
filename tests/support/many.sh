# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# many.sh: guests by the hundred, which never send. To be sourced after bed.sh.
#
#   many_namespace                       where all their ends are
#   many_nodes 1 1000; many_vifs 1 1000  domains 1 to 1000 in xenstore, each with one vif; their devices

many_namespace() { ip netns add guests && bed_quiet guests; }

# many_vifs FIRST COUNT: domains with one vif each, all connected, in the bridge.
many_vifs() {
	local i
	for ((i = $1; i < $1 + $2; i++)); do
		echo "link add vif$i.0 type veth peer name g$i netns guests"
		echo "link set dev vif$i.0 up"
		echo "link set dev vif$i.0 master $BED_BRIDGE"
	done | ip -batch - || return 1
	for ((i = $1; i < $1 + $2; i++)); do echo "link set dev g$i up"; done | ip -n guests -batch -
}
many_nodes() { # many_nodes FIRST COUNT
	local i b
	for ((i = $1; i < $1 + $2; i++)); do
		b=/local/domain/0/backend/vif/$i/0
		cat <<-END
			write /local/domain/$i/name guest$i
			write /local/domain/$i/vm /vm/00000000-0000-4000-8000-$(printf '%012d' "$i")
			write $b/mac 00:16:3e:$(printf '%02x:%02x:00' $((i / 256)) $((i % 256)))
			write $b/ip 10.$((i / 250)).$((i % 250)).2
			write $b/bridge $BED_BRIDGE
			write $b/online 1
			write $b/state 4
			commit
		END
	done | xenstore_do
}
