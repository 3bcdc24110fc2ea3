/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/out.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cli/out_table.h"

struct out_table *out_new(const struct out_column *columns, size_t count)
{
	struct out_table *t = mem_alloc(sizeof(*t));

	t->columns = columns;
	t->column_count = count;
	return t;
}

void out_free(struct out_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->line_count; i++) {
		for (size_t c = 0; c < t->column_count; c++)
			free(t->lines[i].cells[c].text);
		free(t->lines[i].cells);
	}
	for (size_t i = 0; i < t->head_count; i++)
		free(t->heads[i].text);
	free(t->lines);
	free(t->heads);
	free(t);
}

void out_row(struct out_table *t)
{
	if ((t->line_count & (t->line_count - 1)) == 0)
		t->lines = mem_resize(t->lines, t->line_count ? t->line_count * 2 : 1, sizeof(t->lines[0]));
	t->lines[t->line_count++] =
		(struct out_line){.cells = mem_array(t->column_count, sizeof(struct out_cell))};
}

static struct out_cell *newest(struct out_table *t, size_t column)
{
	return &t->lines[t->line_count - 1].cells[column];
}

void out_text(struct out_table *t, size_t column, const char *value)
{
	struct out_cell *cell = newest(t, column);

	mem_replace(&cell->text, value);
	cell->set = value != NULL;
}

void out_number(struct out_table *t, size_t column, uint64_t value)
{
	struct out_cell *cell = newest(t, column);

	cell->number = value;
	cell->set = true;
}

void out_signed(struct out_table *t, size_t column, int64_t value)
{
	out_number(t, column, value < 0 ? -(uint64_t)value : (uint64_t)value);
	newest(t, column)->negative = value < 0;
}

void out_row_is_total(struct out_table *t)
{
	t->lines[t->line_count - 1].total = true;
}

static struct out_head *head(struct out_table *t, const char *key, enum out_head_type type)
{
	t->heads = mem_resize(t->heads, t->head_count + 1, sizeof(t->heads[0]));
	t->heads[t->head_count] = (struct out_head){.key = key, .type = type};
	return &t->heads[t->head_count++];
}

void out_head_text(struct out_table *t, const char *key, const char *value)
{
	head(t, key, OUT_HEAD_TEXT)->text = mem_strdup(value);
}

void out_head_time(struct out_table *t, const char *key, int64_t value)
{
	head(t, key, OUT_HEAD_TIME)->number = value;
}

void out_head_words(struct out_table *t, const char *key, const char *value)
{
	head(t, key, OUT_HEAD_WORDS)->text = mem_strdup(value);
}

void out_head_number(struct out_table *t, const char *key, int64_t value)
{
	head(t, key, OUT_HEAD_NUMBER)->number = value;
}

void out_head_flag(struct out_table *t, const char *key, bool value)
{
	head(t, key, OUT_HEAD_FLAG)->number = value;
}

int out_write(const struct out_table *t, enum out_format format, const char *rows,
	      const struct out_screen *screen, FILE *to, char **err)
{
	switch (format) {
	case OUT_JSON:
		out_write_json(t, rows, to);
		return 0;
	case OUT_CSV:
		out_write_csv(t, to);
		return 0;
	case OUT_TERMINAL:
		return out_write_terminal(t, screen, to, err);
	}
	return 0;
}
