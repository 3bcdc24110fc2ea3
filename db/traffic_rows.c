/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/traffic_rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define HOUR_SIZE 20      /* with its NUL */
#define HOURS_AT_ONCE 500 /* columns of one query */
#define ROWS_AT_ONCE 500  /* rows of one INSERT */
#define ROW_ROOM 2048 /* more than the longest row: 255 characters of 4 bytes, each escaped, and numbers */
#define STATEMENT_MAX 1000000

/* Prints to a memory stream. One that finds no memory leaves the text out, and neither ferror() nor fclose()
 * says so afterwards: only here is it seen. */
static void put(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(FILE *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vfprintf(out, fmt, ap) < 0)
		abort(); /* as in base/mem.h */
	va_end(ap);
}

/* ---- hours ---- */

static int compare_slots(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The distinct slots of a batch, ascending; free(). */
static int64_t *distinct_slots(const struct traffic_batch *batch, size_t *count)
{
	int64_t *slots = mem_array(batch->count, sizeof(*slots));
	size_t n = 0;

	for (size_t i = 0; i < batch->count; i++)
		slots[i] = batch->list[i].slot;
	qsort(slots, batch->count, sizeof(*slots), compare_slots);
	for (size_t i = 0; i < batch->count; i++)
		if (n == 0 || slots[n - 1] != slots[i])
			slots[n++] = slots[i];
	*count = n;
	return slots;
}

static int ask_hours(struct mysql *m, const int64_t *slots, size_t count, char (*hours)[HOUR_SIZE],
		     char **err)
{
	static const char doing[] = "cannot ask for the hours of the ledger's slots";
	char *query = NULL, **row;
	size_t size = 0;
	FILE *out = open_memstream(&query, &size);
	struct mysql_rows *rows;
	int rc = 0;

	if (!out)
		abort(); /* out of memory: as in base/mem.h */
	for (size_t i = 0; i < count; i++)
		put(out, "%s DATE_FORMAT(FROM_UNIXTIME(%" PRId64 "), '%%Y-%%m-%%d %%H:00:00')",
		    i ? "," : "SELECT", slots[i]);
	if (fclose(out) != 0)
		abort();
	rows = mysql_ask(m, doing, err, "%s", query);
	free(query);
	if (!rows)
		return -1;
	row = mysql_next(rows);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (row && row[i] && strlen(row[i]) == HOUR_SIZE - 1)
			memcpy(hours[i], row[i], HOUR_SIZE);
		else
			rc = err_set(err,
				     "%s at MySQL server %s: it has no date for %" PRId64
				     " seconds after 1970",
				     doing, mysql_place(m), slots[i]);
	}
	mysql_rows_free(rows);
	return rc;
}

/* ---- rows ---- */

static int compare_rows(const void *a, const void *b)
{
	const struct traffic_row *x = a, *y = b;
	int order = strcmp(x->label, y->label); /* bytes of UTF-8: the order of utf8mb4_bin */

	return order ? order : strcmp(x->hour, y->hour);
}

static bool is_empty(const struct traffic_row *r)
{
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		if (r->bytes[c])
			return false;
	return true;
}

/* Sorted, so that two writers never wait for each other in a circle; pairs that are equal become one. */
static void merge(struct traffic_rows *rows)
{
	size_t n = 0;

	qsort(rows->list, rows->count, sizeof(*rows->list), compare_rows);
	for (size_t i = 0; i < rows->count; i++) {
		struct traffic_row *last = n ? &rows->list[n - 1] : NULL, *this = &rows->list[i];

		if (is_empty(this))
			continue;
		if (last && compare_rows(last, this) == 0)
			for (int c = 0; c < TRAFFIC_COLUMNS; c++)
				last->bytes[c] += this->bytes[c];
		else
			rows->list[n++] = *this;
	}
	rows->count = n;
}

int traffic_rows_make(struct traffic_rows *rows, struct mysql *m, const struct traffic_batch *batch,
		      char **err)
{
	size_t slot_count;
	int64_t *slots = distinct_slots(batch, &slot_count);
	int rc = 0;

	*rows = (struct traffic_rows){.count = batch->count};
	rows->hours = mem_array(slot_count, HOUR_SIZE);
	rows->list = mem_array(batch->count, sizeof(*rows->list));
	for (size_t i = 0; rc == 0 && i < slot_count; i += HOURS_AT_ONCE)
		rc = ask_hours(m, slots + i, slot_count - i < HOURS_AT_ONCE ? slot_count - i : HOURS_AT_ONCE,
			       rows->hours + i, err);
	for (size_t i = 0; rc == 0 && i < batch->count; i++) {
		const struct traffic_bytes *b = &batch->list[i];
		const int64_t *at = bsearch(&b->slot, slots, slot_count, sizeof(*slots), compare_slots);

		rows->list[i].label = b->label;
		rows->list[i].hour = rows->hours[at - slots];
		memcpy(rows->list[i].bytes, b->bytes, sizeof(b->bytes));
	}
	free(slots);
	if (rc < 0)
		traffic_rows_free(rows);
	else
		merge(rows);
	return rc;
}

void traffic_rows_free(struct traffic_rows *rows)
{
	free(rows->list);
	free(rows->hours);
	*rows = (struct traffic_rows){0};
}

/* ---- writing ---- */

static void put_head(FILE *out, const char *name)
{
	put(out, "INSERT INTO %s (ip, time", name);
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		put(out, ", %s", traffic_columns[c]);
	put(out, ") VALUES ");
}

static void put_row(FILE *out, struct mysql *m, const struct traffic_row *r)
{
	char *label = mysql_literal(m, r->label);

	put(out, "(%s, '%s'", label, r->hour);
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		put(out, ", %" PRIu64, r->bytes[c]);
	put(out, ")");
	free(label);
}

static void put_tail(FILE *out)
{
	put(out, " ON DUPLICATE KEY UPDATE ");
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		put(out, "%s%s = %s + VALUES(%s)", c ? ", " : "", traffic_columns[c], traffic_columns[c],
		    traffic_columns[c]);
}

/* One INSERT of as many rows as fit into `room`, from `at` on; *at is where to go on. */
static int write_some(const struct traffic_rows *rows, size_t *at, size_t room, struct mysql *m,
		      const char *name, char **err)
{
	size_t end = rows->count - *at < ROWS_AT_ONCE ? rows->count : *at + ROWS_AT_ONCE, size = 0,
	       first = *at;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	int64_t rc;

	if (!out)
		abort(); /* out of memory: as in base/mem.h */
	put_head(out, name);
	do {
		if (*at > first)
			put(out, ", ");
		put_row(out, m, &rows->list[(*at)++]);
	} while (*at < end && ftell(out) + 2L * ROW_ROOM < (long)room);
	put_tail(out);
	if (fclose(out) != 0)
		abort();
	rc = mysql_execute(m, "cannot add rows", text, size, err);
	free(text);
	return rc < 0 ? -1 : 0;
}

int traffic_rows_write(const struct traffic_rows *rows, struct mysql *m, const char *table, char **err)
{
	size_t room = mysql_statement_room(m) < STATEMENT_MAX ? mysql_statement_room(m) : STATEMENT_MAX;
	char *name = mysql_identifier(table);
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < rows->count;)
		rc = write_some(rows, &at, room, m, name, err);
	if (rc < 0)
		err_add(err, "table %s", table);
	free(name);
	return rc;
}
