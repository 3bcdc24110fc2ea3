# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# manager.sh: a service manager that only listens (sd_notify(3)). To be sourced after daemon.sh.
#
#   manager_start          exports NOTIFY_SOCKET; whoever is started from then on may tell it something
#   manager_said           one line for each message, "HH:MM:SS.US TEXT", its lines joined by |
#   manager_words          the same without times, and without STATUS= and WATCHDOG=
#   manager_stop

MANAGER_PID=
MANAGER_HEARD=$BED/manager.heard

manager_start() {
	export NOTIFY_SOCKET=$BED/notify
	rm -f "$NOTIFY_SOCKET"
	# the head that socat writes before each datagram is what keeps them apart
	socat -u -v "UNIX-RECV:$NOTIFY_SOCKET" OPEN:/dev/null 2>>"$MANAGER_HEARD" &
	MANAGER_PID=$!
	bed_wait "a notify socket" test -S "$NOTIFY_SOCKET"
}

manager_said() {
	sed 's/\(.\)\(> 20[0-9][0-9]\/\)/\1\n\2/g' "$MANAGER_HEARD" | awk '
		/^> 20[0-9][0-9]\// { if (text != "") print time " " text; time = $3; text = ""; next }
		{ text = text (text == "" ? "" : "|") $0 }
		END { if (text != "") print time " " text }'
}

manager_words() { manager_said | sed 's/^[^ ]* //' | grep -v '^STATUS=\|^WATCHDOG='; }

manager_stop() {
	kill "$MANAGER_PID" && wait "$MANAGER_PID" 2>/dev/null
	unset NOTIFY_SOCKET
}
