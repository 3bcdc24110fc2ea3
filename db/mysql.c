/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/mysql.h"

#include <errmsg.h>
#include <errno.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/user.h"

struct mysql {
	MYSQL *handle;
	char *place;
	size_t number; /* of the server, in mysql_host */
	size_t room;
	unsigned error; /* of the last statement; 0: it was done */
};

struct mysql_rows {
	MYSQL_RES *result;
};

/* What an admin can do about an error. */
static const char *advice(unsigned error)
{
	switch (error) {
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
		return "is the server running, and do mysql_host and mysql_port name it?";
	case CR_UNKNOWN_HOST:
		return "look at mysql_host";
	case CR_SSL_CONNECTION_ERROR:
		return "look at mysql_tls and mysql_tls_ca, and at the server's certificate";
	case CR_AUTH_PLUGIN_CANNOT_LOAD:
		return "give the account a password of the kind that MariaDB's client knows "
		       "(mysql_native_password)";
	case ER_ACCESS_DENIED_ERROR:
	case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
		return "look at mysql_user and mysql_password_file, and from which hosts the server lets "
		       "this account in";
	case ER_HOST_NOT_PRIVILEGED:
	case ER_HOST_IS_BLOCKED:
		return "let this host in at the server";
	case ER_MUST_CHANGE_PASSWORD:
	case ER_MUST_CHANGE_PASSWORD_LOGIN:
		return "give the account a new password";
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_USER_LIMIT_REACHED:
		return "raise the server's limit, or wait";
	case ER_BAD_DB_ERROR:
	case ER_NO_SUCH_TABLE:
		return "`xenbw db init` makes what is missing";
	case ER_DBACCESS_DENIED_ERROR:
	case ER_TABLEACCESS_DENIED_ERROR:
	case ER_COLUMNACCESS_DENIED_ERROR:
	case ER_SPECIFIC_ACCESS_DENIED_ERROR:
		return "GRANT the account SELECT, INSERT and UPDATE on the database";
	case ER_BAD_FIELD_ERROR:
	case ER_WARN_DATA_OUT_OF_RANGE:
	case ER_DATA_TOO_LONG:
	case ER_NO_DEFAULT_FOR_FIELD:
	case ER_BAD_NULL_ERROR:
		return "the table is not as xenbw makes it: take another one (`mysql_table xenbw_traffic`, "
		       "then `xenbw db "
		       "init`)";
	case ER_OPTION_PREVENTS_STATEMENT:
	case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
	case ER_OPEN_AS_READONLY:
		return "the server takes no writes now: make it writable, or name the one that is "
		       "(mysql_host)";
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
		return "another session has rows of it locked: see SHOW PROCESSLIST";
	case ER_RECORD_FILE_FULL:
	case ER_DISK_FULL:
		return "free some space at the server";
	case ER_CRASHED_ON_USAGE:
	case ER_NOT_KEYFILE:
		return "repair the table at the server";
	default:
		return NULL;
	}
}

/* *err = "DOING at MySQL server PLACE: what it said (number); what to do". */
static int failed(struct mysql *m, const char *doing, char **err)
{
	const char *next;

	m->error = mysql_errno(m->handle);
	next = advice(m->error);
	return err_set(err, "%s at MySQL server %s: %s (%u)%s%s", doing, m->place, mysql_error(m->handle),
		       m->error, next ? "; " : "", next ? next : "");
}

enum mysql_cause mysql_cause(const struct mysql *m)
{
	switch (m->error) {
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
		return MYSQL_BUSY;
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case CR_COMMANDS_OUT_OF_SYNC:
	case ER_CONNECTION_KILLED:
	case ER_SERVER_SHUTDOWN:
		return MYSQL_AWAY;
	default:
		return MYSQL_ADMIN;
	}
}

const char *mysql_place(const struct mysql *m)
{
	return m->place;
}

size_t mysql_statement_room(const struct mysql *m)
{
	return m->room;
}

static char *place_of(const struct conf_mysql *c)
{
	const char *host = c->host ? c->host : "localhost";

	return *host == '/' || !c->port ? mem_strdup(host) : mem_printf("%s port %u", host, c->port);
}

