/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/traffic_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "mysql_schema.h"

const char *const traffic_columns[TRAFFIC_COLUMNS] = {"input",       "output",       "peer_input",
						      "peer_output", "direct_input", "direct_output",
						      "local_input", "local_output"};

#define OTHER_TABLE                                                                                         \
	"counting goes on in the ledger; write to another table: `mysql_table xenbw_traffic`, then `xenbw " \
	"db init`"
#define UPGRADE OTHER_TABLE "; or bring this one up to date: `xenbw db upgrade`"

/* ---- making ---- */

/* `traffic` in backticks stands for the table. */
char *traffic_table_statements(const char *table)
{
	static const char stands_for[] = "`traffic`";
	const char *from = mysql_schema, *hole;
	char *name = mysql_identifier(table), *all = mem_strdup("");

	do {
		char *longer;

		hole = strstr(from, stands_for);
		longer = mem_printf("%s%.*s%s", all, hole ? (int)(hole - from) : (int)strlen(from), from,
				    hole ? name : "");
		free(all);
		all = longer;
		if (hole)
			from = hole + strlen(stands_for);
	} while (hole);
	free(name);
	return all;
}

int traffic_table_create(struct mysql *m, const char *table, char **err)
{
	static const char end[] = ";\n";
	char *all = traffic_table_statements(table);
	int rc = 0;

	for (const char *from = all, *to; rc == 0 && (to = strstr(from, end)); from = to + strlen(end))
		if (mysql_execute(m, "cannot make the tables", from, (size_t)(to - from), err) < 0)
			rc = -1;
	free(all);
	return rc;
}

/* ---- looking ---- */

/* What was found wrong: parts joined with ", ". */
struct faults {
	char *text; /* NULL: nothing */
};

__attribute__((format(printf, 2, 3))) static void add_fault(struct faults *f, const char *fmt, ...)
{
	va_list ap;
	char *more, *joined;

	va_start(ap, fmt);
	more = mem_vprintf(fmt, ap);
	va_end(ap);
	joined = f->text ? mem_printf("%s, %s", f->text, more) : mem_strdup(more);
	free(f->text);
	free(more);
	f->text = joined;
}

struct look {
	struct mysql *m;
	const char *table;
	char *literal; /* its name */
	bool there;
	unsigned counters; /* bit c: the column is there */
	bool ip, time;
	bool unique;            /* (ip, time) */
	struct faults outdated; /* as in netacct's own table */
	struct faults foreign;
};

static const char looking[] = "cannot look at the tables";

static int look_at_table(struct look *l, char **err)
{
	struct mysql_rows *rows = mysql_ask(l->m, looking, err,
					    "SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES"
					    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
					    l->literal);
	char **row;

	if (!rows)
		return -1;
	row = mysql_next(rows);
	if (row) {
		l->there = true;
		if (strcmp(row[0], "BASE TABLE") != 0)
			add_fault(&l->foreign, "it is no table but a %s", row[0]);
		else if (!row[1] || strcasecmp(row[1], "InnoDB") != 0)
			add_fault(&l->outdated, "its engine is %s, which has no transactions",
				  row[1] ? row[1] : "unknown");
	}
	mysql_rows_free(rows);
	return 0;
}

/* A column: name, data type, characters, collation, nullable, default, extra. */
enum { NAME, TYPE, CHARACTERS, COLLATION, NULLABLE, DEFAULT, EXTRA };

static int counter_of(const char *name)
{
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		if (strcasecmp(name, traffic_columns[c]) == 0)
			return c;
	return -1;
}

static void look_at_ip(struct look *l, char **column)
{
	l->ip = true;
	if (strcmp(column[TYPE], "varchar") != 0 || strtoul(column[CHARACTERS], NULL, 10) < TRAFFIC_LABEL_MAX)
		add_fault(&l->outdated, "ip holds no more than %s characters",
			  column[CHARACTERS] ? column[CHARACTERS] : "a few");
	else if (!column[COLLATION] || strncmp(column[COLLATION], "utf8mb4_", 8) != 0 ||
		 !strstr(column[COLLATION], "_bin"))
		add_fault(&l->outdated, "ip has the collation %s, which takes different names for the same",
			  column[COLLATION] ? column[COLLATION] : "of bytes");
	if (strcmp(column[NULLABLE], "NO") != 0)
		add_fault(&l->foreign, "ip may be NULL");
}

static void look_at_counter(struct look *l, int c, char **column)
{
	l->counters |= 1u << c;
	if (strcmp(column[TYPE], "bigint") != 0)
		add_fault(&l->outdated, "%s is of type %s and too small", column[NAME], column[TYPE]);
	if (strcmp(column[NULLABLE], "NO") != 0)
		add_fault(&l->foreign, "%s may be NULL", column[NAME]);
	else if (strstr(column[EXTRA], "GENERATED"))
		add_fault(&l->foreign, "%s is computed", column[NAME]);
}

static void look_at_column(struct look *l, char **column)
{
	int c = counter_of(column[NAME]);

	if (c >= 0) {
		look_at_counter(l, c, column);
	} else if (strcasecmp(column[NAME], "ip") == 0) {
		look_at_ip(l, column);
	} else if (strcasecmp(column[NAME], "time") == 0) {
		l->time = true;
		if (strcmp(column[TYPE], "datetime") != 0)
			add_fault(&l->foreign, "time is of type %s instead of datetime", column[TYPE]);
		if (strcmp(column[NULLABLE], "NO") != 0)
			add_fault(&l->foreign, "time may be NULL");
	} else if (strcmp(column[NULLABLE], "NO") == 0 && !column[DEFAULT] && !*column[EXTRA]) {
		add_fault(&l->foreign, "its column %s has no default", column[NAME]);
	}
}

