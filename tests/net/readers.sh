#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who reads the data: from packets through the article's naccttab to a real MariaDB, and from there to the article's
# queries, the PHP pages, and graphs.
# time-limit: 110
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/daemon.sh"
. "$(dirname "$0")/../support/mariadb.sh"
cd "$(dirname "$0")/../.." || exit 1
export TZ=UTC

SUMS='select ip, sum(input), sum(output) from traffic group by ip order by ip'
# The article's, word for word.
ARTICLE_ALL='select traffic.ip, sum(input)/1073741824 inp, sum(output)/1073741824 outp from traffic group by ip;'
ARTICLE_MONTH="select traffic.ip, sum(input)/1073741824 inp, sum(output)/1073741824 outp from traffic where time between concat(EXTRACT(YEAR_MONTH FROM now()), '01') and now() group by ip;"
ARTICLE_LAST="select traffic.ip, sum(input)/1073741824 inp, sum(output)/1073741824 outp from traffic where time between concat(EXTRACT(YEAR_MONTH FROM date_sub(now(), interval 1 month)), '01') and concat(EXTRACT(YEAR_MONTH FROM now()), '01') and ip = 'earlier' group by ip;"

bytes() { echo $(($1 * ($2 + 28))); } # bytes PACKETS PAYLOAD
sql() { mariadb_sql "$1" netacct | tr '\t' ' '; }
gib() { awk -v digits="$1" -v bytes="$2" 'BEGIN { printf "%.*f", digits, bytes / 1073741824 }'; } # gib DIGITS BYTES
uri() { jq -rn --arg text "$1" '$text | @uri'; }

empty_database() {
	mariadb_sql "DROP DATABASE IF EXISTS netacct; CREATE DATABASE netacct" && mariadb_sql "$(cat db/schema/mysql.sql)" netacct
}

# page FILE QUERY [USER]: a page's text; the last line on descriptor 2 is its HTTP status
page() {
	# shellcheck disable=SC2016
	XENBW_PAGES=$BED/pages.php php -d display_errors=stderr -d error_log=/dev/stderr -r '
		parse_str($argv[2], $_GET);
		if ($argv[3] !== "") $_SERVER["REMOTE_USER"] = $argv[3];
		register_shutdown_function(fn () => fprintf(STDERR, "%d\n", http_response_code() ?: 200));
		require $argv[1];' "examples/php/$1" "$2" "${3-}"
}
status() { page "$@" 2>&1 >/dev/null | tail -n 1; }

# page_rows QUERY [USER]: "Current|Last bucket input output sum" of each row that a page shows
page_rows() {
	page index.php "$@" 2>>"$BED/php.err" | awk '
		/<caption>/ { sub(/^<caption>/, ""); which = $1 }
		/<th scope="row">/ { gsub(/<[^>]*>/, " "); gsub(/ +/, " "); sub(/^ /, ""); sub(/ $/, ""); print which, $0 }'
}

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; }

mount -t tmpfs -o mode=755 tmpfs /var/lib && mkdir -p /run/mysqld && mariadb_start "$BED/mariadb" && empty_database ||
	tap_bail "no MariaDB"
ln -s "$MARIADB_SOCKET" /run/mysqld/mysqld.sock # where Debian's clients look for localhost
mariadb_sql "CREATE USER acct@localhost IDENTIFIED BY 'acct_password'; GRANT SELECT, INSERT, UPDATE ON netacct.* TO acct@localhost;
	CREATE USER reader@localhost IDENTIFIED BY 'reads only'; GRANT SELECT ON netacct.* TO reader@localhost" || tap_bail "no users"

# The article's file; only its networks are the bed's.
cat >"$BED/naccttab" <<END
sniff           0
database        mysql
mysql_user      acct
mysql_password  acct_password
mysql_host      localhost
mysql_port      0
mysql_database  netacct
pidfile         /var/run/nacctd.pid
compactnet      10.77.0.11      255.255.255.255
compactnet      10.77.0.12      255.255.255.255
compactnet      10.77.0.1       255.255.255.255
ournet          10.77.0.11      255.255.255.255
ournet          10.77.0.12      255.255.255.255
ournet          10.77.0.1       255.255.255.255
flush           30
errdelay        2
fdelay          60
device          peth0
ignorenet       127.0.0.0       255.0.0.0
debug           0
debugfile       /tmp/nacctd.debug
END

# send: the same bytes for each run
send() {
	bed_udp 1.0 outside 5000 1000 && bed_udp outside 1.0 700 333 && bed_udp outside 2.0 3000 1200 && bed_udp 2.0 outside 91 17
}
web_in=$(bytes 700 333) web_out=$(bytes 5000 1000) db_in=$(bytes 3000 1200) db_out=$(bytes 91 17)

