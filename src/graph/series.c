/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "graph/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MOST_CELLS 20000 /* more than any picture has pixels */
#define STALE 600        /* what has not been told for two slots is not current */

/* What is known in each cell of the grid. */
struct cells {
	double *bytes, *seconds;
};

/* ---- figures ---- */

static void sum_rows(const struct history *h, int d, double *bytes, double *seconds)
{
	*bytes = *seconds = 0;
	for (size_t i = 0; i < h->count; i++) {
		const struct history_row *row = &h->list[i];

		if (isnan(row->rate[d]))
			continue;
		*bytes += row->rate[d] * (double)(row->to - row->from);
		*seconds += (double)(row->to - row->from);
	}
}

static int64_t last_known(const struct history *h)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < h->count; i++)
		if (h->list[i].to > last)
			last = h->list[i].to;
	return last;
}

/* `latest`: up to when anything is known of any part. */
static struct series_figures figures_of(const struct history *h, int d, int64_t latest)
{
	struct series_figures f = {.current = NAN, .average = NAN, .maximum = h->maximum[d], .total = NAN};
	int64_t last = last_known(h);
	double bytes, seconds;

	sum_rows(h, d, &bytes, &seconds);
	if (seconds <= 0)
		return f;
	f.total = bytes;
	f.average = bytes / seconds;
	for (size_t i = 0; i < h->count && last >= latest - STALE; i++)
		if (h->list[i].to == last)
			f.current = h->list[i].rate[d];
	return f;
}

static void add_known(double *to, double value)
{
	if (!isnan(value))
		*to = isnan(*to) ? value : *to + value;
}

/* ---- which parts ---- */

static double bytes_of(const struct series_source *source)
{
	double in, out, seconds;

	sum_rows(&source->history, DIR_INPUT, &in, &seconds);
	sum_rows(&source->history, DIR_OUTPUT, &out, &seconds);
	return in + out;
}

static int by_size(const void *a, const void *b)
{
	const struct series_source *x = a, *y = b;
	double mine = bytes_of(x), theirs = bytes_of(y);

	if (mine != theirs)
		return mine < theirs ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* ---- the grid ---- */

static void make_grid(struct series *s, const struct series_source *sources, size_t count)
{
	s->step = 1;
	for (size_t i = 0; i < count; i++)
		if (sources[i].history.step > s->step)
			s->step = sources[i].history.step;
	while ((s->to - s->from) / s->step > MOST_CELLS)
		s->step *= 2;
	s->start = s->from - s->from % s->step;
	s->cells = (size_t)((s->to - s->start + s->step - 1) / s->step);
}

static struct cells make_cells(const struct series *s)
{
	return (struct cells){mem_array(s->cells, sizeof(double)), mem_array(s->cells, sizeof(double))};
}

static void free_cells(struct cells *c)
{
	free(c->bytes);
	free(c->seconds);
}

static void lay_rows(const struct series *s, struct cells *c, const struct history *h, int d)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct history_row *row = &h->list[i];
		int64_t at = row->from;

		while (!isnan(row->rate[d]) && at < row->to) {
			size_t cell = (size_t)((at - s->start) / s->step);
			int64_t edge = s->start + (int64_t)(cell + 1) * s->step;
			int64_t end = edge < row->to ? edge : row->to;

			c->bytes[cell] += row->rate[d] * (double)(end - at);
			c->seconds[cell] += (double)(end - at);
			at = end;
		}
	}
}

static double *rates(const struct series *s, const struct cells *c, const double *seconds)
{
	double *rate = mem_array(s->cells, sizeof(*rate));

	for (size_t i = 0; i < s->cells; i++)
		rate[i] = seconds[i] > 0 ? c->bytes[i] / seconds[i] : NAN;
	/* the time asked for cuts these: the night's backup alone would be a day's rate */
	for (size_t i = 0; i < s->cells && s->cells > 2; i += s->cells - 1)
		if (seconds[i] < (double)s->step / 2)
			rate[i] = NAN;
	return rate;
}

