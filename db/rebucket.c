/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rebucket.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define BATCH 2000 /* rows that are moved in one transaction: others wait for its locks */
#define TRIES 5    /* of one that a lock of another session stopped */

static const char moving[] = "cannot move rows of the table";

int rebucket_open(struct rebucket *r, struct mysql *m, const char *table, char **err)
{
	enum traffic_state state;
	char *why = NULL;
	int rc = traffic_table_check_alone(m, table, &state, &why, err);

	*r = (struct rebucket){.m = m, .table = table, .name = mysql_identifier(table)};
	if (rc == 0 && state != TRAFFIC_FINE)
		rc = err_set(err, "rows cannot be moved: %s", why);
	free(why);
	return rc;
}

void rebucket_close(struct rebucket *r)
{
	free(r->name);
	*r = (struct rebucket){0};
}

static uint64_t number(const char *text)
{
	return text ? strtoull(text, NULL, 10) : 0;
}

/* The first column of the first row; 0 where it is NULL. */
static int ask_number(const struct rebucket *r, char *query, uint64_t *out, char **err)
{
	struct mysql_rows *rows = mysql_ask(r->m, moving, err, "%s", query);
	char **row = rows ? mysql_next(rows) : NULL;

	*out = row ? number(row[0]) : 0;
	mysql_rows_free(rows);
	free(query);
	return rows ? 0 : -1;
}

/* Runs and frees it. The number of rows, or -1. */
static int64_t run(const struct rebucket *r, char *statement, char **err)
{
	int64_t changed = mysql_execute(r->m, moving, statement, strlen(statement), err);

	free(statement);
	return changed;
}

/* A text for each counter, in whose pattern `%` stands for the counter's name and `@` for the table's. */
static char *each(const struct rebucket *r, const char *separator, const char *pattern)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort(); /* out of memory: as in base/mem.h */
	for (int c = 0; c < TRAFFIC_COLUMNS; c++) {
		fputs(c ? separator : "", out);
		for (const char *p = pattern; *p; p++)
			if (*p == '%')
				fputs(traffic_columns[c], out);
			else if (*p == '@')
				fputs(r->name, out);
			else
				fputc(*p, out);
	}
	(void)fclose(out); /* memory */
	return text;
}

/* ---- looking ---- */

static char *condition(const struct rebucket *r, const char *address, const char *from, const char *to)
{
	char *ip = mysql_literal(r->m, address), *start = mysql_literal(r->m, from),
	     *end = mysql_literal(r->m, to);
	char *text = mem_printf("ip = %s AND time >= %s AND time < %s", ip, start, end);

	free(end);
	free(start);
	free(ip);
	return text;
}

int rebucket_count(const struct rebucket *r, const char *address, const char *from, const char *to,
		   struct rebucket_sums *out, char **err)
{
	char *where = condition(r, address, from, to);
	struct mysql_rows *rows =
		mysql_ask(r->m, "cannot look at the table", err,
			  "SELECT COUNT(*), SUM(input), SUM(output) FROM %s WHERE %s", r->name, where);
	char **row = rows ? mysql_next(rows) : NULL;

	*out = (struct rebucket_sums){0};
	if (row)
		*out = (struct rebucket_sums){number(row[0]), number(row[1]), number(row[2])};
	mysql_rows_free(rows);
	free(where);
	return rows ? 0 : -1;
}

static int is_there(const struct rebucket *r, bool *there, char **err)
{
	uint64_t n;
	int rc = ask_number(
		r,
		mem_strdup("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
			   " AND TABLE_NAME = '" REBUCKET_TABLE "'"),
		&n, err);

	*there = n > 0;
	return rc;
}

int rebucket_moved(const struct rebucket *r, uint64_t *rows, char **err)
{
	char *table;
	bool there;
	int rc = is_there(r, &there, err);

	*rows = 0;
	if (rc < 0 || !there)
		return rc;
	table = mysql_literal(r->m, r->table);
	rc = ask_number(r, mem_printf("SELECT COUNT(*) FROM " REBUCKET_TABLE " WHERE table_name = %s", table),
			rows, err);
	free(table);
	return rc;
}

/* ---- one batch in one transaction ---- */

typedef int batch_fn(const struct rebucket *r, const void *arg, uint64_t last, int64_t *rows, char **err);

