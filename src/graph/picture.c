/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "graph/picture.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"

/* ---- colours ---- */

/* Colours by what they are for, and how librrd calls it. Those of the parts are told apart by who does not
 * see red or green, too, and neighbours differ in lightness. */
struct palette {
	const char *in_area, *in_edge, *out_line;
	const char *sum, *between, *others, *percentile;
	const char *parts[PICTURE_MOST_PARTS];
	const char *const *frame; /* --color arguments, NULL at the end */
};

static const char *const light_frame[] = {
	"BACK#FFFFFF",  "CANVAS#FFFFFF", "SHADEA#FFFFFF", "SHADEB#FFFFFF",  "FONT#24292F", "AXIS#8C959F",
	"FRAME#57606A", "ARROW#8C959F",  "GRID#D0D7DE80", "MGRID#AFB8C1C0", NULL};
static const char *const dark_frame[] = {
	"BACK#161B22",  "CANVAS#0D1117", "SHADEA#161B22", "SHADEB#161B22",  "FONT#E6EDF3", "AXIS#6E7681",
	"FRAME#8B949E", "ARROW#6E7681",  "GRID#30363D80", "MGRID#484F58C0", NULL};

static const struct palette light = {
	.in_area = "#3DD65C",
	.in_edge = "#1FA53C",
	.out_line = "#1033D6",
	.sum = "#24292F",
	.between = "#FFFFFF70",
	.others = "#B1B8C0",
	.percentile = "#CF222E",
	.parts = {"#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#332288",
		  "#999933", "#882255"},
	.frame = light_frame,
};
static const struct palette dark = {
	.in_area = "#238636",
	.in_edge = "#3FB950",
	.out_line = "#79A7FF",
	.sum = "#E6EDF3",
	.between = "#0D111780",
	.others = "#6E7681",
	.percentile = "#FF7B72",
	.parts = {"#2A8FD0", "#E69F00", "#14B58A", "#CC79A7", "#7CC7F2", "#E0702A", "#F0E442", "#8478D8",
		  "#A6A63C", "#B84A80"},
	.frame = dark_frame,
};

static const struct palette *palette_of(const struct picture *p)
{
	return p->dark ? &dark : &light;
}

static const char *part_colour(const struct palette *palette, const struct series *s, size_t i)
{
	return s->merged && i + 1 == s->count ? palette->others : palette->parts[i % PICTURE_MOST_PARTS];
}

/* ---- what librrd is told ---- */

/* A growing list of arguments for librrd. */
struct words {
	char **list;
	int count;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	w->list = mem_resize(w->list, (size_t)w->count + 2, sizeof(*w->list));
	va_start(ap, fmt);
	w->list[w->count++] = mem_vprintf(fmt, ap);
	va_end(ap);
	w->list[w->count] = NULL;
}

static void add_option(struct words *w, const char *name, const char *value)
{
	add(w, "%s", name);
	add(w, "%s", value);
}

static void add_number(struct words *w, const char *name, int64_t value)
{
	add(w, "%s", name);
	add(w, "%lld", (long long)value);
}

static void free_words(struct words *w)
{
	for (int i = 0; i < w->count; i++)
		free(w->list[i]);
	free(w->list);
}

/* Text of a legend: its colons are escaped, nothing else is special where "legend=" stands before it. */
static char *escaped(const char *text)
{
	size_t used = 0;
	char *out = mem_array(strlen(text) * 2 + 1, 1);

	for (const char *s = text; *s; s++) {
		if (*s == ':')
			out[used++] = '\\';
		out[used++] = *s;
	}
	return out;
}

/* What draws a thing, such as "AREA:i0#FFFFFF", or "COMMENT", with a line of the legend. */
__attribute__((format(printf, 3, 4))) static void add_line(struct words *w, const char *text, const char *fmt,
							   ...)
{
	char *legend = escaped(text), *what;
	va_list ap;

	va_start(ap, fmt);
	what = mem_vprintf(fmt, ap);
	va_end(ap);
	add(w, "%s:legend=%s\\l", what, legend);
	free(what);
	free(legend);
}

/* ---- the numbers, as librrd asks for them ---- */

/* librrd(3) describes it, but the header that declares it is not for programs. The second argument is an
 * enumeration of functions: all that we draw are averages. */
typedef int fetch_fn(const char *file, unsigned function, time_t *start, time_t *end, unsigned long *step,
		     unsigned long *columns, char ***names, double **data);
int rrd_fetch_cb_register(fetch_fn *fetch);

#define COLUMNS_FILE "cb//series"

/* librrd hands nothing on to who answers it. Set while it draws. */
static const struct series *drawn;

