/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sink_flush SOCKET DATABASE BUCKETS LEDGER: what two flushes of xenbw-writer's MySQL sink cost.
 *
 * Makes a ledger with as many buckets, and the tables. Each flush has one take of each bucket; the first one
 * connects and inserts, the second one finds all rows there. Prints the wall time of each in ns, and checks
 * that the table has every byte.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/ledger_file.h"
#include "db/mysql_sink.h"
#include "db/sql.h"
#include "db/traffic_table.h"

static void say(void *arg, enum sink_level level, const char *line)
{
	(void)arg;
	if (level == SINK_WARNING)
		fprintf(stderr, "sink_flush: %s\n", line);
}

static bool must_stop(void *arg)
{
	(void)arg;
	return false;
}

static int fill_ledger(sqlite3 *db, uint64_t buckets, char **err)
{
	char *text = mem_printf(
		"BEGIN; INSERT INTO sink VALUES ('" MYSQL_SINK "', 0);"
		" WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %" PRIu64 ")"
		" INSERT INTO bucket SELECT i + 1, 'ip' FROM n;"
		" INSERT INTO bucket_label SELECT id, '10.' || ((id - 1) / 250) || '.' || ((id - 1) %% 250) "
		"||"
		" '.1', 0, NULL FROM bucket;"
		" INSERT INTO vif(id, boot, domid, devid, domain, bucket, appeared)"
		" SELECT id, 'boot', id, 0, 'guest', id, 0 FROM bucket; COMMIT",
		buckets);
	int rc = sql_run(db, text, err);

	free(text);
	return rc;
}

/* As one commit of xenbwd. */
static int add_takes(sqlite3 *db, char **err)
{
	return sql_run(db,
		       "INSERT INTO take SELECT NULL, unixepoch() / 300 * 300, id, id, '', unixepoch() - 30,"
		       " unixepoch(), 1500, 60, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, 0 FROM bucket",
		       err);
}

static int flush_all(struct mysql_sink *sink, sqlite3 *ledger, char **err)
{
	struct mono start;
	int64_t seq = 0;
	int rc;

	if (add_takes(ledger, err) < 0)
		return -1;
	start = clock_mono();
	rc = mysql_sink_pass(sink, &seq, err);
	printf("%" PRId64 "\n", clock_mono().ns - start.ns);
	return rc;
}

/* The server is free to put the two flushes into two hours. */
static int check_sums(struct mysql *m, const char *table, uint64_t buckets, char **err)
{
	char *expected = mem_printf("%" PRIu64, buckets * 3120), **row;
	struct mysql_rows *rows =
		mysql_ask(m, "cannot read", err, "SELECT SUM(input + output) FROM %s", table);
	int rc = rows ? 0 : -1;

	row = rows ? mysql_next(rows) : NULL;
	if (rc == 0 && (!row || !row[0] || strcmp(row[0], expected) != 0))
		rc = err_set(err, "the table has %s bytes, not %s", row && row[0] ? row[0] : "no", expected);
	mysql_rows_free(rows);
	free(expected);
	return rc;
}

static int measure(const struct conf *conf, uint64_t buckets, char **err)
{
	struct sink_host host = {.say = say, .must_stop = must_stop};
	struct ledger_file file;
	struct mysql_sink *sink;
	struct mysql *m;
	int rc;

	if (mysql_open(&m, &conf->mysql, err) < 0)
		return -1;
	rc = ledger_file_open_writer(&file, conf->ledger, err);
	if (rc == 0) {
		sink = mysql_sink_new(conf->ledger, conf, &host);
		if (traffic_table_create(m, conf->mysql.table, err) < 0 ||
		    fill_ledger(file.db, buckets, err) < 0 || flush_all(sink, file.db, err) != 0 ||
		    flush_all(sink, file.db, err) != 0 || check_sums(m, conf->mysql.table, buckets, err) < 0)
			rc = -1;
		mysql_sink_free(sink);
	}
	ledger_file_close(&file);
	mysql_hang_up(m);
	return rc;
}

int main(int argc, char **argv)
{
	struct conf conf;
	char *err = NULL;
	uint64_t buckets;
	int rc;

	if (argc != 5 || !text_u64(argv[3], 1, 60000, &buckets)) {
		fputs("usage: sink_flush SOCKET DATABASE BUCKETS LEDGER\n", stderr);
		return 2;
	}
	conf_init(&conf);
	mem_replace(&conf.mysql.host, argv[1]);
	mem_replace(&conf.mysql.database, argv[2]);
	mem_replace(&conf.ledger, argv[4]);
	rc = measure(&conf, buckets, &err);
	if (rc < 0)
		fprintf(stderr, "sink_flush: %s\n", err ? err : "the sink did not finish");
	free(err);
	conf_free(&conf);
	return rc < 0 ? 1 : 0;
}
