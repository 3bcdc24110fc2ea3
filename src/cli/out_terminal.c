/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * out_terminal: a table for people.
 *
 * Numbers have units and stand to the right. Where the terminal is narrower than the table, first long words
 * are cut, then whole columns are left out in the order that the columns say, and a last line tells which.
 */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/out_table.h"
#include "cli/period.h"
#include "cli/units.h"

#define GAP "  "
#define LONG_WORD 32 /* what a text may have before columns are left out for it */
#define SHORT_WORD 8 /* what it keeps in any case */

/* The cells as text, and what is shown of them. */
struct sheet {
	const struct out_table *table;
	char **texts;   /* lines * columns */
	size_t *widths; /* per column; 0 = hidden */
	bool cut;
};

static char **text_at(const struct sheet *s, size_t line, size_t column)
{
	return &s->texts[line * s->table->column_count + column];
}

static char *number_text(uint64_t number, enum out_type type, bool exact)
{
	switch (type) {
	case OUT_BYTES:
		return exact ? mem_printf("%" PRIu64, number) : units_bytes(number);
	case OUT_RATE:
		return exact ? mem_printf("%" PRIu64, number * 8) : units_rate(number);
	default:
		return mem_printf("%" PRIu64, number);
	}
}

static char *text_of(const struct out_line *line, size_t column, enum out_type type, bool exact)
{
	const struct out_cell *cell = &line->cells[column];
	char *number, *text;

	if (!cell->set)
		return mem_strdup(line->total ? "" : "-");
	if (out_is_text(type))
		return mem_strdup(cell->text);
	if (type == OUT_TIME)
		return period_local((int64_t)cell->number);
	number = number_text(cell->number, type, exact);
	text = mem_printf("%s%s", cell->negative ? "-" : "", number);
	free(number);
	return text;
}

/* Places on the screen of the character at s, its bytes in *n. What cannot be shown is written as \xNN. */
static size_t place(const char *s, size_t *n, mbstate_t *state)
{
	wchar_t wc;
	size_t used = mbrtowc(&wc, s, strlen(s), state);
	int width;

	if (used == (size_t)-1 || used == (size_t)-2 || used == 0) {
		memset(state, 0, sizeof(*state));
		*n = 1;
		return 4;
	}
	*n = used;
	width = iswprint((wint_t)wc) ? wcwidth(wc) : -1;
	return width >= 0 ? (size_t)width : used * 4;
}

static size_t width_of(const char *s)
{
	mbstate_t state = {0};
	size_t width = 0, n;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a column that is shown has a title */
	for (; *s; s += n)
		width += place(s, &n, &state);
	return width;
}

/* At most `width` places of s, with a mark where something is missing. */
static char *cut_to(const char *s, size_t width)
{
	const char *mark = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "…" : "~";
	mbstate_t state = {0};
	size_t used = 0, bytes = 0, n;

	if (width_of(s) <= width)
		return mem_strdup(s);
	for (; s[bytes]; bytes += n) {
		size_t w = place(s + bytes, &n, &state);

		if (used + w > width - 1)
			break;
		used += w;
	}
	return mem_printf("%.*s%s", (int)bytes, s, mark);
}

static size_t total_width(const struct sheet *s)
{
	size_t total = 0, shown = 0;

	for (size_t c = 0; c < s->table->column_count; c++)
		if (s->widths[c]) {
			total += s->widths[c];
			shown++;
		}
	return shown ? total + (shown - 1) * strlen(GAP) : 0;
}

static void limit_column(struct sheet *s, size_t column, size_t width)
{
	size_t title = width_of(s->table->columns[column].title);

	if (width < title)
		width = title;
	if (s->widths[column] > width) {
		s->widths[column] = width;
		s->cut = true;
	}
}

static bool is_empty(const struct out_table *t, size_t column)
{
	for (size_t i = 0; i < t->line_count; i++)
		if (t->lines[i].cells[column].set)
			return false;
	return true;
}

/* When a column goes: those that have nothing to show before all others. 0: it stays. */
static unsigned rank(const struct out_table *t, size_t column)
{
	unsigned drop = t->columns[column].drop;

	return drop == 0 ? 0 : is_empty(t, column) ? 1 : drop + 1;
}

/* Leaves out the columns that are to go next; false when all that is left stays. */
static bool hide_next(struct sheet *s)
{
	const struct out_table *t = s->table;
	unsigned next = 0;

	for (size_t c = 0; c < t->column_count; c++)
		if (s->widths[c] && rank(t, c) && (!next || rank(t, c) < next))
			next = rank(t, c);
	for (size_t c = 0; next && c < t->column_count; c++)
		if (rank(t, c) == next)
			s->widths[c] = 0;
	return next != 0;
}

static void fit(struct sheet *s, size_t room)
{
	const struct out_table *t = s->table;
	size_t widest = t->column_count, c;

	for (c = 0; c < t->column_count && total_width(s) > room; c++)
		if (s->widths[c] && out_is_text(t->columns[c].type))
			limit_column(s, c, LONG_WORD);
	while (total_width(s) > room && hide_next(s))
		;
	for (c = 0; c < t->column_count; c++)
		if (s->widths[c] && out_is_text(t->columns[c].type) &&
		    (widest == t->column_count || s->widths[c] > s->widths[widest]))
			widest = c;
	if (total_width(s) > room && widest < t->column_count) {
		size_t over = total_width(s) - room;

		limit_column(s, widest,
			     s->widths[widest] > over + SHORT_WORD ? s->widths[widest] - over : SHORT_WORD);
	}
}

