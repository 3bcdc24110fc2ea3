/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/report_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "db/retain.h"

/* ---- the question ---- */

/* The period of buckets whose months begin on this day. */
static int period_of(const struct report_rows *r, unsigned day, struct period *out, char **err)
{
	if (r->from || r->to)
		return period_range(r->from, r->to, r->now, out, err);
	return period_billing(r->month ? r->month : "this", day, r->now, out, err);
}

int report_rows_check(struct report_rows *r, const struct conf *conf, char **err)
{
	if (r->month && (r->from || r->to))
		return err_set(err, "report: --month, or --from and --to, not both");
	if ((r->percentiles || r->projections) && r->by != REPORT_BY_DOMAIN && r->by != REPORT_BY_OWNER)
		return err_set(err,
			       "report: --percentile, --commit and --project go with --by domain or owner");
	return period_of(r, conf->billing.day, &r->period, err);
}

static bool is_asked(const struct report_rows *r, const struct conf *conf, const struct usage_bucket *b)
{
	const char *owner = billing_owner_of(&conf->owners, b->label);

	if (r->owner && (!owner || strcmp(owner, r->owner) != 0))
		return false;
	if (r->word_count == 0)
		return true;
	for (size_t i = 0; i < r->word_count; i++)
		if (usage_bucket_named(&r->buckets, r->words[i]) == b)
			return true;
	return false;
}

static int check_words(const struct report_rows *r, const struct conf *conf, char **err)
{
	if (r->owner && !billing_has_owner(&conf->owners, r->owner))
		return err_set(err, "the configuration has no owner `%s`; see `owner` in xenbw.conf(5)",
			       r->owner);
	for (size_t i = 0; i < r->word_count; i++)
		if (!cli_bucket(&r->buckets, r->words[i], err))
			return -1;
	return 0;
}

/* ---- rows ---- */

static struct report_row *add_row(struct report_rows *r, const char *name, const struct period *period)
{
	struct report_row *row;

	r->list = mem_resize(r->list, r->count + 1, sizeof(*r->list));
	row = &r->list[r->count];
	*row = (struct report_row){.name = mem_strdup(name), .period = *period, .order = r->count};
	r->count++;
	return row;
}

/* A row that others are added to: of this name and period. */
static struct report_row *shared_row(struct report_rows *r, const char *name, const struct period *period)
{
	for (size_t i = 0; i < r->count; i++) {
		struct report_row *row = &r->list[i];

		if (!row->name == !name && (!name || strcmp(row->name, name) == 0) &&
		    row->period.from == period->from && row->period.to == period->to)
			return row;
	}
	return add_row(r, name, period);
}

static void add_bucket(struct report_row *row, int64_t bucket)
{
	row->buckets = mem_resize(row->buckets, row->bucket_count + 1, sizeof(*row->buckets));
	row->buckets[row->bucket_count++] = bucket;
}

static void add_classes(struct report_rows *r, const struct usage_sums *sums, const struct period *period)
{
	for (int c = 0; c < CLASS_COUNT; c++) {
		struct report_row *row = shared_row(r, class_name(c), period);

		for (int d = 0; d < DIR_COUNT; d++)
			row->sums.classes.bytes[d][c] += sums->classes.bytes[d][c];
	}
}

static void take_row(struct report_rows *r, const struct conf *conf, const struct usage_row *u,
		     const struct period *period)
{
	struct report_row *row;

	usage_sums_add(&r->sums, &u->sums);
	if (r->by == REPORT_BY_CLASS) {
		add_classes(r, &u->sums, period);
		return;
	}
	if (r->by == REPORT_BY_OWNER)
		row = shared_row(r, billing_owner_of(&conf->owners, u->label), period);
	else if (r->by == REPORT_BY_ADDRESS)
		row = add_row(r, *u->address ? u->address : NULL, period);
	else
		row = add_row(r, u->label, period);
	if (u->label)
		add_bucket(row, u->bucket);
	mem_replace(&row->domain, u->domain);
	mem_replace(&row->netdev, u->netdev);
	row->domid = u->domid;
	row->devid = u->devid;
	usage_sums_add(&row->sums, &u->sums);
}

static bool is_empty(const struct usage_sums *s)
{
	return class_bytes_total(&s->classes, DIR_INPUT) + class_bytes_total(&s->classes, DIR_OUTPUT) == 0;
}

/* Buckets whose months begin on one day: `ids`, or all. */
static int read_group(struct report_rows *r, const struct conf *conf, sqlite3 *db, unsigned day,
		      const int64_t *ids, size_t count, char **err)
{
	static const enum usage_by kinds[REPORT_BY_COUNT] = {
		[REPORT_BY_ADDRESS] = USAGE_BY_ADDRESS, [REPORT_BY_VIF] = USAGE_BY_VIF}; /* others by bucket
											  */
	struct usage_report usage;
	struct period period;

	if (period_of(r, day, &period, err) < 0 ||
	    usage_read_report(db, kinds[r->by], period.from, period.to, ids, count, &usage, err) < 0)
		return -1;
	r->asked = true;
	r->rounded |= period.rounded;
	r->unattributed_charged = usage.unattributed_charged;
	free(r->run.boot);
	r->run = usage.run;
	r->run.boot = mem_strdup(usage.run.boot);
	for (size_t i = 0; i < usage.count; i++)
		if (r->word_count || !count || !is_empty(&usage.rows[i].sums))
			take_row(r, conf, &usage.rows[i], &period);
	usage_report_free(&usage);
	return 0;
}

