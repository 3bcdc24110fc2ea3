/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mysql_sink, with a real ledger and a real MariaDB: every byte in its row, once, whatever happens between.
 */
#include "db/mysql_sink.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/mysql.h"
#include "db/traffic_source.h"
#include "db/traffic_table.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/mariadb_bed.h"
#include "tests/support/unit.h"

#define T0 1700006400 /* 2023-11-15 00:00:00 UTC */
#define SLOT(n) (T0 + (int64_t)(n)*300)
#define KILLS 25
#define PASSWORD "p'w\"\\d"

static const uint64_t none[2] = {0, 0};

static struct mariadb_bed *server;

struct bed {
	struct ledger_bed *ledger;
	struct conf conf;
	struct mysql *root; /* in the test's database */
	struct mysql_sink *sink;
	char *log; /* what it said, level and line */
};

static void hear(void *arg, enum sink_level level, const char *line)
{
	struct bed *b = arg;
	char *more;

	if (level == SINK_DEBUG)
		return;
	more = mem_printf("%s%s\n", b->log, line);
	free(b->log);
	b->log = more;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void new_sink(struct bed *b)
{
	struct sink_host host = {.say = hear, .must_stop = never, .arg = b};

	if (b->sink)
		mysql_sink_free(b->sink);
	b->sink = mysql_sink_new(b->ledger->path, &b->conf, &host);
}

static void make_tables(struct bed *b)
{
	char *err = NULL;

	if (traffic_table_create(b->root, b->conf.mysql.table, &err) < 0)
		fail_msg("%s", err);
}

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));
	void *ledger;

	ledger_bed_set_up(&ledger);
	b->ledger = ledger;
	b->log = mem_strdup("");
	b->root = mariadb_bed_open(&server->root);
	mariadb_bed_sql(b->root, "CREATE DATABASE netacct");
	mariadb_bed_sql(b->root, "USE netacct");
	mariadb_bed_sql(b->root, "CREATE OR REPLACE USER acct@localhost IDENTIFIED BY 'p''w\"\\\\d'");
	mariadb_bed_sql(b->root, "GRANT SELECT, INSERT, UPDATE ON netacct.* TO acct@localhost");
	b->conf.mysql = (struct conf_mysql){.user = mem_strdup("acct"),
					    .password = mem_strdup(PASSWORD),
					    .host = mem_strdup(server->socket),
					    .database = mem_strdup("netacct"),
					    .table = mem_strdup("traffic")};
	make_tables(b);
	ledger_bed_sql(b->ledger->writer.db, "INSERT INTO sink(name, seq) VALUES ('mysql', 0)");
	new_sink(b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;
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

static sqlite3 *db(const struct bed *b)
{
	return b->ledger->writer.db;
}

static void take(const struct bed *b, int bucket, int64_t slot, uint64_t input, uint64_t output)
{
	ledger_bed_bytes(db(b), bucket, slot, 0, (uint64_t[]){input, output}, none, none);
}

/* A pass that ends with 0 and this sequence to acknowledge, which the ledger then has. */
static void passes(struct bed *b, int64_t expected)
{
	char *err = NULL;
	int64_t seq;

	if (mysql_sink_pass(b->sink, &seq, &err) != 0)
		fail_msg("the pass failed: %s", err ? err : "stopped");
	assert_null(err);
	assert_int_equal(seq, expected);
	if (seq)
		ledger_bed_sql(db(b), "UPDATE sink SET seq = max(seq, %lld) WHERE name = 'mysql'",
			       (long long)seq);
}

/* A pass that fails with a text that has these words, in this order. */
static void fails(struct bed *b, const char *words, const char *more)
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

#define ROWS                                                                                     \
	"SELECT CONCAT_WS('|', ip, time, input, output, peer_input, peer_output, direct_input, " \
	"direct_output,"                                                                         \
	" local_input, local_output) FROM traffic ORDER BY ip, time"
#define SHORT_ROWS "SELECT CONCAT_WS('|', ip, time, input, output) FROM traffic ORDER BY ip, time"

static void rows_are(const struct bed *b, const char *expected)
{
	mariadb_bed_is(b->root, SHORT_ROWS, expected);
}

static void marker_is(const struct bed *b, const char *expected)
{
	mariadb_bed_is(b->root, "SELECT seq FROM xenbw_host", expected);
}

/* The sums of the whole ledger and of the whole table are the same. */
static void sums_are_equal(const struct bed *b)
{
	sqlite3_stmt *stmt;
	char *expected;

	assert_int_equal(
		sqlite3_prepare_v2(
			db(b),
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
	rows_are(b, expected);
	free(expected);
}

/* ---- what is written ---- */

static void every_column_has_its_bytes_by_label_and_hour(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	ledger_bed_bucket(db(b), 2, "mail");
	for (int n = 0; n < 13; n++) /* 12 slots are an hour; two takes in each */
		for (int i = 0; i < 2; i++)
			ledger_bed_bytes(db(b), 1, SLOT(n), 0, (uint64_t[]){1000, 2000}, (uint64_t[]){30, 40},
					 (uint64_t[]){1, 2});
	ledger_bed_bytes(db(b), 2, SLOT(0), 0, (uint64_t[]){UINT64_C(1) << 53, (UINT64_C(1) << 53) + 1}, none,
			 none);
	passes(b, 27);
	mariadb_bed_is(b->root, ROWS,
		       "mail|2023-11-15 00:00:00|9007199254740992|9007199254740993|0|0|5|6|7|8\n"
		       "web|2023-11-15 00:00:00|24024|48048|720|960|120|144|168|192\n"
		       "web|2023-11-15 01:00:00|2002|4004|60|80|10|12|14|16\n");
	marker_is(b, "27\n");
	passes(b, 0); /* nothing is new */
	take(b, 1, SLOT(12), 5, 6);
	passes(b, 28);
	mariadb_bed_is(b->root, ROWS,
		       "mail|2023-11-15 00:00:00|9007199254740992|9007199254740993|0|0|5|6|7|8\n"
		       "web|2023-11-15 00:00:00|24024|48048|720|960|120|144|168|192\n"
		       "web|2023-11-15 01:00:00|2007|4010|60|80|15|18|21|24\n");
	assert_string_equal(b->log, "");
}

static void it_begins_where_the_ledger_began_to_keep_takes_for_it(void **state)
{
	struct bed *b = *state;
	char host[256];
	char *expected;

	ledger_bed_bucket(db(b), 1, "web");
	for (int i = 0; i < 10; i++)
		take(b, 1, SLOT(i), 1000, 1000);
	ledger_bed_sql(db(b), "UPDATE sink SET seq = 7");
	passes(b, 10);
	rows_are(b, "web|2023-11-15 00:00:00|3000|3000\n");
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	expected = mem_printf("32|%s|10\n", host);
	mariadb_bed_is(b->root, "SELECT CONCAT_WS('|', length(ledger_uuid), host, seq) FROM xenbw_host",
		       expected);
	free(expected);
}

static void a_row_without_bytes_is_none(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	take(b, 1, SLOT(0), 1000, 1000);
	ledger_bed_sql(db(b), "UPDATE take SET external_input = 0, external_output = 0, direct_input = 0,"
			      " direct_output = 0, local_input = 0, local_output = 0");
	passes(b, 1); /* only ignored bytes */
	rows_are(b, "");
	marker_is(b, "1\n");
}

static void many_takes_are_many_batches_and_chunks(void **state)
{
	struct bed *b = *state;

	ledger_bed_sql(db(b), "BEGIN");
	for (int id = 1; id <= 1500; id++) {
		char *label = mem_printf("vm%04d", id);

		ledger_bed_bucket(db(b), id, label);
		free(label);
	}
	for (int n = 0; n < 30; n++) /* 45,000 takes: three batches */
		for (int id = 1; id <= 1500; id++)
			take(b, id, SLOT(n), (uint64_t)id * 1000 + (uint64_t)n, 7);
	ledger_bed_sql(db(b), "COMMIT");
	passes(b, 45000);
	mariadb_bed_is(b->root, "SELECT count(*) FROM traffic", "4500\n");
	sums_are_equal(b);
}

static void a_small_packet_makes_small_statements(void **state)
{
	struct bed *b = *state;

	mariadb_bed_sql(b->root, "SET GLOBAL max_allowed_packet = 8192");
	for (int id = 1; id <= 300; id++) {
		char *label = mem_printf("a-rather-long-name-of-a-domain-with-an-apostrophe-''-%04d", id);

		ledger_bed_bucket(db(b), id, label);
		take(b, id, SLOT(0), 10, 20);
		free(label);
	}
	passes(b, 300);
	mariadb_bed_sql(b->root, "SET GLOBAL max_allowed_packet = DEFAULT");
	sums_are_equal(b);
}

/* ---- labels ---- */

static void labels_that_look_alike_stay_apart(void **state)
{
	static const char *const labels[] = {"Web",  "web",     "w\xc3\xa9\x62",    "web ",
					     "a''b", "a\\x5cb", "\xf0\x9f\x90\xa7", "10.0.0.1"};
	struct bed *b = *state;

	for (int i = 0; i < (int)(sizeof(labels) / sizeof(*labels)); i++) {
		ledger_bed_bucket(db(b), i + 1, labels[i]);
		take(b, i + 1, SLOT(0), 1000 + (uint64_t)i, 0);
	}
	passes(b, 8);
	mariadb_bed_is(
		b->root, "SELECT CONCAT_WS('|', ip, input) FROM traffic ORDER BY input",
		"Web|1000\nweb|1001\nw\xc3\xa9"
		"b|1002\nweb\\x20|1003\na'b|1004\na\\x5cb|1005\n\xf0\x9f\x90\xa7|1006\n10.0.0.1|1007\n");
}

static void long_labels_are_cut_and_stay_apart(void **state)
{
	struct bed *b = *state;
	char a[400];

	for (int id = 1; id <= 4; id++) {
		memset(a, 'x', sizeof(a));
		a[id == 1 ? 255 : 256 + id] = '\0'; /* the first one just fits */
		ledger_bed_bucket(db(b), id, a);
		take(b, id, SLOT(0), (uint64_t)id, 0);
	}
	for (int i = 0; i < 300; i++) /* 255 characters of two bytes, and one more */
		memcpy(a + i % 150 * 2, "\xc3\xa9", 2);
	a[300] = '\0';
	ledger_bed_sql(db(b), "INSERT INTO bucket(id, kind) VALUES (5, 'domain')");
	ledger_bed_sql(db(b), "INSERT INTO bucket_label(bucket, label, since) VALUES (5, '%s%s', 0)", a, a);
	ledger_bed_sql(
		db(b),
		"INSERT INTO vif(id, boot, domid, devid, domain, bucket, appeared) VALUES (5, 'boot', 5, 0,"
		" 'x', 5, 0)");
	take(b, 5, SLOT(0), 5, 0);
	passes(b, 5);
	mariadb_bed_is(b->root,
		       "SELECT CONCAT_WS('|', input, char_length(ip), left(ip, 2), ip REGEXP "
		       "'%-[0-9a-f]{16}$') FROM traffic"
		       " ORDER BY input",
		       "1|255|xx|0\n2|255|xx|1\n3|255|xx|1\n4|255|xx|1\n5|255|\xc3\xa9\xc3\xa9|1\n");
}

static void a_bucket_has_the_label_that_it_has_now(void **state)
{
	struct bed *b = *state;

	b->conf.bucket_suffix = mem_strdup(".host1");
	new_sink(b);
	ledger_bed_bucket(db(b), 1, "web");
	ledger_bed_bucket(db(b), 2, "10.0.0.1");
	ledger_bed_sql(db(b), "UPDATE bucket SET kind = 'ip' WHERE id = 2");
	take(b, 1, SLOT(0), 1, 1);
	take(b, 2, SLOT(0), 2, 2);
	passes(b, 2);
	ledger_bed_sql(db(b), "UPDATE bucket_label SET until = %lld WHERE bucket = 1", (long long)SLOT(1));
	ledger_bed_sql(db(b), "INSERT INTO bucket_label(bucket, label, since) VALUES (1, 'www', %lld)",
		       (long long)SLOT(1));
	take(b, 1, SLOT(0), 10, 10);
	passes(b, 3);
	/* one that has none any more keeps its last one */
	ledger_bed_sql(db(b), "UPDATE bucket_label SET until = %lld WHERE until IS NULL AND bucket = 1",
		       (long long)SLOT(2));
	take(b, 1, SLOT(0), 100, 100);
	passes(b, 4);
	rows_are(b, "10.0.0.1|2023-11-15 00:00:00|2|2\nweb.host1|2023-11-15 00:00:00|1|1\n"
		    "www.host1|2023-11-15 00:00:00|110|110\n");
}

/* ---- hours ---- */

static void restart_in(struct bed *b, const char *zone)
{
	mysql_hang_up(b->root);
	mariadb_bed_do(server, "mariadb_stop");
	mariadb_bed_start(server, zone);
	b->root = mariadb_bed_open(&server->root);
	mariadb_bed_sql(b->root, "USE netacct");
}

static void hours_are_those_of_the_server(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	mariadb_bed_sql(b->root, "SET GLOBAL time_zone = '+05:45'");
	for (int n = 0; n < 12; n++)
		take(b, 1, SLOT(n), 1, 100);
	passes(b, 12);
	mariadb_bed_sql(b->root, "SET GLOBAL time_zone = SYSTEM");
	rows_are(b, "web|2023-11-15 05:00:00|3|300\nweb|2023-11-15 06:00:00|9|900\n");
}

static void the_hour_that_comes_twice_in_autumn_is_one_row(void **state)
{
	struct bed *b = *state;

	restart_in(b, "Europe/Berlin"); /* 02:00 to 03:00 twice, from 2023-10-29 00:00 UTC on */
	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 0; n < 48; n++)
		take(b, 1, 1698533400 + 600 + n * 300, 1, n < 24 ? 10 : 1000); /* from 23:00 UTC on */
	passes(b, 48);
	rows_are(b, "web|2023-10-29 01:00:00|12|120\nweb|2023-10-29 02:00:00|24|12120\n"
		    "web|2023-10-29 03:00:00|12|12000\n");
	take(b, 1, 1711846800 - 300, 1, 1); /* spring: 2024-03-31 01:55, then 03:00 */
	take(b, 1, 1711846800, 2, 2);
	passes(b, 50);
	mariadb_bed_is(
		b->root,
		"SELECT CONCAT_WS('|', time, input) FROM traffic WHERE time > '2024-01-01' ORDER BY time",
		"2024-03-31 01:00:00|1\n2024-03-31 03:00:00|2\n");
	restart_in(b, "UTC");
}

/* ---- exactly once ---- */

/* -1: there is none yet. */
static int64_t marker(const struct bed *b)
{
	char *err = NULL, **row;
	struct mysql_rows *rows = mysql_ask(b->root, "cannot ask", &err, "SELECT seq FROM xenbw_host");
	int64_t seq;

	assert_non_null(rows);
	row = mysql_next(rows);
	seq = row ? strtoll(row[0], NULL, 10) : -1;
	mysql_rows_free(rows);
	return seq;
}

/* Takes come in while writers are killed at any moment and started again. */
static void killed_at_any_time_no_byte_is_lost_or_doubled(void **state)
{
	struct bed *b = *state;
	struct random r = random_new();
	int64_t seq;
	uint64_t patience = 30000; /* microseconds */
	int kills = 0, committed = 0;

	for (int id = 1; id <= 700; id++) {
		char *label = mem_printf("vm%d", id);

		ledger_bed_bucket(db(b), id, label);
		free(label);
	}
	for (int n = 0; n < KILLS; n++) {
		pid_t pid;
		int status;

		ledger_bed_sql(db(b), "BEGIN");
		for (int id = 1; id <= 700; id++)
			take(b, id, SLOT(n), 1 + random_below(&r, 100000), random_below(&r, 100000));
		ledger_bed_sql(db(b), "COMMIT");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct sink_host host = {.say = hear, .must_stop = never, .arg = b};
			struct mysql_sink *s = mysql_sink_new(b->ledger->path, &b->conf, &host);
			char *err = NULL;

			for (int i = 0; i < 1000; i++)
				mysql_sink_pass(s, &seq, &err);
			_exit(0);
		}
		usleep((unsigned)(patience / 2 + random_below(&r, patience)));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		kills += WIFSIGNALED(status);
		/* about as many before the COMMIT as after it */
		if (marker(b) == 700 * (n + 1)) {
			committed++;
			patience -= patience / 4;
		} else {
			patience += patience / 4;
		}
	}
	print_message("# %d writers were killed, %d after a COMMIT\n", kills, committed);
	assert_int_equal(kills, KILLS);
	assert_in_range(committed, 3, KILLS - 3);
	passes(b, 700 * KILLS);
	sums_are_equal(b);
}

/* What the table has and the ledger has not heard of yet is acknowledged by the next writer. */
static void what_was_committed_before_a_kill_is_acknowledged_after_it(void **state)
{
	struct bed *b = *state;
	char *err = NULL;
	int64_t seq;

	ledger_bed_bucket(db(b), 1, "web");
	take(b, 1, SLOT(0), 1, 1);
	assert_int_equal(mysql_sink_pass(b->sink, &seq, &err), 0);
	assert_int_equal(seq, 1);
	new_sink(b); /* the answer never reached the ledger */
	passes(b, 1);
	rows_are(b, "web|2023-11-15 00:00:00|1|1\n");
}

/* A batch of a connection that is thought dead, held back at its COMMIT. */
struct late {
	struct mysql *m;
	int wait_ms;
};

static void *commit_late(void *arg)
{
	struct late *l = arg;

	usleep((unsigned)l->wait_ms * 1000);
	mysql_command(l->m, "late", NULL, "COMMIT");
	return NULL;
}

static void a_commit_that_lands_late_is_not_doubled(void **state)
{
	struct bed *b = *state;
	struct late late = {.m = mariadb_bed_open(&b->conf.mysql), .wait_ms = 700};
	struct traffic_batch second;
	char *err = NULL;
	pthread_t thread;

	ledger_bed_bucket(db(b), 1, "web");
	take(b, 1, SLOT(0), 1, 1);
	passes(b, 1);
	new_sink(b);
	take(b, 1, SLOT(1), 10, 10);
	assert_int_equal(traffic_source_batch(db(b), 1, 1, NULL, &second, &err), 0);
	mariadb_bed_sql(late.m, "START TRANSACTION");
	mariadb_bed_sql(late.m, "UPDATE xenbw_host SET seq = 2, taken = '%s' WHERE seq = 1", second.taken);
	mariadb_bed_sql(
		late.m,
		"INSERT INTO traffic(ip, time, input, output, direct_input, direct_output, local_input,"
		" local_output) VALUES ('web', '2023-11-15 00:00:00', 10, 10, 5, 6, 7, 8)"
		" ON DUPLICATE KEY UPDATE input = input + VALUES(input), output = output + "
		"VALUES(output)");
	take(b, 1, SLOT(2), 100, 100);
	assert_int_equal(pthread_create(&thread, NULL, commit_late, &late), 0);
	passes(b, 3); /* it waits, finds that the marker has moved, and goes on from there */
	pthread_join(thread, NULL);
	rows_are(b, "web|2023-11-15 00:00:00|111|111\n");
	marker_is(b, "3\n");
	traffic_batch_free(&second);
	mysql_hang_up(late.m);
}

/* A proxy in front of the server's socket that lets COMMIT through but not its answer, `drops` times. */
static void relay(int client, int upstream, int *drops)
{
	char buffer[65536];

	for (;;) {
		struct pollfd p[] = {{.fd = client, .events = POLLIN}, {.fd = upstream, .events = POLLIN}};
		bool from_client;
		ssize_t n;

		if (poll(p, 2, -1) < 0)
			return;
		from_client = p[0].revents != 0;
		n = read(from_client ? client : upstream, buffer, sizeof(buffer));
		if (n <= 0 || write(from_client ? upstream : client, buffer, (size_t)n) != n)
			return;
		if (from_client && *drops && n == 11 && memcmp(buffer + 4, "\003COMMIT", 7) == 0) {
			(*drops)--;
			if (read(upstream, buffer, sizeof(buffer)) <= 0) /* it is committed */
				_exit(1);
			return;
		}
	}
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	assert_true(strlen(path) < sizeof(a.sun_path));
	memcpy(a.sun_path, path, strlen(path));
	return a;
}

static pid_t start_proxy(const char *path, int *drops)
{
	struct sockaddr_un here = address_of(path), there = address_of(server->socket);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	assert_int_equal(bind(listener, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(listener, 5), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid) {
		close(listener);
		return pid;
	}
	for (;;) {
		int client = accept(listener, NULL, NULL), upstream = socket(AF_UNIX, SOCK_STREAM, 0);

		if (client < 0 || connect(upstream, (struct sockaddr *)&there, sizeof(there)) < 0)
			_exit(1);
		relay(client, upstream, drops);
		close(client);
		close(upstream);
	}
}

static void a_commit_whose_answer_is_lost_is_not_doubled(void **state)
{
	struct bed *b = *state;
	char *path = mem_printf("%s/proxy", b->ledger->folder);
	int *drops = mmap(NULL, sizeof(*drops), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t proxy;
	int64_t at = 0;

	assert_ptr_not_equal(drops, MAP_FAILED);
	*drops = 3;
	proxy = start_proxy(path, drops);
	free(b->conf.mysql.host);
	b->conf.mysql.host = path;
	new_sink(b);
	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 0; n < 6; n++) {
		take(b, 1, SLOT(n), 1 + (uint64_t)n, 1);
		passes(b, ++at);
		sums_are_equal(b);
	}
	kill(proxy, SIGKILL);
	waitpid(proxy, NULL, 0);
	marker_is(b, "6\n");
	assert_int_equal(*drops, 0);
	munmap(drops, sizeof(*drops));
}

/* Holds vm2, then wants the marker: a circle, which the server breaks at the sink. */
static void *want_marker(void *arg)
{
	struct late *l = arg;

	usleep((unsigned)l->wait_ms * 1000);
	mysql_command(l->m, "late", NULL, "UPDATE xenbw_host SET host = 'x'");
	mysql_command(l->m, "late", NULL, "COMMIT");
	return NULL;
}

static void a_deadlock_is_tried_again(void **state)
{
	struct bed *b = *state;
	struct late late = {.m = mariadb_bed_open(&b->conf.mysql), .wait_ms = 500};
	pthread_t thread;

	ledger_bed_bucket(db(b), 1, "vm1");
	ledger_bed_bucket(db(b), 2, "vm2");
	take(b, 1, SLOT(0), 1, 1);
	take(b, 2, SLOT(0), 2, 2);
	passes(b, 2);
	mariadb_bed_sql(b->root, "CREATE TABLE heavy (n INT) ENGINE=InnoDB");
	take(b, 1, SLOT(0), 10, 10);
	take(b, 2, SLOT(0), 20, 20);
	mariadb_bed_sql(late.m, "START TRANSACTION");
	mariadb_bed_sql(late.m,
			"INSERT INTO heavy SELECT seq FROM seq_1_to_1000"); /* too much to be rolled back */
	mariadb_bed_sql(late.m, "UPDATE traffic SET local_input = local_input + 1000 WHERE ip = 'vm2'");
	assert_int_equal(pthread_create(&thread, NULL, want_marker, &late), 0);
	passes(b, 4);
	pthread_join(thread, NULL);
	mysql_hang_up(late.m);
	sums_are_equal(b);
	mariadb_bed_is(b->root, "SELECT local_input FROM traffic ORDER BY ip", "14\n1014\n");
	marker_is(b, "4\n");
	mariadb_bed_is(b->root,
		       "SELECT variable_value FROM information_schema.global_status WHERE variable_name = "
		       "'INNODB_DEADLOCKS'",
		       "1\n");
}

static void a_lock_that_stays_is_named_and_waited_for_not_too_long(void **state)
{
	struct bed *b = *state;
	struct mysql *other = mariadb_bed_open(&b->conf.mysql);

	ledger_bed_bucket(db(b), 1, "web");
	take(b, 1, SLOT(0), 1, 1);
	passes(b, 1);
	take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(other, "START TRANSACTION");
	mariadb_bed_sql(other, "UPDATE xenbw_host SET host = 'x'");
	fails(b, "Lock wait timeout exceeded", "see SHOW PROCESSLIST");
	mysql_hang_up(other); /* rolls back */
	passes(b, 2);
	rows_are(b, "web|2023-11-15 00:00:00|2|2\n");
}

/* ---- the marker and the ledger ---- */

/* One that was made at a time: all that tells it from others of the same bytes. */
static void take_at(const struct bed *b, int64_t time, uint64_t bytes)
{
	take(b, 1, time - time % 300, bytes, bytes);
	ledger_bed_sql(db(b),
		       "UPDATE take SET from_time = %lld, to_time = %lld WHERE seq = (SELECT max(seq) FROM "
		       "take)",
		       (long long)time - 30, (long long)time);
}

/* A pass fails with these words, and says at its end how to go on: so it is done. */
static void go_on_as_it_says(struct bed *b, const char *words)
{
	char *err = NULL, *statement;
	int64_t seq;

	assert_int_equal(mysql_sink_pass(b->sink, &seq, &err), -1);
	if (!strstr(err, words))
		fail_msg("expected `%s` in: %s", words, err);
	statement = strstr(err, "UPDATE xenbw_host");
	assert_non_null(statement);
	mariadb_bed_sql(b->root, "%s", statement);
	free(err);
}

/* As it was when it had only takes up to seq, the last of them noted as passed or not. */
static void put_ledger_back(struct bed *b, int seq, int passed)
{
	ledger_bed_sql(db(b), "DELETE FROM take WHERE seq > %d", seq);
	ledger_bed_sql(db(b), "UPDATE sqlite_sequence SET seq = %d WHERE name = 'take'", seq);
	ledger_bed_sql(db(b), "UPDATE sink SET seq = %d", passed);
	new_sink(b);
}

static void a_ledger_that_was_put_back_is_refused_and_the_way_on_works(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 6);
	put_ledger_back(b, 3, 2);
	fails(b, "is ahead of the ledger", "sequence 6, the ledger's last is 3");
	fails(b, "is ahead of the ledger", "UPDATE xenbw_host SET seq = 3, taken = '");
	rows_are(b, "web|2023-11-15 00:00:00|6|6\n");
	go_on_as_it_says(b, "is ahead of the ledger");
	take_at(b, T0 + 600, 1);
	passes(b, 4);
	rows_are(b, "web|2023-11-15 00:00:00|7|7\n");
}

static void a_ledger_that_was_put_back_stays_refused_when_it_has_grown(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 6);
	put_ledger_back(b, 3, 2);
	fails(b, "is ahead of the ledger", "the ledger's last is 3");
	for (int n = 0; n < 5; n++) { /* to the marker and beyond it, step by step */
		take_at(b, T0 + 600 + n * 30, 10);
		fails(b, "is ahead of the ledger", n < 2 ? "the ledger's last is" : "is another take there");
		new_sink(b);
		fails(b, "is ahead of the ledger", "UPDATE xenbw_host SET seq = 3, taken = '");
	}
	rows_are(b, "web|2023-11-15 00:00:00|6|6\n");
	go_on_as_it_says(b, "is ahead of the ledger"); /* with all that was counted since */
	passes(b, 8);
	rows_are(b, "web|2023-11-15 00:00:00|56|56\n");
}

