/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/usage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/sql.h"
#include "db/usage_gather.h"
#include "db/usage_rows.h"

/* The label a bucket has, or had last. A bucket without any is named by its number: no byte may hide. */
#define LABEL                                                                                                \
	"coalesce((SELECT l.label FROM bucket_label l WHERE l.bucket = b.id ORDER BY l.since DESC LIMIT 1)," \
	" '#' || b.id)"

static const struct usage_run no_run = {.seen = -1, .ended = -1};

/* ---- buckets ---- */

static int by_label(const void *a, const void *b)
{
	const struct usage_bucket *x = a, *y = b;
	int order = strverscmp(x->label, y->label);

	return order ? order : (x->id > y->id) - (x->id < y->id);
}

static void take_bucket(void *ctx, sqlite3_stmt *stmt)
{
	struct usage_buckets *out = ctx;
	struct usage_bucket *b;

	out->list = usage_room(out->list, out->count, sizeof(*b));
	b = &out->list[out->count++];
	b->id = sqlite3_column_int64(stmt, 0);
	b->label = sql_word(stmt, 1);
	b->present = sqlite3_column_int(stmt, 2) != 0;
}

static int read_buckets(sqlite3 *db, void *ctx, char **err)
{
	struct usage_buckets *out = ctx;
	sqlite3_stmt *stmt;

	if (sql_prepare(db, &stmt,
			"SELECT b.id, " LABEL ", EXISTS (SELECT 1 FROM bucket_label l WHERE l.bucket = b.id"
			" AND l.until IS NULL) FROM bucket b",
			err) < 0 ||
	    usage_each_row(stmt, take_bucket, out, err) < 0)
		return -1;
	if (out->count)
		qsort(out->list, out->count, sizeof(out->list[0]), by_label);
	return 0;
}

int usage_read_buckets(sqlite3 *db, struct usage_buckets *out, char **err)
{
	*out = (struct usage_buckets){0};
	if (usage_ask(db, read_buckets, out, err) < 0) {
		usage_buckets_free(out);
		return -1;
	}
	return 0;
}

void usage_buckets_free(struct usage_buckets *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->list[i].label);
	free(b->list);
	*b = (struct usage_buckets){0};
}

const struct usage_bucket *usage_bucket_named(const struct usage_buckets *b, const char *label)
{
	const struct usage_bucket *found = NULL;

	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->list[i].label, label) == 0 && (!found || !found->present))
			found = &b->list[i];
	return found;
}

/* ---- sums of a period ---- */

/* What is said of a row beside its sums, found by the id that they are of. */
static const char *const descriptions[] = {
	[USAGE_BY_BUCKET] = "SELECT b.id, " LABEL " FROM bucket b WHERE b.id = ?",
	[USAGE_BY_ADDRESS] = "SELECT domain FROM vif WHERE id = ?",
	[USAGE_BY_VIF] = "SELECT domain, domid, devid, netdev FROM vif WHERE id = ?"};

static void describe(struct usage_row *row, enum usage_by by, sqlite3_stmt *stmt)
{
	if (by == USAGE_BY_BUCKET) {
		row->bucket = sqlite3_column_int64(stmt, 0);
		row->label = sql_word(stmt, 1);
		return;
	}
	row->domain = sql_word(stmt, 0);
	if (by == USAGE_BY_VIF) {
		row->domid = (unsigned)sqlite3_column_int64(stmt, 1);
		row->devid = (unsigned)sqlite3_column_int64(stmt, 2);
		row->netdev = sql_text(stmt, 3);
	}
}

/* `g` is NULL where a bucket that was asked for has no bytes. */
static int add_row(const struct usage_question *q, sqlite3_stmt *stmt, int64_t id,
		   const struct usage_group *g, char **err)
{
	int rc = sql_bind(stmt, err, "i", id);
	struct usage_row *row;

	if (rc == 0)
		rc = sql_step(stmt, err);
	if (rc <= 0) /* what is nobody's, in a damaged ledger, is left out */
		return rc;
	q->out->rows = usage_room(q->out->rows, q->out->count, sizeof(*row));
	row = &q->out->rows[q->out->count++];
	describe(row, q->by, stmt);
	if (g) {
		row->sums = usage_sums_of(g->sums);
		row->address = mem_strdup(g->address);
	}
	return 0;
}

