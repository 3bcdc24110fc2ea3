/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "graph/history.h"

#include <math.h>
#include <rrd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "graph/copy.h"

static const char *const column_name[DIR_COUNT] = {[DIR_INPUT] = "input", [DIR_OUTPUT] = "output"};

/* One archive of averages or maxima: it holds (begin, end]. */
struct archive {
	int64_t step, begin, end;
};

struct archives {
	struct archive *list; /* the finest first */
	size_t count;
};

/* What is read, and where it goes. */
struct reading {
	const struct copy *copy;
	const char *file, *function;
	struct history *to;
};

/* ---- which archives there are ---- */

static int64_t down_to(int64_t t, int64_t step)
{
	return t - t % step;
}

static int64_t up_to(int64_t t, int64_t step)
{
	return down_to(t + step - 1, step);
}

static int64_t info_number(const rrd_info_t *info, const char *key)
{
	for (const rrd_info_t *i = info; i; i = i->next)
		if (strcmp(i->key, key) == 0 && i->type == RD_I_CNT)
			return (int64_t)i->value.u_cnt;
	return 0;
}

static int64_t rra_number(const rrd_info_t *info, int number, const char *what)
{
	char *key = mem_printf("rra[%d].%s", number, what);
	int64_t value = info_number(info, key);

	free(key);
	return value;
}

static int by_step(const void *a, const void *b)
{
	int64_t x = ((const struct archive *)a)->step, y = ((const struct archive *)b)->step;

	return (x > y) - (x < y);
}

/* The number N of "rra[N].cf"; -1: another key. */
static int rra_of(const char *key)
{
	const char *digits = key + strlen("rra["), *end;
	uint64_t number;
	char *text;
	bool good;

	if (strncmp(key, "rra[", strlen("rra[")) != 0 || !(end = strchr(digits, ']')) ||
	    strcmp(end, "].cf") != 0)
		return -1;
	text = mem_strndup(digits, (size_t)(end - digits));
	good = text_u64(text, 0, 100000, &number);
	free(text);
	return good ? (int)number : -1;
}

static struct archives archives_of(const rrd_info_t *info, const char *function)
{
	int64_t step = info_number(info, "step"), last = info_number(info, "last_update");
	struct archives a = {0};

	for (const rrd_info_t *i = info; i && step > 0; i = i->next) {
		int number = i->type == RD_I_STR ? rra_of(i->key) : -1;
		struct archive one;

		if (number < 0 || strcmp(i->value.u_str, function) != 0)
			continue;
		one.step = step * rra_number(info, number, "pdp_per_row");
		if (one.step <= 0)
			continue;
		one.end = down_to(last, one.step);
		one.begin = one.end - one.step * rra_number(info, number, "rows");
		a.list = mem_resize(a.list, a.count + 1, sizeof(*a.list));
		a.list[a.count++] = one;
	}
	if (a.count)
		qsort(a.list, a.count, sizeof(*a.list), by_step);
	return a;
}

/* ---- rows ---- */

static void take_average(struct history *h, int64_t from, int64_t to, const double *rate)
{
	h->list = mem_resize(h->list, h->count + 1, sizeof(*h->list));
	h->list[h->count] = (struct history_row){.from = from, .to = to};
	memcpy(h->list[h->count++].rate, rate, sizeof(h->list->rate));
}

static void take_maximum(struct history *h, const double *rate)
{
	for (int d = 0; d < DIR_COUNT; d++)
		if (!isnan(rate[d]) && (isnan(h->maximum[d]) || h->maximum[d] < rate[d]))
			h->maximum[d] = rate[d];
}

static void take_row(const struct reading *r, int64_t from, int64_t to, const double *rate)
{
	if (from >= to || (isnan(rate[DIR_INPUT]) && isnan(rate[DIR_OUTPUT])))
		return;
	if (strcmp(r->function, "MAX") == 0)
		take_maximum(r->to, rate);
	else
		take_average(r->to, from, to, rate);
}

