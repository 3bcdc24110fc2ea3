#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mariadb_bed.sh: mariadb.sh for programs that are no shell scripts (mariadb_bed.c). Each line of standard input is a
# function of mariadb.sh with its arguments; the answer is `ok PID` or `failed`. At the end of standard input, which is
# also the end of the program, the server is killed.
. "$(dirname "$0")/mariadb.sh"

while read -ra command; do
	if "${command[@]}" </dev/null >&2; then
		echo "ok ${MARIADB_PID:-0}"
	else
		echo failed
	fi
done
mariadb_kill
