#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a person who is not root is told about files that they may not read, and a copy of a ledger that they may.
# shellcheck disable=SC2016 # the backquotes are those of messages
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/cli.sh"

# As the user nobody, who may not be able to enter the build directory.
mkdir "$CLI/bin" && cp "$BUILD/xenbw" "$BUILD/clockshim.so" "$CLI/bin" && chmod -R a+rX "$CLI" || tap_bail "no copy"
BUILD=$CLI/bin
xenbw() {
	echo "$(date +%s) $CLI_NOW 0" >"$CLOCKSHIM"
	setpriv --reuid nobody --regid nogroup --clear-groups env LD_PRELOAD="$BUILD/clockshim.so" \
		"$BUILD/xenbw" -c "$CLI/conf" "$@" 2>"$CLI/err"
}
says() { tap_is "$1" "$(sed "s,$CLI,CLI,g" "$CLI/err")" "$2"; }

mkdir "$CLI/shared" && cp "$CLI/ledger.db" "$CLI/shared/" && chgrp daemon "$CLI/shared" "$CLI/shared/ledger.db" &&
	chmod 750 "$CLI/shared" || tap_bail "no ledger"
tap_ok "a closed folder" cli_fails 1 "" report --ledger "$CLI/shared/ledger.db"
says "is named, with the group that may enter it, not with the user's" \
	'xenbw: cannot read the ledger CLI/shared/ledger.db: the user nobody may not enter the folder CLI/shared; run xenbw as root, or join its group (as root: `usermod -aG daemon nobody`, then log in anew)'
chmod 755 "$CLI/shared" && chmod 640 "$CLI/shared/ledger.db"
tap_ok "a closed ledger" cli_fails 1 "" --ledger "$CLI/shared/ledger.db"
says "is named with the group that may read it" \
	'xenbw: cannot read the ledger CLI/shared/ledger.db: the user nobody may not read it; run xenbw as root, or join its group (as root: `usermod -aG daemon nobody`, then log in anew)'
chmod 600 "$CLI/shared/ledger.db"
tap_ok "a ledger that no group may read" cli_fails 1 "" --ledger "$CLI/shared/ledger.db"
says "needs root" 'xenbw: cannot read the ledger CLI/shared/ledger.db: the user nobody may not read it; run xenbw as root'
chmod 644 "$CLI/shared/ledger.db"
tap_like "a copy in a folder of somebody else is read" "$(xenbw report --csv --ledger "$CLI/shared/ledger.db")" '^web10,'

install -m 600 /dev/null "$CLI/closed.conf"
tap_ok "a closed configuration has a way out" cli_fails 1 \
	'cannot read the configuration .*closed.conf: Permission denied; run this as root, or name one that you may read with -c FILE$' -c "$CLI/closed.conf"

mkdir "$CLI/rrd" && install -m 640 -g daemon /dev/null "$CLI/rrd/web.rrd"
tap_ok "a closed RRD file is not a missing one" cli_fails 1 'cannot read the RRD file .*/rrd/web.rrd: the user nobody may not read it; .*usermod -aG daemon nobody' graph web

# Whoever may read MySQL's password may write in the table: nobody is asked to join for that.
echo secret >"$CLI/password" && chgrp daemon "$CLI/password" && chmod 640 "$CLI/password"
printf '%s\n' "database mysql" "mysql_user xenbw" "mysql_password_file $CLI/password" >>"$CLI/conf"
for word in init status; do
	tap_ok "db $word: MySQL's password" cli_fails 1 "" db $word
	says "db $word: is root's to read" 'xenbw: cannot read the MySQL password from CLI/password: the user nobody may not read it; run xenbw as root'
done
tap_done
