/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mysql: one connection to a MariaDB or MySQL server, by libmariadb.
 *
 * Owns the connection and nothing else; never opens it again by itself, and reads no option file unless told
 * to. Waits for the server are bounded. The session talks utf8mb4, is strict about values, and waits no
 * longer than MYSQL_LOCK_SECONDS for another one's lock. At a node of a Galera cluster it sees what was
 * committed at any other before it asks (wsrep_sync_wait). Errors name the server, what it said, and what to
 * do; mysql_cause tells what kind the last one was. libmariadb owns most names that begin with mysql_: a new
 * one here must not be among them.
 */
#ifndef XENBW_MYSQL_H
#define XENBW_MYSQL_H

#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"

#define MYSQL_CONNECT_SECONDS 5
#define MYSQL_ANSWER_SECONDS 15 /* of silence in the middle of a conversation */
#define MYSQL_LOCK_SECONDS 3

struct mysql;

/* Of the last statement, where it failed. */
enum mysql_cause {
	MYSQL_BUSY,  /* deadlock or lock wait: the transaction may be tried again at once */
	MYSQL_AWAY,  /* the connection is lost: whether the last statement was done is not known */
	MYSQL_ADMIN, /* it stays as it is until somebody changes something */
};

/* The password from the first line of a file. */
#define MYSQL_PASSWORD_ROOM 1026
int mysql_read_password(const char *path, char *out, size_t size, char **err);

/* Connects and chooses the database, where it is not NULL. On failure *out is NULL. Of several servers
 * (mysql_host a,b,c) the first that works is taken; a node that its Galera cluster has lost does not. */
int mysql_open(struct mysql **out, const struct conf_mysql *c, char **err);

/* The same, beginning with the server of this number, which may be any. */
int mysql_open_from(struct mysql **out, const struct conf_mysql *c, size_t first, char **err);
size_t mysql_server_count(const struct conf_mysql *c);
size_t mysql_server_number(const struct mysql *m);

/* As an admin, by an option file ([client]): user and password come from there, and so do host and port where
 * `c` has none. No database is chosen, as there may be none yet. */
int mysql_open_defaults(struct mysql **out, const char *file, const struct conf_mysql *c, char **err);

void mysql_hang_up(struct mysql *m); /* NULL is fine */

enum mysql_cause mysql_cause(const struct mysql *m);

/* "localhost", "db1 port 3306" or a socket's path. */
const char *mysql_place(const struct mysql *m);

/* The largest statement that the server takes. */
size_t mysql_statement_room(const struct mysql *m);

/* A text as an SQL literal in quotes; a name in backticks. free(). */
char *mysql_literal(struct mysql *m, const char *text);
char *mysql_identifier(const char *name);

/* One statement without a result. Returns the number of rows that it changed, or -1. `doing` begins the
 * error: "cannot write table traffic". */
int64_t mysql_execute(struct mysql *m, const char *doing, const char *statement, size_t length, char **err);
int64_t mysql_command(struct mysql *m, const char *doing, char **err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A query's rows; each value is a text, or NULL. */
struct mysql_rows;

/* NULL on an error. The rows are in memory: nothing is left open at the server. */
struct mysql_rows *mysql_ask(struct mysql *m, const char *doing, char **err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The next row, valid until the one after it; NULL at the end. */
char **mysql_next(struct mysql_rows *rows);
void mysql_rows_free(struct mysql_rows *rows); /* NULL is fine */

#endif