/* What the old ledger had acknowledged is folded: the way on begins there. */
static void a_ledger_that_was_put_back_and_folded_goes_on_with_all_that_is_new(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 6);
	put_ledger_back(b, 3, 3);
	ledger_bed_sql(db(b), "DELETE FROM take");
	for (int n = 0; n < 5; n++)
		take_at(b, T0 + 600 + n * 30, 10);
	fails(b, "is ahead of the ledger", "UPDATE xenbw_host SET seq = 3, taken = '' WHERE");
	go_on_as_it_says(b, "is ahead of the ledger");
	passes(b, 8);
	rows_are(b, "web|2023-11-15 00:00:00|56|56\n");
}

static void a_marker_that_an_admin_only_moved_is_refused(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	take_at(b, T0 + 30, 1);
	passes(b, 1);
	for (int n = 2; n <= 4; n++)
		take_at(b, T0 + n * 30, 1);
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET seq = 3");
	new_sink(b);
	fails(b, "is another take there", "UPDATE xenbw_host SET seq = 1, taken = '");
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET taken = ''");
	fails(b, "is another take there", "UPDATE xenbw_host SET seq = 1, taken = '");
	go_on_as_it_says(b, "is ahead of the ledger");
	passes(b, 4);
	rows_are(b, "web|2023-11-15 00:00:00|4|4\n");
}

