/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * db_init: `xenbw db init`: makes what is missing at the MySQL server: database, tables, account, its rights.
 *
 * Never alters or drops what is there, so it can be run again at any time. The admin's password comes from an
 * option file only. The last step is to use the new account as xenbw-writer will.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/db.h"
#include "db/traffic_table.h"

/* The words of the statements, all of them quoted. */
struct words {
	char *database, *user, *host, *password;
	char *tables[2];
};

static void words_free(struct words *w)
{
	if (w->password)
		explicit_bzero(w->password, strlen(w->password));
	free(w->database);
	free(w->user);
	free(w->host);
	free(w->password);
	free(w->tables[0]);
	free(w->tables[1]);
}

static struct words words_new(const struct conf_mysql *c)
{
	return (struct words){.database = mysql_identifier(c->database),
			      .tables = {mysql_identifier(c->table), mysql_identifier(TRAFFIC_MARKER_TABLE)}};
}

static char *create_database(const struct words *w)
{
	return mem_printf("CREATE DATABASE IF NOT EXISTS %s", w->database);
}

static char *create_user(const struct words *w)
{
	return mem_printf("CREATE USER IF NOT EXISTS %s@%s IDENTIFIED BY %s", w->user, w->host, w->password);
}

static char *grant(const struct words *w, size_t table)
{
	return mem_printf("GRANT SELECT, INSERT, UPDATE ON %s.%s TO %s@%s", w->database, w->tables[table],
			  w->user, w->host);
}

/* ---- --print ---- */

/* Without a server to ask: quotes and backslashes doubled, which is right in UTF-8. */
static char *plain_literal(const char *text)
{
	char *out = mem_alloc(strlen(text) * 2 + 3), *o = out;

	*o++ = '\'';
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			*o++ = *text;
		*o++ = *text;
	}
	*o = '\'';
	return out;
}

static void put(char *statement)
{
	printf("%s;\n", statement);
	free(statement);
}

static int print_statements(const struct conf_mysql *c)
{
	bool local = !c->host || *c->host == '/' || strcmp(c->host, "localhost") == 0;
	struct words w = words_new(c);
	char *tables = traffic_table_statements(c->table);

	w.user = plain_literal(c->user);
	w.host = plain_literal(local ? "localhost" : "%");
	w.password = plain_literal("PASSWORD");
	printf("-- %s stands for the password that the configuration names.\n", w.password);
	if (!local)
		puts("-- '%' stands for this host, as the server knows it.");
	put(create_database(&w));
	printf("USE %s;\n%s", w.database, tables);
	put(create_user(&w));
	put(grant(&w, 0));
	put(grant(&w, 1));
	free(tables);
	words_free(&w);
	return CLI_OK;
}

/* ---- doing it ---- */

static int run(struct mysql *m, const char *doing, char *statement, char **err)
{
	int64_t rc = mysql_execute(m, doing, statement, strlen(statement), err);

	explicit_bzero(statement, strlen(statement)); /* a password may be in it */
	free(statement);
	return rc < 0 ? -1 : 0;
}

/* The first column of the first row, allocated; "" where there is none. NULL on an error. */
static char *ask(struct mysql *m, const char *doing, char *query, char **err)
{
	struct mysql_rows *rows = mysql_ask(m, doing, err, "%s", query);
	char **row = rows ? mysql_next(rows) : NULL;
	char *answer = rows ? mem_strdup(row && row[0] ? row[0] : "") : NULL;

	mysql_rows_free(rows);
	free(query);
	return answer;
}

int db_open_admin(struct mysql **m, const struct cli *cli, const char *what, const char *needs, char **err)
{
	const char *file = cli->args.value[OPTION_DEFAULTS_FILE];
	struct conf_mysql c = cli->conf.mysql;

	if (file)
		return mysql_open_defaults(m, file, &c, err);
	c.database = NULL; /* there may be none yet */
	if (mysql_open(m, &c, err) == 0)
		return 0;
	return err_add(err, "%s needs an account that may %s, such as --defaults-file /etc/mysql/debian.cnf",
		       what, needs);
}

static int make_database(struct mysql *m, const struct conf_mysql *c, const struct words *w, char **err)
{
	char *name = mysql_literal(m, c->database);
	char *there = ask(
		m, "cannot look for the database",
		mem_printf("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s", name),
		err);
	int rc = there ? 0 : -1;

	if (rc == 0 && strcmp(there, "0") == 0) {
		rc = run(m, "cannot make the database", create_database(w), err);
		if (rc == 0)
			printf("database %s: made\n", c->database);
	} else if (rc == 0) {
		printf("database %s: was there\n", c->database);
	}
	if (rc == 0)
		rc = run(m, "cannot use the database", mem_printf("USE %s", w->database), err);
	free(there);
	free(name);
	return rc;
}

