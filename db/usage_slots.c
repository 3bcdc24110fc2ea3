/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/usage_slots.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger.h"
#include "db/retain.h"
#include "db/sql.h"
#include "db/usage.h"

#define MOST_SLOTS ((size_t)200 * 366 * 24 * 12) /* of a period that somebody may mean */

static uint64_t bytes_at(sqlite3_stmt *stmt, int column)
{
	int64_t n = sqlite3_column_int64(stmt, column);

	return n > 0 ? (uint64_t)n : 0; /* below 0 only in a damaged ledger */
}

/* The number of the slot that t lies in, drawn into [0, count]. */
static size_t slot_number(const struct usage_slots *s, int64_t t)
{
	int64_t n = t < s->from ? 0 : (t - s->from) / SLOT_SECONDS;

	return n < (int64_t)s->count ? (size_t)n : s->count;
}

static int read_runs(sqlite3 *db, struct usage_slots *s, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt, "SELECT started, seen FROM run", err) < 0)
		return -1;
	while ((rc = sql_step(stmt, err)) == 1) {
		int64_t started = sql_time(sqlite3_column_int64(stmt, 0)),
			seen = sql_time(sqlite3_column_int64(stmt, 1));

		if (seen < s->from)
			continue;
		for (size_t i = slot_number(s, started); i < s->count && i <= slot_number(s, seen); i++)
			s->observed[i] = true;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_bucket(sqlite3_stmt *stmt, struct usage_slots *s, int64_t to, int64_t bucket, char **err)
{
	int rc;

	if (sql_bind(stmt, err, "iii", s->from, to, bucket) < 0)
		return -1;
	while ((rc = sql_step(stmt, err)) == 1) {
		size_t i = slot_number(s, sqlite3_column_int64(stmt, 0));

		if (i >= s->count)
			continue;
		s->bytes[DIR_INPUT][i] += bytes_at(stmt, 1);
		s->bytes[DIR_OUTPUT][i] += bytes_at(stmt, 2);
		s->observed[i] = true;
	}
	return rc;
}

/* Each table along its own order. */
#define HALF(table)                                                                               \
	"SELECT slot, external_input + unattributed_input * (SELECT unattributed FROM charging)," \
	" external_output + unattributed_output * (SELECT unattributed FROM charging)"            \
	" FROM " table " WHERE bucket = ?3 AND slot >= ?1 AND slot < ?2"

/* Of what is before this nothing is known: xenbwd had not run yet, or it was retired. */
static int find_begin(sqlite3 *db, int64_t *out, char **err)
{
	int64_t times[2], retired;

	if (usage_read_begin(db, out, err) < 0 || retain_read(db, &retired, err) < 0 ||
	    sql_number(db, "SELECT min(slot) FROM slot WHERE slot > 0", INT64_MAX, &times[0], err) < 0 ||
	    retain_held(db, &times[1], err) < 0)
		return -1;
	if (*out < 0)
		*out = INT64_MAX;
	for (int i = 0; i < 2; i++)
		if (times[i] < *out)
			*out = times[i];
	if (retired > *out)
		*out = retired;
	return 0;
}

/* The slots of [s->from, to) that something may be known of; those before them are only counted. */
static int find_slots(sqlite3 *db, int64_t to, struct usage_slots *s, char **err)
{
	int64_t begin;

	if (find_begin(db, &begin, err) < 0)
		return -1;
	if (to <= s->from)
		return 0;
	s->count = (size_t)((to - s->from) / SLOT_SECONDS);
	s->earlier = slot_number(s, begin < to ? begin : to);
	s->from += (int64_t)s->earlier * SLOT_SECONDS;
	s->count -= s->earlier;
	return s->count > MOST_SLOTS ? err_set(err, "the period is too long to look at each of its slots")
				     : 0;
}

struct question {
	int64_t to;
	const int64_t *buckets;
	size_t count;
	struct usage_slots *out;
};

static int read_slots(sqlite3 *db, void *ctx, char **err)
{
	const struct question *q = ctx;
	struct usage_slots *s = q->out;
	int64_t open_slot = 0, to;
	sqlite3_stmt *stmt;
	int rc = 0;

	if (sql_number(db, "SELECT value FROM meta WHERE key = 'open_slot'", 0, &open_slot, err) < 0)
		return -1;
	to = q->to < open_slot ? q->to : open_slot;
	if (find_slots(db, to, s, err) < 0)
		return -1;
	for (int d = 0; d < DIR_COUNT; d++)
		s->bytes[d] = mem_array(s->count, sizeof(uint64_t));
	s->observed = mem_array(s->count, sizeof(bool));
	if (read_runs(db, s, err) < 0 ||
	    sql_prepare(db, &stmt, HALF("slot") " UNION ALL " HALF("take"), err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < q->count; i++)
		rc = read_bucket(stmt, s, to, q->buckets[i], err);
	sqlite3_finalize(stmt);
	return rc;
}

int usage_read_slots(sqlite3 *db, int64_t from, int64_t to, const int64_t *buckets, size_t count,
		     struct usage_slots *out, char **err)
{
	struct question q = {to, buckets, count, out};

	*out = (struct usage_slots){.from = from};
	if (usage_ask(db, read_slots, &q, err) < 0) {
		usage_slots_free(out);
		return -1;
	}
	return 0;
}

void usage_slots_free(struct usage_slots *s)
{
	for (int d = 0; d < DIR_COUNT; d++)
		free(s->bytes[d]);
	free(s->observed);
	*s = (struct usage_slots){0};
}

int usage_read_begin(sqlite3 *db, int64_t *out, char **err)
{
	int64_t begin;

	if (sql_number(db, "SELECT started FROM run ORDER BY started LIMIT 1", -1, &begin, err) < 0)
		return -1;
	*out = begin < 0 ? -1 : sql_time(begin);
	return 0;
}