/* xenbwd has made the sink anew meanwhile, and folded what came up to the marker. */
static void a_refusal_is_not_lost_by_switching_off_and_on(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 6);
	put_ledger_back(b, 3, 3);
	for (int n = 0; n < 5; n++)
		take_at(b, T0 + 600 + n * 30, 10);
	ledger_bed_sql(db(b), "UPDATE sink SET seq = 8");
	fails(b, "is another take there", "UPDATE xenbw_host SET seq = 3, taken = '");
	for (int n = 4; n <= 6; n++)
		ledger_bed_bytes(db(b), 1, SLOT(2 + n * 10), 1, (uint64_t[]){10, 10}, none, none);
	ledger_bed_sql(db(b), "DELETE FROM take WHERE seq <= 6");
	new_sink(b);
	fails(b, "is another take there", "UPDATE xenbw_host SET seq = 6, taken = '' WHERE");
	go_on_as_it_says(b, "is ahead of the ledger");
	passes(b, 0);
	rows_are(b, "web|2023-11-15 00:00:00|26|26\n");
}

/* The other host's takes have the same sequences. */
static void a_host_with_a_copy_of_the_ledger_is_refused(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 1; n <= 3; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 3);
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET seq = 5, taken = 'another', host = 'twin'");
	for (int n = 4; n <= 8; n++) {
		take_at(b, T0 + n * 30, 10); /* the marker that is known is not there any more */
		fails(b, "is ahead of the ledger", "host twin wrote last");
	}
	rows_are(b, "web|2023-11-15 00:00:00|3|3\n");
}

