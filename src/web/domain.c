/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * domain: the page of one domain: its course over the period, classes, addresses and vifs.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/units.h"
#include "web/html.h"
#include "web/pages.h"
#include "web/range.h"
#include "web/spark.h"
#include "web/view.h"

/* What the page's fields are as those of a report. They point to the others' texts. */
static struct fields report_fields(const struct fields *query, const char *name)
{
	static char domain[] = "domain", yes[] = "1", percentile[] = "percentile", project[] = "project";
	struct fields f = {.count = 3,
			   .list = {{domain, (char *)(uintptr_t)name}, {percentile, yes}, {project, yes}}};

	for (size_t i = 0; i < query->count && f.count < FIELDS_MOST; i++)
		f.list[f.count++] = query->list[i];
	return f;
}

static int put_chart(struct view *v, const struct report_row *row, FILE *out, char **err)
{
	struct usage_slots slots;
	char *title;

	if (usage_read_slots(v->file.db, row->period.from, row->period.to, row->buckets, row->bucket_count,
			     &slots, err) < 0)
		return -1;
	title = mem_printf("Charged traffic of %s", row->name);
	spark_large(out, &slots, row->period.to, title);
	free(title);
	usage_slots_free(&slots);
	return 0;
}

static void put_figure(FILE *out, const char *name, char *value)
{
	fprintf(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
	free(value);
}

static void put_figures(FILE *out, const struct report_rows *r, const struct report_row *row)
{
	uint64_t in = report_rows_charged_by(r, &row->sums, DIR_INPUT);
	uint64_t both = report_rows_charged(r, &row->sums);
	const struct percentile *p = &row->percentile;

	fputs("<dl class=\"figures\">\n", out);
	put_figure(out, "Input", units_bytes(in));
	put_figure(out, "Output", units_bytes(both - in));
	put_figure(out, "Total", units_bytes(both));
	if (r->run.seen < row->period.to)
		put_figure(out, "At the end, if it goes on so", units_bytes(row->projected));
	if (p->observed)
		put_figure(out, "95th percentile", html_rate(percentile_rate(percentile_larger(p))));
	fputs("</dl>\n", out);
}

static const struct table {
	const char *by, *title, *column, *nameless;
} tables[] = {{"class", "By class", "Class", ""},
	      {"address", "By address", "Address", "several or unknown"},
	      {"vif", "By vif", "Vif", ""}};

static void put_name(FILE *out, const struct table *t, const struct report_row *row)
{
	if (t->by[0] != 'v') {
		html_text(out, row->name ? row->name : t->nameless);
		return;
	}
	html_text(out, row->domain ? row->domain : "");
	fprintf(out, " %u.%u", row->domid, row->devid);
	if (row->netdev) {
		fputs(" (", out);
		html_text(out, row->netdev);
		fputc(')', out);
	}
}

/* Bytes of all classes: the tables tell where charged ones are. */
static void put_row(FILE *out, const struct table *t, const struct report_row *row)
{
	uint64_t in = class_bytes_total(&row->sums.classes, DIR_INPUT);
	uint64_t output = class_bytes_total(&row->sums.classes, DIR_OUTPUT);

	if (in + output == 0)
		return;
	fputs("<tr><th scope=\"row\">", out);
	put_name(out, t, row);
	fputs("</th>", out);
	html_bytes(out, in);
	html_bytes(out, output);
	html_bytes(out, in + output);
	fputs("</tr>\n", out);
}

static int put_table(struct view *v, const struct fields *f, const struct table *t, FILE *out, char **err)
{
	struct report_rows r = {0};
	int status = view_report_by(v, f, t->by, &r, err);

	if (status == 200) {
		fprintf(out,
			"<div class=\"table\" role=\"region\" aria-label=\"%s\" tabindex=\"0\">\n<table>\n"
			"<caption>%s: all bytes, charged or not</caption>\n<thead><tr><th "
			"scope=\"col\">%s</th>"
			"<th scope=\"col\">Input</th><th scope=\"col\">Output</th>"
			"<th scope=\"col\">Total</th></tr></thead>\n<tbody>\n",
			t->title, t->title, t->column);
		for (size_t i = 0; i < r.count; i++)
			put_row(out, t, &r.list[i]);
		fputs("</tbody>\n</table>\n</div>\n", out);
	}
	report_rows_free(&r);
	return status;
}

static int put_page(struct view *v, const struct report_rows *r, const struct question *q,
		    const struct fields *range, FILE *out, char **err)
{
	const struct report_row *row = &r->list[0];
	int status = 200;

	html_begin(out, row->name, v->viewer);
	fputs("<p><a href=\"/?page=1", out);
	range_query(out, q->query);
	fputs("\">All domains</a></p>\n", out);
	range_forms(out, "/domain", q->query, row->name, q->now);
	range_line(out, r);
	put_figures(out, r, row);
	if (put_chart(v, row, out, err) < 0)
		return 503;
	for (size_t i = 0; status == 200 && i < sizeof(tables) / sizeof(*tables); i++)
		status = put_table(v, range, &tables[i], out, err);
	html_end(out);
	return status;
}

int page_domain(struct web *w, const struct viewer *viewer, const struct question *q, FILE *out, char **err)
{
	static const char *const names[] = {"name", "month", "from", "to", NULL};
	const char *name = fields_get(q->query, "name");
	struct fields f, range = {0};
	struct report_rows r = {0};
	struct view v = {.file.lock_fd = -1};
	size_t most;
	int status = 200;

	if (fields_check(q->query, names, err) < 0 || (!name && err_set(err, "which domain? ?name=NAME")))
		return 400;
	f = report_fields(q->query, name);
	range = f; /* without percentile and projection, which go with domains alone */
	range.list[1] = range.list[2] = f.list[0];
	status = view_open(&v, w, viewer, q->now, out, err);
	if (status == 200)
		status = view_report(&v, &f, &r, &most, err);
	if (status == 200 && r.count == 0) {
		err_set(err, "there is no domain `%s`", name);
		status = 404;
	}
	if (status == 200)
		status = put_page(&v, &r, q, &range, out, err);
	report_rows_free(&r);
	view_close(&v);
	return status;
}