static int cannot_read_password(const char *path, char **err)
{
	char *user, *group;

	if (errno != EACCES)
		return err_sys(err, "cannot read the MySQL password from %s", path);
	user = user_own_name();
	group = user_own_group();
	err_set(err,
		"the user %s may not read the MySQL password from %s; let its group: `chgrp %s %s && chmod "
		"640 "
		"%s`",
		user, path, group, path, path);
	free(group);
	free(user);
	return -1;
}

int mysql_read_password(const char *path, char *out, size_t size, char **err)
{
	FILE *in = fopen(path, "re");
	int rc = 0;

	if (!in)
		return cannot_read_password(path, err);
	if (!fgets(out, (int)size, in)) {
		if (ferror(in))
			rc = err_sys(err, "cannot read the MySQL password from %s", path);
		else
			*out = '\0';
	}
	fclose(in);
	if (rc == 0 && strlen(out) == size - 1)
		rc = err_set(err,
			     "the MySQL password in %s is too long: its first line has more than %zu bytes",
			     path, size - 2);
	if (rc == 0)
		out[strcspn(out, "\r\n")] = '\0';
	return rc;
}

static int set_option(struct mysql *m, enum mysql_option option, const void *value, char **err)
{
	if (mysql_options(m->handle, option, value) != 0)
		return failed(m, "cannot set up a connection", err);
	return 0;
}

static int set_tls(struct mysql *m, const struct conf_mysql *c, char **err)
{
	my_bool on = 1;

	if (c->tls == TLS_OFF)
		return 0;
	if (set_option(m, MYSQL_OPT_SSL_ENFORCE, &on, err) < 0 ||
	    (c->tls_ca && set_option(m, MYSQL_OPT_SSL_CA, c->tls_ca, err) < 0))
		return -1;
	return c->tls == TLS_VERIFY ? set_option(m, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on, err) : 0;
}

static int set_options(struct mysql *m, const struct conf_mysql *c, char **err)
{
	unsigned connect = MYSQL_CONNECT_SECONDS, answer = MYSQL_ANSWER_SECONDS;
	my_bool off = 0;

	if (set_option(m, MYSQL_OPT_CONNECT_TIMEOUT, &connect, err) < 0 ||
	    set_option(m, MYSQL_OPT_READ_TIMEOUT, &answer, err) < 0 ||
	    set_option(m, MYSQL_OPT_WRITE_TIMEOUT, &answer, err) < 0 ||
	    set_option(m, MYSQL_OPT_RECONNECT, &off, err) < 0 ||
	    set_option(m, MYSQL_SET_CHARSET_NAME, "utf8mb4", err) < 0)
		return -1;
	/* nobody listens in on a socket of this host */
	return c->host && *c->host == '/' ? 0 : set_tls(m, c, err);
}

/* libmariadb goes on in the clear where the server offers no TLS, unless the certificate must be verified. */
static int check_tls(struct mysql *m, const struct conf_mysql *c, char **err)
{
	if (c->tls != TLS_REQUIRE || (c->host && *c->host == '/') || mysql_get_ssl_cipher(m->handle))
		return 0;
	return err_set(
		err,
		"MySQL server %s offers no TLS, and mysql_tls asks for it; set up its certificate, or say "
		"`mysql_tls prefer`",
		m->place);
}

/* The value of a variable, or of a status with "STATUS"; NULL on an error, "" where there is none. free(). */
static char *shown(struct mysql *m, const char *what, const char *name, char **err)
{
	struct mysql_rows *rows =
		mysql_ask(m, "cannot set up the session", err, "SHOW %s LIKE '%s'", what, name);
	char **row = rows ? mysql_next(rows) : NULL;
	char *value = rows ? mem_strdup(row && row[1] ? row[1] : "") : NULL;

	mysql_rows_free(rows);
	return value;
}

/* A node of a Galera cluster says what it knows, which may be less than was committed elsewhere. So it is to
 * catch up before it answers; one that cannot is of no use. */