static void a_host_that_was_renamed_goes_on(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	take_at(b, T0 + 30, 1);
	passes(b, 1);
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET host = 'formerly'");
	new_sink(b);
	take_at(b, T0 + 60, 1);
	passes(b, 2);
	assert_non_null(strstr(b->log, "host formerly"));
	mariadb_bed_is(b->root, "SELECT count(*) FROM xenbw_host WHERE host = 'formerly'", "0\n");
}

/* `database none` for a while: xenbwd forgets the sink, and makes it anew. */
static void switched_off_and_on_again_the_gap_is_named(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 1; n <= 3; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 3);
	ledger_bed_sql(db(b), "DELETE FROM sink");
	take_at(b, T0 + 300, 10);
	take_at(b, T0 + 330, 10);
	ledger_bed_sql(db(b), "INSERT INTO sink(name, seq) VALUES ('mysql', 5)");
	new_sink(b);
	/* nothing is folded: so nothing is missing */
	passes(b, 0);
	rows_are(b, "web|2023-11-15 00:00:00|23|23\n");

	ledger_bed_sql(db(b), "DELETE FROM sink");
	take_at(b, T0 + 600, 100);
	take_at(b, T0 + 630, 100);
	ledger_bed_sql(db(b), "DELETE FROM take");
	ledger_bed_bytes(db(b), 1, SLOT(2), 1, (uint64_t[]){200, 200}, none, none);
	ledger_bed_sql(db(b), "INSERT INTO sink(name, seq) VALUES ('mysql', 7)");
	take_at(b, T0 + 900, 1000);
	new_sink(b);
	fails(b, "is behind the ledger", "`database none`");
	fails(b, "all up to 2023-11-15 00:05:30 UTC", "the sums of the next 2 takes");
	fails(b, "the sums of the next 2 takes", "UPDATE xenbw_host SET seq = 7, taken = '' WHERE");
	go_on_as_it_says(b, "is behind the ledger");
	passes(b, 8);
	rows_are(b, "web|2023-11-15 00:00:00|1023|1023\n");
}

