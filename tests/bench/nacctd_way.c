/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nacctd_way SOCKET DATABASE BUCKETS SAMPLE: what two flushes cost in the way of netacct-mysql's daemon.
 *
 * A new connection for each flush; for each bucket four statements: it looks its row of `rrd` up and writes
 * it, then its row of `traffic` for this hour. Tables as netacct-mysql ships them, MyISAM. The first flush
 * inserts. The second one updates: `rrd` has no key, so each update there reads all of it, and only SAMPLE of
 * the buckets are written. Prints the wall time of each in ns, that of the second one scaled up to all
 * buckets. Makes both tables anew.
 */
#include <inttypes.h>
#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#define COUNTERS                                                                                  \
	"input int(20) NOT NULL default '0', output int(20) NOT NULL default '0',"                \
	" peer_input int(20) NOT NULL default '0', peer_output int(20) NOT NULL default '0',"     \
	" direct_input int(20) NOT NULL default '0', direct_output int(20) NOT NULL default '0'," \
	" local_input int(20) NOT NULL default '0', local_output int(20) NOT NULL default '0'"

static const char *const tables[] = {
	"DROP TABLE IF EXISTS traffic, rrd",
	"CREATE TABLE traffic (id int(11) unsigned NOT NULL auto_increment, ip varchar(15) NOT NULL default "
	"'',"
	" time datetime NOT NULL default '0000-00-00 00:00:00', " COUNTERS
	", PRIMARY KEY (id), KEY ip (ip, time)) ENGINE=MyISAM",
	"CREATE TABLE rrd (ip varchar(15) NOT NULL default '', " COUNTERS ") ENGINE=MyISAM",
};

#define THIS_HOUR "date_format(now(), '%%Y-%%m-%%d %%H:00:00')" /* for a format */

static int fail(MYSQL *m, const char *what, char **err)
{
	return err_set(err, "%s: %s", what, mysql_error(m));
}

static int connect_to(MYSQL **m, const char *socket, const char *database, char **err)
{
	*m = mysql_init(NULL);
	if (!*m)
		return err_set(err, "no memory for a connection");
	if (mysql_real_connect(*m, NULL, NULL, NULL, database, 0, socket, 0))
		return 0;
	fail(*m, "cannot connect", err);
	mysql_close(*m);
	return -1;
}

/* Runs a statement and frees it. *number is the first column of its first row, -1 where there is none. */
static int run(MYSQL *m, char *text, int64_t *number, char **err)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	uint64_t value;
	int rc = mysql_real_query(m, text, strlen(text)) ? fail(m, text, err) : 0;

	*number = -1;
	if (rc == 0 && (result = mysql_store_result(m))) {
		row = mysql_fetch_row(result);
		if (row && text_u64(row[0], 0, INT64_MAX, &value))
			*number = (int64_t)value;
		mysql_free_result(result);
	}
	free(text);
	return rc;
}

static int make_tables(const char *socket, const char *database, char **err)
{
	int64_t ignored;
	MYSQL *m;
	int rc = connect_to(&m, socket, database, err);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(tables[0]); i++)
		rc = run(m, mem_strdup(tables[i]), &ignored, err);
	mysql_close(m);
	return rc;
}

static int write_bucket(MYSQL *m, uint64_t bucket, char **err)
{
	char *ip = mem_printf("10.%" PRIu64 ".%" PRIu64 ".1", bucket / 250, bucket % 250);
	int64_t found, ignored;
	int rc = run(m, mem_printf("SELECT count(*) FROM rrd WHERE ip = '%s'", ip), &found, err);

	if (rc == 0)
		rc = run(m,
			 found > 0
				 ? mem_printf("UPDATE rrd SET input = 1500, output = 60 WHERE ip = '%s'", ip)
				 : mem_printf("INSERT INTO rrd(ip, input, output) VALUES ('%s', 1500, 60)",
					      ip),
			 &ignored, err);
	if (rc == 0)
		rc = run(m, mem_printf("SELECT id FROM traffic WHERE ip = '%s' AND time = " THIS_HOUR, ip),
			 &found, err);
	if (rc == 0)
		rc = run(m,
			 found >= 0
				 ? mem_printf("UPDATE traffic SET input = input + 1500, output = output + 60"
					      " WHERE id = %" PRId64,
					      found)
				 : mem_printf("INSERT INTO traffic(ip, time, input, output) VALUES "
					      "('%s', " THIS_HOUR ", 1500, 60)",
					      ip),
			 &ignored, err);
	free(ip);
	return rc;
}

static int flush(const char *socket, const char *database, uint64_t buckets, uint64_t of, char **err)
{
	struct mono start = clock_mono();
	MYSQL *m;
	int rc = connect_to(&m, socket, database, err);

	if (rc < 0)
		return -1;
	for (uint64_t i = 0; rc == 0 && i < buckets; i++)
		rc = write_bucket(m, i, err);
	mysql_close(m);
	if (rc == 0)
		printf("%" PRId64 "\n", (clock_mono().ns - start.ns) / (int64_t)buckets * (int64_t)of);
	return rc;
}

int main(int argc, char **argv)
{
	char *err = NULL;
	uint64_t buckets, sample;

	if (argc != 5 || !text_u64(argv[3], 1, 60000, &buckets) || !text_u64(argv[4], 1, buckets, &sample)) {
		fputs("usage: nacctd_way SOCKET DATABASE BUCKETS SAMPLE\n", stderr);
		return 2;
	}
	if (make_tables(argv[1], argv[2], &err) < 0 || flush(argv[1], argv[2], buckets, buckets, &err) < 0 ||
	    flush(argv[1], argv[2], sample, buckets, &err) < 0) {
		fprintf(stderr, "nacctd_way: %s\n", err);
		free(err);
		return 1;
	}
	return 0;
}
