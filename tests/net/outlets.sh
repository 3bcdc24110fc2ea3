#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whoever is asked says the same: bytes that were sent are compared, for one period, with the terminal, CSV and JSON of
# the commands, the metrics, a real MariaDB's table, the ledger's view of that name, the RRD files and the bill.
# time-limit: 120
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/clock.sh"
. "$(dirname "$0")/../support/classes.sh"
. "$(dirname "$0")/../support/mariadb.sh"
. "$(dirname "$0")/../support/web.sh"
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8
MONTH=$(date -ud "$(date -u +%Y-%m-15) last month" +%Y-%m)
CLOCK_FIRST=$(date -ud "$MONTH-15 12:00" +%s) # far from the edges of a month

xenbw() { LD_PRELOAD=$BW_PRELOAD "$BUILD/xenbw" -c "$BW_CONF" "$@" 2>>"$BED/err"; }
rows() { awk 'NF == 3' | LC_ALL=C sort; }                    # of "bucket input output" lines
headed() { tr -d '\r' | cut -d, -f"$1" | tail -n +2 | tr , ' '; } # fields of CSV

# expected CLASS: "bucket input output" of what was sent, as the classes know it
expected() {
	local end
	for end in 1.0:web 2.0:db 3.0:mail dom0:Domain-0; do
		echo "${end#*:} ${CLASS_SENT[${end%%:*},input,$1]-0} ${CLASS_SENT[${end%%:*},output,$1]-0}"
	done | rows
}
# rrd_sums PREFIX: the same of each RRD file's columns
rrd_sums() {
	local label
	for label in web db mail Domain-0; do
		rrdtool fetch "$BW_RRD/$label.rrd" AVERAGE -r 300 -s "$CLOCK_FIRST" -e $((CLOCK_FIRST + CLOCK_SLOT - 1)) |
			awk -v label="$label" -v input="$1input" -v output="$1output" '
				NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i + 1; next }
				NF > 2 && $column[input] !~ /nan/ { a += $column[input] * 300; b += $column[output] * 300 }
				END { printf "%s %.0f %.0f\n", label, a, b }'
	done | rows
}
# page_rows: "bucket input output" of the overview, by the exact numbers that its cells point at
page_rows() { sed -nE 's,^.*<th scope="row"><a href="[^"]*">([^<]*)</a>.*title="([0-9]+) bytes".*title="([0-9]+) bytes".*title="[0-9]+ bytes".*,\1 \2 \3,p'; }
month_metrics() {
	sed -nE 's/^xenbw_month_charged_bytes\{bucket="([^"]*)".*direction="([a-z]*)"\} ([0-9]+)$/\1 \2 \3/p' |
		awk '{ sum[$1 " " $2] = $3; seen[$1] } END { for (b in seen) print b, sum[b " input"], sum[b " output"] }' | rows
}

mount -t tmpfs -o mode=755 tmpfs /var/lib && mkdir -p /run/mysqld && mariadb_start "$BED/mariadb" && ln -s "$MARIADB_SOCKET" /run/mysqld/mysqld.sock &&
	mariadb_sql "CREATE DATABASE netacct; CREATE USER acct@localhost IDENTIFIED BY 'p';
	GRANT SELECT, INSERT, UPDATE ON netacct.* TO acct@localhost" && mariadb_sql "$(cat db/schema/mysql.sql)" netacct || tap_bail "no MariaDB"
bed_up || tap_bail "no bed"
clock_in_slot 0
(umask 077 && bw_config "rrd_dir $BW_RRD" "flush 1" "database mysql" "mysql_user acct" "mysql_password p" "mysql_host localhost" \
	"mysql_database netacct" "owner acme web db" "owner globex mail" \
	"web_listen 127.0.0.1:$WEB_PORT" "web_users $BED/users" "${CLASS_CONF[@]}")
