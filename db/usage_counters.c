/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/usage_counters.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/sql.h"

/* A vif goes by its domain's uuid and its number; names are those of its newest row, which max() picks. Only
 * rows in the buckets of those that are there are looked at, however many there were before. */
static const char counters_query[] =
	"WITH here AS MATERIALIZED (SELECT DISTINCT bucket, coalesce(nullif(uuid, ''), '/' || domain) AS who,"
	" iif(domid = 0, bridge, devid) AS number FROM vif WHERE gone IS NULL)"
	" SELECT v.domain, coalesce(v.uuid, ''), iif(v.domid = 0, coalesce(v.bridge, ''), v.devid),"
	" coalesce((SELECT l.label FROM bucket_label l WHERE l.bucket = v.bucket ORDER BY l.since DESC LIMIT "
	"1),"
	" '#' || v.bucket), v.gone, max(v.id),"
	" sum((SELECT sum(total_input) FROM epoch WHERE vif = v.id)),"
	" sum((SELECT sum(total_output) FROM epoch WHERE vif = v.id))"
	" FROM here h JOIN vif v ON v.bucket = h.bucket"
	" AND coalesce(nullif(v.uuid, ''), '/' || v.domain) = h.who"
	" AND iif(v.domid = 0, v.bridge, v.devid) IS h.number"
	" GROUP BY h.bucket, h.who, h.number ORDER BY 4, 1, 3";

static uint64_t bytes_at(sqlite3_stmt *stmt, int column)
{
	int64_t n = sqlite3_column_int64(stmt, column);

	return n > 0 ? (uint64_t)n : 0; /* below 0 only in a damaged ledger */
}

static void take_counter(struct usage_counters *out, sqlite3_stmt *stmt)
{
	struct usage_counter *c;

	if (sqlite3_column_type(stmt, 4) != SQLITE_NULL) /* gone */
		return;
	out->list = mem_resize(out->list, out->count + 1, sizeof(*out->list));
	c = &out->list[out->count++];
	*c = (struct usage_counter){.domain = sql_word(stmt, 0),
				    .uuid = sql_word(stmt, 1),
				    .devid = sql_word(stmt, 2),
				    .bucket = sql_word(stmt, 3),
				    .bytes = {bytes_at(stmt, 6), bytes_at(stmt, 7)}};
}

static void take_sink(struct usage_counters *out, sqlite3_stmt *stmt)
{
	out->sinks = mem_resize(out->sinks, out->sink_count + 1, sizeof(*out->sinks));
	out->sinks[out->sink_count++] =
		(struct usage_sink){.name = sql_word(stmt, 0), .behind = bytes_at(stmt, 1)};
}

static void take_run(struct usage_counters *out, sqlite3_stmt *stmt)
{
	out->run = (struct usage_run){
		.boot = sql_word(stmt, 0), .seen = sql_time(sqlite3_column_int64(stmt, 1)), .ended = -1};
}

static int each_row(sqlite3 *db, const char *query, struct usage_counters *out,
		    void (*take)(struct usage_counters *, sqlite3_stmt *), char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt, query, err) < 0)
		return -1;
	while ((rc = sql_step(stmt, err)) == 1)
		take(out, stmt);
	sqlite3_finalize(stmt);
	return rc;
}

int usage_read_counters(sqlite3 *db, struct usage_counters *out, char **err)
{
	int rc;

	*out = (struct usage_counters){.run = {.seen = -1, .ended = -1}};
	if (sql_run(db, "BEGIN", err) < 0)
		return -1;
	rc = each_row(db, counters_query, out, take_counter, err);
	if (rc == 0)
		rc = each_row(
			db,
			"SELECT name, ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'take'), 0) - seq"
			" FROM sink ORDER BY name",
			out, take_sink, err);
	if (rc == 0)
		rc = each_row(db, "SELECT boot, seen FROM run ORDER BY id DESC LIMIT 1", out, take_run, err);
	if (sql_run(db, "COMMIT", rc < 0 ? NULL : err) < 0)
		rc = -1;
	if (rc < 0)
		usage_counters_free(out);
	return rc;
}

void usage_counters_free(struct usage_counters *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->list[i].domain);
		free(c->list[i].uuid);
		free(c->list[i].devid);
		free(c->list[i].bucket);
	}
	for (size_t i = 0; i < c->sink_count; i++)
		free(c->sinks[i].name);
	free(c->list);
	free(c->sinks);
	free(c->run.boot);
	*c = (struct usage_counters){.run = {.seen = -1, .ended = -1}};
}
