/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "writer/quotas.h"

#include <stdlib.h>
#include <string.h>

#include "account/quota.h"
#include "base/mem.h"
#include "db/ledger_file.h"
#include "db/quota_usage.h"

#define LATE_SECONDS 3600 /* after its end, that a period is looked at */

/* What the buckets of a quota moved in the complete slots of a period. */
struct known {
	int64_t from, upto; /* 0: nothing yet */
	int64_t *buckets;
	size_t count;
	struct class_bytes sums;
};

enum { PRESENT, BEFORE, SPANS };

struct writer_quotas {
	const struct conf *conf;
	struct known (*known)[SPANS]; /* by quota */
};

/* Of one pass. */
struct pass {
	sqlite3 *db;
	struct usage_buckets buckets;
	bool unattributed;
	int64_t open_slot, now;
	bool (*tell)(const struct crossing *);
};

struct writer_quotas *writer_quotas_new(const struct conf *conf)
{
	struct writer_quotas *w;

	if (conf->quotas.count == 0)
		return NULL;
	w = mem_alloc(sizeof(*w));
	w->conf = conf;
	w->known = mem_array(conf->quotas.count, sizeof(*w->known));
	return w;
}

void writer_quotas_free(struct writer_quotas *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->conf->quotas.count; i++)
		for (int s = 0; s < SPANS; s++)
			free(w->known[i][s].buckets);
	free(w->known);
	free(w);
}

/* ---- what was moved ---- */

/* Goes on from what is known where that is of the same period and buckets. */
static void begin(struct known *k, int64_t from, int64_t *buckets, size_t count)
{
	if (k->from == from && k->count == count &&
	    (count == 0 || memcmp(k->buckets, buckets, count * sizeof(*buckets)) == 0)) {
		free(buckets);
		return;
	}
	free(k->buckets);
	*k = (struct known){.from = from, .upto = from, .buckets = buckets, .count = count};
}

static int moved(const struct pass *p, struct known *k, int64_t to, struct class_bytes *out, char **err)
{
	int64_t complete = p->open_slot < to ? p->open_slot : to;
	struct class_bytes more = {0};

	if (complete > k->upto) {
		if (quota_usage_add(p->db, k->upto, complete, k->buckets, k->count, &more, err) < 0)
			return -1;
		class_bytes_add(&k->sums, &more);
		k->upto = complete;
	}
	*out = k->sums;
	return quota_usage_add(p->db, k->upto, to, k->buckets, k->count, out, err);
}

/* ---- what is reached ---- */

static void copy_name(char to[CROSSING_NAME], const char *name)
{
	memset(to, 0, CROSSING_NAME);
	if (name)
		strncpy(to, name, CROSSING_NAME - 1);
}

static int tell_reached(const struct pass *p, struct crossing *c, const struct quota *q, char **err)
{
	for (size_t i = 0; i < q->mark_count && c->used >= quota_mark(q->bytes, q->marks[i]); i++) {
		int64_t told;

		c->percent = q->marks[i];
		if (quota_usage_crossed(p->db, c, &told, err) < 0)
			return -1;
		if (!told && !p->tell(c))
			return 1;
	}
	return 0;
}

static int look_at(const struct writer_quotas *w, const struct pass *p, size_t number, struct quota_span span,
		   int which, char **err)
{
	const struct quota *q = &w->conf->quotas.list[number];
	struct known *k = &w->known[number][which];
	struct crossing c = {.from = span.from,
			     .to = span.to,
			     .time = p->now,
			     .bytes = q->bytes,
			     .period = q->period,
			     .class = q->class,
			     .direction = q->direction};
	struct class_bytes bytes;
	size_t count;
	int64_t *buckets = quota_usage_buckets(w->conf, q, &p->buckets, &count);

	begin(k, span.from, buckets, count);
	if (k->count == 0)
		return 0;
	if (moved(p, k, span.to, &bytes, err) < 0)
		return -1;
	c.used = quota_used(q, &bytes, p->unattributed);
	if (!q->of_owner) {
		c.bucket = k->buckets[0];
		copy_name(c.label, q->name);
	}
	copy_name(c.owner, q->of_owner ? q->name : billing_owner_of(&w->conf->owners, q->name));
	return tell_reached(p, &c, q, err);
}

static unsigned day_of(const struct conf *conf, const struct quota *q)
{
	return q->of_owner ? conf->billing.day : billing_day_of(&conf->billing, q->name);
}

static int look(const struct writer_quotas *w, struct pass *p, char **err)
{
	int rc = 0;

	if (usage_read_buckets(p->db, &p->buckets, err) < 0 ||
	    quota_usage_charging(p->db, &p->unattributed, &p->open_slot, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < w->conf->quotas.count; i++) {
		const struct quota *q = &w->conf->quotas.list[i];
		unsigned day = day_of(w->conf, q);
		struct quota_span span = quota_span(q->period, day, p->now);

		if (p->now < span.from + LATE_SECONDS)
			rc = look_at(w, p, i, quota_span(q->period, day, span.from - 1), BEFORE, err);
		if (rc == 0)
			rc = look_at(w, p, i, span, PRESENT, err);
	}
	return rc;
}

int writer_quotas_pass(struct writer_quotas *w, int64_t now, bool (*tell)(const struct crossing *),
		       char **trouble)
{
	struct pass p = {.now = now, .tell = tell};
	struct ledger_file file;
	int rc = ledger_file_open_reader(&file, w->conf->ledger, trouble);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	p.db = file.db;
	rc = look(w, &p, trouble);
	usage_buckets_free(&p.buckets);
	ledger_file_close(&file);
	return rc;
}
