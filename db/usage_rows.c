/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/usage_rows.h"

#include <string.h>

#include "base/mem.h"
#include "db/sql.h"

int usage_ask(sqlite3 *db, usage_question_fn *question, void *ctx, char **err)
{
	int rc;

	if (!sqlite3_get_autocommit(db)) /* a part of another question */
		return question(db, ctx, err);
	if (sql_run(db, "BEGIN", err) < 0)
		return -1;
	rc = question(db, ctx, err);
	if (sql_run(db, "COMMIT", rc < 0 ? NULL : err) < 0)
		return -1;
	return rc;
}

int usage_each_row(sqlite3_stmt *stmt, usage_row_fn *fn, void *ctx, char **err)
{
	int rc;

	while ((rc = sql_step(stmt, err)) == 1)
		fn(ctx, stmt);
	sqlite3_finalize(stmt);
	return rc;
}

int usage_run_rows(sqlite3 *db, const char *query, int64_t first, int64_t second, usage_row_fn *fn, void *ctx,
		   char **err)
{
	sqlite3_stmt *stmt;

	if (sql_prepare(db, &stmt, query, err) < 0)
		return -1;
	if (sql_bind(stmt, err, "ii", first, second) < 0) {
		sqlite3_finalize(stmt);
		return -1;
	}
	return usage_each_row(stmt, fn, ctx, err);
}

void *usage_room(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) == 0)
		array = mem_resize(array, count ? count * 2 : 1, size);
	memset((char *)array + count * size, 0, size);
	return array;
}

int64_t usage_time(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		       ? -1
		       : sql_time(sqlite3_column_int64(stmt, column));
}

/* A sum that is below 0 is in no sound ledger: it must not read as one of exabytes. */
static uint64_t bytes_of(int64_t sum)
{
	return sum > 0 ? (uint64_t)sum : 0;
}

uint64_t usage_bytes(sqlite3_stmt *stmt, int column)
{
	return bytes_of(sqlite3_column_int64(stmt, column));
}

struct counters usage_counters(sqlite3_stmt *stmt, int column)
{
	return (struct counters){.rx_bytes = (uint64_t)sqlite3_column_int64(stmt, column),
				 .rx_packets = (uint64_t)sqlite3_column_int64(stmt, column + 1),
				 .tx_bytes = (uint64_t)sqlite3_column_int64(stmt, column + 2),
				 .tx_packets = (uint64_t)sqlite3_column_int64(stmt, column + 3)};
}

void usage_take_sums(struct usage_sums *s, sqlite3_stmt *stmt, int column)
{
	int64_t sums[USAGE_COLUMN_COUNT];

	for (int i = 0; i < USAGE_COLUMN_COUNT; i++)
		sums[i] = sqlite3_column_int64(stmt, column + i);
	*s = usage_sums_of(sums);
}

struct usage_sums usage_sums_of(const int64_t sums[USAGE_COLUMN_COUNT])
{
	struct usage_sums s;

	for (int c = 0; c < CLASS_COUNT; c++)
		for (int d = 0; d < DIR_COUNT; d++)
			s.classes.bytes[d][c] = bytes_of(*sums++);
	for (int d = 0; d < DIR_COUNT; d++)
		s.clipped[d] = bytes_of(*sums++);
	for (int d = 0; d < DIR_COUNT; d++)
		s.estimated[d] = bytes_of(*sums++);
	s.spoofed = bytes_of(*sums);
	return s;
}

void usage_sums_add(struct usage_sums *to, const struct usage_sums *from)
{
	class_bytes_add(&to->classes, &from->classes);
	for (int d = 0; d < DIR_COUNT; d++) {
		to->clipped[d] += from->clipped[d];
		to->estimated[d] += from->estimated[d];
	}
	to->spoofed += from->spoofed;
}

static void take_run(void *ctx, sqlite3_stmt *stmt)
{
	struct usage_run *r = ctx;

	r->boot = sql_word(stmt, 0);
	r->seen = sql_time(sqlite3_column_int64(stmt, 1));
	r->ended = usage_time(stmt, 2);
}

int usage_read_run(sqlite3 *db, struct usage_run *out, char **err)
{
	sqlite3_stmt *stmt;

	if (sql_prepare(db, &stmt, "SELECT boot, seen, ended FROM run ORDER BY id DESC LIMIT 1", err) < 0)
		return -1;
	return usage_each_row(stmt, take_run, out, err);
}
