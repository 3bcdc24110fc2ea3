/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/usage_gather.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/retain.h"
#include "db/sql.h"

/* ---- groups ---- */

static uint64_t hash_of(int64_t id, const char *address)
{
	uint64_t h = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);

	for (; address && *address; address++)
		h = (h ^ (unsigned char)*address) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static bool is_of(const struct usage_group *g, int64_t id, const char *address)
{
	return g->id == id && (!address || strcmp(g->address, address) == 0);
}

/* Where it is, or where it goes. */
static size_t *place_of(const struct usage_groups *g, int64_t id, const char *address)
{
	size_t i = (size_t)hash_of(id, address) & (g->place_count - 1);

	while (g->places[i] && !is_of(&g->list[g->places[i] - 1], id, address))
		i = (i + 1) & (g->place_count - 1);
	return &g->places[i];
}

static void make_room(struct usage_groups *g)
{
	if (g->count * 2 < g->place_count)
		return;
	free(g->places);
	g->place_count = g->place_count ? g->place_count * 2 : 64;
	g->places = mem_array(g->place_count, sizeof(*g->places));
	for (size_t i = 0; i < g->count; i++)
		*place_of(g, g->list[i].id, g->list[i].address) = i + 1;
}

static struct usage_group *group_of(struct usage_groups *g, int64_t id, const char *address)
{
	size_t *place;

	if (g->count && is_of(&g->list[g->last], id, address))
		return &g->list[g->last];
	make_room(g);
	place = place_of(g, id, address);
	if (!*place) {
		g->list = usage_room(g->list, g->count, sizeof(*g->list));
		g->list[g->count] = (struct usage_group){.id = id, .address = mem_strdup(address)};
		*place = ++g->count;
	}
	g->last = *place - 1;
	return &g->list[g->last];
}

const struct usage_group *usage_group_of(const struct usage_groups *g, int64_t id)
{
	size_t place = g->count ? *place_of(g, id, NULL) : 0;

	return place ? &g->list[place - 1] : NULL;
}

void usage_groups_free(struct usage_groups *g)
{
	for (size_t i = 0; i < g->count; i++)
		free(g->list[i].address);
	free(g->list);
	free(g->places);
	*g = (struct usage_groups){0};
}

/* ---- rows ---- */

/* The SQL function: an id, the numbers, and the address where that counts. */
static void take_row(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *address = NULL;
	struct usage_group *g;

	if (count > 1 + USAGE_COLUMN_COUNT) {
		address = (const char *)sqlite3_value_text(values[1 + USAGE_COLUMN_COUNT]);
		address = address ? address : "";
	}
	g = group_of(sqlite3_user_data(context), sqlite3_value_int64(values[0]), address);
	for (int i = 0; i < USAGE_COLUMN_COUNT; i++)
		if (__builtin_add_overflow(g->sums[i], sqlite3_value_int64(values[1 + i]), &g->sums[i])) {
			sqlite3_result_error(context, "integer overflow", -1); /* as SQL's sum has it */
			return;
		}
}

static void no_result(sqlite3_context *context)
{
	sqlite3_result_null(context);
}

/* What the rows of one table are asked by. */
struct question {
	enum usage_by by;
	int64_t from, to;
	const char *filter; /* the buckets, as SQL */
	bool all;           /* that is: every one */
};

#define MOST_BUCKETS "(SELECT ifnull(max(id), 0) FROM bucket)"

/* Are there fewer rows in the period than there may be buckets to look at? Counts no further than that. */
static int is_sparse(sqlite3 *db, const struct question *q, const char *table, bool *sparse, char **err)
{
	char *text =
		mem_printf("SELECT count(*) < " MOST_BUCKETS " FROM (SELECT 1 FROM %s WHERE slot >= %" PRId64
			   " AND slot < %" PRId64 " LIMIT " MOST_BUCKETS ")",
			   table, q->from, q->to);
	int64_t fewer = 0;
	int rc = q->all ? sql_number(db, text, 0, &fewer, err) : 0;

	free(text);
	*sparse = fewer != 0;
	return rc;
}

/* A plus before a column keeps SQLite from looking rows up by it. */
static int gather_table(sqlite3 *db, const struct question *q, const char *table, char **err)
{
	static const char *const ids[] = {"u.bucket", "u.vif", "u.vif"};
	sqlite3_stmt *stmt;
	bool sparse;
	char *text;
	int rc;

	if (is_sparse(db, q, table, &sparse, err) < 0)
		return -1;
	text = mem_printf("SELECT usage_gather(%s, " USAGE_COLUMNS "%s) FROM %s u WHERE %su.bucket IN (%s)"
			  " AND u.slot >= ?1 AND u.slot < ?2",
			  ids[q->by], q->by == USAGE_BY_ADDRESS ? ", u.address" : "", table,
			  sparse ? "+" : "", q->filter);
	rc = sql_prepare(db, &stmt, text, err);
	free(text);
	if (rc == 0)
		rc = sql_bind(stmt, err, "ii", q->from, q->to);
	if (rc == 0)
		rc = sql_step(stmt, err);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* "SELECT id FROM bucket", or "1,2,3". */
static char *filter_of(const int64_t *ids, size_t count)
{
	char *text = NULL;
	size_t length;
	FILE *f;

	if (!count)
		return mem_strdup("SELECT id FROM bucket");
	f = open_memstream(&text, &length);
	for (size_t i = 0; f && i < count; i++)
		(void)fprintf(f, "%s%" PRId64, i ? "," : "", ids[i]);
	if (!f || fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

int usage_gather(sqlite3 *db, enum usage_by by, int64_t from, int64_t to, const int64_t *buckets,
		 size_t count, struct usage_groups *out, char **err)
{
	char *filter = filter_of(buckets, count);
	struct question q = {by, from > RETIRED_SLOT ? from : RETIRED_SLOT + 1, to, filter, count == 0};
	int rc;

	*out = (struct usage_groups){0};
	if (!filter)
		return err_set(err, "there is no memory for the numbers of %zu buckets", count);
	if (sqlite3_create_function(db, "usage_gather", -1, SQLITE_UTF8, out, NULL, take_row, no_result) !=
	    SQLITE_OK)
		rc = sql_error(db, "reading", err);
	else if (gather_table(db, &q, "slot", err) < 0 || gather_table(db, &q, "take", err) < 0)
		rc = -1;
	else
		rc = 0;
	(void)sqlite3_create_function(db, "usage_gather", -1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
	free(filter);
	return rc;
}