static int find_columns(char *const *names, unsigned long count, unsigned long *columns)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		columns[d] = 0;
		while (columns[d] < count && strcmp(names[columns[d]], column_name[d]) != 0)
			columns[d]++;
		if (columns[d] == count)
			return d;
	}
	return DIR_COUNT;
}

/* The rows of one archive that lie in [from, to), in whole or in part. */
static int read_part(const struct reading *r, int64_t row_step, int64_t from, int64_t to, char **err)
{
	time_t start = (time_t)from, end = (time_t)to;
	unsigned long step = (unsigned long)row_step, count, columns[DIR_COUNT];
	rrd_value_t *data, *row;
	char **names;
	int missing;

	if (rrd_fetch_r(r->copy->path, r->function, &start, &end, &step, &count, &names, &data) < 0)
		return copy_failed(r->copy, r->file, err);
	missing = find_columns(names, count, columns);
	row = data;
	for (int64_t t = start; missing == DIR_COUNT && t < end; t += (int64_t)step, row += count) {
		const double rate[DIR_COUNT] = {row[columns[DIR_INPUT]], row[columns[DIR_OUTPUT]]};
		int64_t row_end = t + (int64_t)step;

		take_row(r, t > from ? t : from, row_end < to ? row_end : to, rate);
	}
	for (unsigned long i = 0; i < count; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	rrd_freemem(data);
	if (missing != DIR_COUNT)
		return err_set(err, "cannot draw %s: No DS called '%s'", r->file, column_name[missing]);
	return 0;
}

/* From the end back to the start, each part from the finest archive that still has it; where one ends and the
 * next begins is an edge of the coarser one's rows. */
static int read_archives(const struct reading *r, const struct archives *a, int64_t from, int64_t to,
			 char **err)
{
	int64_t until = to;

	for (size_t i = 0; i < a->count && until > from; i++) {
		int64_t begin = a->list[i].begin;

		if (begin > from && i + 1 < a->count)
			begin = up_to(begin, a->list[i + 1].step);
		if (begin < from)
			begin = from;
		if (begin >= until)
			continue;
		if (read_part(r, a->list[i].step, begin, until, err) < 0)
			return -1;
		r->to->step = a->list[i].step;
		until = begin;
	}
	return 0;
}

static int read_function(const struct reading *r, const rrd_info_t *info, int64_t from, int64_t to,
			 char **err)
{
	struct archives a = archives_of(info, r->function);
	int rc = read_archives(r, &a, from, to, err);

	free(a.list);
	return rc;
}

/* Where a file has no maxima the averages must do. */
static void maxima_of_averages(struct history *h)
{
	for (size_t i = 0; i < h->count; i++)
		take_maximum(h, h->list[i].rate);
}

int history_read(const char *file, int64_t from, int64_t to, struct history *out, char **err)
{
	struct copy copy;
	struct reading averages = {.copy = &copy, .file = file, .function = "AVERAGE", .to = out};
	struct reading maxima = {.copy = &copy, .file = file, .function = "MAX", .to = out};
	rrd_info_t *info;
	int64_t step;
	int rc;

	*out = (struct history){.maximum = {NAN, NAN}};
	if (copy_open(file, &copy, err) < 0)
		return -1;
	rrd_clear_error();
	info = rrd_info_r(copy.path);
	rc = info ? read_function(&averages, info, from, to, err) : copy_failed(&copy, file, err);
	step = out->step;
	if (rc == 0)
		rc = read_function(&maxima, info, from, to, err);
	out->step = step;
	if (rc == 0 && isnan(out->maximum[DIR_INPUT]) && isnan(out->maximum[DIR_OUTPUT]))
		maxima_of_averages(out);
	if (info)
		rrd_info_free(info);
	copy_close(&copy);
	if (rc < 0)
		history_free(out);
	return rc;
}

void history_free(struct history *h)
{
	free(h->list);
	*h = (struct history){0};
}
