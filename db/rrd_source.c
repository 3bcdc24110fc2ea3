/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/sql.h"

#define LOOK_BACK 3600 /* how far a batch goes back at most: files that lag more are read one by one */

/* input and output are what netacct's columns of that name hold: what went outside, and as the ledger says
 * what could not be told apart. `ignored` stays in the ledger. */
#define SUMS                                                                         \
	" sum(charged_input), sum(charged_output),"                                  \
	" sum(peer_input), sum(peer_output), sum(direct_input), sum(direct_output)," \
	" sum(local_input), sum(local_output)"

#define RUN_END "coalesce(ended, seen)" /* a run that was killed ended when it was seen last */

/* What the queries below begin with. Their parameters: ?1 and ?2, the time that is looked at; `which` narrows
 * the rows of `bucket`.
 *
 * charged: from when to when a vif was charged to the bucket that it has. An open epoch lasts: xenbwd reads
 * its counters all the time, though it writes `seen` only when they grew. Of when the vif got its bucket the
 * ledger knows no more than when the bucket was made.
 *
 * held: who had an address. A vif's further addresses are in no row of their own, but it booked to them: it
 * has an address from that slot on, until the next slot in which anybody booked to the address. To be the
 * same wherever one begins to read, this looks back to the last such slot before. */
/* clang-format off */
#define LIVES(which)                                                                                     \
	"WITH life(vif, opened, closed) AS NOT MATERIALIZED"                                             \
	"  (SELECT vif, opened, ifnull(closed, ?2) FROM epoch),"                                         \
	" charged(bucket, since, until) AS (SELECT v.bucket, max(e.opened,"                              \
	"  ifnull((SELECT min(since) FROM bucket_label WHERE bucket = v.bucket), 0)), e.closed"          \
	"  FROM life e JOIN vif v ON v.id = e.vif),"                                                     \
	" last(bucket, slot) AS MATERIALIZED (SELECT id,"                                                \
	"  max(ifnull((SELECT max(slot) FROM slot WHERE bucket = id AND slot <= ?1), 0),"                \
	"      ifnull((SELECT max(slot) FROM take WHERE bucket = id AND slot <= ?1), 0))"                \
	"  FROM bucket WHERE kind = 'ip'" which "),"                                                     \
	" booked(bucket, slot, vif) AS (SELECT l.bucket, s.slot, s.vif FROM last l"                      \
	"   CROSS JOIN slot s ON s.bucket = l.bucket AND s.slot >= l.slot AND s.slot < ?2"               \
	"  UNION SELECT l.bucket, t.slot, t.vif FROM last l"                                             \
	"   CROSS JOIN take t ON t.bucket = l.bucket AND t.slot >= l.slot AND t.slot < ?2),"             \
	" owner(bucket, vif, slot, next) AS (SELECT bucket, vif, slot,"                                  \
	"  ifnull(min(slot) OVER (PARTITION BY bucket ORDER BY slot"                                     \
	"   GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING), ?2) FROM booked),"                              \
	" held(bucket, since, until) AS (SELECT o.bucket, max(o.slot, e.opened), min(o.next, e.closed)"  \
	"  FROM owner o CROSS JOIN life e"                                                               \
	"   ON e.vif = o.vif AND e.closed > o.slot AND e.opened < o.next)"

static const char spans_query[] = LIVES("")
	"SELECT bucket, min(since), max(until) FROM"
	" (SELECT * FROM charged UNION ALL SELECT * FROM held) GROUP BY bucket ORDER BY bucket";

static const char recent_lives_query[] = LIVES("")
	"SELECT bucket, since, until FROM charged WHERE until > ?1 AND since < ?2"
	" UNION ALL SELECT bucket, since, until FROM held WHERE until > ?1 ORDER BY bucket, since";

static const char bucket_lives_query[] = LIVES(" AND id = ?3")
	"SELECT bucket, since, until FROM charged WHERE bucket = ?3 AND until > ?1 AND since < ?2"
	" UNION ALL SELECT bucket, since, until FROM held WHERE until > ?1 ORDER BY bucket, since";
/* clang-format on */

struct lives {
	struct rrd_life *list;
	size_t count, room;
};

