/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "graph/legend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/units.h"

#define NAME_SINGLE 10
#define NAME_STACKED 22
#define FINE_STEP 300 /* of a grid whose largest cell may be called a maximum */

/* ---- cells ---- */

static size_t character_columns(size_t bytes)
{
	return bytes > 2 ? 2 : 1;
}

char *legend_fit(const char *text, size_t room, bool fill)
{
	char *shown = text_printable(text, strlen(text)), *fitted;
	size_t used = 0, cut = 0, cut_used = 0, length = strlen(shown);

	for (size_t i = 0; shown[i];) {
		unsigned char c = (unsigned char)shown[i];
		size_t bytes = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (used + 1 <= room) {
			cut = i;
			cut_used = used;
		}
		used += character_columns(bytes);
		i += bytes;
	}
	if (used > room) { /* and a character for what is left out */
		length = cut;
		used = cut_used + 1;
	}
	fitted = mem_printf("%.*s%s%*s", (int)length, shown, shown[length] ? "…" : "",
			    fill && used < room ? (int)(room - used) : 0, "");
	free(shown);
	return fitted;
}

static uint64_t whole(double value)
{
	return value < 0 ? 0 : value < 1.8e19 ? (uint64_t)(value + 0.5) : UINT64_MAX;
}

static char *rate_text(double rate)
{
	return isnan(rate) ? mem_strdup("-") : units_rate(whole(rate));
}

static char *bytes_text(double bytes)
{
	return isnan(bytes) ? mem_strdup("-") : units_bytes(whole(bytes));
}

/* Which columns a line of figures has. */
enum detail { ALL_FIGURES, FEW_FIGURES, SUM_ALONE };

static char *figures_line(enum detail detail, const char *current, const char *average, const char *maximum,
			  const char *total)
{
	if (detail == ALL_FIGURES)
		return mem_printf("%9s%9s%9s%11s", current, average, maximum, total);
	if (detail == FEW_FIGURES)
		return mem_printf("%9s%11s", average, total);
	return mem_printf("%11s", total);
}

static char *figures_text(const struct series_figures *f, enum detail detail)
{
	char *current = rate_text(f->current), *average = rate_text(f->average);
	char *maximum = rate_text(f->maximum), *total = bytes_text(f->total);
	char *text = figures_line(detail, current, average, maximum, total);

	free(current);
	free(average);
	free(maximum);
	free(total);
	return text;
}

static char *figures_head(enum detail detail)
{
	return figures_line(detail, "Current", "Average", "Maximum", "Total");
}

/* ---- lines ---- */

static void add_line(struct legend *l, char *text)
{
	l->lines = mem_resize(l->lines, l->count + 1, sizeof(*l->lines));
	l->lines[l->count++] = text;
}

static void make_single(struct legend *l, const struct series *s, enum detail detail)
{
	static const char *const names[DIR_COUNT] = {[DIR_INPUT] = "Input", [DIR_OUTPUT] = "Output"};
	char *head = figures_head(detail);

	l->heads[0] = mem_printf("%-*s%s", NAME_SINGLE, "bit/s", head);
	free(head);
	for (int d = 0; d < DIR_COUNT; d++) {
		char *figures = figures_text(&s->list[0].figures[d], detail);

		add_line(l, mem_printf("%-*s%s", NAME_SINGLE, names[d], figures));
		free(figures);
	}
}

/* The largest of coarse cells is no maximum, and those of the parts came at different times. */
static struct series_figures honest(const struct series *s, const struct series_part *part, bool together,
				    int d)
{
	struct series_figures f = part->figures[d];

	if (together && s->step > FINE_STEP)
		f.maximum = NAN;
	return f;
}

static void add_part(struct legend *l, const struct series *s, const struct series_part *part, bool together,
		     enum detail detail)
{
	struct series_figures in = honest(s, part, together, DIR_INPUT);
	struct series_figures out = honest(s, part, together, DIR_OUTPUT);
	char *name = legend_fit(part->name, NAME_STACKED, true);
	char *input = figures_text(&in, detail), *output = figures_text(&out, detail);

	add_line(l, mem_printf("%s%s  %s", name, input, output));
	free(name);
	free(input);
	free(output);
}

static void make_stacked(struct legend *l, const struct series *s, enum detail detail)
{
	char *head = figures_head(detail);
	int width = (int)strlen(head);

	l->heads[0] = mem_printf("%-*s%*s  %*s", NAME_STACKED, "", width, "Input", width, "Output");
	l->heads[1] = mem_printf("%-*s%s  %s", NAME_STACKED, "bit/s", head, head);
	free(head);
	for (size_t i = 0; i < s->count; i++)
		add_part(l, s, &s->list[i], s->merged && i + 1 == s->count, detail);
	add_part(l, s, &s->sum, true, detail);
}

void legend_make(struct legend *l, const struct series *s, bool stacked, bool wide)
{
	*l = (struct legend){0};
	if (!s->known)
		add_line(l, mem_strdup("No traffic is on record in this time."));
	else if (stacked)
		make_stacked(l, s, wide ? ALL_FIGURES : SUM_ALONE);
	else
		make_single(l, s, wide ? ALL_FIGURES : FEW_FIGURES);
}

/* Of the two the larger one is billed. */
void legend_add_percentile(struct legend *l, uint64_t input, uint64_t output)
{
	char *in = units_rate(input), *out = units_rate(output);

	free(l->percentile);
	l->percentile = mem_printf("95th percentile of five minutes: %s (input %s, output %s)",
				   output > input ? out : in, in, out);
	free(in);
	free(out);
}

void legend_free(struct legend *l)
{
	for (size_t i = 0; i < 2; i++)
		free(l->heads[i]);
	for (size_t i = 0; i < l->count; i++)
		free(l->lines[i]);
	free(l->lines);
	free(l->percentile);
	*l = (struct legend){0};
}
