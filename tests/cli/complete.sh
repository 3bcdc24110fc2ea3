#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Help, manual page and shell completion are the same story: each command and each option is in all of them, and
# nothing else is. Then what the completion offers.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

man=$CLI_TREE/man/xenbw.8
man_section() { # man_section SH|Ss NAME: the source of a section
	awk -v head=".$1 $2" '$0 == head { inside = 1; next } /^\.S[hs] / { inside = 0 } inside' "$man"
}
man_options() { grep -oE 'Fl -[a-z-]+' | sed 's/Fl -/--/' | sort -u | tr '\n' ' '; }
help_options() { # help_options TITLE WORD…: options under a title of the help
	xenbw help "${@:2}" | awk -v title="$1" '$0 == title { inside = 1; next } !NF { inside = 0 } inside' |
		grep -oE '^ {2,}(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u | tr '\n' ' '
}

# offers TEXT: what is offered behind these words, one per line and sorted; as a shell that completes at the end of it.
offers() {
	COMP_LINE=$1 COMP_POINT=${#1}
	COMPREPLY=()
	_xenbw 2>"$CLI/err"
	[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}" | sort
}
xenbw completion bash >"$CLI/completion"
tap_ok "shellcheck finds nothing in the completion" shellcheck -s bash "$CLI/completion"
# shellcheck disable=SC1091 # it was made just now
. "$CLI/completion"
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'

commands=$(xenbw --help | sed -n '/^Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p')
globals=$(help_options "Options of every command")
tap_is "there are these commands" "$(echo "$commands" | tr '\n' ' ')" "list-domains top report explain close bill quota graph db doctor metrics migrate rebucket web passwd completion help "
tap_is "the manual page has a section for each command, and no other" "$(sed -n 's/^\.Ss //p' "$man")" "$commands"
tap_is "the manual page describes the options of every command" \
	"$(man_section Sh DESCRIPTION | grep '^\.It' | man_options)" "$globals"
tap_is "the completion offers each command" "$(offers "xenbw ")" "$(sort <<<"$commands")"
for command in $commands; do
	own=$(help_options Options "$command")
	tap_is "$command: its help repeats the options of every command" "$(help_options "Options of every command" "$command")" "$globals"
	tap_is "$command: the manual page describes each of its options" "$(man_section Ss "$command" | grep '^\.It' | man_options)" "$own"
	tap_is "$command: and has them in its synopsis" "$(man_section Ss "$command" | grep '^\.D1' | man_options)" "$own"
	tap_is "$command: the completion offers them, and those of every command" "$(offers "xenbw $command --")" \
		"$(tr ' ' '\n' <<<"$own$globals" | sed '/^$/d' | sort)"
	tap_like "$command: its help has an example" "$(xenbw help "$command" | sed -n '/^Examples$/,$p')" $'^Examples\n  xenbw'
	tap_is "$command: --help is help" "$(xenbw "$command" --help)" "$(xenbw help "$command")"
done
tap_is "no line of help is wider than a terminal" "$({ xenbw --help; for command in $commands; do xenbw help "$command"; done; } | grep -E '.{81}')" ""
keys() { xenbw "$@" --csv | head -n 1 | tr -d '\r' | tr ',' '\n'; }
told=$(man_section Sh "JSON AND CSV" | sed 's/\\(dq/"/g')
missing() {
	local key
	for key in $(keys list-domains --all) $(keys report | sed 's/_input$//; s/_output$//') $(keys report --by address | head -n 2) \
		$(keys explain web) $(xenbw explain --json web | jq -r 'keys[]') \
		$(keys doctor) $(xenbw doctor --json | jq -r 'keys[]') \
		$(xenbw --json | jq -r 'keys[]') $(xenbw report --json | jq -r 'keys[]'); do
		grep -qE "(^|[^a-z_])$key([^a-z_]|\$)" <<<"$told" || echo "$key"
	done
}
tap_is "the manual page names every column of CSV and every member of JSON" "$(missing)" ""

tap_is "beginnings of commands" "$(offers "xenbw rep")" report
tap_is "shortened commands are understood" "$(offers "xenbw rep --mo")" --month
tap_is "values of options" "$(offers "xenbw report --month ")" "last
this"
tap_is "behind an equals sign, too" "$(offers "xenbw report --by=a")" address
tap_is "options differ from command to command" "$(offers "xenbw graph x --from ")" "-1d
-1month
-1w
-1y"
tap_is "nothing where nobody can know" "$(offers "xenbw report --to ")" ""
tap_is "commands for help" "$(offers "xenbw help g")" graph
touch "$CLI/some file"
tap_is "files" "$(offers "xenbw --ledger $CLI/so")" "$CLI/some file"
tap_is "words of db" "$(offers "xenbw db ")" "init
status
upgrade"
tap_is "a file for migrate" "$(offers "xenbw migrate $CLI/so")" "$CLI/some file"
tap_is "list-domains takes nothing" "$(offers "xenbw list-domains ")" ""

# Names of buckets come from the program itself, with the ledger that the command line names.
xenbw_as_command() { echo "$BUILD/xenbw --ledger $CLI/ledger.db"; }
tap_is "names of buckets, present ones, ready for the shell" "$(offers "$(xenbw_as_command) report ")" \
	"$(printf '%q\n' '=SUM(A1)' 'Grüße, "Welt"' web web10 | sort)"
tap_is "beginnings of such names" "$(offers "$(xenbw_as_command) graph web1")" web10
tap_is "with the blank in them escaped" "$(offers "$(xenbw_as_command) report $(printf %q 'Grüße, "W')")" "$(printf %q 'Grüße, "Welt"')"
sqlite3 "$CLI/ledger.db" "INSERT INTO bucket VALUES (9, 'ip'), (10, 'ip'); INSERT INTO bucket_label VALUES (9, '2001:db8::1', 0, NULL), (10, '2001:db8:1::1', 0, NULL)"
sqlite3 "$CLI/ledger.db" "INSERT INTO bucket VALUES (11, 'ip'); INSERT INTO bucket_label VALUES (11, '-1', 0, NULL)"
tap_is "a name that begins with - behind --" "$(offers "$(xenbw_as_command) report -- -")" -1
sqlite3 "$CLI/ledger.db" "DELETE FROM bucket_label WHERE bucket = 11"
tap_is "an address is completed behind its last colon" "$(offers "$(xenbw_as_command) report 2001:db8:")" "1::1
:1"
tap_is "no ledger offers no name" "$(offers "$BUILD/xenbw --ledger $CLI/none.db report ")" ""
tap_is "the list of names can be had alone" "$(xenbw completion buckets | head -n 2)" "2001:db8:1::1
2001:db8::1"
tap_done
