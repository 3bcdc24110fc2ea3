/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_LOCAL 6 /* of the counters: those before it are of what crossed the uplink */

struct compare_sample {
	char *label;
	int64_t hour;
	enum compare_source source;
	enum compare_cause whole;
	uint64_t bytes[COMPARE_COLUMNS];
};

/* What is not explained yet of one figure lies in its part COMPARE_UNEXPLAINED. */
static int64_t left_of(const struct compare_cell *cell)
{
	return cell->part[COMPARE_UNEXPLAINED];
}

static void give(struct compare_cell *cell, enum compare_cause cause, int64_t bytes)
{
	cell->part[cause] += bytes;
	cell->part[COMPARE_UNEXPLAINED] -= bytes;
}

static int64_t between(int64_t least, int64_t value, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Nothing that anybody counted comes near the end of 63 bits. */
static int64_t whole_number(uint64_t value)
{
	return value > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)value;
}

int64_t compare_difference(const struct compare_cell *cell)
{
	return whole_number(cell->from[COMPARE_XENBW]) - whole_number(cell->from[COMPARE_NACCTD]);
}

/* ---- rows ---- */

void compare_add(struct compare *c, enum compare_source source, const char *label, int64_t hour,
		 enum compare_cause whole, const uint64_t bytes[static COMPARE_COLUMNS])
{
	struct compare_sample *s;

	if ((c->sample_count & (c->sample_count - 1)) == 0)
		c->samples = mem_resize(c->samples, c->sample_count ? c->sample_count * 2 : 1,
					sizeof(*c->samples));
	s = &c->samples[c->sample_count++];
	*s = (struct compare_sample){mem_strdup(label), hour, source, whole, {0}};
	memcpy(s->bytes, bytes, sizeof(s->bytes));
}