static void a_marker_behind_what_is_folded_is_refused_and_the_way_on_works(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	for (int n = 1; n <= 4; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 4);
	mariadb_bed_sql(b->root, "CREATE TABLE copy AS SELECT * FROM xenbw_host");
	for (int n = 5; n <= 10; n++)
		take_at(b, T0 + n * 30, 1);
	passes(b, 10);
	/* the database is put back to 4; all takes are still there */
	mariadb_bed_sql(b->root, "REPLACE xenbw_host SELECT * FROM copy");
	mariadb_bed_sql(b->root, "UPDATE traffic SET input = 4, output = 4");
	new_sink(b);
	passes(b, 0);
	rows_are(b, "web|2023-11-15 00:00:00|10|10\n");
	/* and again, when some are folded */
	mariadb_bed_sql(b->root, "REPLACE xenbw_host SELECT * FROM copy");
	mariadb_bed_sql(b->root, "UPDATE traffic SET input = 4, output = 4");
	ledger_bed_sql(db(b), "DELETE FROM take WHERE seq <= 7");
	new_sink(b);
	go_on_as_it_says(b, "is behind the ledger");
	take_at(b, T0 + 330, 5);
	passes(b, 11);
	rows_are(b, "web|2023-11-15 00:00:00|12|12\n");
	/* all are */
	mariadb_bed_sql(b->root, "REPLACE xenbw_host SELECT * FROM copy");
	ledger_bed_sql(db(b), "DELETE FROM take");
	new_sink(b);
	fails(b, "is behind the ledger", "UPDATE xenbw_host SET seq = 11, taken = '' WHERE ledger_uuid = '");
}