static void take_column(const struct series_part *part, int d, size_t column, size_t columns, double *data)
{
	for (size_t cell = 0; cell < drawn->cells; cell++)
		data[cell * columns + column] = part->rate[d][cell];
}

static char *column_name(const char *part, int d)
{
	return mem_printf("%s%s", d == DIR_INPUT ? "in" : "out", part);
}

/* Each part's input and output, then their sum's. All that is handed over is freed by librrd. */
static int fetch(const char *file, unsigned function, time_t *start, time_t *end, unsigned long *step,
		 unsigned long *columns, char ***names, double **data)
{
	size_t count = (drawn->count + 1) * DIR_COUNT;

	(void)file;
	(void)function;
	*start = (time_t)drawn->start;
	*end = (time_t)(drawn->start + (int64_t)drawn->cells * drawn->step);
	*step = (unsigned long)drawn->step;
	*columns = count;
	*names = mem_array(count, sizeof(**names));
	*data = mem_array(count * (drawn->cells + 1), sizeof(**data));
	for (size_t i = 0; i <= drawn->count; i++) {
		const struct series_part *part = i < drawn->count ? &drawn->list[i] : &drawn->sum;
		char *number = i < drawn->count ? mem_printf("%zu", i) : mem_strdup("sum");

		for (int d = 0; d < DIR_COUNT; d++) {
			(*names)[i * DIR_COUNT + (size_t)d] = column_name(number, d);
			take_column(part, d, i * DIR_COUNT + (size_t)d, count, *data);
		}
		free(number);
	}
	return 0;
}

/* ---- what is drawn ---- */

/* A time for people. */
static char *local_time(int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[64];

	if (!localtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M %Z", &tm) == 0)
		return mem_printf("%lld", (long long)when);
	return mem_strdup(text);
}

static void add_fonts_and_colours(struct words *w, const struct palette *palette)
{
	static const char *const fonts[] = {"TITLE:11:DejaVu Sans Bold", "AXIS:8:DejaVu Sans",
					    "UNIT:8:DejaVu Sans", "LEGEND:9:DejaVu Sans Mono"};

	for (size_t i = 0; i < sizeof(fonts) / sizeof(fonts[0]); i++)
		add_option(w, "--font", fonts[i]);
	for (const char *const *c = palette->frame; *c; c++)
		add_option(w, "--color", *c);
}

/* Of the two the larger one, as it is billed; NAN: there is no line. */
static double percentile_of(const struct picture *p)
{
	return fmax(p->percentile[DIR_INPUT], p->percentile[DIR_OUTPUT]) * 8;
}

static bool percentile_is_output(const struct picture *p)
{
	return p->percentile[DIR_OUTPUT] > p->percentile[DIR_INPUT];
}

/* The scale holds the line of the percentile, too, which the coarse rates of a year do not reach. */
static void add_limits(struct words *w, const struct picture *p, const struct series *s)
{
	bool downwards = p->stacked && percentile_is_output(p);

	if (!isnan(percentile_of(p))) {
		add(w, downwards ? "--lower-limit" : "--upper-limit");
		add(w, "%s%.0f", downwards ? "-" : "", percentile_of(p) * 1.05); /* not on the frame */
	}
	if (!p->stacked || !s->known)
		add_option(w, "--lower-limit", "0");
}

static void add_look(struct words *w, const struct picture *p, const struct series *s)
{
	/* a bold letter of 11 points takes up to 10 pixels, and the picture is wider than the plot */
	char *title = legend_fit(p->title, (size_t)(p->width + 100) / 10, false);

	add_number(w, "--start", s->from);
	add_number(w, "--end", s->to);
	add_option(w, "--imgformat", p->svg ? "SVG" : "PNG");
	add_number(w, "--width", (int64_t)p->width);
	add_number(w, "--height", (int64_t)p->height);
	add(w, "--zoom");
	add(w, "%.3f", p->zoom);
	add_option(w, "--title", title);
	add_option(w, "--vertical-label", p->stacked ? "◂ output   bit/s   input ▸" : "bit/s");
	add_limits(w, p, s);
	if (!s->known) /* a scale without anything on it */
		add_option(w, "--y-grid", "none");
	add(w, "--slope-mode");
	add(w, "--disable-rrdtool-tag");
	add_option(w, "--border", "0");
	/* an axis of blanks: room for the last time, which librrd cuts off otherwise */
	add_option(w, "--right-axis", "1:0");
	add_option(w, "--right-axis-formatter", "timestamp");
	add_option(w, "--right-axis-format", " ");
	add_fonts_and_colours(w, palette_of(p));
	free(title);
}

/* "inbits0" and "outbits0" of a part; stacked, output is drawn downwards. */
static void add_bits(struct words *w, const char *part, bool stacked)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		char *column = column_name(part, d);

		add(w, "DEF:%s=" COLUMNS_FILE ":%s:AVERAGE", column, column);
		add(w, "CDEF:%sbits=%s,%d,*", column, column, stacked && d == DIR_OUTPUT ? -8 : 8);
		free(column);
	}
}