static int one_try(const struct rebucket *r, batch_fn *fn, const void *arg, uint64_t last, int64_t *rows,
		   char **err)
{
	if (mysql_command(r->m, moving, err, "START TRANSACTION") < 0)
		return -1;
	if (fn(r, arg, last, rows, err) == 0 && mysql_command(r->m, moving, err, "COMMIT") >= 0)
		return 0;
	return -1;
}

/* Again where another session's lock was in the way, as xenbw-writer's. */
static int in_transaction(const struct rebucket *r, batch_fn *fn, const void *arg, uint64_t last,
			  int64_t *rows, char **err)
{
	for (int i = 1;; i++) {
		bool busy;

		if (one_try(r, fn, arg, last, rows, err) == 0)
			return 0;
		busy = mysql_cause(r->m) == MYSQL_BUSY;
		(void)mysql_command(r->m, moving, NULL, "ROLLBACK");
		if (!busy || i == TRIES)
			return -1;
		err_clear(err);
	}
}

/* ---- there ---- */

static int make_table(const struct rebucket *r, char **err)
{
	char *columns = each(r, ", ", "% BIGINT UNSIGNED NOT NULL");
	char *text = mem_printf(
		"CREATE TABLE IF NOT EXISTS " REBUCKET_TABLE
		" (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
		" table_name VARCHAR(64) NOT NULL, ip VARCHAR(%d) NOT NULL, label VARCHAR(%d) NOT NULL,"
		" time DATETIME NOT NULL, %s, KEY (table_name, id))"
		" ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC",
		TRAFFIC_LABEL_MAX, TRAFFIC_LABEL_MAX, columns);

	free(columns);
	return run(r, text, err) < 0 ? -1 : 0;
}

struct move {
	const char *where, *label, *table; /* literals */
};

static int move_batch(const struct rebucket *r, const void *arg, uint64_t last, int64_t *rows, char **err)
{
	const struct move *v = arg;
	char *names = each(r, ", ", "%"), *added = each(r, ", ", "% = @.% + VALUES(%)");
	int64_t kept, gone = -1, moved = -1;

	/* the first one locks the rows */
	kept = run(r,
		   mem_printf("INSERT INTO " REBUCKET_TABLE " (table_name, ip, label, time, %s)"
			      " SELECT %s, ip, %s, time, %s FROM %s WHERE %s AND id <= %" PRIu64,
			      names, v->table, v->label, names, r->name, v->where, last),
		   err);
	if (kept >= 0)
		moved = run(r,
			    mem_printf("INSERT INTO %s (ip, time, %s) SELECT %s, time, %s FROM %s AS old "
				       "WHERE %s AND id <= "
				       "%" PRIu64 " ON DUPLICATE KEY UPDATE %s",
				       r->name, names, v->label, names, r->name, v->where, last, added),
			    err);
	if (moved >= 0)
		gone = run(r,
			   mem_printf("DELETE FROM %s WHERE %s AND id <= %" PRIu64, r->name, v->where, last),
			   err);
	free(added);
	free(names);
	if (gone < 0)
		return -1;
	*rows = gone;
	return gone == kept ? 0
			    : err_set(err, "%s %s: %" PRId64 " rows were kept and %" PRId64 " taken", moving,
				      r->table, kept, gone);
}

int rebucket_move(const struct rebucket *r, const char *address, const char *from, const char *to,
		  const char *label, uint64_t *rows, char **err)
{
	char *where = condition(r, address, from, to), *name = mysql_literal(r->m, label);
	char *table = mysql_literal(r->m, r->table);
	struct move v = {where, name, table};
	uint64_t last = 0;
	int rc = make_table(r, err);

	*rows = 0;
	while (rc == 0) {
		int64_t moved = 0;

		rc = ask_number(r,
				mem_printf("SELECT MAX(id) FROM (SELECT id FROM %s WHERE %s ORDER BY id "
					   "LIMIT %d) AS read_next",
					   r->name, where, BATCH),
				&last, err);
		if (rc < 0 || !last)
			break;
		rc = in_transaction(r, move_batch, &v, last, &moved, err);
		*rows += (uint64_t)moved;
	}
	free(table);
	free(name);
	free(where);
	return rc;
}

/* ---- and back ---- */