static void two_ledgers_share_a_table(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	take(b, 1, SLOT(0), 1, 1);
	passes(b, 1);
	mariadb_bed_sql(b->root,
			"INSERT INTO xenbw_host(ledger_uuid, host, seq) VALUES ('other', 'other', 77)");
	take(b, 1, SLOT(0), 1, 1);
	passes(b, 2);
	mariadb_bed_is(b->root, "SELECT seq FROM xenbw_host ORDER BY seq", "2\n77\n");
}

/* ---- trouble ---- */

static void trouble_is_named_with_the_way_out_and_nothing_is_lost(void **state)
{
	struct bed *b = *state;

	ledger_bed_bucket(db(b), 1, "web");
	take(b, 1, SLOT(0), 1, 1);
	passes(b, 1);

	/* the server goes away, and comes back between two passes without a word */
	mysql_hang_up(b->root);
	mariadb_bed_do(server, "mariadb_kill");
	take(b, 1, SLOT(0), 1, 1);
	fails(b, "cannot connect at MySQL server", "is the server running");
	fails(b, "cannot connect at MySQL server", "is the server running");
	mariadb_bed_start(server, "UTC");
	passes(b, 2);
	mariadb_bed_do(server, "mariadb_stop");
	mariadb_bed_start(server, "UTC");
	take(b, 1, SLOT(0), 1, 1);
	passes(b, 3);
	b->root = mariadb_bed_open(&server->root);
	mariadb_bed_sql(b->root, "USE netacct");

	take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "SET GLOBAL read_only = 1");
	fails(b, "--read-only", "make it writable");
	mariadb_bed_sql(b->root, "SET GLOBAL read_only = 0");
	passes(b, 4);

	take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "REVOKE UPDATE ON netacct.* FROM acct@localhost");
	new_sink(b);
	fails(b, "UPDATE command denied", "GRANT the account SELECT, INSERT and UPDATE");
	mariadb_bed_sql(b->root, "GRANT UPDATE ON netacct.* TO acct@localhost");
	passes(b, 5);

	take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "ALTER TABLE traffic RENAME COLUMN peer_input TO x");
	fails(b, "it has no column peer_input", "mysql_table xenbw_traffic");
	fails(b, "it has no column peer_input", "`xenbw db init`");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic RENAME COLUMN x TO peer_input");
	passes(b, 6);

	take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "RENAME TABLE traffic TO gone");
	fails(b, "table traffic is not there", "`xenbw db init`");
	fails(b, "table traffic is not there at MySQL server", "`xenbw db init` makes it");
	mariadb_bed_sql(b->root, "RENAME TABLE gone TO traffic, xenbw_host TO gone");
	fails(b, "table xenbw_host is not there", "`xenbw db init` makes it");
	mariadb_bed_sql(b->root, "RENAME TABLE gone TO xenbw_host");
	passes(b, 7);

	mariadb_bed_sql(b->root, "SET PASSWORD FOR acct@localhost = PASSWORD('other')");
	new_sink(b);
	fails(b, "Access denied for user 'acct'@'localhost'", "mysql_password_file");
	free(b->conf.mysql.database);
	b->conf.mysql.database = mem_strdup("nowhere");
	b->conf.mysql.password_file = mem_printf("%s/password", b->ledger->folder);
	fails(b, "cannot read the MySQL password from", "No such file");
	scratch_write(b->conf.mysql.password_file, "other\r\nsecond line\n", 19);
	fails(b, "Access denied for user 'acct'@'localhost' to database 'nowhere'", "GRANT");
	free(b->conf.mysql.database);
	b->conf.mysql.database = mem_strdup("netacct");
	take(b, 1, SLOT(0), 1, 1);
	passes(b, 8);
	rows_are(b, "web|2023-11-15 00:00:00|8|8\n");
}