bed_up || tap_bail "no bed"
BW_CONF=$BED/naccttab
: >"$BW_LOG"
foreground() { # foreground READY: as bw_start; READY is how often the log has said so before
	LD_PRELOAD=${BW_PRELOAD-} "$BUILD/xenbwd" -D -c "$BW_CONF" </dev/null >>"$BW_LOG" 2>&1 &
	BW_PID=$!
	bw_wait_ready "$1"
}
foreground 0 || tap_bail "no xenbwd"
bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && send || tap_bail "the bed lost packets"
bw_stop
tap_is "xenbwd with the article's naccttab ends well" $? 0
tap_is "MariaDB has the sent bytes by address, to the byte" "$(sql "$SUMS")" \
	"10.77.0.11 $web_in $web_out
10.77.0.12 $db_in $db_out"
figures="$(gib 4 "$web_in") $(gib 4 "$web_out")
$(gib 4 "$db_in") $(gib 4 "$db_out")"
by_address=$(paste -d' ' <(printf '10.77.0.%d\n' 11 12) - <<<"$figures")
tap_is "the article's first query gives them" "$(sql "$ARTICLE_ALL" | sort)" "$by_address"
tap_is "so does its query for this month" "$(sql "$ARTICLE_MONTH" | sort)" "$by_address"
tap_is "nobody else has a row, and hours are whole" \
	"$(sql "SELECT count(DISTINCT ip), sum(minute(time) + second(time)) FROM traffic")" "2 0"

# The pages. More rows: big ones, at the edges of months, and with a label that HTML, URLs and files would take amiss.
ODD='a/b:<i>"&'\''%41 ü'
odd_html='a/b:&lt;i&gt;&quot;&amp;&apos;%41 ü'
sql "SET @this = date_format(now(), '%Y-%m-01'); SET @odd = '${ODD//\'/\'\'}';
	INSERT INTO traffic(ip, time, input, output) VALUES
	(@odd, @this, 3 << 30, 5 << 30), (@odd, @this - INTERVAL 1 HOUR, 7 << 30, 1 << 29),
	(@odd, @this - INTERVAL 1 MONTH, 11 << 30, 1 << 28),
	(@odd, @this - INTERVAL 1 MONTH - INTERVAL 1 HOUR, 13 << 40, 13 << 40),
	(@odd, @this + INTERVAL 1 MONTH, 17 << 40, 17 << 40)" || tap_bail "no rows"
echo 'reads only' >"$BED/reader.password"
pages() { # pages DSN OWNERS [USER PASSWORD_FILE]: the pages' settings, in PHP
	echo "<?php return ['dsn' => '$1', 'user' => ${3-"'reader'"}, 'password_file' => ${4-"'$BED/reader.password'"},
		'table' => 'traffic', 'rrd_dir' => '$BW_RRD', 'owners' => [$2]];" >"$BED/pages.php"
}
mysql_dsn="mysql:unix_socket=$MARIADB_SOCKET;dbname=netacct;charset=utf8mb4"
pages "$mysql_dsn" ""
web_gb="$(gib 3 "$web_in") $(gib 3 "$web_out") $(gib 3 $((web_in + web_out)))"
db_gb="$(gib 3 "$db_in") $(gib 3 "$db_out") $(gib 3 $((db_in + db_out)))"
tap_is "the PHP page shows both months, each hour in one of them" "$(page_rows '')" "Current 10.77.0.11 $web_gb
Current 10.77.0.12 $db_gb
Current $odd_html 3.000 5.000 8.000
Last $odd_html 18.000 0.750 18.750"
tap_is "and one bucket alone" "$(page_rows "bucket=$(uri "$ODD")")" "Current $odd_html 3.000 5.000 8.000
Last $odd_html 18.000 0.750 18.750"
pages "$mysql_dsn" "'ann' => ['10.77.0.11'], 'boss' => ['*']"
tap_is "an owner sees his bucket" "$(page_rows '' ann)" "Current 10.77.0.11 $web_gb"
tap_is "whom owners names with * sees all" "$(page_rows '' boss | wc -l)" 4
tap_is "another's bucket is refused" "$(status index.php bucket=10.77.0.12 ann) $(status graph.php bucket=10.77.0.12 ann)" "403 403"
tap_is "so is everything to a stranger" "$(status index.php '' eve) $(status index.php '')" "403 403"
tap_is "a bucket that is no text is refused" "$(status index.php 'bucket[]=x' boss)" 400
pages "mysql:unix_socket=$BED/none;dbname=netacct" ""
tap_is "without a database the page is a 503" "$(status index.php '')" 503
said=$(page index.php '' 2>/dev/null)
tap_like "it says so" "$said" "The database cannot be read"
tap_is "and names no path" "$(grep -c "$BED" <<<"$said")" 0