/* Each row that was moved must have one that it went to. */
static int check_there(const struct rebucket *r, const char *which, char **err)
{
	uint64_t missing;

	if (ask_number(r,
		       mem_printf("SELECT COUNT(*) FROM " REBUCKET_TABLE
				  " b LEFT JOIN %s t ON t.ip = b.label AND t.time = "
				  "b.time WHERE %s AND t.id IS NULL",
				  r->name, which),
		       &missing, err) < 0)
		return -1;
	return missing ? err_set(err,
				 "rows of table %s at MySQL server %s are not there any more (%" PRIu64
				 "), into which others were moved; what was moved is in " REBUCKET_TABLE,
				 r->table, mysql_place(r->m), missing)
		       : 0;
}

/* Rows that have nothing any more go, label by label: a join of both tables can take the server a minute. */
static int drop_empty(const struct rebucket *r, const char *which, char **err)
{
	char *zero = each(r, " AND ", "% = 0"), **row;
	struct mysql_rows *labels = mysql_ask(r->m, moving, err,
					      "SELECT label, MIN(time), MAX(time) FROM " REBUCKET_TABLE
					      " b WHERE %s GROUP BY label",
					      which);
	int64_t rc = labels ? 0 : -1;

	while (rc >= 0 && (row = mysql_next(labels))) {
		char *ip = mysql_literal(r->m, row[0]);

		rc = run(r,
			 mem_printf("DELETE FROM %s WHERE ip = %s AND time BETWEEN '%s' AND '%s' AND %s",
				    r->name, ip, row[1], row[2], zero),
			 err);
		free(ip);
	}
	mysql_rows_free(labels);
	free(zero);
	return rc < 0 ? -1 : 0;
}

/* Takes the bytes from where they went to. */
static int take_from_labels(const struct rebucket *r, const char *which, char **err)
{
	char *names = each(r, ", ", "%"), *theirs = each(r, ", ", "b.%"),
	     *less = each(r, ", ", "% = @.% - VALUES(%)");
	int64_t rc =
		run(r,
		    mem_printf("INSERT INTO %s (ip, time, %s) SELECT b.label, b.time, %s FROM " REBUCKET_TABLE
			       " b WHERE %s ON DUPLICATE KEY UPDATE %s",
			       r->name, names, theirs, which, less),
		    err);

	free(less);
	free(theirs);
	free(names);
	return rc < 0 ? -1 : drop_empty(r, which, err);
}

static int undo_batch(const struct rebucket *r, const void *arg, uint64_t last, int64_t *rows, char **err)
{
	char *which = mem_printf("b.table_name = %s AND b.id <= %" PRIu64, (const char *)arg, last);
	char *names = each(r, ", ", "%"), *theirs = each(r, ", ", "b.%"),
	     *added = each(r, ", ", "% = @.% + VALUES(%)");
	int64_t rc = check_there(r, which, err);

	if (rc == 0)
		rc = take_from_labels(r, which, err);
	if (rc == 0)
		rc = run(r,
			 mem_printf(
				 "INSERT INTO %s (ip, time, %s) SELECT b.ip, b.time, %s FROM " REBUCKET_TABLE
				 " b WHERE %s ON DUPLICATE KEY UPDATE %s",
				 r->name, names, theirs, which, added),
			 err);
	if (rc >= 0)
		rc = run(r, mem_printf("DELETE b FROM " REBUCKET_TABLE " b WHERE %s", which), err);
	*rows = rc;
	free(added);
	free(theirs);
	free(names);
	free(which);
	return rc < 0 ? -1 : 0;
}

int rebucket_undo(const struct rebucket *r, uint64_t *rows, char **err)
{
	char *table = mysql_literal(r->m, r->table);
	uint64_t last = 0, left = 0;
	bool there;
	int rc = is_there(r, &there, err);

	*rows = 0;
	while (rc == 0 && there) {
		int64_t back = 0;

		rc = ask_number(r,
				mem_printf("SELECT MAX(id) FROM (SELECT id FROM " REBUCKET_TABLE
					   " WHERE table_name = %s ORDER BY id LIMIT %d) AS read_next",
					   table, BATCH),
				&last, err);
		if (rc < 0 || !last)
			break;
		rc = in_transaction(r, undo_batch, table, last, &back, err);
		*rows += (uint64_t)back;
	}
	if (rc == 0 && there)
		rc = ask_number(r, mem_strdup("SELECT COUNT(*) FROM " REBUCKET_TABLE), &left, err);
	if (rc == 0 && there && !left)
		rc = run(r, mem_strdup("DROP TABLE " REBUCKET_TABLE), err) < 0 ? -1 : 0;
	free(table);
	return rc;
}
