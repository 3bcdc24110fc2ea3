#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `xenbw completion zsh` offers in a real zsh: what help lists, and the names of buckets.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

help_options() { # help_options TITLE WORD…: options under a title of the help
	xenbw help "${@:2}" | awk -v title="$1" '$0 == title { inside = 1; next } !NF { inside = 0 } inside' |
		grep -oE '^ {2,}(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}
mkdir "$CLI/zsh"
xenbw completion zsh >"$CLI/zsh/_xenbw"
tap_ok "zsh takes the completion" zsh -n "$CLI/zsh/_xenbw"
tap_is "its first line says what it is for" "$(head -n 1 "$CLI/zsh/_xenbw")" "#compdef xenbw"
sqlite3 "$CLI/ledger.db" "INSERT INTO bucket VALUES (9, 'ip'), (11, 'ip'); INSERT INTO bucket_label VALUES (9, '2001:db8::1', 0, NULL), (11, '-1', 0, NULL)"
touch "$CLI/some file"

commands=$(xenbw --help | sed -n '/^Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p')
globals=$(help_options "Options of every command")
own=$(printf '%q' "$BUILD/xenbw")
lines=('xenbw ' 'xenbw rep' 'xenbw help g' 'xenbw gr --span ' 'xenbw report --by=a' 'xenbw report --to ' 'xenbw db ' 'xenbw list-domains '
	"$own --ledger $CLI/ledger.db report " "$own report --ledger=$CLI/ledger.db web1" "$own --ledger $CLI/ledger.db report -- -"
	"$own --ledger $CLI/ledger.db graph web " "$own --ledger $CLI/none.db report " "$own migrate $CLI/so")
what=("commands" "beginnings of commands" "commands for help" "values of options, of a shortened command" "behind an equals sign, too"
	"nothing where nobody can know" "words of db" "list-domains takes nothing"
	"names of buckets, present ones" "with a ledger that is named later" "those that begin with -, behind --"
	"a graph has one at most" "no ledger offers no name" "files")
expected=("$(sort <<<"$commands")" report graph $'day\nmonth\nweek\nyear' address "" $'init\nstatus\nupgrade' ""
	"$(printf '%s\n' -1 2001:db8::1 '=SUM(A1)' 'Grüße, "Welt"' web web10 | LC_ALL=C sort)" web10 -1 "" "" "some file")
for command in $commands; do
	lines+=("xenbw $command --") what+=("$command: its options, and those of every command")
	expected+=("$({ help_options Options "$command"; echo "$globals"; } | sort)")
done
lines+=("$own --interval 5 list") what+=("a command behind an option of list-domains") expected+=(list-domains)
offers() { printf '%s\n' "${lines[@]}" | LC_ALL=C.UTF-8 PATH=$BUILD:$PATH timeout 100 zsh -f "$CLI_TREE/tests/support/zsh_offers.zsh" "$CLI/zsh" 2>"$CLI/err"; }
offers >"$CLI/offered"
for i in "${!lines[@]}"; do
	seen=$(awk -v at="$i" '$0 == "--" { n++; next } n == at' "$CLI/offered" | LC_ALL=C sort)
	# where no word fits zsh offers options; what the command line is completed with is quoted for it
	case ${what[i]} in *": its options"*) ;; *) seen=$(sed '/^-./{/^-1$/!d}; s/\\ / /g' <<<"$seen") ;; esac
	tap_is "${what[i]}" "$seen" "$(LC_ALL=C sort <<<"${expected[i]}" | sed '/^$/d')"
done
tap_is "every line was answered" "$(grep -c '^--$' "$CLI/offered")" ${#lines[@]}
tap_done