# The same host, the same bytes, by name; its clock is moved, so that a slot ends and RRD files come.
empty_database || tap_bail "no database"
. tests/support/clock.sh
{
	cat "$BED/naccttab"
	printf '%s\n' "bucket domain" "poll 1" "flush 1" "ledger $BW_LEDGER" "rrd_dir $BW_RRD"
} >"$BED/by-name.naccttab"
BW_CONF=$BED/by-name.naccttab
clock_in_slot 0 20
foreground 1 || tap_bail "no xenbwd"
# what ran before is the base line; guests that come now count from their first byte
bed_guest_gone 1 && bed_guest_gone 2 && bed_guest 1 0 web 10.77.0.11 && bed_guest 2 0 db 10.77.0.12 && send ||
	tap_bail "the bed lost packets"
clock_in_slot 0 298
tap_ok "RRD files come" bed_wait "the files" test -e "$BW_RRD/web.rrd" -a -e "$BW_RRD/db.rrd"
bw_stop
tap_is "by name the sums are the same" "$(sql "$SUMS")" "db $db_in $db_out
web $web_in $web_out"
tap_is "with the same figures in the article's query" "$(sql "$ARTICLE_ALL" | cut -d' ' -f 2- | sort)" "$(sort <<<"$figures")"

rrdtool info "$BW_RRD/web.rrd" >"$BED/info"
archives=$(printf '%s ' '"CF" 600 1 "CF" 700 6 "CF" 775 24 "CF" 797 288')
tap_is "step and archives are the article's" \
	"$(sed -nE 's/^step = //p; s/^rra\[[0-9]+\]\.(cf|rows|pdp_per_row) = //p' "$BED/info" | tr '\n' ' ')" \
	"300 ${archives//CF/AVERAGE}${archives//CF/MAX}"
tap_is "input and output come first" "$(rrdtool fetch "$BW_RRD/web.rrd" AVERAGE -s -300 | awk 'NR == 1 { print $1, $2 }')" "input output"
tap_ok "the article's graph can be drawn" rrdtool graph "$BED/web_1d.gif" --start -1d --vertical-label=B/s \
	"DEF:inoctets=$BW_RRD/web.rrd:input:AVERAGE" "DEF:outoctets=$BW_RRD/web.rrd:output:AVERAGE" \
	"AREA:inoctets#00FF00:In traffic" "LINE1:outoctets#0000FF:Out traffic\\r" "CDEF:inbits=inoctets,8,*" \
	"CDEF:outbits=outoctets,8,*" "GPRINT:inbits:AVERAGE:Avg In traffic\\: %6.2lf %Sbps" \
	"GPRINT:inbits:MAX:Max In traffic\\: %6.2lf %Sbps\\r" "GPRINT:outbits:AVERAGE:Avg Out traffic\\: %6.2lf %Sbps" \
	"GPRINT:outbits:MAX:Max Out traffic\\: %6.2lf %Sbps\\r"
tap_ok "into a PNG" is_png "$BED/web_1d.gif"
pages "$mysql_dsn" ""
for query in 'bucket=web' 'bucket=db&span=1w&dark=1'; do
	page graph.php "$query" >"$BED/graph.png" 2>>"$BED/php.err"
	tap_ok "PHP's graph of $query is a PNG" is_png "$BED/graph.png"
done
tap_is "of an unknown bucket or span there is none" "$(status graph.php bucket=../rrd/web) $(status graph.php 'bucket=web&span=2y')" "404 400"

# Its month before, for a bucket that had traffic then, and now, and never at an hour that is in both.
sql "INSERT INTO traffic(ip, time, input, output) VALUES
	('earlier', date_format(date_sub(now(), interval 1 month), '%Y-%m-15 12:00:00'), 5368709120, 3221225472),
	('earlier', date_format(now(), '%Y-%m-01 01:00:00'), 1, 1)"
tap_is "the article's query for the month before" "$(sql "$ARTICLE_LAST")" "earlier 5.0000 3.0000"

# A site without MySQL: the ledger itself is the database.
pages "sqlite:$BW_LEDGER" "" null null
tap_is "from the ledger the page shows the same" "$(page_rows '' | cut -d' ' -f 2- | sort -u)" "db $db_gb
web $web_gb"