/* ---- tables ---- */

#define NETACCT                                                                                       \
	"CREATE TABLE traffic (id int(11) unsigned NOT NULL auto_increment, ip varchar(15) NOT NULL " \
	"default '',"                                                                                 \
	" time datetime NOT NULL default '0000-00-00 00:00:00', input int(20) NOT NULL default '0',"  \
	" output int(20) NOT NULL default '0', peer_input int(20) NOT NULL default '0',"              \
	" peer_output int(20) NOT NULL default '0', direct_input int(20) NOT NULL default '0',"       \
	" direct_output int(20) NOT NULL default '0', local_input int(20) NOT NULL default '0',"      \
	" local_output int(20) NOT NULL default '0', PRIMARY KEY (id), KEY ip (ip, time)) ENGINE=MyISAM"

static void state_is(struct bed *b, enum traffic_state expected, const char *words)
{
	enum traffic_state state;
	char *why, *err = NULL;

	if (traffic_table_check(b->root, b->conf.mysql.table, &state, &why, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(state, expected);
	if (expected == TRAFFIC_FINE)
		assert_null(why);
	else if (!strstr(why, words))
		fail_msg("expected `%s` in: %s", words, why);
	free(why);
}

static void netacct_s_own_table_is_left_alone_and_another_one_works(void **state)
{
	struct bed *b = *state;

	mariadb_bed_sql(b->root, "DROP TABLE traffic");
	mariadb_bed_sql(b->root, NETACCT);
	state_is(b, TRAFFIC_LEGACY,
		 "is netacct's own: its engine is MyISAM, which has no transactions, ip holds no more than "
		 "15 characters, "
		 "input is of type int and too small");
	state_is(b, TRAFFIC_LEGACY,
		 "it has no UNIQUE (ip, time); counting goes on in the ledger; write to another table: "
		 "`mysql_table xenbw_traffic`, then `xenbw db init`");
	ledger_bed_bucket(db(b), 1, "web");
	take(b, 1, SLOT(0), 1, 1);
	fails(b, "is netacct's own", "`mysql_table xenbw_traffic`");
	free(b->conf.mysql.table);
	b->conf.mysql.table = mem_strdup("xenbw_traffic");
	make_tables(b);
	passes(b, 1);
	mariadb_bed_is(b->root, "SELECT count(*) FROM traffic", "0\n");
	mariadb_bed_is(b->root, "SELECT CONCAT_WS('|', ip, input) FROM xenbw_traffic", "web|1\n");
}

static void tables_are_judged(void **state)
{
	struct bed *b = *state;

	make_tables(b); /* they are there already */
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root,
			"ALTER TABLE traffic ADD COLUMN note TEXT, ADD COLUMN paid INT NOT NULL DEFAULT 0");
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic ADD COLUMN who INT NOT NULL");
	state_is(b, TRAFFIC_FOREIGN, "its column who has no default");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic DROP COLUMN who, ADD UNIQUE (ip)");
	state_is(b, TRAFFIC_FOREIGN, "its unique key ip (ip) is in the way");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic DROP KEY ip, MODIFY input BIGINT UNSIGNED");
	state_is(b, TRAFFIC_FOREIGN, "input may be NULL");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic MODIFY input BIGINT UNSIGNED NOT NULL,"
				 " MODIFY ip VARCHAR(255) COLLATE utf8mb4_general_ci NOT NULL");
	state_is(b, TRAFFIC_LEGACY,
		 "ip has the collation utf8mb4_general_ci, which takes different names for the same");
	mariadb_bed_sql(b->root, "DROP TABLE traffic");
	state_is(b, TRAFFIC_MISSING, "table traffic is not there");
	mariadb_bed_sql(b->root, "CREATE VIEW traffic AS SELECT 1 AS input");
	state_is(b, TRAFFIC_FOREIGN, "it is no table but a VIEW");
	mariadb_bed_sql(b->root, "DROP VIEW traffic");
	mariadb_bed_sql(b->root, "CREATE TABLE traffic (ip INT)");
	state_is(b, TRAFFIC_FOREIGN, "it has no column time");
	mariadb_bed_sql(b->root, "DROP TABLE traffic, xenbw_host");
	make_tables(b);
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root, "ALTER TABLE xenbw_host DROP COLUMN taken");
	state_is(b, TRAFFIC_LEGACY, TRAFFIC_MARKER_ALTER);
	mariadb_bed_sql(b->root, TRAFFIC_MARKER_ALTER);
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root, "ALTER TABLE xenbw_host DROP PRIMARY KEY");
	state_is(b, TRAFFIC_FOREIGN, "table xenbw_host");
}

