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

# ledger_rows AFTER, rrd_rows AFTER LABEL…: "label time COLUMNS…" of each slot with bytes that ends after this time. The
# files have 600 slots.
ledger_rows() {
	bw_sql "SELECT label || ' ' || (slot + 300) || ' ' || $SUMS_TEXT FROM usage JOIN bucket_label USING (bucket)
		WHERE until IS NULL AND slot + 300 > $1 GROUP BY bucket, slot HAVING $SUMS_ANY > 0" | sort
}
rrd_rows() {
	local after=$1 label
	shift
	# one program for all files; it ends each answer with a line of its own
	for label; do echo "fetch $BW_RRD/$label.rrd AVERAGE -r 300 -s $after -e $((after + 590 * CLOCK_SLOT))"; done | rrdtool - |
		awk -v columns="${SUMS_COLUMNS[*]}" -v after="$after" -v labels="$*" '
		BEGIN { n = split(columns, names, " "); split(labels, label, " "); file = 1; head = 1 }
		/^(OK|ERROR)/ { file++; head = 1; next }
		head { split("", column); for (i = 1; i <= NF; i++) column[$i] = i + 1; head = 0; next }
		NF > 2 && $1 + 0 > after {
			row = sprintf("%s %d", label[file], $1); any = 0
			for (i = 1; i <= n; i++) {
				value = $column[names[i]]
				if (value ~ /nan/) next
				row = row sprintf(" %.0f", value * 300); any += value
			}
			if (any > 0) print row
		}' | sort
}
rrds_agree() { # rrds_agree AFTER
	# shellcheck disable=SC2046 # labels without blanks
	[ "$(rrd_rows "$1" $(labels "$1"))" = "$(ledger_rows "$1")" ]
}

# ledger_slots LABEL AFTER, rrd_slots LABEL AFTER: the same of one label, without it
ledger_slots() { ledger_rows "$2" | awk -v label="$1" '$1 == label { sub(/^[^ ]* /, ""); print }'; }
rrd_slots() { rrd_rows "$2" "$1" | cut -d ' ' -f 2-; }