static int join_cluster(struct mysql *m, char **err)
{
	char *on = shown(m, "VARIABLES", "wsrep_on", err), *ready = NULL;
	bool cluster = on && strcmp(on, "ON") == 0;
	int rc = on ? 0 : -1;

	if (cluster) {
		ready = shown(m, "STATUS", "wsrep_ready", err);
		rc = ready ? 0 : -1;
	}
	if (ready && strcmp(ready, "ON") != 0)
		rc = err_set(
			err,
			"MySQL server %s is a node without its Galera cluster (wsrep_ready is %s): start the "
			"other nodes, or name one that has them (mysql_host)",
			m->place, ready);
	else if (ready &&
		 mysql_command(m, "cannot set up the session", err, "SET SESSION wsrep_sync_wait = 7") < 0)
		rc = -1;
	free(ready);
	free(on);
	return rc;
}

static int set_session(struct mysql *m, char **err)
{
	static const char doing[] = "cannot set up the session";
	struct mysql_rows *rows;
	char **row;

	if (mysql_command(m, doing, err,
			  "SET SESSION sql_mode = 'STRICT_TRANS_TABLES', SESSION autocommit = 1,"
			  " SESSION innodb_lock_wait_timeout = %d",
			  MYSQL_LOCK_SECONDS) < 0 ||
	    /* below it INSERT ... SELECT locks none of the rows that it reads, and a read may see what is not
	     * committed: whatever the server's default is */
	    mysql_command(m, doing, err, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ") < 0)
		return -1;
	rows = mysql_ask(m, doing, err, "SELECT @@max_allowed_packet");
	if (!rows)
		return -1;
	row = mysql_next(rows);
	m->room = row && row[0] ? (size_t)strtoull(row[0], NULL, 10) : 0;
	mysql_rows_free(rows);
	return join_cluster(m, err);
}

static int connect_to(struct mysql *m, const struct conf_mysql *c, const char *user, const char *password,
		      const char *database, char **err)
{
	const char *host = c->host, *socket = NULL;

	if (host && *host == '/') {
		socket = host;
		host = "localhost";
	}
	if (!mysql_real_connect(m->handle, host, user, password, database, c->port, socket, 0))
		return failed(m, "cannot connect", err);
	return check_tls(m, c, err) < 0 || set_session(m, err) < 0 ? -1 : 0;
}

static struct mysql *new_connection(const struct conf_mysql *c)
{
	struct mysql *m = mem_alloc(sizeof(*m));

	m->handle = mysql_init(NULL);
	if (!m->handle)
		abort(); /* out of memory: as in base/mem.h */
	m->place = place_of(c);
	return m;
}

static int finish_open(struct mysql **out, struct mysql *m, int rc)
{
	if (rc < 0)
		mysql_hang_up(m);
	else
		*out = m;
	return rc < 0 ? -1 : 0;
}

/* ---- several servers ---- */

/* How to come to one of them. */
struct access {
	const char *user, *password, *database; /* NULL: as the library does */
	const char *defaults;                   /* an option file, or NULL */
};

static int open_one(struct mysql **out, const struct conf_mysql *c, const struct access *a, char **err)
{
	struct mysql *m = new_connection(c);
	int rc = set_options(m, c, err);

	if (rc == 0 && a->defaults)
		rc = set_option(m, MYSQL_READ_DEFAULT_FILE, a->defaults, err);
	if (rc == 0)
		rc = connect_to(m, c, a->user, a->password, a->database, err);
	return finish_open(out, m, rc);
}

size_t mysql_server_count(const struct conf_mysql *c)
{
	size_t count = 1;

	for (const char *s = c->host; s && *s; s++)
		count += *s == ',';
	return count;
}

/* The name of one of them; free(). NULL: the library's own. */
static char *server_name(const struct conf_mysql *c, size_t number)
{
	const char *s = c->host;
	size_t length;

	for (; s && number; number--)
		s = strchr(s, ',') + 1; /* it is below the count */
	if (!s)
		return NULL;
	s += strspn(s, " \t");
	length = strcspn(s, ",");
	while (length && (s[length - 1] == ' ' || s[length - 1] == '\t'))
		length--;
	return mem_strndup(s, length);
}

/* Where none works all of their troubles are told. */
static int open_any(struct mysql **out, const struct conf_mysql *c, const struct access *a, size_t first,
		    char **err)
{
	size_t count = mysql_server_count(c);
	char *all = NULL;

	*out = NULL;
	for (size_t i = 0; i < count && !*out; i++) {
		struct conf_mysql one = *c;
		char *name = server_name(c, (first + i) % count), *why = NULL, *longer;

		one.host = name;
		if (open_one(out, &one, a, &why) == 0) {
			(*out)->number = (first + i) % count;
		} else {
			longer = all ? mem_printf("%s; %s", all, why) : mem_strdup(why);
			free(all);
			all = longer;
		}
		free(why);
		free(name);
	}
	if (!*out)
		err_set(err, "%s", all);
	free(all);
	return *out ? 0 : -1;
}

int mysql_open_from(struct mysql **out, const struct conf_mysql *c, size_t first, char **err)
{
	char from_file[MYSQL_PASSWORD_ROOM];
	struct access a = {.user = c->user, .password = c->password, .database = c->database};
	int rc;

	*out = NULL;
	if (c->password_file) {
		if (mysql_read_password(c->password_file, from_file, sizeof(from_file), err) < 0)
			return -1;
		a.password = from_file;
	}
	rc = open_any(out, c, &a, first, err);
	explicit_bzero(from_file, sizeof(from_file));
	return rc;
}

int mysql_open(struct mysql **out, const struct conf_mysql *c, char **err)
{
	return mysql_open_from(out, c, 0, err);
}

int mysql_open_defaults(struct mysql **out, const char *file, const struct conf_mysql *c, char **err)
{
	*out = NULL;
	if (access(file, R_OK) < 0) /* libmariadb would go on without it */
		return err_sys(err, "cannot read the option file %s", file);
	return open_any(out, c, &(struct access){.defaults = file}, 0, err);
}

size_t mysql_server_number(const struct mysql *m)
{
	return m->number;
}

void mysql_hang_up(struct mysql *m)
{
	if (!m)
		return;
	mysql_close(m->handle);
	free(m->place);
	free(m);
}

char *mysql_literal(struct mysql *m, const char *text)
{
	size_t length = strlen(text);
	char *out = mem_alloc(length * 2 + 3);
	unsigned long n;

	out[0] = '\'';
	n = mysql_real_escape_string(m->handle, out + 1, text, length);
	out[1 + n] = '\'';
	return out;
}

char *mysql_identifier(const char *name)
{
	char *out = mem_alloc(strlen(name) * 2 + 3), *o = out;

	*o++ = '`';
	for (; *name; name++) {
		if (*name == '`')
			*o++ = '`';
		*o++ = *name;
	}
	*o = '`';
	return out;
}

int64_t mysql_execute(struct mysql *m, const char *doing, const char *statement, size_t length, char **err)
{
	m->error = 0;
	if (mysql_real_query(m->handle, statement, length) != 0)
		return failed(m, doing, err);
	return (int64_t)mysql_affected_rows(m->handle);
}

int64_t mysql_command(struct mysql *m, const char *doing, char **err, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int64_t rc;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	rc = mysql_execute(m, doing, text, strlen(text), err);
	free(text);
	return rc;
}

struct mysql_rows *mysql_ask(struct mysql *m, const char *doing, char **err, const char *fmt, ...)
{
	struct mysql_rows *rows = NULL;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	m->error = 0;
	if (mysql_real_query(m->handle, text, strlen(text)) == 0) {
		MYSQL_RES *result = mysql_store_result(m->handle);

		if (result) {
			rows = mem_alloc(sizeof(*rows));
			rows->result = result;
		}
	}
	if (!rows)
		failed(m, doing, err);
	free(text);
	return rows;
}

char **mysql_next(struct mysql_rows *rows)
{
	return mysql_fetch_row(rows->result);
}

void mysql_rows_free(struct mysql_rows *rows)
{
	if (!rows)
		return;
	mysql_free_result(rows->result);
	free(rows);
}
