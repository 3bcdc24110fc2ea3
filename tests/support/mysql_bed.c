/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/mysql_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/traffic_table.h"
#include "tests/support/unit.h"

struct mariadb_bed *mysql_bed_server;

void mysql_bed_hear(void *arg, enum sink_level level, const char *line)
{
	struct mysql_bed *b = arg;
	char *more;

	if (level == SINK_DEBUG)
		return;
	more = mem_printf("%s%s\n", b->log, line);
	free(b->log);
	b->log = more;
}

bool mysql_bed_never(void *arg)
{
	(void)arg;
	return false;
}

void mysql_bed_new_sink(struct mysql_bed *b)
{
	struct sink_host host = {.say = mysql_bed_hear, .must_stop = mysql_bed_never, .arg = b};

	if (b->sink)
		mysql_sink_free(b->sink);
	b->sink = mysql_sink_new(b->ledger->path, &b->conf, &host);
}

void mysql_bed_make_tables(struct mysql_bed *b)
{
	char *err = NULL;

	if (traffic_table_create(b->root, b->conf.mysql.table, &err) < 0)
		fail_msg("%s", err);
}

int mysql_bed_set_up(void **state)
{
	struct mysql_bed *b = mem_alloc(sizeof(*b));
	void *ledger;

	ledger_bed_set_up(&ledger);
	b->ledger = ledger;
	b->log = mem_strdup("");
	b->root = mariadb_bed_open(&mysql_bed_server->root);
	mariadb_bed_sql(b->root, "CREATE DATABASE netacct");
	mariadb_bed_sql(b->root, "USE netacct");
	mariadb_bed_sql(b->root, "CREATE OR REPLACE USER acct@localhost IDENTIFIED BY 'p''w\"\\\\d'");
	mariadb_bed_sql(b->root, "GRANT SELECT, INSERT, UPDATE ON netacct.* TO acct@localhost");
	b->conf.mysql = (struct conf_mysql){.user = mem_strdup("acct"),
					    .password = mem_strdup(PASSWORD),
					    .host = mem_strdup(mysql_bed_server->socket),
					    .database = mem_strdup("netacct"),
					    .table = mem_strdup("traffic")};
	mysql_bed_make_tables(b);
	ledger_bed_sql(b->ledger->writer.db, "INSERT INTO sink(name, seq) VALUES ('mysql', 0)");
	mysql_bed_new_sink(b);
	*state = b;
	return 0;
}

int mysql_bed_tear_down(void **state)
{
	struct mysql_bed *b = *state;
	void *ledger = b->ledger;

	mysql_sink_free(b->sink);
	mariadb_bed_sql(b->root, "DROP DATABASE IF EXISTS netacct");
	mysql_hang_up(b->root);
	ledger_bed_tear_down(&ledger);
	free(b->conf.mysql.user);
	free(b->conf.mysql.password);
	free(b->conf.mysql.password_file);
	free(b->conf.mysql.host);
	free(b->conf.mysql.database);
	free(b->conf.mysql.table);
	free(b->conf.bucket_suffix);
	free(b->log);
	free(b);
	return 0;
}

/* ---- helpers ---- */

sqlite3 *mysql_bed_db(const struct mysql_bed *b)
{
	return b->ledger->writer.db;
}

void mysql_bed_take(const struct mysql_bed *b, int bucket, int64_t slot, uint64_t input, uint64_t output)
{
	ledger_bed_bytes(mysql_bed_db(b), bucket, slot, 0, (uint64_t[]){input, output}, (uint64_t[2]){0},
			 (uint64_t[2]){0});
}

void mysql_bed_passes(struct mysql_bed *b, int64_t expected)
{
	char *err = NULL;
	int64_t seq;

	if (mysql_sink_pass(b->sink, &seq, &err) != 0)
		fail_msg("the pass failed: %s", err ? err : "stopped");
	assert_null(err);
	assert_int_equal(seq, expected);
	if (seq)
		ledger_bed_sql(mysql_bed_db(b), "UPDATE sink SET seq = max(seq, %lld) WHERE name = 'mysql'",
			       (long long)seq);
}

void mysql_bed_fails(struct mysql_bed *b, const char *words, const char *more)
{
	char *err = NULL, *at;
	int64_t seq;

	assert_int_equal(mysql_sink_pass(b->sink, &seq, &err), -1);
	assert_int_equal(seq, 0);
	assert_non_null(err);
	at = strstr(err, words);
	if (!at || !strstr(at, more))
		fail_msg("expected `%s` and `%s` in: %s", words, more, err);
	free(err);
}

void mysql_bed_rows_are(const struct mysql_bed *b, const char *expected)
{
	mariadb_bed_is(b->root, SHORT_ROWS, expected);
}

void mysql_bed_marker_is(const struct mysql_bed *b, const char *expected)
{
	mariadb_bed_is(b->root, "SELECT seq FROM xenbw_host", expected);
}

void mysql_bed_sums_are_equal(const struct mysql_bed *b)
{
	sqlite3_stmt *stmt;
	char *expected;

	assert_int_equal(
		sqlite3_prepare_v2(
			mysql_bed_db(b),
			"SELECT group_concat(line, char(10)) || char(10) FROM (SELECT label || '|' ||"
			" strftime('%Y-%m-%d %H:00:00', slot, 'unixepoch') || '|' ||"
			" sum(external_input + unattributed_input) || '|' ||"
			" sum(external_output + unattributed_output) AS line FROM usage"
			" JOIN bucket_label USING (bucket) WHERE until IS NULL"
			" GROUP BY label, slot / 3600 ORDER BY label, slot / 3600)",
			-1, &stmt, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	expected = mem_strdup((const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	mysql_bed_rows_are(b, expected);
	free(expected);
}

int mysql_bed_start_server(void **state)
{
	(void)state;
	setenv("TMPDIR", "/dev/shm", 1); /* thousands of commits to the ledger */
	mysql_bed_server = mariadb_bed_new();
	return 0;
}

int mysql_bed_stop_server(void **state)
{
	(void)state;
	mariadb_bed_free(mysql_bed_server);
	return 0;
}