static void a_ledger_that_is_not_there_is_waited_for(void **state)
{
	struct bed *b = *state;
	struct sink_host host = {.say = hear, .must_stop = never, .arg = b};
	char *path = mem_printf("%s/none", b->ledger->folder), *err = NULL;
	struct mysql_sink *s = mysql_sink_new(path, &b->conf, &host);
	int64_t seq;

	assert_int_equal(mysql_sink_pass(s, &seq, &err), 1);
	assert_null(err);
	mysql_sink_free(s);
	free(path);
	ledger_bed_sql(db(b), "DELETE FROM sink");
	fails(b, "keeps nothing for MySQL yet", "`database mysql`");
}

static int start_server(void **state)
{
	(void)state;
	setenv("TMPDIR", "/dev/shm", 1); /* thousands of commits to the ledger */
	server = mariadb_bed_new();
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	mariadb_bed_free(server);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_column_has_its_bytes_by_label_and_hour),
		TEST(it_begins_where_the_ledger_began_to_keep_takes_for_it),
		TEST(a_row_without_bytes_is_none),
		TEST(many_takes_are_many_batches_and_chunks),
		TEST(a_small_packet_makes_small_statements),
		TEST(labels_that_look_alike_stay_apart),
		TEST(long_labels_are_cut_and_stay_apart),
		TEST(a_bucket_has_the_label_that_it_has_now),
		TEST(hours_are_those_of_the_server),
		TEST(the_hour_that_comes_twice_in_autumn_is_one_row),
		TEST(killed_at_any_time_no_byte_is_lost_or_doubled),
		TEST(what_was_committed_before_a_kill_is_acknowledged_after_it),
		TEST(a_commit_that_lands_late_is_not_doubled),
		TEST(a_commit_whose_answer_is_lost_is_not_doubled),
		TEST(a_deadlock_is_tried_again),
		TEST(a_lock_that_stays_is_named_and_waited_for_not_too_long),
		TEST(a_ledger_that_was_put_back_is_refused_and_the_way_on_works),
		TEST(a_ledger_that_was_put_back_stays_refused_when_it_has_grown),
		TEST(a_ledger_that_was_put_back_and_folded_goes_on_with_all_that_is_new),
		TEST(a_refusal_is_not_lost_by_switching_off_and_on),
		TEST(a_marker_that_an_admin_only_moved_is_refused),
		TEST(a_host_with_a_copy_of_the_ledger_is_refused),
		TEST(a_host_that_was_renamed_goes_on),
		TEST(switched_off_and_on_again_the_gap_is_named),
		TEST(a_marker_behind_what_is_folded_is_refused_and_the_way_on_works),
		TEST(two_ledgers_share_a_table),
		TEST(trouble_is_named_with_the_way_out_and_nothing_is_lost),
		TEST(netacct_s_own_table_is_left_alone_and_another_one_works),
		TEST(tables_are_judged),
		TEST(a_ledger_that_is_not_there_is_waited_for),
	};

	return cmocka_run_group_tests_name("mysql_sink", tests, start_server, stop_server);
}