static int make_tables(struct mysql *m, const struct conf_mysql *c, char **err)
{
	enum traffic_state before, after;
	char *why = NULL;
	int rc = traffic_table_check(m, c->table, &before, &why, err);

	free(why);
	why = NULL;
	if (rc == 0)
		rc = traffic_table_create(m, c->table, err);
	if (rc == 0)
		rc = traffic_table_check(m, c->table, &after, &why, err);
	if (rc == 0 && after != TRAFFIC_FINE)
		rc = err_set(err, "nothing was changed in it: %s", why);
	if (rc == 0)
		printf("tables %s and " TRAFFIC_MARKER_TABLE ": %s\n", c->table,
		       before == TRAFFIC_FINE ? "were there" : "made");
	free(why);
	return rc;
}

/* The host part of the account: that of one which is there and lets us in, else what the server takes us for.
 */
static int find_host(struct mysql *m, struct words *w, bool *there, char **err)
{
	char *own =
		ask(m, "cannot ask who we are", mem_strdup("SELECT SUBSTRING_INDEX(USER(), '@', -1)"), err);
	char *literal = own ? mysql_literal(m, own) : NULL;
	char *host = own ? ask(m, "cannot look for the account",
			       mem_printf("SELECT Host FROM mysql.user WHERE User = %s AND Host IN (%s, '%%')"
					  " ORDER BY Host = '%%' LIMIT 1",
					  w->user, literal),
			       err)
			 : NULL;

	if (host) {
		*there = *host != '\0';
		w->host = mysql_literal(m, *there ? host : own);
	}
	free(host);
	free(literal);
	free(own);
	return w->host ? 0 : -1;
}

static int read_password(struct mysql *m, const struct conf_mysql *c, struct words *w, char **err)
{
	char room[MYSQL_PASSWORD_ROOM];
	const char *password = c->password;

	if (c->password_file) {
		if (mysql_read_password(c->password_file, room, sizeof(room), err) < 0)
			return -1;
		password = room;
	}
	if (!password || !*password)
		return err_set(
			err,
			"the account %s is to be made, and the configuration has no password for it; put "
			"one into a file and write `mysql_password_file PATH`",
			c->user);
	w->password = mysql_literal(m, password);
	explicit_bzero(room, sizeof(room));
	return 0;
}

static int make_account(struct mysql *m, const struct conf_mysql *c, struct words *w, char **err)
{
	bool there = false;
	int rc;

	w->user = mysql_literal(m, c->user);
	rc = find_host(m, w, &there, err);
	if (rc == 0 && !there) {
		rc = read_password(m, c, w, err);
		if (rc == 0)
			rc = run(m, "cannot make the account", create_user(w), err);
	}
	for (size_t table = 0; rc == 0 && table < 2; table++)
		rc = run(m, "cannot give the account its rights", grant(w, table), err);
	if (rc == 0)
		printf("account %s@%s: %s; may SELECT, INSERT and UPDATE in these two tables\n", w->user,
		       w->host, there ? "was there, its password is unchanged" : "made");
	return rc;
}

/* As xenbw-writer will. */
static int try_account(const struct conf_mysql *c, char **err)
{
	enum traffic_state state;
	struct mysql *m;
	char *why = NULL;
	int rc = mysql_open(&m, c, err);

	if (rc == 0)
		rc = traffic_table_check(m, c->table, &state, &why, err);
	if (rc == 0 && state != TRAFFIC_FINE)
		rc = err_set(err, "%s", why);
	free(why);
	mysql_hang_up(m);
	return rc < 0 ? err_add(err, "all is made, but the account of the configuration cannot use it") : 0;
}

int db_init(struct cli *cli, char **err)
{
	const struct conf_mysql *c = &cli->conf.mysql;
	struct words w;
	struct mysql *m;
	int rc;

	if (!c->user) {
		err_set(err,
			"the configuration names no account to write with: add `mysql_user NAME` and "
			"`mysql_password_file PATH`. Without them xenbw-writer comes as `%s`, for an account "
			"IDENTIFIED VIA unix_socket that an admin has made by hand",
			cli->conf.user);
		return CLI_FAILED;
	}
	if (cli->args.value[OPTION_PRINT])
		return print_statements(c);
	if (db_open_admin(&m, cli, "db init", "make databases and accounts", err) < 0)
		return CLI_FAILED;
	w = words_new(c);
	rc = make_database(m, c, &w, err) < 0 || make_tables(m, c, err) < 0 || make_account(m, c, &w, err) < 0
		     ? -1
		     : 0;
	words_free(&w);
	mysql_hang_up(m);
	if (rc < 0 || try_account(c, err) < 0)
		return CLI_FAILED;
	puts(cli->conf.database == DATABASE_MYSQL
		     ? "The account works. Next: systemctl restart xenbwd, then xenbw db status."
		     : "The account works. Next: add `database mysql` to the configuration, systemctl "
		       "restart "
		       "xenbwd.");
	return CLI_OK;
}