static void add_data(struct words *w, const struct series *s, bool stacked)
{
	for (size_t i = 0; i < s->count; i++) {
		char *part = mem_printf("%zu", i);

		add_bits(w, part, stacked);
		free(part);
	}
	add_bits(w, "sum", stacked);
}

static void add_heads(struct words *w, const struct legend *l)
{
	for (size_t i = 0; i < 2 && l->heads[i]; i++) {
		char *head = mem_printf("  %s", l->heads[i]); /* the others stand behind a box */

		add_line(w, head, "COMMENT");
		free(head);
	}
}

static void draw_single(struct words *w, const struct legend *l, const struct palette *c)
{
	add_line(w, l->lines[DIR_INPUT], "AREA:in0bits%s", c->in_area);
	/* without a legend of its own: the area's edge */
	add(w, "LINE1:in0bits%s", c->in_edge);
	add_line(w, l->lines[DIR_OUTPUT], "LINE1.5:out0bits%s", c->out_line);
}

/* The parts on each other, in one direction; `lines` NULL: without a legend. */
static void stack_parts(struct words *w, const struct series *s, char **lines, int d, const struct palette *c)
{
	const char *way = d == DIR_INPUT ? "in" : "out";

	for (size_t i = 0; i < s->count; i++) {
		char *area =
			mem_printf("AREA:%s%zubits%s%s", way, i, part_colour(c, s, i), i ? ":STACK" : "");

		if (lines)
			add_line(w, lines[i], "%s", area);
		else
			add(w, "%s", area);
		free(area);
	}
	for (size_t i = 0; i + 1 < s->count; i++)
		add(w, "LINE0.5:%s%zubits%s%s", way, i, c->between, i ? "::STACK" : "");
}

static void draw_stacked(struct words *w, const struct series *s, const struct legend *l,
			 const struct palette *c)
{
	stack_parts(w, s, l->lines, DIR_INPUT, c);
	stack_parts(w, s, NULL, DIR_OUTPUT, c);
	add_line(w, l->lines[s->count], "LINE0.7:insumbits%s", c->sum);
	add(w, "LINE0.7:outsumbits%s", c->sum);
	add(w, "HRULE:0%s", c->sum);
}

static void draw_percentile(struct words *w, const struct picture *p, const struct legend *l,
			    const struct palette *c)
{
	const char *sign = percentile_is_output(p) && p->stacked ? "-" : "";

	if (l->percentile)
		add_line(w, l->percentile, "HRULE:%s%.0f%s:dashes=6,3", sign, percentile_of(p),
			 c->percentile);
}

static void add_period(struct words *w, const struct picture *p, const struct series *s)
{
	char *from = local_time(s->from), *to = local_time(s->to), *text = mem_printf("%s to %s", from, to);
	char *comment = escaped(text);

	if (p->width >= PICTURE_WIDE && !p->stacked && isnan(p->percentile[DIR_INPUT]))
		add(w, "COMMENT:legend=\\u"); /* on the same line, at the right */
	add(w, "COMMENT:legend=%s\\r", comment);
	free(comment);
	free(text);
	free(from);
	free(to);
}

rrd_info_t *picture_draw(const struct picture *p, const struct series *s, const struct legend *l, char **err)
{
	const struct palette *c = palette_of(p);
	struct words w = {0};
	rrd_info_t *answer;

	add(&w, "xenbw-graph");
	add(&w, "-");
	add_look(&w, p, s);
	add_data(&w, s, p->stacked);
	add_heads(&w, l);
	if (!s->known) {
		add(&w, "LINE1:insumbits%s", c->sum);
		add_line(&w, l->lines[0], "COMMENT");
	} else if (p->stacked) {
		draw_stacked(&w, s, l, c);
	} else {
		draw_single(&w, l, c);
	}
	draw_percentile(&w, p, l, c);
	add_period(&w, p, s);
	drawn = s;
	rrd_fetch_cb_register(fetch);
	rrd_clear_error();
	answer = rrd_graph_v(w.count, w.list);
	if (!answer)
		err_set(err, "cannot draw: %s", rrd_get_error());
	drawn = NULL;
	free_words(&w);
	return answer;
}
