/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/traffic_old.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"

#define READ_ROWS 20000 /* that are added up in one statement, far below MYSQL_ANSWER_SECONDS */

static const char looking[] = "cannot look at the table";

void traffic_old_free(struct traffic_old *o)
{
	free(o->engine);
	free(o->refusal);
	*o = (struct traffic_old){0};
}

__attribute__((format(printf, 2, 3))) static void refuse(struct traffic_old *o, const char *fmt, ...)
{
	va_list ap;

	if (o->refusal)
		return;
	va_start(ap, fmt);
	o->refusal = mem_vprintf(fmt, ap);
	va_end(ap);
}

static int counter_of(const char *name)
{
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		if (strcasecmp(name, traffic_columns[c]) == 0)
			return c;
	return -1;
}

/* A column: name, data type, the type in full, its key. */
enum { NAME, TYPE, FULL_TYPE, KEY };

static void look_at_counter(struct traffic_old *o, int c, char **column)
{
	static const struct {
		const char *type;
		uint64_t most;
	} types[] = {
		{"tinyint", INT8_MAX}, {"smallint", INT16_MAX}, {"mediumint", 8388607}, {"int", INT32_MAX}};
	bool is_unsigned = strstr(column[FULL_TYPE], "unsigned");

	o->has[c] = true;
	if (strcmp(column[TYPE], "bigint") == 0)
		return;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(column[TYPE], types[i].type) == 0)
			o->ceiling[c] = is_unsigned ? types[i].most * 2 + 1 : types[i].most;
	if (!o->ceiling[c])
		refuse(o, "its column %s is of type %s, which is no whole number", column[NAME],
		       column[FULL_TYPE]);
}

struct seen {
	bool id, ip, time;
};

static void look_at_column(struct traffic_old *o, struct seen *seen, char **column)
{
	int c = counter_of(column[NAME]);

	if (c >= 0) {
		look_at_counter(o, c, column);
	} else if (strcasecmp(column[NAME], "id") == 0) {
		seen->id = *column[KEY] != '\0';
	} else if (strcasecmp(column[NAME], "ip") == 0) {
		seen->ip = strstr(column[TYPE], "char") != NULL;
	} else if (strcasecmp(column[NAME], "time") == 0) {
		seen->time = strcmp(column[TYPE], "datetime") == 0 || strcmp(column[TYPE], "timestamp") == 0;
	} else {
		refuse(o,
		       "it has a column %s, which is not netacct's and would be lost: take a copy of what it "
		       "holds, "
		       "and drop it",
		       column[NAME]);
	}
}

static int look_at_columns(struct mysql *m, const char *literal, struct traffic_old *o, char **err)
{
	struct mysql_rows *rows = mysql_ask(
		m, looking, err,
		"SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COLUMN_KEY FROM information_schema.COLUMNS"
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
		literal);
	struct seen seen = {0};
	char **row;

	if (!rows)
		return -1;
	while ((row = mysql_next(rows)))
		look_at_column(o, &seen, row);
	mysql_rows_free(rows);
	if (!seen.ip || !seen.time || !o->has[0] || !o->has[1])
		refuse(o, "it is not netacct's: it has no %s",
		       !seen.ip     ? "text column ip"
		       : !seen.time ? "column time of type datetime"
				    : "columns input and output");
	if (!seen.id)
		refuse(o, "it has no column id with a key, by which it could be copied in batches; "
			  "`ALTER TABLE ... ADD COLUMN id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY "
			  "FIRST` makes one");
	return 0;
}

static int look_at_table(struct mysql *m, const char *literal, struct traffic_old *o, char **err)
{
	struct mysql_rows *rows = mysql_ask(
		m, looking, err,
		"SELECT TABLE_TYPE, IFNULL(ENGINE, '?'), IFNULL(DATA_LENGTH + INDEX_LENGTH, 0),"
		" (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()"
		" AND EVENT_OBJECT_TABLE = %s) FROM information_schema.TABLES"
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
		literal, literal);
	char **row;

	if (!rows)
		return -1;
	row = mysql_next(rows);
	if (row) {
		o->there = true;
		o->engine = mem_strdup(row[1]);
		o->bytes = strtoull(row[2], NULL, 10);
		if (strcmp(row[0], "BASE TABLE") != 0)
			refuse(o, "it is no table but a %s", row[0]);
		if (strcmp(row[3], "0") != 0)
			refuse(o, "it has triggers, which would stay with the old table: drop them first, "
				  "and make them "
				  "anew afterwards");
	}
	mysql_rows_free(rows);
	return 0;
}

int traffic_old_look(struct mysql *m, const char *table, struct traffic_old *out, char **err)
{
	char *literal = mysql_literal(m, table);
	int rc;

	*out = (struct traffic_old){0};
	rc = look_at_table(m, literal, out, err);
	if (rc == 0 && out->there && !out->refusal)
		rc = look_at_columns(m, literal, out, err);
	free(literal);
	return rc;
}

/* ---- what is in it ---- */

/* A condition on the rows that have a counter at its ceiling; NULL where no column has one. */
static char *at_ceiling(const struct traffic_old *o)
{
	char *text = NULL;

	for (int c = 0; c < TRAFFIC_COLUMNS; c++) {
		char *longer;

		if (!o->ceiling[c])
			continue;
		longer = mem_printf("%s%s%s = %" PRIu64, text ? text : "", text ? " OR " : "",
				    traffic_columns[c], o->ceiling[c]);
		free(text);
		text = longer;
	}
	return text;
}