static int add_rows(sqlite3 *db, const struct usage_question *q, const struct usage_groups *g, char **err)
{
	bool named = q->by == USAGE_BY_BUCKET && q->count;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(db, &stmt, descriptions[q->by], err);

	for (size_t i = 0; rc == 0 && named && i < q->count; i++)
		rc = add_row(q, stmt, q->buckets[i], usage_group_of(g, q->buckets[i]), err);
	for (size_t i = 0; rc == 0 && !named && i < g->count; i++)
		rc = add_row(q, stmt, g->list[i].id, &g->list[i], err);
	sqlite3_finalize(stmt);
	return rc;
}

/* Of vifs in the order in which they came. */
static int by_vif(const struct usage_row *x, const struct usage_row *y)
{
	int order = strverscmp(x->domain, y->domain);

	if (order)
		return order;
	return x->domid != y->domid ? (x->domid > y->domid) - (x->domid < y->domid)
				    : (x->devid > y->devid) - (x->devid < y->devid);
}

static int by_row(const void *a, const void *b)
{
	const struct usage_row *x = a, *y = b;
	int order;

	if (x->label) {
		order = strverscmp(x->label, y->label);
		return order ? order : (x->bucket > y->bucket) - (x->bucket < y->bucket);
	}
	if (!x->address)
		return by_vif(x, y);
	if (!*x->address != !*y->address) /* what has no address comes last */
		return !*x->address - !*y->address;
	order = strverscmp(x->address, y->address);
	return order ? order : strverscmp(x->domain, y->domain);
}

static void free_row(struct usage_row *row)
{
	free(row->label);
	free(row->address);
	free(row->domain);
	free(row->netdev);
}

/* An address that several vifs of a domain had, one after the other, is one row. */
static void join_addresses(struct usage_report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++) {
		struct usage_row *row = &r->rows[i], *last = n ? &r->rows[n - 1] : NULL;

		if (last && by_row(last, row) == 0) {
			usage_sums_add(&last->sums, &row->sums);
			free_row(row);
		} else {
			r->rows[n++] = *row;
		}
	}
	r->count = n;
}

int usage_report_rows(sqlite3 *db, void *ctx, char **err)
{
	const struct usage_question *q = ctx;
	struct usage_report *out = q->out;
	struct usage_groups groups;
	int64_t charged = 1;
	int rc = usage_gather(db, q->by, q->from, q->to, q->buckets, q->count, &groups, err);

	if (rc == 0)
		rc = add_rows(db, q, &groups, err);
	usage_groups_free(&groups);
	if (rc == 0)
		rc = sql_number(db, "SELECT unattributed FROM charging", 1, &charged, err);
	out->unattributed_charged = charged != 0;
	if (rc == 0)
		rc = usage_read_run(db, &out->run, err);
	if (out->count)
		qsort(out->rows, out->count, sizeof(out->rows[0]), by_row);
	if (q->by == USAGE_BY_ADDRESS)
		join_addresses(out);
	return rc;
}

int usage_read_report(sqlite3 *db, enum usage_by by, int64_t from, int64_t to, const int64_t *buckets,
		      size_t count, struct usage_report *out, char **err)
{
	struct usage_question q = {by, from, to, buckets, count, out};

	*out = (struct usage_report){.run = no_run};
	if (usage_ask(db, usage_report_rows, &q, err) < 0) {
		usage_report_free(out);
		return -1;
	}
	return 0;
}

void usage_report_free(struct usage_report *r)
{
	for (size_t i = 0; i < r->count; i++)
		free_row(&r->rows[i]);
	free(r->rows);
	free(r->run.boot);
	*r = (struct usage_report){.run = no_run};
}

/* ---- vifs ---- */

struct vifs_question {
	const char *boot;
	int64_t from, to;
	bool all;
	const int64_t *buckets;
	size_t count; /* 0: all */
	struct usage_groups groups;
	struct usage_vifs *out;
};

