# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# sums.sh: what the ledger, MySQL and the RRD files have of each bucket, in one form. To be sourced after daemon.sh,
# clock.sh and mariadb.sh.
#
# Columns are those of netacct's table, in SUMS_COLUMNS' order; what is unattributed is in the first two. Hours are those
# of TZ, in which MariaDB has to run, too.

SUMS_COLUMNS=(input output peer_input peer_output direct_input direct_output local_input local_output)
SUMS_OF=("sum(external_input + unattributed_input)" "sum(external_output + unattributed_output)")
for sums_column in "${SUMS_COLUMNS[@]:2}"; do SUMS_OF+=("sum($sums_column)"); done

sums_joined() { # sums_joined SEPARATOR WORD…
	local separator=$1 text=$2 word
	for word in "${@:3}"; do text+="$separator$word"; done
	echo "$text"
}
SUMS_TEXT=$(sums_joined " || ' ' || " "${SUMS_OF[@]}")
SUMS_ANY=$(sums_joined " + " "${SUMS_OF[@]}")

# rows_ledger, rows_mysql: "bucket hour COLUMNS…", a line for each bucket and hour
rows_ledger() {
	local hour="strftime('%Y-%m-%d %H', slot, 'unixepoch', 'localtime')"
	bw_sql "SELECT bucket || ' ' || $hour || ' ' || $SUMS_TEXT FROM usage GROUP BY bucket, $hour HAVING $SUMS_ANY > 0" | sort
}
rows_mysql() {
	{
		bw_sql "SELECT DISTINCT label || ' ' || bucket FROM bucket_label"
		mariadb_sql "SELECT '=', ip, time, $(sums_joined ', ' "${SUMS_COLUMNS[@]}") FROM traffic" netacct
	} | awk '$1 != "=" { bucket[$1] = $2; next }
		{ row = bucket[$2] " " $3 " " substr($4, 1, 2); rows[row]; for (i = 5; i <= 12; i++) sum[row, i] += $i }
		END { for (row in rows) { printf "%s", row; for (i = 5; i <= 12; i++) printf " %d", sum[row, i]; print "" } }' | sort
}
rows_agree() { [ "$(rows_mysql)" = "$(rows_ledger)" ]; }

# labels [AFTER]: of all buckets; of those with bytes in a slot that ends after this time
labels() {
	bw_sql "SELECT label FROM bucket_label WHERE until IS NULL ${1:+AND bucket IN (SELECT bucket FROM usage WHERE slot + 300 > $1)} ORDER BY label"
}

# ledger_slots LABEL AFTER, rrd_slots LABEL AFTER: "time COLUMNS…" of each slot with bytes that ends after this time. The
# files have 600 slots.
ledger_slots() {
	bw_sql "SELECT (slot + 300) || ' ' || $SUMS_TEXT FROM usage
		WHERE bucket = (SELECT bucket FROM bucket_label WHERE label = '$1' AND until IS NULL) AND slot + 300 > $2
		GROUP BY slot HAVING $SUMS_ANY > 0 ORDER BY slot"
}
rrd_slots() {
	rrdtool fetch "$BW_RRD/$1.rrd" AVERAGE -r 300 -s "$2" -e $(($2 + 590 * CLOCK_SLOT)) |
		awk -v columns="${SUMS_COLUMNS[*]}" -v after="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i + 1; next }
		NF > 2 && $1 + 0 > after {
			row = sprintf("%d", $1); any = 0
			n = split(columns, names, " ")
			for (i = 1; i <= n; i++) {
				value = $column[names[i]]
				if (value ~ /nan/) next
				row = row sprintf(" %.0f", value * 300); any += value
			}
			if (any > 0) print row
		}'
}
rrds_agree() { # rrds_agree AFTER
	local label
	for label in $(labels "$1"); do [ "$(rrd_slots "$label" "$1" 2>/dev/null)" = "$(ledger_slots "$label" "$1")" ] || return 1; done
}
