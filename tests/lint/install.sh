#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `make install` puts where, that it works from there, and that the unit is sound.
set -u
. "$(dirname "$0")/../support/tap.sh"
cd "$(dirname "$0")/../.." || exit 1

root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT
at=$root/usr/local
tap_ok "make install" make -s BUILD="$BUILD" DESTDIR="$root" install
tap_is "every file is there, and no other" "$(cd "$at" && find . -type f | sort)" \
	"./lib/systemd/system/xenbw-web.service
./lib/systemd/system/xenbwd.service
./lib/sysusers.d/xenbw.conf
./libexec/xenbw/xenbw-alias
./libexec/xenbw/xenbw-capture
./libexec/xenbw/xenbw-graph
./libexec/xenbw/xenbw-guard
./libexec/xenbw/xenbw-hook
./libexec/xenbw/xenbw-rrd
./libexec/xenbw/xenbw-tc
./libexec/xenbw/xenbw-web
./libexec/xenbw/xenbw-writer
./libexec/xenbw/xenbw-xl
./sbin/xenbw
./sbin/xenbwd
./share/bash-completion/completions/xenbw
./share/man/man5/xenbw.conf.5
./share/man/man7/xenbw-migrate.7
./share/man/man8/xenbw-capture.8
./share/man/man8/xenbw-writer.8
./share/man/man8/xenbw.8
./share/man/man8/xenbwd.8
./share/zsh/site-functions/_xenbw"
tap_like "the installed xenbw runs" "$("$at/sbin/xenbw" --version)" '^xenbw [0-9.]+$'
tap_like "the installed xenbwd runs" "$("$at/sbin/xenbwd" --version)" '^xenbwd [0-9.]+$'
tap_ok "the example configuration is a good one" "$at/sbin/xenbwd" -n -c examples/xenbw.conf
tap_is "it shows the defaults" "$("$at/sbin/xenbwd" -nv -c /dev/null | sed 's/  */ /')" \
	"$(sed -n 's/^#\([a-z_][a-z_]*\)  *\([^ ]*\).*/\1 \2/p' examples/xenbw.conf)"
tap_ok "bash takes the completion" bash -n "$at/share/bash-completion/completions/xenbw"
tap_ok "zsh takes its own" zsh -n "$at/share/zsh/site-functions/_xenbw"
tap_like "systemd-sysusers would make the user" "$(mkdir -p "$root/sys/etc" && SYSTEMD_LOG_LEVEL=info systemd-sysusers --root="$root/sys" \
	"$at/lib/sysusers.d/xenbw.conf" 2>&1 && cat "$root/sys/etc/passwd")" '^xenbw:x:[0-9]+:[0-9]+:'
rm -rf "$root/sys"
tap_is "the unit is sound" "$(sed -i "s,/usr/local/sbin/xenbwd,$at/sbin/xenbwd," "$at/lib/systemd/system/xenbwd.service" &&
	systemd-analyze --man=no verify "$at/lib/systemd/system/xenbwd.service" 2>&1 | grep xenbwd)" ""
tap_ok "and exposes little" systemd-analyze --no-pager security --offline=yes --threshold=25 "$at/lib/systemd/system/xenbwd.service"
tap_is "so is the web's" "$(sed -i "s,/usr/local/sbin/xenbw,$at/sbin/xenbw," "$at/lib/systemd/system/xenbw-web.service" &&
	systemd-analyze --man=no verify "$at/lib/systemd/system/xenbw-web.service" 2>&1 | grep xenbw-web)" ""
tap_ok "which exposes less" systemd-analyze --no-pager security --offline=yes --threshold=20 "$at/lib/systemd/system/xenbw-web.service"
words=$(sed -n 's/^\t{"\([a-z_-]*\)", VALUE_.*/\1/p' src/config/keywords.c)
tap_ok "there are keywords" test "$(wc -w <<<"$words")" -gt 40
for word in $words; do
	tap_ok "xenbw.conf(5) explains $word" grep -qE "^\.It Cm (.*, )?$word( |\$)" man/xenbw.conf.5
done
tap_ok "make uninstall" make -s BUILD="$BUILD" DESTDIR="$root" uninstall
tap_is "nothing is left" "$(find "$root" -type f)" ""
tap_done
