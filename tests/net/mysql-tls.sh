#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mysql_tls: a real MariaDB over TCP, with and without certificates. What is asked for is had, or nothing is sent on.
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/bed.sh"
bed_enter "$@"
. "$(dirname "$0")/../support/cli.sh"
. "$(dirname "$0")/../support/mariadb.sh"

PORT=33306
# certificates are dated, so by the real clock
xenbw() { "$BUILD/xenbw" -c "$CLI/conf" "$@" 2>"$CLI/err"; }
ip link set dev lo up || tap_bail "no loopback"

# certificate NAME HOST: an authority of its own, and a server's certificate by it.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=authority of $1" \
		-keyout "$BED/$1-ca.key" -out "$BED/$1-ca.pem" &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" \
			-keyout "$BED/$1.key" -out "$BED/$1.csr" &&
		openssl x509 -req -in "$BED/$1.csr" -CA "$BED/$1-ca.pem" -CAkey "$BED/$1-ca.key" -CAcreateserial -days 2 \
			-out "$BED/$1.pem"
}
certificate here localhost 2>/dev/null && certificate elsewhere db.example.net 2>/dev/null || tap_bail "no certificates"

server() { # server [ARGUMENT…]: over TCP too
	MARIADB_ARGS=(--skip-networking=0 --bind-address=127.0.0.1 "--port=$PORT" "$@")
	mariadb_stop
	mariadb_start "$BED/mariadb" || tap_bail "no server"
}
with() { server --ssl-cert="$BED/$1.pem" --ssl-key="$BED/$1.key"; } # with CERTIFICATE

cp "$CLI/conf" "$CLI/plain"
configure() {
	{ cat "$CLI/plain"; printf '%s\n' "database mysql" "mysql_user acct" "mysql_password p" "mysql_host localhost." \
		"mysql_port $PORT" "$@"; } >"$CLI/conf"
	chmod 600 "$CLI/conf"
}
# Which protocol the connection has, "null" for none.
tls() { xenbw db status --json | jq -r '.databases[0].tls'; }

# `localhost` means the socket to the client library; by this name it is TCP.
sed 's/localhost$/localhost localhost./' /etc/hosts >"$BED/hosts"
grep -q 'localhost\.$' "$BED/hosts" || echo '127.0.0.1 localhost.' >>"$BED/hosts"
mount --bind "$BED/hosts" /etc/hosts || tap_bail "cannot name the server"

server
mariadb_sql "CREATE USER acct IDENTIFIED BY 'p'; GRANT ALL ON netacct.* TO acct" &&
	sqlite3 "$CLI/ledger.db" "INSERT INTO sink VALUES ('mysql', 0)" || tap_bail "no account"
configure "mysql_tls off"
tap_like "the tables are made over TCP" "$(xenbw db init)" 'tables traffic and xenbw_host: made'
configure
tap_is "prefer, a server without TLS: in the clear" "$(tls)" null
configure "mysql_tls require"
tap_ok "require, a server without TLS: refused" cli_fails 1 'offers no TLS.*set up its certificate' db status
configure "mysql_tls verify" "mysql_tls_ca $BED/here-ca.pem"
tap_ok "verify, a server without TLS: refused" cli_fails 1 'TLS|SSL' db status

with here
configure "mysql_tls off"
tap_is "off: in the clear" "$(tls)" null
configure
tap_like "prefer: encrypted" "$(tls)" '^TLSv1\.[23]$'
configure "mysql_tls require"
tap_like "require: encrypted" "$(tls)" '^TLSv1\.[23]$'
configure "mysql_tls verify" "mysql_tls_ca $BED/elsewhere-ca.pem"
tap_ok "verify with the certificates of another authority: refused" cli_fails 1 'certificate|TLS|SSL' db status
configure "mysql_tls verify" "mysql_tls_ca $BED/here-ca.pem" "mysql_host localhost."
tap_ok "verify knows the server's name, and not a like one" cli_fails 1 'certificate|TLS|SSL' db status
echo '127.0.0.1 here.example.net' >>"$BED/hosts"
certificate here here.example.net 2>/dev/null
with here
configure "mysql_tls verify" "mysql_tls_ca $BED/here-ca.pem" "mysql_host here.example.net"
tap_like "verify with the right name and authority: encrypted" "$(tls)" '^TLSv1\.[23]$'
configure "mysql_tls verify" "mysql_tls_ca /nowhere.pem" "mysql_host here.example.net"
tap_ok "certificates that are not there: refused" cli_fails 1 '.' db status
mariadb_stop
tap_done
