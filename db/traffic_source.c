/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/traffic_source.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/sql.h"

/* As the view `usage` has charged_input and charged_output. `ignored` stays in the ledger. */
#define CHARGED(dir) "sum(external_" dir " + unattributed_" dir " * (SELECT unattributed FROM charging))"
#define SUMS                                                     \
	" " CHARGED("input") ", " CHARGED(                       \
		"output") ", sum(peer_input), sum(peer_output)," \
			  " sum(direct_input), sum(direct_output), sum(local_input), sum(local_output)"

/* What tells a take from any other of the same sequence, beginning with its time: all that it was made of.
 * The same bytes in the same second of the same vif are no coincidence. */
#define BOTH(dir)                                                                                 \
	"external_" dir " || ' ' || peer_" dir " + direct_" dir " + local_" dir " + ignored_" dir \
	" + unattributed_" dir
#define TAKEN                                                                                         \
	"to_time || ' ' || from_time || ' ' || slot || ' ' || bucket || ' ' || vif || ' ' || (" BOTH( \
		"input") ") || ' ' || (" BOTH("output") ")"

/* Its parts that are read again. */
enum taken_part { TAKEN_TIME = 0, TAKEN_SLOT = 2 };

/* In one transaction, so that what it reads belongs together. */
static int in_transaction(sqlite3 *db, int (*fn)(sqlite3 *, void *, char **), void *arg, char **err)
{
	int rc;

	if (sql_run(db, "BEGIN", err) < 0)
		return -1;
	rc = fn(db, arg, err);
	if (rc == 0)
		return sql_run(db, "COMMIT", err);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* ---- how far it is ---- */

struct ask_ledger {
	const char *sink;
	const struct traffic_marker *marker;
	struct traffic_ledger *out;
};

static int read_uuid(sqlite3 *db, char **uuid, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt, "SELECT value FROM meta WHERE key = 'uuid'", err) < 0)
		return -1;
	rc = sql_step(stmt, err);
	if (rc == 1)
		*uuid = sql_text(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc >= 0 && !*uuid)
		return err_set(err, "ledger %s has no uuid", sqlite3_db_filename(db, "main"));
	return rc < 0 ? -1 : 0;
}

/* One number of a query with parameters. */
static int read_number(sqlite3 *db, const char *query, int64_t *out, char **err, const char *text, int64_t a,
		       int64_t b)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt, query, err) < 0)
		return -1;
	rc = text ? sql_bind(stmt, err, "s", text) : sql_bind(stmt, err, "ii", a, b);
	if (rc == 0)
		rc = sql_step(stmt, err);
	if (rc == 1)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* -1: it has none, as it is somebody's word. */
static int out_of(const char *taken, enum taken_part part, int64_t *out)
{
	char *end = NULL;

	for (int i = 0; i <= (int)part; i++, taken = end) {
		*out = (int64_t)strtoll(taken, &end, 10);
		if (end == taken)
			return -1;
	}
	return 0;
}