static int look_at_columns(struct look *l, char **err)
{
	struct mysql_rows *rows = mysql_ask(
		l->m, looking, err,
		"SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, COLLATION_NAME, IS_NULLABLE,"
		" COLUMN_DEFAULT, EXTRA FROM information_schema.COLUMNS"
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
		l->literal);
	char **row;

	if (!rows)
		return -1;
	while ((row = mysql_next(rows)))
		look_at_column(l, row);
	mysql_rows_free(rows);
	if (!l->ip)
		add_fault(&l->foreign, "it has no column ip");
	if (!l->time)
		add_fault(&l->foreign, "it has no column time");
	/* input and output were there from the first; the others came with later versions of netacct */
	for (int c = 0; c < TRAFFIC_COLUMNS; c++)
		if (!(l->counters & 1u << c))
			add_fault(c < 2 ? &l->foreign : &l->outdated, "it has no column %s",
				  traffic_columns[c]);
	return 0;
}

/* Each unique key is a way in which two rows become one: only (ip, time) may be. */
static int look_at_keys(struct look *l, char **err)
{
	struct mysql_rows *rows = mysql_ask(
		l->m, looking, err,
		"SELECT INDEX_NAME, LOWER(GROUP_CONCAT(COLUMN_NAME ORDER BY COLUMN_NAME)), COUNT(SUB_PART)"
		" FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s"
		" AND NON_UNIQUE = 0 GROUP BY INDEX_NAME",
		l->literal);
	char **row;

	if (!rows)
		return -1;
	while ((row = mysql_next(rows))) {
		if (strcmp(row[1], "ip,time") == 0 && strcmp(row[2], "0") == 0)
			l->unique = true;
		else if (strcmp(row[1], "id") != 0)
			add_fault(&l->foreign, "its unique key %s (%s) is in the way", row[0], row[1]);
	}
	mysql_rows_free(rows);
	if (!l->unique)
		add_fault(&l->outdated, "it has no UNIQUE (ip, time)");
	return 0;
}

static int look_at_marker_table(struct mysql *m, enum traffic_state *state, char **why, char **err)
{
	struct mysql_rows *rows = mysql_ask(
		m, looking, err,
		"SELECT (SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
		" AND TABLE_NAME = '" TRAFFIC_MARKER_TABLE "'),"
		" SUM(COLUMN_NAME IN ('ledger_uuid', 'host', 'seq')), SUM(COLUMN_KEY = 'PRI'"
		" AND COLUMN_NAME = 'ledger_uuid'), SUM(COLUMN_NAME = 'taken') FROM "
		"information_schema.COLUMNS"
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '" TRAFFIC_MARKER_TABLE "'");
	char **row;

	if (!rows)
		return -1;
	row = mysql_next(rows);
	if (!row || !row[0]) {
		*state = TRAFFIC_MISSING;
		*why = mem_printf("table " TRAFFIC_MARKER_TABLE
				  " is not there at MySQL server %s, or the account has no right "
				  "on it; `xenbw db init` makes it",
				  mysql_place(m));
	} else if (strcasecmp(row[0], "InnoDB") != 0 || strcmp(row[1], "3") != 0 ||
		   strcmp(row[2], "1") != 0) {
		*state = TRAFFIC_FOREIGN;
		*why = mem_printf("table " TRAFFIC_MARKER_TABLE
				  " at MySQL server %s is not xenbw's; rename it, and `xenbw db "
				  "init` makes a new one",
				  mysql_place(m));
	} else if (strcmp(row[3], "1") != 0) {
		*state = TRAFFIC_LEGACY;
		*why = mem_printf("table " TRAFFIC_MARKER_TABLE
				  " at MySQL server %s is that of an earlier xenbw; counting goes on in the "
				  "ledger; say at the server: " TRAFFIC_MARKER_ALTER,
				  mysql_place(m));
	}
	mysql_rows_free(rows);
	return 0;
}

static void judge(struct look *l, enum traffic_state *state, char **why)
{
	const char *place = mysql_place(l->m);

	if (!l->there) {
		*state = TRAFFIC_MISSING;
		*why = mem_printf("table %s is not there at MySQL server %s, or the account has no right on "
				  "it; `xenbw db "
				  "init` makes it",
				  l->table, place);
	} else if (l->foreign.text) {
		*state = TRAFFIC_FOREIGN;
		*why = mem_printf("table %s at MySQL server %s cannot be used: %s; " OTHER_TABLE, l->table,
				  place, l->foreign.text);
	} else if (l->outdated.text) {
		*state = TRAFFIC_LEGACY;
		*why = mem_printf("table %s at MySQL server %s is netacct's own: %s; " UPGRADE, l->table,
				  place, l->outdated.text);
	}
}

int traffic_table_check_alone(struct mysql *m, const char *table, enum traffic_state *state, char **why,
			      char **err)
{
	struct look l = {.m = m, .table = table, .literal = mysql_literal(m, table)};
	int rc = look_at_table(&l, err);

	*state = TRAFFIC_FINE;
	*why = NULL;
	if (rc == 0 && l.there && !l.foreign.text)
		rc = look_at_columns(&l, err) < 0 || look_at_keys(&l, err) < 0 ? -1 : 0;
	if (rc == 0)
		judge(&l, state, why);
	free(l.outdated.text);
	free(l.foreign.text);
	free(l.literal);
	return rc;
}

int traffic_table_check(struct mysql *m, const char *table, enum traffic_state *state, char **why, char **err)
{
	int rc = traffic_table_check_alone(m, table, state, why, err);

	return rc == 0 && *state == TRAFFIC_FINE ? look_at_marker_table(m, state, why, err) : rc;
}
