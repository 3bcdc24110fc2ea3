/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * out_csv: a table as RFC 4180 wants it: a line of headings, CRLF, quotes where they are needed.
 *
 * Text that a spreadsheet would take for a formula gets a leading apostrophe, and what a terminal would obey
 * is written as \xNN: names of domains are not ours to trust. Totals are left out, null is an empty cell.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/out_table.h"
#include "cli/period.h"

static void put_text(const char *s, FILE *to)
{
	const char *apostrophe = *s && strchr("=+-@", *s) ? "'" : "", *quote = strpbrk(s, ",\"") ? "\"" : "";

	fprintf(to, "%s%s", quote, apostrophe);
	while (*s) {
		size_t plain = strcspn(s, "\"\\");
		char *shown = text_printable(s, plain);

		fputs(shown, to);
		free(shown);
		s += plain;
		if (*s) /* a backslash stays one: there is one already in what xenbwd made printable */
			fputs(*s++ == '"' ? "\"\"" : "\\", to);
	}
	fputs(quote, to);
}

static void put_cell(enum out_type type, const struct out_cell *cell, FILE *to)
{
	if (!cell->set)
		return;
	if (out_is_text(type)) {
		put_text(cell->text, to);
	} else if (type == OUT_TIME) {
		char *utc = period_utc((int64_t)cell->number);

		fputs(utc, to);
		free(utc);
	} else {
		fprintf(to, "%s%" PRIu64, cell->negative ? "-" : "", cell->number);
	}
}

void out_write_csv(const struct out_table *t, FILE *to)
{
	const char *comma = "";

	for (size_t c = 0; c < t->column_count; c++)
		if (t->columns[c].key) {
			fprintf(to, "%s%s", comma, t->columns[c].key);
			comma = ",";
		}
	fputs("\r\n", to);
	for (size_t i = 0; i < t->line_count; i++) {
		if (t->lines[i].total)
			continue;
		comma = "";
		for (size_t c = 0; c < t->column_count; c++)
			if (t->columns[c].key) {
				fputs(comma, to);
				put_cell(t->columns[c].type, &t->lines[i].cells[c], to);
				comma = ",";
			}
		fputs("\r\n", to);
	}
}