/* Of the buckets that are asked for, those whose months begin on this day. */
static size_t group_of(const struct report_rows *r, const struct conf *conf, unsigned day, bool one_group,
		       int64_t *ids)
{
	size_t n = 0;

	for (size_t i = 0; i < r->buckets.count; i++) {
		const struct usage_bucket *b = &r->buckets.list[i];

		if ((one_group || billing_day_of(&conf->billing, b->label) == day) && is_asked(r, conf, b))
			ids[n++] = b->id;
	}
	return n;
}

static int read_groups(struct report_rows *r, const struct conf *conf, sqlite3 *db, bool one_group,
		       char **err)
{
	int64_t *ids = mem_array(r->buckets.count + 1, sizeof(*ids));
	int rc = 0;

	for (unsigned day = 1; rc == 0 && day <= BILLING_LAST_DAY; day++) {
		size_t n = one_group && day != conf->billing.day ? 0 : group_of(r, conf, day, one_group, ids);

		if (n)
			rc = read_group(r, conf, db, day, ids, n, err);
	}
	if (rc == 0 && !r->asked) { /* none there is: the run, all the same */
		*ids = -1;
		rc = read_group(r, conf, db, conf->billing.day, ids, 1, err);
	}
	free(ids);
	return rc;
}

/* ---- in order ---- */

static int by_name(const void *a, const void *b)
{
	const struct report_row *x = a, *y = b;
	int order = !x->name - !y->name; /* what has none comes last */

	if (order == 0 && x->name)
		order = strverscmp(x->name, y->name);
	if (order == 0 && x->domain && y->domain)
		order = strverscmp(x->domain, y->domain);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

uint64_t report_rows_charged_by(const struct report_rows *r, const struct usage_sums *s, enum direction dir)
{
	const uint64_t *classes = s->classes.bytes[dir];

	return classes[CLASS_EXTERNAL] + (r->unattributed_charged ? classes[CLASS_UNATTRIBUTED] : 0);
}

uint64_t report_rows_charged(const struct report_rows *r, const struct usage_sums *s)
{
	return report_rows_charged_by(r, s, DIR_INPUT) + report_rows_charged_by(r, s, DIR_OUTPUT);
}

/* For the comparison below: by class, a row has the bytes of one class, charged or not. */
static uint64_t size_of(const struct report_rows *r, const struct report_row *row)
{
	return r->by == REPORT_BY_CLASS ? class_bytes_total(&row->sums.classes, DIR_INPUT) +
						  class_bytes_total(&row->sums.classes, DIR_OUTPUT)
					: report_rows_charged(r, &row->sums);
}

static int by_size(const void *a, const void *b, void *rows)
{
	const struct report_rows *r = rows;
	uint64_t x = size_of(r, a), y = size_of(r, b);

	return x != y ? (x < y) - (x > y) : by_name(a, b);
}

void report_rows_by_size(struct report_rows *r)
{
	if (r->count)
		qsort_r(r->list, r->count, sizeof(r->list[0]), by_size, r);
}

/* The edges of all periods. */
static void find_period(struct report_rows *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct period *p = &r->list[i].period;

		if (i == 0)
			r->period = *p;
		r->several |= p->from != r->period.from || p->to != r->period.to;
		if (p->from < r->period.from)
			r->period.from = p->from;
		if (p->to > r->period.to)
			r->period.to = p->to;
	}
}

/* ---- what is made of slots and of the time so far ---- */

static int add_percentile(const struct report_rows *r, struct report_row *row, sqlite3 *db, char **err)
{
	struct usage_slots slots;

	if (usage_read_slots(db, row->period.from, row->period.to, row->buckets, row->bucket_count, &slots,
			     err) < 0)
		return -1;
	row->percentile = percentile_of(&slots, r->commitment);
	usage_slots_free(&slots);
	return 0;
}

static int add_figures(struct report_rows *r, sqlite3 *db, char **err)
{
	int64_t begin = -1;

	if (r->projections && usage_read_begin(db, &begin, err) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++) {
		struct report_row *row = &r->list[i];
		int64_t from = row->period.from > begin ? row->period.from : begin;

		if (r->is_late && r->is_late(r->ctx))
			return err_set(
				err,
				"what was asked takes too long: ask for fewer domains, or a shorter period");
		row->projected = percentile_projected(report_rows_charged(r, &row->sums), from, r->run.seen,
						      row->period.to);
		if (r->percentiles && add_percentile(r, row, db, err) < 0)
			return -1;
	}
	return 0;
}

/* Which buckets there are is asked for only where some of them are meant: there may be millions. */
static int read_usage(struct report_rows *r, const struct conf *conf, sqlite3 *db, char **err)
{
	bool one_group = r->from || r->to || conf->billing.count == 0;

	if (one_group && !r->word_count && !r->owner)
		return read_group(r, conf, db, conf->billing.day, NULL, 0, err);
	if (usage_read_buckets(db, &r->buckets, err) < 0 || check_words(r, conf, err) < 0)
		return -1;
	return read_groups(r, conf, db, one_group, err);
}

int report_rows_read(struct report_rows *r, const struct conf *conf, sqlite3 *db, char **err)
{
	r->rounded = r->period.rounded;
	r->run = (struct usage_run){.seen = -1, .ended = -1};
	if (retain_read(db, &r->retired, err) < 0 || read_usage(r, conf, db, err) < 0)
		return -1;
	if (r->count && r->by != REPORT_BY_CLASS && r->by != REPORT_BY_VIF)
		qsort(r->list, r->count, sizeof(r->list[0]), by_name);
	find_period(r);
	return add_figures(r, db, err);
}

void report_rows_free(struct report_rows *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->list[i].name);
		free(r->list[i].domain);
		free(r->list[i].netdev);
		free(r->list[i].buckets);
	}
	free(r->list);
	free(r->run.boot);
	usage_buckets_free(&r->buckets);
	r->list = NULL;
	r->count = 0;
}