static bool is_asked(const struct vifs_question *q, int64_t bucket)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->buckets[i] == bucket)
			return true;
	return q->count == 0;
}

static void take_vif(void *ctx, sqlite3_stmt *stmt)
{
	const struct vifs_question *q = ctx;
	const struct usage_group *g = usage_group_of(&q->groups, sqlite3_column_int64(stmt, 0));
	struct usage_vifs *out = q->out;
	struct usage_vif *v;

	if (!is_asked(q, sqlite3_column_int64(stmt, 13)))
		return;
	out->vifs = usage_room(out->vifs, out->vif_count, sizeof(*v));
	v = &out->vifs[out->vif_count++];
	v->id = sqlite3_column_int64(stmt, 0);
	v->boot = sql_word(stmt, 1);
	v->domid = (unsigned)sqlite3_column_int64(stmt, 2);
	v->devid = (unsigned)sqlite3_column_int64(stmt, 3);
	v->domain = sql_word(stmt, 4);
	v->uuid = sql_text(stmt, 5);
	v->mac = sql_text(stmt, 6);
	v->addresses = sql_text(stmt, 7);
	v->bridge = sql_text(stmt, 8);
	v->netdev = sql_text(stmt, 9);
	v->appeared = sqlite3_column_int64(stmt, 10);
	v->gone = usage_time(stmt, 11);
	v->bucket = sql_word(stmt, 12);
	if (g)
		v->classes = usage_sums_of(g->sums).classes;
	for (int d = 0; d < DIR_COUNT; d++)
		v->bytes[d] = class_bytes_total(&v->classes, (enum direction)d);
}

static void take_epoch(void *ctx, sqlite3_stmt *stmt)
{
	struct usage_vifs *out = ctx;
	struct usage_epoch *e;

	out->epochs = usage_room(out->epochs, out->epoch_count, sizeof(*e));
	e = &out->epochs[out->epoch_count++];
	e->vif = sqlite3_column_int64(stmt, 0);
	e->ifindex = (unsigned)sqlite3_column_int64(stmt, 1);
	e->rx_header = (unsigned)sqlite3_column_int64(stmt, 2);
	e->tx_header = (unsigned)sqlite3_column_int64(stmt, 3);
	e->base = usage_counters(stmt, 4);
	e->last = usage_counters(stmt, 8);
	e->booked[DIR_INPUT] = (uint64_t)sqlite3_column_int64(stmt, 12);
	e->booked[DIR_OUTPUT] = (uint64_t)sqlite3_column_int64(stmt, 13);
}

static void take_baseline(void *ctx, sqlite3_stmt *stmt)
{
	struct usage_vifs *out = ctx;
	struct usage_baseline *b;

	out->baselines = usage_room(out->baselines, out->baseline_count, sizeof(*b));
	b = &out->baselines[out->baseline_count++];
	b->ifindex = (unsigned)sqlite3_column_int64(stmt, 0);
	b->counters = usage_counters(stmt, 1);
}

/* Rows of one table that belong to a boot. */
static int boot_rows(sqlite3 *db, const char *query, const char *boot, usage_row_fn *fn, void *ctx,
		     char **err)
{
	sqlite3_stmt *stmt;

	if (sql_prepare(db, &stmt, query, err) < 0)
		return -1;
	if (sql_bind(stmt, err, "s", boot) < 0) {
		sqlite3_finalize(stmt);
		return -1;
	}
	return usage_each_row(stmt, fn, ctx, err);
}

/* The setting that the ledger's writer runs with; external where none has said. */
static int read_charging(sqlite3 *db, bool *charged, char **err)
{
	int64_t kept_out;

	if (sql_number(db, "SELECT value = 'none' FROM meta WHERE key = 'unattributed'", 0, &kept_out, err) <
	    0)
		return -1;
	*charged = kept_out == 0;
	return 0;
}

#define VIFS                                                                                               \
	"SELECT v.id, v.boot, v.domid, v.devid, v.domain, v.uuid, v.mac, v.addresses, v.bridge, v.netdev," \
	" v.appeared, v.gone, " LABEL ", v.bucket FROM vif v JOIN bucket b ON b.id = v.bucket WHERE "

