/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_ledger_rows: any text as the rows of a ledger (libFuzzer), which is then read by all who read it, and
 * lived with by xenbwd.
 *
 * The first line says which ledger: `1` one of schema 1, `loose` one that takes NULL everywhere, all others
 * one as xenbwd makes it. Each line that follows is a row: a table's name, then its values, between tabs; `~`
 * is NULL, `#` begins a blob in hex. Values that are missing are 0. The database checks nothing but NOT NULL.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/ledger_versions.h"
#include "ledger_schema.h"
#include "ledger_views_schema.h"
#include "tests/fuzz/ledger_life.h"
#include "tests/support/ledger_schema_1.h"

#define MOST_ROWS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tables[] = {"meta", "run",   "bucket",         "bucket_label", "bucket_uuid",
				     "vif",  "epoch", "baseline",       "take",         "slot",
				     "sink", "event", "sqlite_sequence"};

/* ---- empty ledgers ---- */

enum kind { STRICT, LOOSE, OLD, KINDS };

static void run(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		abort();
}

static char *without_not_null(const char *schema)
{
	char *text = mem_strdup(schema);

	for (char *at = text; (at = strstr(at, "NOT NULL"));)
		memset(at, ' ', strlen("NOT NULL"));
	return text;
}

static void make(sqlite3 *db, enum kind kind)
{
	char *loose = without_not_null(ledger_schema), *mark;

	run(db, "PRAGMA page_size = 1024");
	run(db, kind == OLD ? ledger_schema_1 : kind == LOOSE ? loose : ledger_schema);
	if (kind != OLD)
		run(db, ledger_views_schema);
	mark = mem_printf("INSERT OR REPLACE INTO meta VALUES ('uuid', 'u'), ('open_slot', 0);"
			  "PRAGMA application_id = %d; PRAGMA user_version = %d",
			  LEDGER_APPLICATION_ID, kind == OLD ? 1 : LEDGER_SCHEMA);
	run(db, mark);
	free(mark);
	free(loose);
}

static sqlite3 *open_memory(void)
{
	sqlite3 *db;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		abort();
	return db;
}

/* A copy of an empty ledger, in memory. */
static sqlite3 *empty(enum kind kind)
{
	static unsigned char *made[KINDS];
	static sqlite3_int64 size[KINDS];
	unsigned char *copy;
	sqlite3 *db;

	if (!made[kind]) {
		db = open_memory();
		make(db, kind);
		made[kind] = sqlite3_serialize(db, "main", &size[kind], 0);
		sqlite3_close(db);
	}
	copy = sqlite3_malloc64((sqlite3_uint64)size[kind]);
	if (!made[kind] || !copy)
		abort();
	memcpy(copy, made[kind], (size_t)size[kind]);
	db = open_memory();
	if (sqlite3_deserialize(db, "main", copy, size[kind], size[kind],
				SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) != SQLITE_OK)
		abort();
	return db;
}

/* ---- rows ---- */

static int nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : 0;
}

static void bind_blob(sqlite3_stmt *stmt, int column, const char *hex, size_t len)
{
	unsigned char *bytes = mem_alloc(len / 2 + 1);

	for (size_t i = 0; i + 1 < len; i += 2)
		bytes[i / 2] = (unsigned char)(nibble(hex[i]) << 4 | nibble(hex[i + 1]));
	sqlite3_bind_blob(stmt, column, bytes, (int)(len / 2), SQLITE_TRANSIENT);
	free(bytes);
}

/* Text that looks like a number is one in a column of numbers: SQLite sees to it. */
static void bind_values(sqlite3_stmt *stmt, const char *line)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
		size_t len = strcspn(line, "\t");

		if (!*line)
			sqlite3_bind_int(stmt, i, 0);
		else if (len == 1 && *line == '~')
			sqlite3_bind_null(stmt, i);
		else if (*line == '#')
			bind_blob(stmt, i, line + 1, len - 1);
		else
			sqlite3_bind_text(stmt, i, line, (int)len, SQLITE_TRANSIENT);
		line += len + (line[len] == '\t');
	}
}

static int columns_of(sqlite3 *db, const char *table)
{
	char *query = mem_printf("SELECT count(*) FROM pragma_table_info('%s')", table);
	sqlite3_stmt *stmt;
	int count;

	if (sqlite3_prepare_v2(db, query, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		abort();
	count = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	free(query);
	return count;
}

static void add_row(sqlite3 *db, const char *table, const char *values)
{
	char *query = mem_printf("INSERT OR REPLACE INTO %s VALUES (?", table), *more;
	sqlite3_stmt *stmt;

	for (int i = columns_of(db, table); i > 1; i--) {
		more = mem_printf("%s, ?", query);
		free(query);
		query = more;
	}
	more = mem_printf("%s)", query);
	if (sqlite3_prepare_v2(db, more, -1, &stmt, NULL) != SQLITE_OK)
		abort();
	bind_values(stmt, values);
	(void)sqlite3_step(stmt); /* refused: then it is not there */
	sqlite3_finalize(stmt);
	free(query);
	free(more);
}

static void add_line(sqlite3 *db, const char *line)
{
	size_t len = strcspn(line, "\t");

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (strlen(tables[i]) == len && memcmp(line, tables[i], len) == 0)
			add_row(db, tables[i], line + len + (line[len] == '\t'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size), *rest = text, *line = strsep(&rest, "\n");
	enum kind kind = strcmp(line, "1") == 0 ? OLD : strcmp(line, "loose") == 0 ? LOOSE : STRICT;
	sqlite3 *db = empty(kind);
	unsigned char *bytes;
	sqlite3_int64 length;

	run(db, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; BEGIN");
	for (int n = 0; n < MOST_ROWS && (line = strsep(&rest, "\n")); n++)
		add_line(db, line);
	run(db, "COMMIT");
	if (kind != OLD)
		ledger_life_read(db);
	bytes = sqlite3_serialize(db, "main", &length, 0);
	if (!bytes)
		abort();
	ledger_life_put(bytes, (size_t)length);
	sqlite3_free(bytes);
	sqlite3_close(db);
	if (kind == OLD)
		ledger_life_visit();
	ledger_life_run(size % 2);
	ledger_life_visit();
	free(text);
	return 0;
}
