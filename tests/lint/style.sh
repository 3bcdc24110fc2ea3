#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How the C files look: format, head, forbidden functions, and which room may include which.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/files.sh"

# From which rooms a room may include headers, besides its own. Arrows point one way.
declare -A MAY_INCLUDE=(
	[main]='cli web graph daemon guard hook writer capture kernel account net xen db config ipc base'
	[web]='cli account net xen db config ipc base'
	[cli]='account net xen db config ipc base'
	[graph]='cli base' # of cli what is pure: units
	[daemon]='account net xen db config ipc base'
	[guard]='ipc base'
	[hook]='config ipc base'
	[writer]='account db config ipc base'
	[capture]='net config ipc base'
	[kernel]='net config ipc base'
	[account]='net xen db config base'
	[net]='xen config ipc base'
	[xen]='config ipc base'
	[db]='net xen config ipc base'
	[config]='ipc base'
	[ipc]='base'
	[base]=''
)

mapfile -t sources < <(tree_files '*.c' '*.h')

room_of() { # room_of FILE
	case $1 in
	src/*/*) local rest=${1#src/} && echo "${rest%%/*}" ;;
	src/*.c | xen/xenbw-*.c) echo main ;;
	*) echo "${1%%/*}" ;;
	esac
}

wrong_arrows() {
	local file room header target
	for file in "${sources[@]}"; do
		[[ $file == tests/* ]] && continue
		room=$(room_of "$file")
		[ -n "${MAY_INCLUDE[$room]+known}" ] || { echo "$file: no such room: $room"; continue; }
		while read -r header; do
			target=${header%%/*}
			[ "$target" != "$header" ] || target=$([ -e "$(dirname "$file")/$header" ] && echo "$room" || echo generated)
			case " $room generated ${MAY_INCLUDE[$room]} " in
			*" $target "*) ;;
			*) echo "$file: $room must not include $header" ;;
			esac
		done < <(sed -n 's/^#include "\(.*\)"$/\1/p' "$file")
	done
}

# A header says in its head what it is; so does a .c that has none and that no header of its folder names. Every
# file names its licence first.
bad_heads() {
	local file
	for file in "${sources[@]}"; do
		head -n 1 "$file" | grep -q '^/\* SPDX-License-Identifier: GPL-2.0-or-later' ||
			{ echo "$file: the first line is not the licence"; continue; }
		[ "${file%.c}" != "$file" ] && [ -e "${file%.c}.h" ] && continue
		cat "$(dirname "$file")"/*.h 2>/dev/null | grep -qE "\b$(basename "$file")" && continue
		sed -n 3p "$file" | grep -qE '^ \* [^ ].{20,}' || echo "$file: no head comment after the licence"
	done
	for file in $(tree_scripts); do
		head -n 4 "$file" | grep -q '^# SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file: no licence line"
	done
}

unbounded_calls() {
	grep -nE '\b(sprintf|vsprintf|strcpy|strcat|gets|atoi|atol|atoll|atof|alloca|system|popen)[[:space:]]*\(' "${sources[@]}"
}

# A fork without an exec copies secrets and locks to where they do not belong: programs are started by
# base/child or cli/spawn.
forks() {
	local file
	for file in "${sources[@]}"; do
		[[ $file == tests/* ]] && continue
		grep -HnE '\bv?fork[[:space:]]*\(' "$file"
	done
}

unfinished() {
	grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "${sources[@]}"
}

long_files() {
	local file lines
	for file in "${sources[@]}"; do
		[[ $file == tests/* ]] && continue
		lines=$(wc -l <"$file")
		[ "$lines" -le 700 ] || echo "$file: $lines lines"
	done
}

tap_ok "there are C files to look at" test ${#sources[@]} -gt 20
tap_ok "every C file is as clang-format would write it" clang-format --dry-run -Werror "${sources[@]}"
tap_is "every file begins with its licence, and says what it is" "$(bad_heads)" ""
tap_is "includes follow the arrows between the rooms" "$(wrong_arrows)" ""
tap_is "no call without bounds and no shell" "$(unbounded_calls)" ""
tap_is "no process is forked without another program" "$(forks)" ""
tap_is "nothing is marked as unfinished" "$(unfinished)" ""
tap_is "no file is longer than 700 lines (tests aside)" "$(long_files)" ""
tap_done