/* Appends [from, to), joined with the last one where they touch. They come in the order of their beginnings,
 * so what begins before the last one lies within what is there already. */
static void add_life(struct lives *l, int64_t from, int64_t to)
{
	struct rrd_life *last = l->count ? &l->list[l->count - 1] : NULL;

	if (from >= to)
		return;
	if (last && from <= last->to) {
		if (to > last->to)
			last->to = to;
		return;
	}
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : 4;
		l->list = mem_resize(l->list, l->room, sizeof(*l->list));
	}
	l->list[l->count++] = (struct rrd_life){from, to};
}

/* Appends the parts of [from, to) in which xenbwd ran. */
static void add_observed(struct lives *l, const struct lives *runs, int64_t from, int64_t to)
{
	size_t low = 0, high = runs->count;

	while (low < high) { /* the first run that ends after `from` */
		size_t middle = low + (high - low) / 2;

		if (runs->list[middle].to <= from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < runs->count && runs->list[low].from < to; low++)
		add_life(l, runs->list[low].from > from ? runs->list[low].from : from,
			 runs->list[low].to < to ? runs->list[low].to : to);
}

static int read_runs(sqlite3 *db, int64_t from, int64_t to, struct lives *runs, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	*runs = (struct lives){0};
	if (sql_prepare(db, &stmt,
			"SELECT started, " RUN_END " FROM run WHERE " RUN_END
			" > ?1 AND started < ?2 ORDER BY started",
			err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "ii", from, to);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		add_life(runs, sql_time(sqlite3_column_int64(stmt, 0)),
			 sql_time(sqlite3_column_int64(stmt, 1)));
		rc = 0;
	}
	sqlite3_finalize(stmt);
	if (rc < 0)
		free(runs->list);
	return rc;
}

static void read_slot(sqlite3_stmt *stmt, int column, struct rrd_slot *out)
{
	out->slot = sqlite3_column_int64(stmt, column);
	for (int c = 0; c < RRD_COLUMNS; c++)
		out->bytes[c] = (uint64_t)sqlite3_column_int64(stmt, column + 1 + c);
}

static void add_slot(struct rrd_usage *u, const struct rrd_slot *slot)
{
	/* the count alone tells when a power of two is full */
	if ((u->slot_count & (u->slot_count - 1)) == 0)
		u->slots = mem_resize(u->slots, u->slot_count ? u->slot_count * 2 : 1, sizeof(*u->slots));
	u->slots[u->slot_count++] = *slot;
}

int rrd_source_open_slot(sqlite3 *ledger, int64_t *slot, char **err)
{
	int rc = sql_number(ledger, "SELECT value FROM meta WHERE key = 'open_slot'", 0, slot, err);

	*slot = rc < 0 ? 0 : sql_time(*slot);
	return rc;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The buckets in the order of their ids, each with the span of slots that bytes are in; what was retired
 * (db/retain.h) is in none. */
static int read_buckets(sqlite3 *db, struct rrd_batch *out, char **err)
{
	sqlite3_stmt *stmt;
	size_t room = 0;
	int rc;

	if (sql_prepare(db, &stmt,
			"SELECT b.id, l.label,"
			" min(ifnull((SELECT min(slot) FROM slot WHERE bucket = b.id AND slot > 0), ?1),"
			"     ifnull((SELECT min(slot) FROM take WHERE bucket = b.id), ?1)),"
			" max(ifnull((SELECT max(slot) FROM slot WHERE bucket = b.id AND slot > 0), -1),"
			"     ifnull((SELECT max(slot) FROM take WHERE bucket = b.id), -1))"
			" FROM bucket b JOIN bucket_label l ON l.bucket = b.id AND l.until IS NULL"
			" ORDER BY b.id",
			err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "i", out->open_slot);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		struct rrd_bucket *b;
		int64_t oldest = sql_time(sqlite3_column_int64(stmt, 2));
		int64_t newest = sql_time(sqlite3_column_int64(stmt, 3));

		if (out->count == room) {
			room = room ? room * 2 : 64;
			out->buckets = mem_resize(out->buckets, room, sizeof(*out->buckets));
		}
		b = &out->buckets[out->count++];
		*b = (struct rrd_bucket){.id = sqlite3_column_int64(stmt, 0), .label = sql_word(stmt, 1)};
		b->begins = oldest < out->open_slot ? oldest : out->open_slot;
		b->ends = newest + RRD_STEP;
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* The next bucket of an ascending walk that has this id; NULL where it has no present label. */
static struct rrd_bucket *walk_to(struct rrd_batch *b, size_t *at, int64_t id)
{
	while (*at < b->count && b->buckets[*at].id < id)
		(*at)++;
	return *at < b->count && b->buckets[*at].id == id ? &b->buckets[*at] : NULL;
}

/* Widens each bucket's span by its life: idle slots of a live bucket are written too. */
static int read_spans(sqlite3 *db, struct rrd_batch *out, char **err)
{
	sqlite3_stmt *stmt;
	size_t at = 0;
	int rc;

	if (sql_prepare(db, &stmt, spans_query, err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "ii", out->open_slot - 1, out->open_slot);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		struct rrd_bucket *b = walk_to(out, &at, sqlite3_column_int64(stmt, 0));
		int64_t from, to;

		rc = 0;
		if (!b)
			continue;
		from = rrd_slot_of(sql_time(sqlite3_column_int64(stmt, 1)));
		to = rrd_slot_of(sql_time(sqlite3_column_int64(stmt, 2)) + RRD_STEP - 1);
		if (from < b->begins)
			b->begins = from;
		b->ends = later(b->ends, to);
	}
	sqlite3_finalize(stmt);
	for (size_t i = 0; rc == 0 && i < out->count; i++) {
		struct rrd_bucket *b = &out->buckets[i];

		if (b->ends > out->open_slot)
			b->ends = out->open_slot;
	}
	return rc;
}

static int read_recent_slots(sqlite3 *db, struct rrd_batch *out, char **err)
{
	sqlite3_stmt *stmt;
	size_t at = 0;
	int rc;

	if (sql_prepare(db, &stmt,
			"SELECT bucket, slot," SUMS " FROM usage WHERE slot >= ?1 AND slot < ?2"
			" GROUP BY bucket, slot ORDER BY bucket, slot",
			err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "ii", out->since, out->open_slot);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		struct rrd_bucket *b = walk_to(out, &at, sqlite3_column_int64(stmt, 0));
		struct rrd_slot slot;

		rc = 0;
		if (!b)
			continue;
		read_slot(stmt, 1, &slot);
		add_slot(&b->usage, &slot);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_recent_lives(sqlite3 *db, struct rrd_batch *out, char **err)
{
	struct lives runs, lives = {0};
	struct rrd_bucket *b = NULL;
	sqlite3_stmt *stmt;
	size_t at = 0;
	int rc;

	if (read_runs(db, out->since, out->open_slot, &runs, err) < 0)
		return -1;
	rc = sql_prepare(db, &stmt, recent_lives_query, err);
	if (rc == 0)
		rc = sql_bind(stmt, err, "ii", out->since, out->open_slot);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		struct rrd_bucket *next = walk_to(out, &at, sqlite3_column_int64(stmt, 0));

		if (next != b) {
			lives = (struct lives){0};
			b = next;
		}
		if (b) {
			add_observed(&lives, &runs, sql_time(sqlite3_column_int64(stmt, 1)),
				     sql_time(sqlite3_column_int64(stmt, 2)));
			b->usage.lives = lives.list;
			b->usage.life_count = lives.count;
		}
		rc = 0;
	}
	sqlite3_finalize(stmt);
	free(runs.list);
	return rc;
}

static int read_marks(sqlite3 *db, struct rrd_batch *out, char **err)
{
	char *query;
	int rc;

	if (rrd_source_open_slot(db, &out->open_slot, err) < 0 ||
	    sql_number(db, "SELECT seq FROM sink WHERE name = 'rrd'", 0, &out->passed, err) < 0)
		return -1;
	/* slots never decrease with seq, so the newest of the newest slot is the newest */
	query = mem_printf("SELECT seq FROM take WHERE slot < %lld ORDER BY slot DESC, seq DESC LIMIT 1",
			   (long long)out->open_slot);
	rc = sql_number(db, query, 0, &out->seq, err);
	free(query);
	return rc;
}

int rrd_source_batch(sqlite3 *ledger, int64_t since, struct rrd_batch *out, char **err)
{
	int rc;

	*out = (struct rrd_batch){0};
	if (sql_run(ledger, "BEGIN", err) < 0)
		return -1;
	rc = read_marks(ledger, out, err);
	out->since = later(since, out->open_slot - LOOK_BACK);
	if (rc == 0 && (read_buckets(ledger, out, err) < 0 || read_spans(ledger, out, err) < 0 ||
			read_recent_slots(ledger, out, err) < 0 || read_recent_lives(ledger, out, err) < 0))
		rc = -1;
	if (rc == 0)
		rc = sql_run(ledger, "COMMIT", err);
	else
		sqlite3_exec(ledger, "ROLLBACK", NULL, NULL, NULL);
	if (rc < 0)
		rrd_batch_free(out);
	return rc;
}

void rrd_batch_free(struct rrd_batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->buckets[i].label);
		rrd_usage_free(&b->buckets[i].usage);
	}
	free(b->buckets);
	*b = (struct rrd_batch){0};
}

static int read_bucket_slots(sqlite3 *db, int64_t bucket, int64_t from, int64_t to, struct rrd_usage *out,
			     char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt,
			"SELECT slot," SUMS " FROM usage WHERE bucket = ?1 AND slot >= ?2 AND slot < ?3"
			" GROUP BY slot ORDER BY slot",
			err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "iii", bucket, from, to);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		struct rrd_slot slot;

		read_slot(stmt, 0, &slot);
		add_slot(out, &slot);
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_bucket_lives(sqlite3 *db, int64_t bucket, int64_t from, int64_t to, struct rrd_usage *out,
			     char **err)
{
	struct lives runs, lives = {0};
	sqlite3_stmt *stmt;
	int rc;

	if (read_runs(db, from, to, &runs, err) < 0)
		return -1;
	rc = sql_prepare(db, &stmt, bucket_lives_query, err);
	if (rc == 0)
		rc = sql_bind(stmt, err, "iii", from, to, bucket);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		add_observed(&lives, &runs, sql_time(sqlite3_column_int64(stmt, 1)),
			     sql_time(sqlite3_column_int64(stmt, 2)));
		rc = 0;
	}
	sqlite3_finalize(stmt);
	free(runs.list);
	out->lives = lives.list;
	out->life_count = lives.count;
	return rc;
}

int rrd_source_usage(sqlite3 *ledger, int64_t bucket, int64_t from, int64_t to, struct rrd_usage *out,
		     char **err)
{
	int rc;

	*out = (struct rrd_usage){0};
	if (sql_run(ledger, "BEGIN", err) < 0)
		return -1;
	if (read_bucket_slots(ledger, bucket, from, to, out, err) < 0 ||
	    read_bucket_lives(ledger, bucket, from, to, out, err) < 0)
		rc = -1;
	else
		rc = sql_run(ledger, "COMMIT", err);
	if (rc < 0) {
		sqlite3_exec(ledger, "ROLLBACK", NULL, NULL, NULL);
		rrd_usage_free(out);
	}
	return rc;
}

int rrd_source_formers(sqlite3 *ledger, int64_t bucket, struct rrd_formers *out, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	*out = (struct rrd_formers){0};
	if (sql_prepare(
		    ledger, &stmt,
		    "SELECT p.label, (SELECT min(o.since) FROM bucket_label o WHERE o.label = p.label"
		    "                 AND o.bucket <> p.bucket AND o.since >= p.until)"
		    " FROM bucket_label p WHERE p.bucket = ?1 AND p.until IS NOT NULL ORDER BY p.until DESC",
		    err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "i", bucket);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		out->list = mem_resize(out->list, out->count + 1, sizeof(*out->list));
		out->list[out->count++] = (struct rrd_former){
			.label = sql_word(stmt, 0),
			.taken = sqlite3_column_type(stmt, 1) == SQLITE_NULL ? INT64_MAX
									     : sqlite3_column_int64(stmt, 1),
		};
		rc = 0;
	}
	sqlite3_finalize(stmt);
	if (rc < 0)
		rrd_formers_free(out);
	return rc;
}

void rrd_formers_free(struct rrd_formers *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->list[i].label);
	free(f->list);
	*f = (struct rrd_formers){0};
}
