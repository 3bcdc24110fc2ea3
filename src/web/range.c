/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/range.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/period.h"
#include "web/html.h"

#define MONTHS 13 /* this one and a year */

static void put_value(FILE *out, const struct fields *f, const char *name)
{
	const char *value = fields_get(f, name);

	fprintf(out, " name=\"%s\" value=\"", name);
	if (value)
		html_text(out, value);
	fputc('"', out);
}

static void put_domain(FILE *out, const char *domain)
{
	if (!domain)
		return;
	fputs("<input type=\"hidden\" name=\"name\" value=\"", out);
	html_text(out, domain);
	fputs("\">\n", out);
}

static void put_months(FILE *out, const struct fields *f, int64_t now)
{
	const char *asked = fields_get(f, "month");
	char *month = period_month_name(now);

	fputs("<select name=\"month\" id=\"month\">\n<option value=\"\">present month</option>\n", out);
	for (int i = 0; i < MONTHS; i++) {
		struct period p;
		char *before;

		if (period_month(month, now, &p, NULL) < 0)
			break;
		if (i)
			fprintf(out, "<option%s>%s</option>\n",
				asked && strcmp(asked, month) == 0 ? " selected" : "", month);
		before = period_month_name(p.from - 1);
		free(month);
		month = before;
	}
	fputs("</select>\n", out);
	free(month);
}

void range_forms(FILE *out, const char *action, const struct fields *f, const char *domain, int64_t now)
{
	fprintf(out, "<div class=\"range\">\n<form action=\"%s\">\n", action);
	put_domain(out, domain);
	fputs("<label for=\"month\">Month</label>\n", out);
	put_months(out, f, now);
	fprintf(out, "<button>Show month</button>\n</form>\n<form action=\"%s\">\n", action);
	put_domain(out, domain);
	fputs("<label for=\"from\">From</label>\n<input type=\"date\" id=\"from\"", out);
	put_value(out, f, "from");
	fputs(">\n<label for=\"to\">before</label>\n<input type=\"date\" id=\"to\"", out);
	put_value(out, f, "to");
	fputs(">\n<button>Show days</button>\n</form>\n</div>\n", out);
}

void range_line(FILE *out, const struct report_rows *r)
{
	char *from = period_local(r->period.from), *to = period_local(r->period.to);
	char *seen = r->run.boot ? period_local(r->run.seen) : NULL;

	fprintf(out, "<p class=\"period\">%s to %s. ", from, to);
	if (seen)
		fprintf(out, "Counted up to %s.", seen);
	else
		fputs("Nothing has been counted yet.", out);
	if (r->several)
		fputs(" Months begin on each domain's billing day.", out);
	if (r->period.from < r->retired) {
		char *until = period_local(r->retired);

		fprintf(out, " What was before %s has been retired, and is in no figure.", until);
		free(until);
	}
	fputs("</p>\n", out);
	free(seen);
	free(to);
	free(from);
}

void range_query(FILE *out, const struct fields *f)
{
	static const char *const names[] = {"month", "from", "to"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = fields_get(f, names[i]);

		if (!value)
			continue;
		fprintf(out, "&amp;%s=", names[i]);
		html_query(out, value);
	}
}