static void measure(struct sheet *s, const struct out_screen *screen)
{
	const struct out_table *t = s->table;

	for (size_t c = 0; c < t->column_count; c++) {
		if (!t->columns[c].title)
			continue;
		s->widths[c] = width_of(t->columns[c].title);
		for (size_t i = 0; i < t->line_count; i++) {
			char *text = text_of(&t->lines[i], c, t->columns[c].type, screen->exact);
			size_t width = width_of(text);

			*text_at(s, i, c) = text;
			if (width > s->widths[c])
				s->widths[c] = width;
		}
	}
	if (screen->width)
		fit(s, screen->width);
}

/* What does not fit into its column any more; a hidden column has no text at all. */
static void cut_texts(struct sheet *s)
{
	for (size_t i = 0; i < s->table->line_count; i++)
		for (size_t c = 0; c < s->table->column_count; c++) {
			char **text = text_at(s, i, c);
			char *shown;

			if (!s->widths[c])
				continue;
			shown = cut_to(*text, s->widths[c]);
			free(*text);
			*text = shown;
		}
}

/* Fills in libsmartcols' table; 0 or its negative error. */
static int set_out(const struct sheet *s, struct libscols_table *screen)
{
	const struct out_table *t = s->table;
	int rc = scols_table_set_column_separator(screen, GAP);

	/* The sheet fits already: as if there were no terminal, nothing is narrowed again. */
	if (rc == 0)
		rc = scols_table_set_termforce(screen, SCOLS_TERMFORCE_NEVER);
	for (size_t c = 0; rc == 0 && c < t->column_count; c++) {
		struct libscols_column *column;

		if (!s->widths[c])
			continue;
		column = scols_table_new_column(screen, t->columns[c].title, 0,
						out_is_text(t->columns[c].type) ? 0 : SCOLS_FL_RIGHT);
		/* the backslashes are those of text_printable */
		rc = column ? scols_column_set_safechars(column, "\\") : -ENOMEM;
	}
	for (size_t i = 0; rc == 0 && i < t->line_count; i++) {
		struct libscols_line *line = scols_table_new_line(screen, NULL);
		size_t at = 0;

		if (!line)
			return -ENOMEM;
		for (size_t c = 0; rc == 0 && c < t->column_count; c++)
			if (s->widths[c])
				rc = scols_line_set_data(line, at++, *text_at(s, i, c));
	}
	return rc;
}

static int print(const struct sheet *s, FILE *to, char **err)
{
	struct libscols_table *screen = scols_new_table();
	int rc = screen ? set_out(s, screen) : -ENOMEM;

	if (rc == 0)
		rc = scols_table_set_stream(screen, to);
	if (rc == 0)
		rc = scols_print_table(screen);
	scols_unref_table(screen);
	return rc < 0 ? err_set(err, "cannot set out the table: %s", strerror(-rc)) : 0;
}

/* Words of a line, which goes on below where the screen ends. */
struct words {
	FILE *to;
	size_t width, used, indent;
};

static void put_words(struct words *w, const char *text)
{
	size_t width = width_of(text);
	bool first = w->used <= w->indent;

	if (!first && w->width && w->used + 1 + width > w->width) {
		fprintf(w->to, "\n%*s", (int)w->indent, "");
		w->used = w->indent;
		first = true;
	}
	fprintf(w->to, "%s%s", first ? "" : " ", text);
	w->used += width + (first ? 0 : 1);
}

void out_indented(const char *text, size_t indent, const struct out_screen *screen, FILE *to)
{
	struct words w = {.to = to, .width = screen->width, .used = indent, .indent = indent};

	for (const char *end; *text; text = *end ? end + 1 : end) {
		char *word;

		end = text + strcspn(text, " ");
		word = mem_strndup(text, (size_t)(end - text));
		put_words(&w, word);
		free(word);
	}
	fputc('\n', to);
}

void out_hanging(const char *head, const char *text, const struct out_screen *screen, FILE *to)
{
	fputs(head, to);
	out_indented(text, width_of(head), screen, to);
}

void out_line(const char *text, const struct out_screen *screen, FILE *to)
{
	out_indented(text, 0, screen, to);
}

static void tell_hidden(const struct sheet *s, const struct out_screen *screen, FILE *to)
{
	struct words w = {.to = to, .width = screen->width};
	size_t left = 0;

	for (size_t c = 0; c < s->table->column_count; c++)
		left += s->table->columns[c].title && !s->widths[c];
	if (!left && !s->cut)
		return;
	if (left)
		put_words(&w, "Hidden:");
	for (size_t c = 0; left && c < s->table->column_count; c++)
		if (s->table->columns[c].title && !s->widths[c]) {
			char *text = mem_printf("%s%s", s->table->columns[c].title, --left ? "," : ".");

			put_words(&w, text);
			free(text);
		}
	if (s->cut)
		put_words(&w, "Long names are cut.");
	put_words(&w, "--wide shows all.");
	fputc('\n', to);
}

int out_write_terminal(const struct out_table *t, const struct out_screen *screen, FILE *to, char **err)
{
	struct sheet s = {.table = t,
			  .texts = mem_array(t->line_count * t->column_count, sizeof(char *)),
			  .widths = mem_array(t->column_count, sizeof(size_t))};
	int rc;

	measure(&s, screen);
	cut_texts(&s);
	rc = print(&s, to, err);
	tell_hidden(&s, screen, to);
	for (size_t i = 0; i < t->line_count * t->column_count; i++)
		free(s.texts[i]);
	free(s.texts);
	free(s.widths);
	return rc;
}