static uint64_t number(const char *text)
{
	return text ? strtoull(text, NULL, 10) : 0;
}

int traffic_old_batch(struct mysql *m, const char *table, uint64_t after, uint64_t rows, uint64_t *last,
		      char **err)
{
	char *name = mysql_identifier(table);
	struct mysql_rows *answer = mysql_ask(m, "cannot read the table", err,
					      "SELECT MAX(id) FROM (SELECT id FROM %s WHERE id > %" PRIu64
					      " ORDER BY id LIMIT %" PRIu64 ") AS read_next",
					      name, after, rows);
	char **row = answer ? mysql_next(answer) : NULL;

	*last = row ? number(row[0]) : 0;
	mysql_rows_free(answer);
	free(name);
	return answer ? 0 : -1;
}

/* The columns of the statement below: rows, capped rows, the lowest counter, sums. */
static char *sums_of(const struct traffic_old *o)
{
	char *capped = at_ceiling(o);
	char *lowest = mem_strdup("0"), *sums = mem_strdup(""), *all;

	for (int c = 0; c < TRAFFIC_COLUMNS; c++) {
		char *more;

		if (o->has[c]) {
			more = mem_printf("%s, MIN(%s)", lowest, traffic_columns[c]);
			free(lowest);
			lowest = more;
			more = mem_printf("%s, MOD(SUM(%s), 18446744073709551616)", sums, traffic_columns[c]);
		} else {
			more = mem_printf("%s, 0", sums);
		}
		free(sums);
		sums = more;
	}
	all = mem_printf("COUNT(*), SUM(%s), LEAST(%s) < 0%s", capped ? capped : "0", lowest, sums);
	free(capped);
	free(lowest);
	free(sums);
	return all;
}

static int add_batch(struct mysql *m, const char *name, const char *what, uint64_t after, uint64_t last,
		     struct traffic_sums *out, char **err)
{
	struct mysql_rows *rows = mysql_ask(m, "cannot read the table", err,
					    "SELECT %s FROM %s WHERE id > %" PRIu64 " AND id <= %" PRIu64,
					    what, name, after, last);
	char **row = rows ? mysql_next(rows) : NULL;

	if (row) {
		out->rows += number(row[0]);
		out->capped += number(row[1]);
		out->negative |= row[2] && strcmp(row[2], "1") == 0;
		for (int c = 0; c < TRAFFIC_COLUMNS; c++)
			out->counters[c] += number(row[3 + c]);
		out->newest_id = last;
	}
	mysql_rows_free(rows);
	return rows ? 0 : -1;
}

int traffic_old_sums(struct mysql *m, const char *table, const struct traffic_old *o,
		     struct traffic_sums *out, char **err)
{
	char *what = sums_of(o), *name = mysql_identifier(table);
	uint64_t after = 0, last;
	int rc;

	*out = (struct traffic_sums){0};
	do {
		rc = traffic_old_batch(m, table, after, READ_ROWS, &last, err);
		if (rc == 0 && last)
			rc = add_batch(m, name, what, after, last, out, err);
		after = last;
	} while (rc == 0 && last);
	free(name);
	free(what);
	return rc;
}

static void tell_capped(const struct traffic_old *o, char **row, traffic_capped_fn *fn, void *ctx)
{
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		if (o->ceiling[c] && number(row[2 + c]) == o->ceiling[c])
			fn(ctx, row[0], row[1], traffic_columns[c], o->ceiling[c]);
}

/* One batch; *told grows by the rows that were told of. */
static int list_batch(struct mysql *m, const char *query, const struct traffic_old *o, size_t *told,
		      traffic_capped_fn *fn, void *ctx, char **err)
{
	struct mysql_rows *rows = mysql_ask(m, "cannot read the table", err, "%s", query);
	char **row;

	while (rows && (row = mysql_next(rows))) {
		tell_capped(o, row, fn, ctx);
		++*told;
	}
	mysql_rows_free(rows);
	return rows ? 0 : -1;
}

int traffic_old_capped(struct mysql *m, const char *table, const struct traffic_old *o, size_t most,
		       traffic_capped_fn *fn, void *ctx, char **err)
{
	char *capped = at_ceiling(o), *name = mysql_identifier(table), *columns = mem_strdup("ip, time");
	uint64_t after = 0, last = 0;
	size_t told = 0;
	int rc = 0;

	for (int c = 0; c < TRAFFIC_COLUMNS; c++) {
		char *longer = mem_printf("%s, %s", columns, o->has[c] ? traffic_columns[c] : "0");

		free(columns);
		columns = longer;
	}
	while (rc == 0 && capped && told < most) {
		char *query;

		rc = traffic_old_batch(m, table, after, READ_ROWS, &last, err);
		if (rc < 0 || !last)
			break;
		query = mem_printf("SELECT %s FROM %s WHERE id > %" PRIu64 " AND id <= %" PRIu64
				   " AND (%s) ORDER BY id LIMIT %zu",
				   columns, name, after, last, capped, most - told);
		rc = list_batch(m, query, o, &told, fn, ctx, err);
		free(query);
		after = last;
	}
	free(columns);
	free(name);
	free(capped);
	return rc;
}