/* NULL where the take is not there. */
static int read_taken(sqlite3 *db, int64_t seq, char **out, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	*out = NULL;
	if (sql_prepare(db, &stmt, "SELECT " TAKEN " FROM take WHERE seq = ?", err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "i", seq);
	if (rc == 0)
		rc = sql_step(stmt, err);
	if (rc == 1)
		*out = sql_text(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* A folded take is in no later slot than those after it, so one in a later slot than the marker's take cannot
 * have come before that: the ledger was put back. */
static int read_folded_fit(sqlite3 *db, const struct traffic_marker *marker, bool *fits, char **err)
{
	int64_t slot, last;

	*fits = true;
	if (out_of(marker->taken, TAKEN_SLOT, &slot) < 0)
		return 0;
	if (sql_number(db, "SELECT max(slot) FROM slot", slot, &last, err) < 0)
		return -1;
	*fits = last <= slot;
	return 0;
}

/* What was taken before the marker's take was there before the ledger was put back. */
static int read_resume(sqlite3 *db, const struct traffic_marker *marker, struct traffic_ledger *out,
		       char **err)
{
	int64_t time;

	out->resume = out->passed;
	if (out_of(marker->taken, TAKEN_TIME, &time) == 0) {
		out->resume = out->whole;
		if (read_number(db, "SELECT seq FROM take WHERE to_time <= ?1 ORDER BY seq DESC LIMIT ?2",
				&out->resume, err, NULL, time, 1) < 0)
			return -1;
	}
	return read_taken(db, out->resume, &out->resume_taken, err);
}

/* Above `passed` the marker must be at a take that is there. Below, that take may be folded, or an admin may
 * have set the marker: whether later takes are missing is looked at anyhow. */
static int read_fit(sqlite3 *db, const struct traffic_marker *marker, struct traffic_ledger *out, char **err)
{
	char *taken;
	int rc = read_taken(db, marker->seq, &taken, err);

	if (rc < 0)
		return -1;
	if (taken && *marker->taken)
		out->fits = strcmp(taken, marker->taken) == 0;
	else if (marker->seq > out->passed)
		out->fits = false;
	else if (out->missing == 0)
		rc = read_folded_fit(db, marker, &out->fits, err);
	free(taken);
	return rc == 0 && !out->fits ? read_resume(db, marker, out, err) : rc;
}

static int read_missing(sqlite3 *db, const struct traffic_marker *marker, struct traffic_ledger *out,
			char **err)
{
	int64_t there = 0;

	/* What is above `passed` has not been folded. Sequences have no gaps. */
	if (marker->seq >= out->passed)
		return 0;
	if (read_number(db, "SELECT count(*) FROM take WHERE seq > ?1 AND seq <= ?2", &there, err, NULL,
			marker->seq, out->passed) < 0)
		return -1;
	out->missing = out->passed - marker->seq - there;
	return 0;
}

static int read_ledger(sqlite3 *db, void *arg, char **err)
{
	struct ask_ledger *a = arg;
	struct traffic_ledger *out = a->out;

	if (read_uuid(db, &out->uuid, err) < 0 ||
	    sql_number(db, "SELECT seq FROM sqlite_sequence WHERE name = 'take'", 0, &out->newest, err) < 0 ||
	    sql_number(db, "SELECT min(seq) - 1 FROM take", out->newest, &out->whole, err) < 0 ||
	    read_number(db, "SELECT seq FROM sink WHERE name = ?1", &out->passed, err, a->sink, 0, 0) < 0)
		return -1;
	if (!a->marker)
		return 0;
	return read_missing(db, a->marker, out, err) < 0 || read_fit(db, a->marker, out, err) < 0 ? -1 : 0;
}

void traffic_ledger_clear(struct traffic_ledger *l)
{
	free(l->uuid);
	free(l->resume_taken);
	*l = (struct traffic_ledger){.passed = -1, .fits = true};
}

int traffic_source_ledger(sqlite3 *ledger, const char *sink, const struct traffic_marker *marker,
			  struct traffic_ledger *out, char **err)
{
	struct ask_ledger a = {.sink = sink, .marker = marker, .out = out};

	*out = (struct traffic_ledger){.passed = -1, .fits = true};
	if (in_transaction(ledger, read_ledger, &a, err) == 0)
		return 0;
	traffic_ledger_clear(out);
	return -1;
}

/* ---- takes ---- */

struct ask_batch {
	int64_t after, to; /* sequences; or, of a time, slots */
	unsigned limit;
	const char *suffix;
	struct traffic_batch *out;
};

/* A label as the column ip takes it: at most TRAFFIC_LABEL_MAX characters, and no blank at its end, since the
 * server compares without it. A backslash in a label is written as \x5c: so this one is no other's. */
static char *column_label(const char *label, const char *suffix)
{
	char *whole = mem_printf("%s%s", label, suffix), *out;
	size_t length = strlen(whole);

	if (length && whole[length - 1] == ' ') {
		char *shown = mem_printf("%.*s\\x20", (int)(length - 1), whole);

		free(whole);
		whole = shown;
	}
	out = text_cut(whole, TRAFFIC_LABEL_MAX);
	free(whole);
	return out;
}

static void add_bytes(struct traffic_batch *b, sqlite3_stmt *stmt, const char *suffix)
{
	bool domain = sqlite3_column_int(stmt, 1) != 0;
	struct traffic_bytes *t;

	/* the count alone tells when a power of two is full */
	if ((b->count & (b->count - 1)) == 0)
		b->list = mem_resize(b->list, b->count ? b->count * 2 : 1, sizeof(*b->list));
	t = &b->list[b->count++];
	t->label = column_label((const char *)sqlite3_column_text(stmt, 0), domain && suffix ? suffix : "");
	t->slot = sqlite3_column_int64(stmt, 2);
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		t->bytes[c] = (uint64_t)sqlite3_column_int64(stmt, 3 + c);
}

/* What add_bytes reads: of `from`, grouped by bucket and slot. */
#define BYTES(from)                                                                                 \
	"SELECT (SELECT label FROM bucket_label WHERE bucket = b.id"                                \
	"        ORDER BY until IS NULL DESC, since DESC LIMIT 1), b.kind = 'domain', t.slot," SUMS \
	" FROM " from " GROUP BY t.bucket, t.slot ORDER BY t.bucket, t.slot"

/* Two numbers are the query's parameters. */
static int read_bytes(sqlite3 *db, const char *query, int64_t first, int64_t second,
		      const struct ask_batch *a, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt, query, err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "ii", first, second);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		if (sqlite3_column_type(stmt, 0) == SQLITE_NULL)
			rc = err_set(err,
				     "ledger %s has takes of a bucket that never had a label; keep a copy of "
				     "it and "
				     "report this",
				     sqlite3_db_filename(db, "main"));
		else
			add_bytes(a->out, stmt, a->suffix);
		rc = rc < 0 ? -1 : 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_batch(sqlite3 *db, void *arg, char **err)
{
	struct ask_batch *a = arg;

	if (read_number(db,
			"SELECT ifnull(max(seq), 0) FROM (SELECT seq FROM take WHERE seq > ?1 ORDER BY seq "
			"LIMIT ?2)",
			&a->out->seq, err, NULL, a->after, (int64_t)a->limit) < 0 ||
	    read_taken(db, a->out->seq, &a->out->taken, err) < 0)
		return -1;
	return read_bytes(db,
			  BYTES("take t JOIN bucket b ON b.id = t.bucket WHERE t.seq > ?1 AND t.seq <= ?2"),
			  a->after, a->out->seq, a, err);
}

static int read_between(sqlite3 *db, void *arg, char **err)
{
	const struct ask_batch *a = arg;

	return read_bytes(
		db, BYTES("usage t JOIN bucket b ON b.id = t.bucket WHERE t.slot >= ?1 AND t.slot < ?2"),
		a->after, a->to, a, err);
}

int traffic_source_batch(sqlite3 *ledger, int64_t after, unsigned limit, const char *suffix,
			 struct traffic_batch *out, char **err)
{
	struct ask_batch a = {.after = after, .limit = limit, .suffix = suffix, .out = out};

	*out = (struct traffic_batch){0};
	if (in_transaction(ledger, read_batch, &a, err) == 0)
		return 0;
	traffic_batch_free(out);
	return -1;
}

int traffic_source_between(sqlite3 *ledger, int64_t from, int64_t to, const char *suffix,
			   struct traffic_batch *out, char **err)
{
	struct ask_batch a = {.after = from, .to = to, .suffix = suffix, .out = out};

	*out = (struct traffic_batch){0};
	if (in_transaction(ledger, read_between, &a, err) == 0)
		return 0;
	traffic_batch_free(out);
	return -1;
}

void traffic_batch_free(struct traffic_batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->list[i].label);
	free(b->list);
	free(b->taken);
	*b = (struct traffic_batch){0};
}
