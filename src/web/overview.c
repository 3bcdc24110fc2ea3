/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * overview: the first page: all domains that one sees, the largest first, with sparklines.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "web/html.h"
#include "web/pages.h"
#include "web/range.h"
#include "web/spark.h"
#include "web/view.h"

#define ROWS 50 /* of a page */

static int put_spark(struct view *v, const struct report_row *row, FILE *out, char **err)
{
	struct usage_slots slots;

	if (usage_read_slots(v->file.db, row->period.from, row->period.to, row->buckets, row->bucket_count,
			     &slots, err) < 0)
		return -1;
	fputs("<td class=\"trend\">", out);
	spark_small(out, &slots);
	fputs("</td>", out);
	usage_slots_free(&slots);
	return 0;
}

static void put_sums(FILE *out, const struct report_rows *r, const struct usage_sums *s)
{
	uint64_t total = 0;

	for (int d = 0; d < DIR_COUNT; d++) {
		uint64_t bytes = report_rows_charged_by(r, s, (enum direction)d);

		html_bytes(out, bytes);
		total += bytes;
	}
	html_bytes(out, total);
}

static int put_row(struct view *v, const struct report_rows *r, const struct report_row *row,
		   const struct fields *f, FILE *out, char **err)
{
	const char *owner = billing_owner_of(&v->cli.conf.owners, row->name);

	fputs("<tr><th scope=\"row\"><a href=\"/domain?name=", out);
	html_query(out, row->name);
	range_query(out, f);
	fputs("\">", out);
	html_text(out, row->name);
	fputs("</a></th>", out);
	if (!v->viewer->owner) {
		fputs("<td class=\"owner\">", out);
		html_text(out, owner ? owner : "");
		fputs("</td>", out);
	}
	if (put_spark(v, row, out, err) < 0)
		return -1;
	put_sums(out, r, &row->sums);
	fputs("</tr>\n", out);
	return 0;
}

static int put_table(struct view *v, const struct report_rows *r, size_t first, const struct fields *f,
		     FILE *out, char **err)
{
	bool owners = !v->viewer->owner;
	int rc = 0;

	fprintf(out,
		"<div class=\"table\" role=\"region\" aria-label=\"Domains\" tabindex=\"0\">\n<table>\n"
		"<caption>Charged bytes</caption>\n<thead><tr><th scope=\"col\">Domain</th>%s"
		"<th scope=\"col\" class=\"trend\">Trend</th><th scope=\"col\">Input</th>"
		"<th scope=\"col\">Output</th><th scope=\"col\">Total</th></tr></thead>\n<tbody>\n",
		owners ? "<th scope=\"col\" class=\"owner\">Owner</th>" : "");
	for (size_t i = first; rc == 0 && i < r->count && i < first + ROWS; i++)
		rc = put_row(v, r, &r->list[i], f, out, err);
	fprintf(out, "</tbody>\n<tfoot><tr><th scope=\"row\">All %zu</th>%s<td class=\"trend\"></td>",
		r->count, owners ? "<td class=\"owner\"></td>" : "");
	put_sums(out, r, &r->sums);
	fputs("</tr></tfoot>\n</table>\n</div>\n", out);
	return rc;
}

static void put_step(FILE *out, const struct fields *f, size_t page, const char *text)
{
	fprintf(out, "<a href=\"/?page=%zu", page);
	range_query(out, f);
	fprintf(out, "\">%s</a>\n", text);
}

static void put_steps(FILE *out, const struct fields *f, size_t page, size_t count)
{
	size_t pages = (count + ROWS - 1) / ROWS;

	if (pages < 2)
		return;
	fprintf(out, "<nav aria-label=\"Pages\">Page %zu of %zu\n", page, pages);
	if (page > 1)
		put_step(out, f, page - 1, "larger ones");
	if (page < pages)
		put_step(out, f, page + 1, "smaller ones");
	fputs("</nav>\n", out);
}

static void put_note(FILE *out, const struct report_rows *r)
{
	const struct class_bytes *sums = &r->sums.classes;

	if (!(sums->bytes[DIR_INPUT][CLASS_UNATTRIBUTED] + sums->bytes[DIR_OUTPUT][CLASS_UNATTRIBUTED]))
		return;
	fprintf(out, "<p class=\"note\">Input and output %s bytes that could not be attributed.</p>\n",
		r->unattributed_charged ? "hold" : "are without");
}

static int read_page(const struct fields *f, uint64_t *page, char **err)
{
	const char *text = fields_get(f, "page");

	*page = 1;
	if (text && !text_u64(text, 1, 1000000, page)) {
		err_set(err, "`%s` is no page", text);
		return 400;
	}
	return 200;
}

int page_overview(struct web *w, const struct viewer *viewer, const struct question *q, FILE *out, char **err)
{
	static const char *const names[] = {"month", "from", "to", "page", NULL};
	struct report_rows r = {0};
	uint64_t page = 1;
	struct view v = {.file.lock_fd = -1};
	size_t most;
	int status = fields_check(q->query, names, err) < 0 ? 400 : read_page(q->query, &page, err);

	if (status == 200)
		status = view_open(&v, w, viewer, q->now, out, err);
	if (status == 200)
		status = view_report(&v, q->query, &r, &most, err);
	if (status == 200) {
		report_rows_by_size(&r);
		html_begin(out, "Traffic", viewer);
		range_forms(out, "/", q->query, NULL, q->now);
		range_line(out, &r);
		if (!r.count)
			fprintf(out, "<p>Nothing %s this period.</p>\n",
				r.period.to <= r.retired ? "is kept of" : "was counted in");
		else if (put_table(&v, &r, (page - 1) * ROWS, q->query, out, err) < 0)
			status = 503;
		put_steps(out, q->query, page, r.count);
		put_note(out, &r);
		html_end(out);
	}
	report_rows_free(&r);
	view_close(&v);
	return status;
}