/* The seconds of each cell in which anything is known of any source. */
static double *seconds_of_all(const struct series *s, const struct series_source *sources, size_t count,
			      int d)
{
	double *most = mem_array(s->cells, sizeof(*most));

	for (size_t i = 0; i < count; i++) {
		struct cells c = make_cells(s);

		lay_rows(s, &c, &sources[i].history, d);
		for (size_t cell = 0; cell < s->cells; cell++)
			if (c.seconds[cell] > most[cell])
				most[cell] = c.seconds[cell];
		free_cells(&c);
	}
	return most;
}

/* One part of one source, or of several together; `seconds` as above, NULL: its own. */
static void fill_part(const struct series *s, struct series_part *part, int d,
		      const struct series_source *sources, size_t count, const double *seconds)
{
	struct series_figures *f = &part->figures[d];
	struct cells c = make_cells(s);
	double known = 0;

	for (size_t i = 0; i < count; i++)
		lay_rows(s, &c, &sources[i].history, d);
	part->rate[d] = rates(s, &c, seconds ? seconds : c.seconds);
	for (size_t cell = 0; seconds && cell < s->cells; cell++) {
		double rate = part->rate[d][cell];

		known += seconds[cell];
		if (!isnan(rate) && (isnan(f->maximum) || f->maximum < rate))
			f->maximum = rate;
	}
	if (seconds && known > 0)
		f->average = f->total / known;
	free_cells(&c);
}

/* ---- all of it ---- */

static void add_figures(struct series_figures *to, const struct series_figures *f)
{
	add_known(&to->current, f->current);
	add_known(&to->total, f->total);
}

static void fill_direction(struct series *s, const struct series_source *sources, size_t count, bool stacked,
			   int d, int64_t latest)
{
	static const struct series_figures nothing = {NAN, NAN, NAN, NAN};
	size_t alone = s->count - (s->merged ? 1 : 0);
	double *seconds = stacked ? seconds_of_all(s, sources, count, d) : NULL;

	s->sum.figures[d] = nothing;
	if (s->merged)
		s->list[alone].figures[d] = nothing;
	for (size_t i = 0; i < count; i++) {
		struct series_figures f = figures_of(&sources[i].history, d, latest);

		add_figures(&s->sum.figures[d], &f);
		if (i >= alone)
			add_figures(&s->list[alone].figures[d], &f);
		else
			s->list[i].figures[d] = f;
	}
	for (size_t i = 0; i < alone; i++) {
		struct series_figures own = s->list[i].figures[d];

		fill_part(s, &s->list[i], d, &sources[i], 1, seconds);
		s->list[i].figures[d] = own; /* from its rows, not from the grid */
	}
	if (s->merged)
		fill_part(s, &s->list[alone], d, sources + alone, s->merged, seconds);
	fill_part(s, &s->sum, d, sources, count, seconds);
	free(seconds);
}

void series_make(struct series *s, struct series_source *sources, size_t count, size_t most, bool stacked,
		 int64_t from, int64_t to)
{
	int64_t latest = INT64_MIN;
	size_t alone;

	*s = (struct series){.from = from, .to = to};
	if (count)
		qsort(sources, count, sizeof(*sources), by_size);
	make_grid(s, sources, count);
	alone = count <= most + 1 ? count : most; /* a single other one has its own name */
	s->merged = count - alone;
	s->count = alone + (s->merged ? 1 : 0);
	s->list = mem_array(s->count, sizeof(*s->list));
	for (size_t i = 0; i < alone; i++)
		s->list[i].name = mem_strdup(sources[i].name);
	if (s->merged)
		s->list[alone].name = mem_printf("%zu others", s->merged);
	s->sum.name = mem_strdup("Total");
	for (size_t i = 0; i < count; i++)
		if (last_known(&sources[i].history) > latest)
			latest = last_known(&sources[i].history);
	s->known = latest > INT64_MIN;
	for (int d = 0; d < DIR_COUNT; d++)
		fill_direction(s, sources, count, stacked, d, latest);
}

static void free_part(struct series_part *p)
{
	free(p->name);
	for (int d = 0; d < DIR_COUNT; d++)
		free(p->rate[d]);
}

void series_free(struct series *s)
{
	for (size_t i = 0; i < s->count; i++)
		free_part(&s->list[i]);
	free_part(&s->sum);
	free(s->list);
	*s = (struct series){0};
}