# Labels become file names in PHP as in C: `xenbw graph` draws the file that PHP names.
rename() { # rename LABEL: the bucket `web` is called so
	sqlite3 "$BW_LEDGER" "UPDATE bucket_label SET label = '${1//\'/\'\'}' WHERE bucket = (SELECT bucket FROM vif WHERE domain = 'web')"
}
php_file() { # shellcheck disable=SC2016
	php -r 'require "examples/php/lib.php"; echo rrd_file_name($argv[1]);' "$1"
}
cp "$BW_RRD/web.rrd" "$BED"
for label in "$ODD" .hidden 'back\slash' $'new\nline' "$(printf 'x%.0s' {1..251})" "$(printf 'x%.0s' {1..252})" \
	"$(printf 'ü%.0s' {1..200})" "$(printf ':%.0s' {1..90})" "x$(printf ':%.0s' {1..90})" "xx$(printf ':%.0s' {1..90})"; do
	rm -rf "$BW_RRD" && mkdir "$BW_RRD" && cp "$BED/web.rrd" "$BW_RRD/$(php_file "$label")" && rename "$label" || tap_bail "no file"
	shown=$(printf '%.20q' "$label")
	rm -f "$BED/graph.png"
	tap_ok "xenbw finds the file that PHP names after $shown (${#label})" \
		"$BUILD/xenbw" -c "$BW_CONF" graph "$label" --out "$BED/graph.png"
	page graph.php "bucket=$(uri "$label")" >"$BED/graph.png" 2>>"$BED/php.err"
	tap_ok "and PHP draws it" is_png "$BED/graph.png"
done
# Two addresses on one vif, each a bucket of its own: what people, SQLite and MariaDB are told is the same.
empty_database && bed_guest 4 0 two 10.77.0.14 && bed_also 4.0 10.77.0.15 && bed_also outside 10.99.1.1 &&
	bed_also outside 10.99.2.1 && echo "write /local/domain/0/backend/vif/4/0/ip 10.77.0.14 10.77.0.15" | xenstore_do ||
	tap_bail "no guest with two addresses"
BW_CONF=$BED/xenbw.conf BW_LEDGER=$BED/by-address.db
bw_config "bucket ip" "ignorenet 10.99.1.0/24" "peer 10.99.2.0/24" "database mysql" "mysql_user acct" \
	"mysql_password acct_password" "mysql_host localhost" "mysql_database netacct"
chmod 600 "$BW_CONF" && BW_PRELOAD="" bw_start || tap_bail "no xenbwd"
bed_udp 4.0 outside 101 100 && BED_FROM=10.77.0.15 bed_udp 4.0 outside 57 200 && BED_TO=10.77.0.15 bed_udp outside 4.0 33 300 &&
	BED_TO=10.99.2.1 BED_FROM=10.77.0.15 bed_udp 4.0 outside 23 600 && BED_FROM=10.99.2.1 bed_udp outside 4.0 24 700 &&
	BED_TO=10.77.0.15 BED_FROM=10.99.1.1 bed_udp outside 4.0 22 400 && bed_udp 4.0 1.0 9 500 || tap_bail "the bed lost packets"
bw_stop
columns='input output peer_input peer_output direct_input direct_output local_input local_output'
sums=$(sed -E 's/[a-z_]+/sum(&)/g; s/ /, /g' <<<"$columns")
both="10.77.0.14 0 $(bytes 101 100) $(bytes 24 700) 0 0 0 0 $(bytes 9 500)
10.77.0.15 $(bytes 33 300) $(bytes 57 200) 0 $(bytes 23 600) 0 0 0 0"
report() { # report NAME [ARGUMENT…]: rows of these columns, without those of dom0 and 1.0
	"$BUILD/xenbw" -c "$BW_CONF" report --csv "${@:2}" | tr -d '\r' | awk -F, -v columns="$1 $columns" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; n = split(columns, name, " "); next }
		!/Domain-0|web|10.77.0.11/ { for (i = 1; i <= n; i++) printf "%s%s", $(at[name[i]]), i < n ? " " : "\n" }'
}
tap_is "the report by address says which, where a byte tells it" "$(report address --by address)" \
	"$(sed "1 s/ [0-9]*$/ 0/" <<<"$both")
 0 0 0 0 0 0 0 $(bytes 9 500)"
tap_is "the report by bucket has all of them" "$(report bucket)" "$both"
tap_is "so has MariaDB" "$(sql "SELECT ip, $sums FROM traffic WHERE ip <> '10.77.0.11' GROUP BY ip ORDER BY ip")" "$both"
tap_is "and the ledger's view" "$(bw_sql "SELECT ip, $sums FROM traffic WHERE ip <> '10.77.0.11' GROUP BY ip ORDER BY ip" |
	sed 's/\.0\(|\|$\)/\1/g; s/|/ /g')" "$both"
tap_is "all of them, with what was ignored, are the vif's" "$(bw_booked "domid = 4")" "$(($(bytes 33 300) + $(bytes 24 700) + $(bytes 22 400))) \
$(($(bytes 101 100) + $(bytes 57 200) + $(bytes 23 600) + $(bytes 9 500)))"
tap_is "PHP had nothing to complain of" "$(grep -v '^200$' "$BED/php.err")" ""
tap_done
