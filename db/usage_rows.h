/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * usage_rows: how the files that ask the ledger (usage.c, explain.c) read its rows.
 *
 * Their own; nobody else includes it. Each question is asked inside one read transaction. Errors are
 * sql_error's.
 */
#ifndef XENBW_USAGE_ROWS_H
#define XENBW_USAGE_ROWS_H

#include "db/usage.h"

/* What usage_take_sums reads, in its order. */
#define USAGE_SUMS                                                                                         \
	" sum(external_input) AS external_input, sum(external_output) AS external_output,"                 \
	" sum(peer_input) AS peer_input, sum(peer_output) AS peer_output,"                                 \
	" sum(direct_input) AS direct_input, sum(direct_output) AS direct_output,"                         \
	" sum(local_input) AS local_input, sum(local_output) AS local_output,"                             \
	" sum(ignored_input) AS ignored_input, sum(ignored_output) AS ignored_output,"                     \
	" sum(unattributed_input) AS unattributed_input, sum(unattributed_output) AS unattributed_output," \
	" sum(clipped_input) AS clipped_input, sum(clipped_output) AS clipped_output,"                     \
	" sum(estimated_input) AS estimated_input, sum(estimated_output) AS estimated_output,"             \
	" sum(spoofed_output) AS spoofed_output"

#define USAGE_COLUMN_COUNT (CLASS_COUNT * DIR_COUNT + 2 * DIR_COUNT + 1)

typedef void usage_row_fn(void *ctx, sqlite3_stmt *stmt);
/* Hands each row to fn, and ends the statement. */
int usage_each_row(sqlite3_stmt *stmt, usage_row_fn *fn, void *ctx, char **err);

/* The rows of a query that has the parameters ?1 and ?2. */
int usage_run_rows(sqlite3 *db, const char *query, int64_t first, int64_t second, usage_row_fn *fn, void *ctx,
		   char **err);

/* The array with room for one more element than `count`, that one zeroed; it grows by doubling. */
void *usage_room(void *array, size_t count, size_t size);

/* Columns: a time, -1 for NULL; a sum; four counters; the sums of USAGE_SUMS. */
int64_t usage_time(sqlite3_stmt *stmt, int column);
uint64_t usage_bytes(sqlite3_stmt *stmt, int column);
struct counters usage_counters(sqlite3_stmt *stmt, int column);
void usage_take_sums(struct usage_sums *s, sqlite3_stmt *stmt, int column);

/* The same of sums in that order. */
struct usage_sums usage_sums_of(const int64_t sums[USAGE_COLUMN_COUNT]);

/* The newest run; untouched where there is none. */
int usage_read_run(sqlite3 *db, struct usage_run *out, char **err);

/* usage_read_report within the transaction of another question; *out begins as zeros. */
struct usage_question {
	enum usage_by by;
	int64_t from, to;
	const int64_t *buckets;
	size_t count;
	struct usage_report *out;
};

int usage_report_rows(sqlite3 *db, void *ctx, char **err);

#endif