bw_start || tap_bail "no xenbwd"
class_guests
class_each_way
class_udp 2.0 outside external 321 1234
class_udp outside 3.0 external 123 432
class_udp dom0 outside external 77 700
clock_in_slot 0 298
clock_wait_slot 1
all_have_it() { [ "$(bw_sql "SELECT count(*) FROM sink WHERE seq < (SELECT max(seq) FROM take WHERE slot < (SELECT value FROM meta WHERE key = 'open_slot'))")" = 0 ]; }
tap_ok "RRD files and MySQL have all of the slot" bed_wait "the sinks" all_have_it
class_check "the ledger has what was sent" 1.0 2.0 3.0 dom0

charged=$(expected external)
tap_is "report --json" "$(xenbw report --json | jq -r '.rows[] | "\(.bucket) \(.input) \(.output)"' | rows)" "$charged"
tap_is "report --csv" "$(xenbw report --csv | headed 1,2,3 | rows)" "$charged"
tap_is "report on a terminal" "$(xenbw report --bytes | awk '/^BUCKET/ { on = 1; next } /^total/ { on = 0 } on && NF { print $1, $2, $3 }' | rows)" "$charged"
tap_is "list-domains --json" "$(xenbw list-domains --json | jq -r '.vifs[] | "\(.bucket) \(.external_input) \(.external_output)"' | rows)" "$charged"
tap_is "explain --json" "$(for name in web db mail Domain-0; do
	xenbw explain "$name" --json | jq -r '.bucket as $b | .rows[] | select(.row == "report") | "\($b) \(.input) \(.output)"'
done | rows)" "$charged"
tap_is "the metrics" "$(xenbw metrics | month_metrics)" "$charged"
web_user "$BED" "$BW_CONF" 'correct horse' --admin root && chmod 755 "$BED" && web_start "$BED" "$BW_CONF" "$BW_PRELOAD" || tap_bail "no xenbw-web"
tap_is "an admin logs in at xenbw web" "$(web_login "$BED/jar" root 'correct horse')" 303
tap_is "xenbw web's JSON" "$(web_ask /api/report -b "$BED/jar" | jq -r '.rows[] | "\(.bucket) \(.input) \(.output)"' | rows)" "$charged"
tap_is "its page" "$(web_ask / -b "$BED/jar" | page_rows | rows)" "$charged"
tap_is "and its metrics" "$(web_ask /metrics -b "$BED/jar" | month_metrics)" "$charged"
tap_ok "it ends" web_stop
tap_is "MySQL's table" "$(mariadb_sql "SELECT ip, sum(input), sum(output) FROM traffic GROUP BY ip" netacct | tr '\t' ' ' | rows)" "$charged"
tap_is "the ledger's view" "$(bw_sql "SELECT ip, cast(sum(input) AS INTEGER), cast(sum(output) AS INTEGER) FROM traffic GROUP BY ip" | tr '|' ' ' | rows)" "$charged"
tap_is "the RRD files" "$(rrd_sums "")" "$charged"
tap_is "by owner" "$(xenbw report --by owner --json | jq -r '.rows[] | "\(.owner) \(.input) \(.output)"' | rows)" \
	"$(awk '{ owner = $1 == "web" || $1 == "db" ? "acme" : $1 == "mail" ? "globex" : "null"; input[owner] += $2; output[owner] += $3 }
		END { for (o in input) print o, input[o], output[o] }' <<<"$charged" | rows)"
for class in peer direct local; do
	tap_is "$class: report --json" "$(xenbw report --json | jq -r ".rows[] | \"\(.bucket) \(.${class}_input) \(.${class}_output)\"" | rows)" "$(expected $class)"
	tap_is "$class: MySQL's table" "$(mariadb_sql "SELECT ip, sum(${class}_input), sum(${class}_output) FROM traffic GROUP BY ip" netacct | tr '\t' ' ' | rows)" "$(expected $class)"
	tap_is "$class: the RRD files" "$(rrd_sums "${class}_")" "$(expected $class)"
done
clock_set "$(date -ud "$MONTH-01 1 month 12:04:58" +%s)"
closes() { xenbw close "$MONTH" --json >"$BED/closed"; }
bed_wait "the month's end in the ledger" closes
tap_is "the bill of the month that is over" "$(jq -r '.rows[] | select(.bucket != null) | "\(.bucket) \(.input) \(.output)"' "$BED/closed" | rows)" "$charged"
tap_done