static int by_label_and_hour(const void *a, const void *b)
{
	const struct compare_sample *x = a, *y = b;
	int order = strcmp(x->label, y->label);

	return order ? order : (x->hour > y->hour) - (x->hour < y->hour);
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void take_in(struct compare_row *row, const struct compare_sample *s)
{
	if (s->source == COMPARE_ASIDE) {
		for (int d = 0; d < DIR_COUNT; d++) {
			row->ignored[d] += s->bytes[d];
			row->unattributed[d] += s->bytes[DIR_COUNT + d];
		}
		return;
	}
	for (int i = 0; i < COMPARE_COLUMNS; i++)
		row->cells[i].from[s->source] += s->bytes[i];
}

/* How many labels and hours the sorted samples have: a row is many times larger than a sample. */
static size_t distinct(const struct compare *c)
{
	size_t count = c->sample_count > 0;

	for (size_t i = 1; i < c->sample_count; i++)
		count += by_label_and_hour(&c->samples[i - 1], &c->samples[i]) != 0;
	return count;
}

static void make_rows(struct compare *c)
{
	if (c->sample_count)
		qsort(c->samples, c->sample_count, sizeof(*c->samples), by_label_and_hour);
	c->rows = mem_array(distinct(c), sizeof(*c->rows));
	c->wrote = mem_array(c->sample_count, sizeof(*c->wrote));
	for (size_t i = 0; i < c->sample_count; i++) {
		const struct compare_sample *s = &c->samples[i];

		if (i == 0 || by_label_and_hour(s - 1, s) != 0)
			c->rows[c->count++] =
				(struct compare_row){.label = s->label, .hour = s->hour, .whole = s->whole};
		take_in(&c->rows[c->count - 1], s);
		if (s->source == COMPARE_NACCTD)
			c->wrote[c->wrote_count++] = s->hour;
	}
	if (c->wrote_count)
		qsort(c->wrote, c->wrote_count, sizeof(*c->wrote), by_number);
	for (size_t i = 0; i < c->count; i++)
		for (int k = 0; k < COMPARE_COLUMNS; k++)
			c->rows[i].cells[k].part[COMPARE_UNEXPLAINED] =
				compare_difference(&c->rows[i].cells[k]);
}

/* ---- causes of a bucket as a whole ---- */

/* The rows of the bucket that begins at i end before this one. */
static size_t end_of_label(const struct compare *c, size_t i)
{
	size_t end = i + 1;

	while (end < c->count && strcmp(c->rows[end].label, c->rows[i].label) == 0)
		end++;
	return end;
}

static bool has_bytes(const struct compare *c, size_t begin, size_t end, enum compare_source source)
{
	for (size_t i = begin; i < end; i++)
		for (int k = 0; k < COMPARE_COLUMNS; k++)
			if (c->rows[i].cells[k].from[source])
				return true;
	return false;
}

static bool explain_whole(struct compare *c, size_t begin, size_t end)
{
	enum compare_cause cause = c->rows[begin].whole;

	/* where nobody has a row, nacctd did not run */
	if (cause == COMPARE_UNEXPLAINED && c->wrote_count && !has_bytes(c, begin, end, COMPARE_NACCTD))
		cause = COMPARE_UNSEEN;
	if (cause == COMPARE_UNEXPLAINED)
		return false;
	for (size_t i = begin; i < end; i++) {
		c->rows[i].whole = cause;
		for (int k = 0; k < COMPARE_COLUMNS; k++)
			give(&c->rows[i].cells[k], cause, left_of(&c->rows[i].cells[k]));
	}
	return true;
}

/* ---- causes within a row, before hours are looked at ---- */

static void explain_unwritten(struct compare_cell *cell)
{
	int64_t missing = whole_number(cell->from[COMPARE_LEDGER]) - whole_number(cell->from[COMPARE_XENBW]);

	if (left_of(cell) < 0 && missing > 0)
		give(cell, COMPARE_UNWRITTEN, between(-missing, left_of(cell), 0));
}

/* Of the counters of one direction: what all of those with this sign have. */
static int64_t sum_of(const struct compare_row *row, int dir, int sign)
{
	int64_t sum = 0;

	for (int k = dir; k < COMPARE_COLUMNS; k += DIR_COUNT) {
		int64_t left = sign * left_of(&row->cells[k]);

		sum += left > 0 ? left : 0;
	}
	return sum;
}

static void take_from(struct compare_row *row, int dir, int sign, int64_t bytes)
{
	for (int k = dir; k < COMPARE_COLUMNS; k += DIR_COUNT) {
		int64_t part = between(0, sign * left_of(&row->cells[k]), bytes);

		give(&row->cells[k], COMPARE_CLASS, sign * part);
		bytes -= part;
	}
}

/* As many bytes as one counter lacks, another one has. */
static void explain_class(const struct compare *c, struct compare_row *row)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		int64_t moved = between(0, sum_of(row, d, 1), sum_of(row, d, -1));

		if (!c->lists_differ)
			moved = between(0, moved, whole_number(row->unattributed[d]));
		take_from(row, d, 1, moved);
		take_from(row, d, -1, moved);
	}
}

/* ---- hours ---- */

static bool is_silent(const struct compare *c, int64_t hour)
{
	return !c->wrote_count || !bsearch(&hour, c->wrote, c->wrote_count, sizeof(hour), by_number);
}

/* Could bytes of the hour `from` have waited in nacctd's memory until the hour `to`? */
static bool can_wait(const struct compare *c, int64_t from, int64_t to)
{
	for (int64_t h = from + 1; h < to; h++)
		if (!is_silent(c, h))
			return false;
	return true;
}

/* How much of a row's figure may have been written later. What waited is in what was written next. */
static int64_t most_carried(const struct compare *c, const struct compare_row *row,
			    const struct compare_row *next, int k)
{
	int64_t most =
		is_silent(c, row->hour) ? INT64_MAX / 4 : whole_number(row->cells[k].from[COMPARE_TAIL]);
	int64_t arrived;

	if (!next)
		return row->hour == c->last ? most : 0;
	if (!can_wait(c, row->hour, next->hour))
		return 0;
	arrived = whole_number(next->cells[k].from[COMPARE_NACCTD]);
	return is_silent(c, next->hour) || most < arrived ? most : arrived;
}

