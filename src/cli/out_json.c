/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * out_json: a table as one JSON object: "format": 1, the heads, then the rows as an array of objects.
 *
 * Integers are exact: those beyond 2^63 - 1, which many readers cannot hold, are strings. Totals are left
 * out.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/out_table.h"
#include "cli/period.h"

#define OUT_JSON_FORMAT 1

static json_t *text_value(const char *s)
{
	json_t *value = json_string(s);

	/* Names come printable out of xenstore; a ledger that others wrote may hold anything. */
	if (!value) {
		char *printable = text_printable(s, strlen(s));

		value = json_string(printable);
		free(printable);
	}
	return value;
}

static json_t *words_value(const char *s)
{
	json_t *array = json_array();
	char *copy = mem_strdup(s), *state = NULL;

	for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
		json_array_append_new(array, text_value(word));
	free(copy);
	return array;
}

static json_t *time_value(int64_t t)
{
	char *utc = period_utc(t);
	json_t *value = json_string(utc);

	free(utc);
	return value;
}

static json_t *number_value(uint64_t n)
{
	char *digits;
	json_t *value;

	if (n <= INT64_MAX)
		return json_integer((json_int_t)n);
	digits = mem_printf("%" PRIu64, n);
	value = json_string(digits);
	free(digits);
	return value;
}

static json_t *cell_value(enum out_type type, const struct out_cell *cell)
{
	if (!cell->set)
		return json_null();
	switch (type) {
	case OUT_TEXT:
		return text_value(cell->text);
	case OUT_WORDS:
		return words_value(cell->text);
	case OUT_TIME:
		return time_value((int64_t)cell->number);
	case OUT_NUMBER:
	case OUT_BYTES:
	case OUT_RATE:
		return cell->negative ? json_integer(-(json_int_t)(cell->number - 1) - 1)
				      : number_value(cell->number);
	}
	return json_null();
}

static json_t *head_value(const struct out_head *h)
{
	switch (h->type) {
	case OUT_HEAD_TEXT:
		return h->text ? text_value(h->text) : json_null();
	case OUT_HEAD_WORDS:
		return h->text ? words_value(h->text) : json_null();
	case OUT_HEAD_NUMBER:
		return h->number < 0 ? json_null() : number_value((uint64_t)h->number);
	case OUT_HEAD_TIME:
		return h->number < 0 ? json_null() : time_value(h->number);
	case OUT_HEAD_FLAG:
		return json_boolean(h->number);
	}
	return json_null();
}

void out_write_json(const struct out_table *t, const char *rows, FILE *to)
{
	json_t *top, *array;

	/* With these allocators no call below can fail. */
	json_set_alloc_funcs(mem_alloc, free);
	top = json_object();
	array = json_array();
	json_object_set_new(top, "format", json_integer(OUT_JSON_FORMAT));
	for (size_t i = 0; i < t->head_count; i++)
		json_object_set_new(top, t->heads[i].key, head_value(&t->heads[i]));
	json_object_set_new(top, rows, array);
	for (size_t i = 0; i < t->line_count; i++) {
		json_t *row;

		if (t->lines[i].total)
			continue;
		row = json_object();
		for (size_t c = 0; c < t->column_count; c++)
			if (t->columns[c].key)
				json_object_set_new(row, t->columns[c].key,
						    cell_value(t->columns[c].type, &t->lines[i].cells[c]));
		json_array_append_new(array, row);
	}
	(void)json_dumpf(top, to, JSON_INDENT(2)); /* the stream keeps the error */
	fputc('\n', to);
	json_decref(top);
}
