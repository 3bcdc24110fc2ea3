/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/spark.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cli/period.h"
#include "db/ledger.h"
#include "web/html.h"

#define SMALL_BINS 120
#define LARGE_BINS 240

/* Bytes per second; -1: nobody observed. */
struct bins {
	size_t count;
	double *rates[DIR_COUNT];
	double highest;
};

/* Slots are numbered from the period's begin. */
static double rate_of(const struct usage_slots *s, int dir, size_t from, size_t to)
{
	uint64_t bytes = 0;
	size_t observed = 0;

	for (size_t i = from > s->earlier ? from : s->earlier; i < to; i++)
		if (s->observed[i - s->earlier]) {
			bytes += s->bytes[dir][i - s->earlier];
			observed++;
		}
	return observed ? (double)bytes / (double)(observed * SLOT_SECONDS) : -1;
}

static struct bins bins_of(const struct usage_slots *s, size_t most)
{
	size_t slots = s->earlier + s->count;
	struct bins b = {.count = slots < most ? slots : most};

	for (int d = 0; d < DIR_COUNT; d++) {
		b.rates[d] = mem_array(b.count + 1, sizeof(double));
		for (size_t i = 0; i < b.count; i++) {
			b.rates[d][i] = rate_of(s, d, i * slots / b.count, (i + 1) * slots / b.count);
			if (b.rates[d][i] > b.highest)
				b.highest = b.rates[d][i];
		}
	}
	return b;
}

static void bins_free(struct bins *b)
{
	for (int d = 0; d < DIR_COUNT; d++)
		free(b->rates[d]);
}

static double across(const struct bins *b, size_t i, double width)
{
	return b->count > 1 ? width * (double)i / (double)(b->count - 1) : width * (double)i;
}

static double down(const struct bins *b, double rate, double height)
{
	return b->highest > 0 ? height - 1 - (height - 2) * rate / b->highest : height - 1;
}

/* One unbroken stretch from bin `from` on; returns where the next one may begin. */
static size_t put_stretch(FILE *out, const struct bins *b, int dir, size_t from, double width, double height)
{
	size_t i = from, last = from;

	fprintf(out, "M%.4g %.4g", across(b, from, width), down(b, b->rates[dir][from], height));
	for (i = from; i < b->count && b->rates[dir][i] >= 0; last = i++)
		fprintf(out, "L%.4g %.4g", across(b, i, width), down(b, b->rates[dir][i], height));
	if (last == from) /* a single one is a dash */
		fputs("h1", out);
	if (dir == DIR_INPUT)
		fprintf(out, "V%.4gH%.4gZ", height - 1, across(b, from, width));
	return i;
}

static void put_path(FILE *out, const struct bins *b, int dir, double width, double height)
{
	fprintf(out, "<path class=\"%s\" d=\"", dir == DIR_INPUT ? "in" : "out");
	for (size_t i = 0; i < b->count;)
		i = b->rates[dir][i] >= 0 ? put_stretch(out, b, dir, i, width, height) : i + 1;
	fputs("\"/>", out);
}

void spark_small(FILE *out, const struct usage_slots *s)
{
	struct bins b = bins_of(s, SMALL_BINS);

	fputs("<svg class=\"spark\" viewBox=\"0 0 120 28\" preserveAspectRatio=\"none\" aria-hidden=\"true\" "
	      "focusable=\"false\">",
	      out);
	put_path(out, &b, DIR_INPUT, 120, 28);
	put_path(out, &b, DIR_OUTPUT, 120, 28);
	fputs("</svg>", out);
	bins_free(&b);
}

void spark_large(FILE *out, const struct usage_slots *s, int64_t to, const char *title)
{
	struct bins b = bins_of(s, LARGE_BINS);
	int64_t end = s->from + (int64_t)s->count * SLOT_SECONDS;
	char *highest = html_rate((uint64_t)(b.highest + 0.5));
	size_t slots = s->earlier + s->count;
	char *first = period_local(s->from - (int64_t)s->earlier * SLOT_SECONDS),
	     *last = period_local(slots ? end : to);

	fputs("<figure class=\"chart\">\n<svg viewBox=\"0 0 720 200\" preserveAspectRatio=\"none\" "
	      "role=\"img\" "
	      "aria-label=\"",
	      out);
	html_text(out, title);
	fprintf(out,
		", at most %s\">"
		"<path class=\"grid\" d=\"M0 1H720M0 50H720M0 100H720M0 150H720M0 199H720\"/>",
		highest);
	put_path(out, &b, DIR_INPUT, 720, 200);
	put_path(out, &b, DIR_OUTPUT, 720, 200);
	fprintf(out,
		"</svg>\n<figcaption><span>%s</span> <span class=\"key\"><i class=\"in\"></i> input "
		"<i class=\"out\"></i> output; top line: %s; a point is the mean of "
		"%zu min</span> "
		"<span>%s</span></figcaption>\n</figure>\n",
		first, highest, b.count ? (slots + b.count - 1) / b.count * SLOT_SECONDS / 60 : 0, last);
	free(first);
	free(last);
	free(highest);
	bins_free(&b);
}