static int by_appearance(const void *a, const void *b)
{
	const struct usage_vif *x = a, *y = b;
	int order = strcmp(x->domain, y->domain);

	if (order == 0)
		order = (x->appeared > y->appeared) - (x->appeared < y->appeared);
	if (order == 0)
		order = (x->devid > y->devid) - (x->devid < y->devid);
	return order ? order : (x->id > y->id) - (x->id < y->id);
}

/* Those that are there, or all; then those that are gone and have bytes. */
static int read_which(sqlite3 *db, struct vifs_question *q, char **err)
{
	int rc = usage_run_rows(db, VIFS "(v.gone IS NULL OR ?1) AND ?2 = ?2", q->all, 0, take_vif, q, err);
	sqlite3_stmt *stmt;

	if (rc < 0 || q->all)
		return rc;
	rc = sql_prepare(db, &stmt, VIFS "v.id = ? AND v.gone IS NOT NULL", err);
	for (size_t i = 0; rc == 0 && i < q->groups.count; i++) {
		rc = sql_bind(stmt, err, "i", q->groups.list[i].id);
		if (rc == 0)
			rc = sql_step(stmt, err);
		if (rc == 1) {
			take_vif(q, stmt);
			rc = 0;
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int read_vifs(sqlite3 *db, void *ctx, char **err)
{
	struct vifs_question *q = ctx;
	int rc = usage_gather(db, USAGE_BY_VIF, q->from, q->to, q->buckets, q->count, &q->groups, err);

	if (rc == 0)
		rc = read_which(db, q, err);
	if (q->out->vif_count)
		qsort(q->out->vifs, q->out->vif_count, sizeof(q->out->vifs[0]), by_appearance);
	if (rc == 0)
		rc = boot_rows(db,
			       "SELECT vif, ifindex, rx_header, tx_header, base_rx_bytes, base_rx_packets,"
			       " base_tx_bytes, base_tx_packets, last_rx_bytes, last_rx_packets,"
			       " last_tx_bytes, last_tx_packets, total_input, total_output"
			       " FROM epoch WHERE boot = ? AND closed IS NULL",
			       q->boot, take_epoch, q->out, err);
	if (rc == 0)
		rc = boot_rows(db,
			       "SELECT ifindex, rx_bytes, rx_packets, tx_bytes, tx_packets FROM baseline"
			       " WHERE boot = ?",
			       q->boot, take_baseline, q->out, err);
	if (rc == 0)
		rc = read_charging(db, &q->out->charge_unattributed, err);
	if (rc == 0)
		rc = usage_read_run(db, &q->out->run, err);
	usage_groups_free(&q->groups);
	return rc;
}

int usage_read_vifs_of(sqlite3 *db, const char *boot, int64_t from, int64_t to, bool all,
		       const int64_t *buckets, size_t count, struct usage_vifs *out, char **err)
{
	struct vifs_question q = {.boot = boot,
				  .from = from,
				  .to = to,
				  .all = all,
				  .buckets = buckets,
				  .count = count,
				  .out = out};

	*out = (struct usage_vifs){.run = no_run};
	if (usage_ask(db, read_vifs, &q, err) < 0) {
		usage_vifs_free(out);
		return -1;
	}
	return 0;
}

int usage_read_vifs(sqlite3 *db, const char *boot, int64_t from, int64_t to, bool all, struct usage_vifs *out,
		    char **err)
{
	return usage_read_vifs_of(db, boot, from, to, all, NULL, 0, out, err);
}

void usage_vifs_free(struct usage_vifs *v)
{
	for (size_t i = 0; i < v->vif_count; i++) {
		free(v->vifs[i].boot);
		free(v->vifs[i].domain);
		free(v->vifs[i].uuid);
		free(v->vifs[i].mac);
		free(v->vifs[i].addresses);
		free(v->vifs[i].bridge);
		free(v->vifs[i].netdev);
		free(v->vifs[i].bucket);
	}
	free(v->vifs);
	free(v->epochs);
	free(v->baselines);
	free(v->run.boot);
	*v = (struct usage_vifs){.run = no_run};
}
