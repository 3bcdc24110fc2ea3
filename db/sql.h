/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sql: the few SQLite calls that every file in db/ needs, with errors that name the database.
 *
 * A statement belongs to whoever prepared it (sqlite3_finalize). Nothing here opens or closes a database.
 */
#ifndef XENBW_SQL_H
#define XENBW_SQL_H

#include <sqlite3.h>
#include <stdint.h>

/* One or more statements without results. */
int sql_run(sqlite3 *db, const char *text, char **err);

/* *stmt is NULL on error. */
int sql_prepare(sqlite3 *db, sqlite3_stmt **stmt, const char *text, char **err);

/* Binds by the letters of `types`, left to right: i = int64_t, s = const char * (NULL gives SQL NULL; the
 * text is copied). Resets the statement first. */
int sql_bind(sqlite3_stmt *stmt, char **err, const char *types, ...);

/* 1 = a row is there, 0 = done, -1 = error. */
int sql_step(sqlite3_stmt *stmt, char **err);

/* Binds, runs a statement without results to its end and resets it. Types as in sql_bind. */
int sql_exec(sqlite3_stmt *stmt, char **err, const char *types, ...);

/* The first column of the first row of a query as a number; fallback where there is no row. */
int sql_number(sqlite3 *db, const char *query, int64_t fallback, int64_t *out, char **err);

/* A text column, allocated; NULL for SQL NULL. */
char *sql_text(sqlite3_stmt *stmt, int column);

/* The same of a column that is never NULL in a sound ledger: where it is in a damaged one, "". */
char *sql_word(sqlite3_stmt *stmt, int column);

/* A time in seconds. One that is beyond all calendars (the ledger is damaged, or somebody else's) becomes the
 * nearest that is not: so sums and differences of times always fit. */
int64_t sql_time(int64_t time);

/* What SQLite says, as one line, allocated: it reports in several, and quotes what is in the file. */
char *sql_line(const char *said);

/* Sets *err to "doing PATH: reason", with what to do for reasons an admin can mend; returns -1. */
int sql_error(sqlite3 *db, const char *doing, char **err);

#endif
