/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/top_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LEVELS 8

static const char *const order_words[] = {"rate", "input", "output", "name"};

static struct top_row *row_of(struct top_rows *t, const struct top_reading *v)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].domid == v->domid && t->list[i].devid == v->devid)
			return &t->list[i];
	return NULL;
}

static void measure(struct top_row *r, const struct top_reading *v, int64_t ns)
{
	r->has_rate = true;
	for (int d = 0; d < DIR_COUNT; d++) {
		if (v->bytes[d] < r->bytes[d])
			r->has_rate = false;
		else
			r->rate[d] = (uint64_t)((double)(v->bytes[d] - r->bytes[d]) * 1e9 / (double)ns + 0.5);
	}
	if (!r->has_rate)
		return;
	memmove(r->history + 1, r->history, (TOP_HISTORY - 1) * sizeof(r->history[0]));
	r->history[0] = r->rate[DIR_INPUT] + r->rate[DIR_OUTPUT];
	if (r->samples < TOP_HISTORY)
		r->samples++;
}

static void clear(struct top_row *r)
{
	free(r->domain);
	free(r->netdev);
}

static void drop_unseen(struct top_rows *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].seen)
			t->list[kept++] = t->list[i];
		else
			clear(&t->list[i]);
	}
	t->count = kept;
}

void top_rows_take(struct top_rows *t, const struct top_reading *vifs, size_t count, struct mono now)
{
	int64_t ns = now.ns - t->read.ns;

	for (size_t i = 0; i < t->count; i++)
		t->list[i].seen = false;
	for (size_t i = 0; i < count; i++) {
		struct top_row *r = row_of(t, &vifs[i]);

		if (!r) {
			t->list = mem_resize(t->list, t->count + 1, sizeof(t->list[0]));
			r = &t->list[t->count++];
			*r = (struct top_row){.domid = vifs[i].domid, .devid = vifs[i].devid};
		} else if (ns > 0) {
			measure(r, &vifs[i], ns);
		}
		mem_replace(&r->domain, vifs[i].domain ? vifs[i].domain : "");
		mem_replace(&r->netdev, vifs[i].netdev);
		memcpy(r->bytes, vifs[i].bytes, sizeof(r->bytes));
		r->seen = true;
	}
	drop_unseen(t);
	t->read = now;
}

void top_rows_free(struct top_rows *t)
{
	for (size_t i = 0; i < t->count; i++)
		clear(&t->list[i]);
	free(t->list);
	*t = (struct top_rows){0};
}

static uint64_t key_of(const struct top_row *r, enum top_order order)
{
	if (!r->has_rate || order == TOP_BY_NAME)
		return 0;
	return order == TOP_BY_INPUT    ? r->rate[DIR_INPUT]
	       : order == TOP_BY_OUTPUT ? r->rate[DIR_OUTPUT]
					: r->rate[DIR_INPUT] + r->rate[DIR_OUTPUT];
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top_row *x = a, *y = b;
	uint64_t left = key_of(x, *(enum top_order *)arg), right = key_of(y, *(enum top_order *)arg);
	int order = left != right ? (left < right) - (left > right) : strverscmp(x->domain, y->domain);

	if (order == 0)
		order = (x->domid > y->domid) - (x->domid < y->domid);
	return order ? order : (x->devid > y->devid) - (x->devid < y->devid);
}

void top_rows_sort(struct top_rows *t, enum top_order order)
{
	if (t->count)
		qsort_r(t->list, t->count, sizeof(t->list[0]), compare, &order);
}

bool top_row_has(const struct top_row *r, const char *text)
{
	return strcasestr(r->domain, text) || strcasestr(r->netdev, text);
}

char *top_row_sparkline(const struct top_row *r, bool utf8)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const signs[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
	size_t samples = r->samples, used = 0, size = samples * strlen(bars[0]) + 1;
	char *text = mem_alloc(size);
	uint64_t most = 1;

	for (size_t i = 0; i < samples; i++)
		if (r->history[i] > most)
			most = r->history[i];
	for (size_t i = samples; i > 0; i--) {
		double part = (double)r->history[i - 1] / (double)most;
		const char *sign = (utf8 ? bars : signs)[(size_t)(part * (LEVELS - 1) + 0.5)];

		memcpy(text + used, sign, strlen(sign) + 1);
		used += strlen(sign);
	}
	return text;
}

bool top_order_named(const char *word, enum top_order *out)
{
	for (size_t i = 0; i < sizeof(order_words) / sizeof(order_words[0]); i++)
		if (strcmp(word, order_words[i]) == 0) {
			*out = (enum top_order)i;
			return true;
		}
	return false;
}

const char *top_order_word(enum top_order order)
{
	return order_words[order];
}
