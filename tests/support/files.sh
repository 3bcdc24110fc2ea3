# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# files.sh: the files of the source tree, for the lint tests. To be sourced; goes to the tree's root.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# tree_files PATTERN…: names of files in the tree that match one of the patterns, whether git knows them already or
# not; what .gitignore names is left out. Without git (a release archive) everything that is there.
tree_files() {
	local file
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@" | while read -r file; do
			[ ! -f "$file" ] || echo "$file"
		done | sort -u
	else
		local -a names=()
		for file in "$@"; do names+=(-o -path "./$file"); done
		find . \( -path ./build -o -path ./.git \) -prune -o -type f \( "${names[@]:1}" \) -print | sed 's,^\./,,' | sort
	fi
}

# tree_scripts: every file that a shell reads.
tree_scripts() {
	tree_files '*' | while read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*) head -n 1 -- "$file" | grep -aqE '^#!.*\b(ba|da)?sh\b' && echo "$file" ;;
		esac
	done
}
