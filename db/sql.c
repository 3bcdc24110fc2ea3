/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/sql.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/holders.h"

#define LAST_TIME INT64_C(253402300799) /* the end of the year 9999 */

char *sql_line(const char *said)
{
	char *line = mem_strdup(said);

	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return line;
}

int sql_error(sqlite3 *db, const char *doing, char **err)
{
	const char *path = sqlite3_db_filename(db, "main");
	const char *next = "";
	char *said, *holders = NULL, *busy = NULL;

	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		next = "; free some space on its file system";
		break;
	case SQLITE_READONLY:
		next = "; make the file and its folder writable";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		next = "; it is damaged: keep a copy, then see LEDGER in xenbwd(8) for how to recover it";
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		holders = path && *path ? holders_of(path) : NULL;
		busy = holders ? mem_printf("; these processes hold locks of it: %s (ps -fp \"%s\" shows "
					    "them); end the one "
					    "that does not let go",
					    holders, holders)
			       : mem_strdup("; another process holds a lock of it and does not let go; "
					    "`fuser` names those that have it open");
		next = busy;
		break;
	case SQLITE_CANTOPEN:
		next = "; look at the rights of the file, of those beside it (-wal, -shm), and of its folder";
		break;
	case SQLITE_ERROR:
		if (strcmp(sqlite3_errmsg(db), "integer overflow") == 0)
			next = "; its numbers cannot be: it is damaged; see LEDGER in xenbwd(8) for how to "
			       "recover it";
		break;
	default:
		break;
	}
	said = sql_line(sqlite3_errmsg(db));
	err_set(err, "%s ledger %s: %s%s", doing, path && *path ? path : "(in memory)", said, next);
	free(busy);
	free(holders);
	free(said);
	return -1;
}

int sql_run(sqlite3 *db, const char *text, char **err)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_error(db, "writing", err);
}

int sql_prepare(sqlite3 *db, sqlite3_stmt **stmt, const char *text, char **err)
{
	*stmt = NULL;
	return sqlite3_prepare_v2(db, text, -1, stmt, NULL) == SQLITE_OK ? 0 : sql_error(db, "reading", err);
}

static int bind_list(sqlite3_stmt *stmt, char **err, const char *types, va_list ap)
{
	sqlite3_reset(stmt);
	for (int i = 1; types[i - 1]; i++) {
		int rc;

		if (types[i - 1] == 'i') {
			rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
		} else {
			const char *s = va_arg(ap, const char *);

			rc = s ? sqlite3_bind_text(stmt, i, s, -1, SQLITE_TRANSIENT)
			       : sqlite3_bind_null(stmt, i);
		}
		if (rc != SQLITE_OK)
			return sql_error(sqlite3_db_handle(stmt), "filling in a statement for", err);
	}
	return 0;
}

int sql_bind(sqlite3_stmt *stmt, char **err, const char *types, ...)
{
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = bind_list(stmt, err, types, ap);
	va_end(ap);
	return rc;
}

int sql_step(sqlite3_stmt *stmt, char **err)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return sql_error(sqlite3_db_handle(stmt), sqlite3_stmt_readonly(stmt) ? "reading" : "writing",
				 err);
	}
}

int sql_exec(sqlite3_stmt *stmt, char **err, const char *types, ...)
{
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = bind_list(stmt, err, types, ap);
	va_end(ap);
	if (rc == 0)
		rc = sql_step(stmt, err);
	sqlite3_reset(stmt);
	return rc < 0 ? -1 : 0;
}

int sql_number(sqlite3 *db, const char *query, int64_t fallback, int64_t *out, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt, query, err) < 0)
		return -1;
	rc = sql_step(stmt, err);
	if (rc >= 0)
		*out = rc && sqlite3_column_type(stmt, 0) != SQLITE_NULL ? sqlite3_column_int64(stmt, 0)
									 : fallback;
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

char *sql_text(sqlite3_stmt *stmt, int column)
{
	return mem_strdup((const char *)sqlite3_column_text(stmt, column));
}

char *sql_word(sqlite3_stmt *stmt, int column)
{
	char *text = sql_text(stmt, column);

	return text ? text : mem_strdup("");
}

int64_t sql_time(int64_t time)
{
	if (time > LAST_TIME)
		return LAST_TIME;
	return time < -LAST_TIME ? -LAST_TIME : time;
}