/* From the last hour backwards: bytes went from one hour to the next only where they turned up there, so what
 * was lost is never taken for what came late. Of the last hour that there is nobody knows that yet. */
static void explain_hours(struct compare *c, size_t begin, size_t end, int k)
{
	const struct compare_row *last = &c->rows[end - 1];
	int64_t out = between(0, left_of(&last->cells[k]), most_carried(c, last, NULL, k)), in;

	for (size_t i = end; i-- > begin; out = in) {
		struct compare_cell *cell = &c->rows[i].cells[k];

		in = 0;
		if (i > begin)
			in = between(0, out - left_of(cell),
				     most_carried(c, &c->rows[i - 1], &c->rows[i], k));
		give(cell, COMPARE_LATE, out - in);
	}
}

/* ---- causes within a row, of what is left ---- */

static void explain_more(const struct compare *c, const struct compare_row *row, struct compare_cell *cell,
			 int k)
{
	uint64_t ceiling = c->ceiling[k];

	if (k >= FIRST_LOCAL)
		give(cell, COMPARE_GUESTS, left_of(cell));
	else if (ceiling && (cell->from[COMPARE_NACCTD] >= ceiling || cell->from[COMPARE_XENBW] > ceiling))
		give(cell, COMPARE_CEILING, left_of(cell));
	else if (is_silent(c, row->hour))
		give(cell, COMPARE_SILENT, left_of(cell));
}

static bool is_edge(const struct compare *c, int64_t hour)
{
	return hour == c->first || hour == c->last ||
	       (c->edge_count && bsearch(&hour, c->edges, c->edge_count, sizeof(hour), by_number));
}

static void explain_rest(const struct compare *c, struct compare_row *row)
{
	int64_t ignored[DIR_COUNT];

	for (int d = 0; d < DIR_COUNT; d++)
		ignored[d] = c->ignores_more ? whole_number(row->ignored[d]) : 0;
	for (int k = 0; k < COMPARE_COLUMNS; k++) {
		struct compare_cell *cell = &row->cells[k];

		if (left_of(cell) < 0) {
			int64_t part = between(-ignored[k % DIR_COUNT], left_of(cell), 0);

			give(cell, COMPARE_IGNORED, part);
			ignored[k % DIR_COUNT] += part;
		} else if (left_of(cell) > 0) {
			explain_more(c, row, cell, k);
		}
		if (is_edge(c, row->hour))
			give(cell, COMPARE_EDGE, left_of(cell));
		if (left_of(cell) > 0)
			give(cell, COMPARE_WRITES,
			     between(0, left_of(cell),
				     whole_number(cell->from[COMPARE_XENBW]) / (c->flush ? c->flush : 1)));
	}
}

static void explain_label(struct compare *c, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++) {
		for (int k = 0; k < COMPARE_COLUMNS; k++)
			explain_unwritten(&c->rows[i].cells[k]);
		explain_class(c, &c->rows[i]);
	}
	for (int k = 0; k < COMPARE_COLUMNS; k++)
		explain_hours(c, begin, end, k);
	for (size_t i = begin; i < end; i++)
		explain_rest(c, &c->rows[i]);
}

void compare_explain(struct compare *c)
{
	make_rows(c);
	for (size_t begin = 0, end; begin < c->count; begin = end) {
		end = end_of_label(c, begin);
		if (!explain_whole(c, begin, end))
			explain_label(c, begin, end);
	}
}

enum compare_cause compare_main_cause(const struct compare_cell *cell, bool *more)
{
	enum compare_cause best = COMPARE_CAUSES;
	size_t found = 0;

	for (int i = 0; i < COMPARE_CAUSES; i++) {
		if (!cell->part[i])
			continue;
		found++;
		if (best == COMPARE_CAUSES || llabs(cell->part[i]) > llabs(cell->part[best]))
			best = (enum compare_cause)i;
	}
	*more = found > 1;
	return best;
}

void compare_free(struct compare *c)
{
	for (size_t i = 0; i < c->sample_count; i++)
		free(c->samples[i].label);
	free(c->samples);
	free(c->wrote);
	free(c->edges);
	free(c->rows);
	*c = (struct compare){0};
}
