/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The sink for MySQL, on a MariaDB server: each byte exactly once, whatever is killed, lost or put back.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/traffic_source.h"
#include "db/traffic_table.h"
#include "tests/support/mysql_bed.h"
#include "tests/support/unit.h"

#define KILLS 25

static const uint64_t none[2] = {0, 0};

/* ---- exactly once ---- */

/* -1: there is none yet. */
static int64_t marker(const struct mysql_bed *b)
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
	struct mysql_bed *b = *state;
	struct random r = random_new();
	int64_t seq;
	uint64_t patience = 30000; /* microseconds */
	int kills = 0, committed = 0;

	for (int id = 1; id <= 700; id++) {
		char *label = mem_printf("vm%d", id);

		ledger_bed_bucket(mysql_bed_db(b), id, label);
		free(label);
	}
	for (int n = 0; n < KILLS; n++) {
		pid_t pid;
		int status;

		ledger_bed_sql(mysql_bed_db(b), "BEGIN");
		for (int id = 1; id <= 700; id++)
			mysql_bed_take(b, id, SLOT(n), 1 + random_below(&r, 100000),
				       random_below(&r, 100000));
		ledger_bed_sql(mysql_bed_db(b), "COMMIT");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct sink_host host = {
				.say = mysql_bed_hear, .must_stop = mysql_bed_never, .arg = b};
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
	mysql_bed_passes(b, 700 * KILLS);
	mysql_bed_sums_are_equal(b);
}

/* What the table has and the ledger has not heard of yet is acknowledged by the next writer. */
static void what_was_committed_before_a_kill_is_acknowledged_after_it(void **state)
{
	struct mysql_bed *b = *state;
	char *err = NULL;
	int64_t seq;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	assert_int_equal(mysql_sink_pass(b->sink, &seq, &err), 0);
	assert_int_equal(seq, 1);
	mysql_bed_new_sink(b); /* the answer never reached the ledger */
	mysql_bed_passes(b, 1);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|1|1\n");
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
	struct mysql_bed *b = *state;
	struct late late = {.m = mariadb_bed_open(&b->conf.mysql), .wait_ms = 700};
	struct traffic_batch second;
	char *err = NULL;
	pthread_t thread;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_passes(b, 1);
	mysql_bed_new_sink(b);
	mysql_bed_take(b, 1, SLOT(1), 10, 10);
	assert_int_equal(traffic_source_batch(mysql_bed_db(b), 1, 1, NULL, &second, &err), 0);
	mariadb_bed_sql(late.m, "START TRANSACTION");
	mariadb_bed_sql(late.m, "UPDATE xenbw_host SET seq = 2, taken = '%s' WHERE seq = 1", second.taken);
	mariadb_bed_sql(
		late.m,
		"INSERT INTO traffic(ip, time, input, output, direct_input, direct_output, local_input,"
		" local_output) VALUES ('web', '2023-11-15 00:00:00', 10, 10, 5, 6, 7, 8)"
		" ON DUPLICATE KEY UPDATE input = input + VALUES(input), output = output + "
		"VALUES(output)");
	mysql_bed_take(b, 1, SLOT(2), 100, 100);
	assert_int_equal(pthread_create(&thread, NULL, commit_late, &late), 0);
	mysql_bed_passes(b, 3); /* it waits, finds that the marker has moved, and goes on from there */
	pthread_join(thread, NULL);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|111|111\n");
	mysql_bed_marker_is(b, "3\n");
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
	struct sockaddr_un here = address_of(path), there = address_of(mysql_bed_server->socket);
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
	struct mysql_bed *b = *state;
	char *path = mem_printf("%s/proxy", b->ledger->folder);
	int *drops = mmap(NULL, sizeof(*drops), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t proxy;
	int64_t at = 0;

	assert_ptr_not_equal(drops, MAP_FAILED);
	*drops = 3;
	proxy = start_proxy(path, drops);
	free(b->conf.mysql.host);
	b->conf.mysql.host = path;
	mysql_bed_new_sink(b);
	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 0; n < 6; n++) {
		mysql_bed_take(b, 1, SLOT(n), 1 + (uint64_t)n, 1);
		mysql_bed_passes(b, ++at);
		mysql_bed_sums_are_equal(b);
	}
	kill(proxy, SIGKILL);
	waitpid(proxy, NULL, 0);
	mysql_bed_marker_is(b, "6\n");
	assert_int_equal(*drops, 0);
	munmap(drops, sizeof(*drops));
}

/* Two ways to one server are two nodes that have the same tables. */
static void when_a_server_fails_the_next_one_goes_on(void **state)
{
	struct mysql_bed *b = *state;
	char *path = mem_printf("%s/proxy", b->ledger->folder);
	int *drops = mmap(NULL, sizeof(*drops), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t proxy;

	assert_ptr_not_equal(drops, MAP_FAILED);
	proxy = start_proxy(path, drops);
	free(b->conf.mysql.host);
	b->conf.mysql.host = mem_printf("%s,%s", path, mysql_bed_server->socket);
	mysql_bed_new_sink(b);
	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 5, 1);
	mysql_bed_passes(b, 1);
	kill(proxy, SIGKILL);
	waitpid(proxy, NULL, 0);
	for (int n = 1; n < 4; n++) {
		mysql_bed_take(b, 1, SLOT(n), 1 + (uint64_t)n, 1);
		mysql_bed_passes(b, 1 + n);
		mysql_bed_sums_are_equal(b);
	}
	mysql_bed_marker_is(b, "4\n");
	munmap(drops, sizeof(*drops));
	free(path);
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
	struct mysql_bed *b = *state;
	struct late late = {.m = mariadb_bed_open(&b->conf.mysql), .wait_ms = 500};
	pthread_t thread;

	ledger_bed_bucket(mysql_bed_db(b), 1, "vm1");
	ledger_bed_bucket(mysql_bed_db(b), 2, "vm2");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_take(b, 2, SLOT(0), 2, 2);
	mysql_bed_passes(b, 2);
	mariadb_bed_sql(b->root, "CREATE TABLE heavy (n INT) ENGINE=InnoDB");
	mysql_bed_take(b, 1, SLOT(0), 10, 10);
	mysql_bed_take(b, 2, SLOT(0), 20, 20);
	mariadb_bed_sql(late.m, "START TRANSACTION");
	mariadb_bed_sql(late.m,
			"INSERT INTO heavy SELECT seq FROM seq_1_to_1000"); /* too much to be rolled back */
	mariadb_bed_sql(late.m, "UPDATE traffic SET local_input = local_input + 1000 WHERE ip = 'vm2'");
	assert_int_equal(pthread_create(&thread, NULL, want_marker, &late), 0);
	mysql_bed_passes(b, 4);
	pthread_join(thread, NULL);
	mysql_hang_up(late.m);
	mysql_bed_sums_are_equal(b);
	mariadb_bed_is(b->root, "SELECT local_input FROM traffic ORDER BY ip", "14\n1014\n");
	mysql_bed_marker_is(b, "4\n");
	mariadb_bed_is(b->root,
		       "SELECT variable_value FROM information_schema.global_status WHERE variable_name = "
		       "'INNODB_DEADLOCKS'",
		       "1\n");
}

static void a_lock_that_stays_is_named_and_waited_for_not_too_long(void **state)
{
	struct mysql_bed *b = *state;
	struct mysql *other = mariadb_bed_open(&b->conf.mysql);

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_passes(b, 1);
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(other, "START TRANSACTION");
	mariadb_bed_sql(other, "UPDATE xenbw_host SET host = 'x'");
	mysql_bed_fails(b, "Lock wait timeout exceeded", "see SHOW PROCESSLIST");
	mysql_hang_up(other); /* rolls back */
	mysql_bed_passes(b, 2);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|2|2\n");
}

/* ---- the marker and the ledger ---- */

/* One that was made at a time: all that tells it from others of the same bytes. */
static void take_at(const struct mysql_bed *b, int64_t time, uint64_t bytes)
{
	mysql_bed_take(b, 1, time - time % 300, bytes, bytes);
	ledger_bed_sql(mysql_bed_db(b),
		       "UPDATE take SET from_time = %lld, to_time = %lld WHERE seq = (SELECT max(seq) FROM "
		       "take)",
		       (long long)time - 30, (long long)time);
}

/* A pass fails with these words, and says at its end how to go on: so it is done. */
static void go_on_as_it_says(struct mysql_bed *b, const char *words)
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
static void put_ledger_back(struct mysql_bed *b, int seq, int passed)
{
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM take WHERE seq > %d", seq);
	ledger_bed_sql(mysql_bed_db(b), "UPDATE sqlite_sequence SET seq = %d WHERE name = 'take'", seq);
	ledger_bed_sql(mysql_bed_db(b), "UPDATE sink SET seq = %d", passed);
	mysql_bed_new_sink(b);
}

static void a_ledger_that_was_put_back_is_refused_and_the_way_on_works(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 6);
	put_ledger_back(b, 3, 2);
	mysql_bed_fails(b, "is ahead of the ledger", "sequence 6, the ledger's last is 3");
	mysql_bed_fails(b, "is ahead of the ledger", "UPDATE xenbw_host SET seq = 3, taken = '");
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|6|6\n");
	go_on_as_it_says(b, "is ahead of the ledger");
	take_at(b, T0 + 600, 1);
	mysql_bed_passes(b, 4);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|7|7\n");
}

static void a_ledger_that_was_put_back_stays_refused_when_it_has_grown(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 6);
	put_ledger_back(b, 3, 2);
	mysql_bed_fails(b, "is ahead of the ledger", "the ledger's last is 3");
	for (int n = 0; n < 5; n++) { /* to the marker and beyond it, step by step */
		take_at(b, T0 + 600 + n * 30, 10);
		mysql_bed_fails(b, "is ahead of the ledger",
				n < 2 ? "the ledger's last is" : "is another take there");
		mysql_bed_new_sink(b);
		mysql_bed_fails(b, "is ahead of the ledger", "UPDATE xenbw_host SET seq = 3, taken = '");
	}
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|6|6\n");
	go_on_as_it_says(b, "is ahead of the ledger"); /* with all that was counted since */
	mysql_bed_passes(b, 8);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|56|56\n");
}

/* What the old ledger had acknowledged is folded: the way on begins there. */
static void a_ledger_that_was_put_back_and_folded_goes_on_with_all_that_is_new(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 6);
	put_ledger_back(b, 3, 3);
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM take");
	for (int n = 0; n < 5; n++)
		take_at(b, T0 + 600 + n * 30, 10);
	mysql_bed_fails(b, "is ahead of the ledger", "UPDATE xenbw_host SET seq = 3, taken = '' WHERE");
	go_on_as_it_says(b, "is ahead of the ledger");
	mysql_bed_passes(b, 8);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|56|56\n");
}

static void a_marker_that_an_admin_only_moved_is_refused(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	take_at(b, T0 + 30, 1);
	mysql_bed_passes(b, 1);
	for (int n = 2; n <= 4; n++)
		take_at(b, T0 + n * 30, 1);
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET seq = 3");
	mysql_bed_new_sink(b);
	mysql_bed_fails(b, "is another take there", "UPDATE xenbw_host SET seq = 1, taken = '");
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET taken = ''");
	mysql_bed_fails(b, "is another take there", "UPDATE xenbw_host SET seq = 1, taken = '");
	go_on_as_it_says(b, "is ahead of the ledger");
	mysql_bed_passes(b, 4);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|4|4\n");
}

/* xenbwd has made the sink anew meanwhile, and folded what came up to the marker. */
static void a_refusal_is_not_lost_by_switching_off_and_on(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 1; n <= 6; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 6);
	put_ledger_back(b, 3, 3);
	for (int n = 0; n < 5; n++)
		take_at(b, T0 + 600 + n * 30, 10);
	ledger_bed_sql(mysql_bed_db(b), "UPDATE sink SET seq = 8");
	mysql_bed_fails(b, "is another take there", "UPDATE xenbw_host SET seq = 3, taken = '");
	for (int n = 4; n <= 6; n++)
		ledger_bed_bytes(mysql_bed_db(b), 1, SLOT(2 + n * 10), 1, (uint64_t[]){10, 10}, none, none);
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM take WHERE seq <= 6");
	mysql_bed_new_sink(b);
	mysql_bed_fails(b, "is another take there", "UPDATE xenbw_host SET seq = 6, taken = '' WHERE");
	go_on_as_it_says(b, "is ahead of the ledger");
	mysql_bed_passes(b, 0);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|26|26\n");
}

/* The other host's takes have the same sequences. */
static void a_host_with_a_copy_of_the_ledger_is_refused(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 1; n <= 3; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 3);
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET seq = 5, taken = 'another', host = 'twin'");
	for (int n = 4; n <= 8; n++) {
		take_at(b, T0 + n * 30, 10); /* the marker that is known is not there any more */
		mysql_bed_fails(b, "is ahead of the ledger", "host twin wrote last");
	}
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|3|3\n");
}

static void a_host_that_was_renamed_goes_on(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	take_at(b, T0 + 30, 1);
	mysql_bed_passes(b, 1);
	mariadb_bed_sql(b->root, "UPDATE xenbw_host SET host = 'formerly'");
	mysql_bed_new_sink(b);
	take_at(b, T0 + 60, 1);
	mysql_bed_passes(b, 2);
	assert_non_null(strstr(b->log, "host formerly"));
	mariadb_bed_is(b->root, "SELECT count(*) FROM xenbw_host WHERE host = 'formerly'", "0\n");
}

/* `database none` for a while: xenbwd forgets the sink, and makes it anew. */
static void switched_off_and_on_again_the_gap_is_named(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 1; n <= 3; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 3);
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM sink");
	take_at(b, T0 + 300, 10);
	take_at(b, T0 + 330, 10);
	ledger_bed_sql(mysql_bed_db(b), "INSERT INTO sink(name, seq) VALUES ('mysql', 5)");
	mysql_bed_new_sink(b);
	/* nothing is folded: so nothing is missing */
	mysql_bed_passes(b, 0);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|23|23\n");

	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM sink");
	take_at(b, T0 + 600, 100);
	take_at(b, T0 + 630, 100);
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM take");
	ledger_bed_bytes(mysql_bed_db(b), 1, SLOT(2), 1, (uint64_t[]){200, 200}, none, none);
	ledger_bed_sql(mysql_bed_db(b), "INSERT INTO sink(name, seq) VALUES ('mysql', 7)");
	take_at(b, T0 + 900, 1000);
	mysql_bed_new_sink(b);
	mysql_bed_fails(b, "is behind the ledger", "`database none`");
	mysql_bed_fails(b, "all up to 2023-11-15 00:05:30 UTC", "the sums of the next 2 takes");
	mysql_bed_fails(b, "the sums of the next 2 takes", "UPDATE xenbw_host SET seq = 7, taken = '' WHERE");
	go_on_as_it_says(b, "is behind the ledger");
	mysql_bed_passes(b, 8);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|1023|1023\n");
}

static void a_marker_behind_what_is_folded_is_refused_and_the_way_on_works(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 1; n <= 4; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 4);
	mariadb_bed_sql(b->root, "CREATE TABLE copy AS SELECT * FROM xenbw_host");
	for (int n = 5; n <= 10; n++)
		take_at(b, T0 + n * 30, 1);
	mysql_bed_passes(b, 10);
	/* the database is put back to 4; all takes are still there */
	mariadb_bed_sql(b->root, "REPLACE xenbw_host SELECT * FROM copy");
	mariadb_bed_sql(b->root, "UPDATE traffic SET input = 4, output = 4");
	mysql_bed_new_sink(b);
	mysql_bed_passes(b, 0);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|10|10\n");
	/* and again, when some are folded */
	mariadb_bed_sql(b->root, "REPLACE xenbw_host SELECT * FROM copy");
	mariadb_bed_sql(b->root, "UPDATE traffic SET input = 4, output = 4");
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM take WHERE seq <= 7");
	mysql_bed_new_sink(b);
	go_on_as_it_says(b, "is behind the ledger");
	take_at(b, T0 + 330, 5);
	mysql_bed_passes(b, 11);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|12|12\n");
	/* all are */
	mariadb_bed_sql(b->root, "REPLACE xenbw_host SELECT * FROM copy");
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM take");
	mysql_bed_new_sink(b);
	mysql_bed_fails(b, "is behind the ledger",
			"UPDATE xenbw_host SET seq = 11, taken = '' WHERE ledger_uuid = '");
}

static void two_ledgers_share_a_table(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_passes(b, 1);
	mariadb_bed_sql(b->root,
			"INSERT INTO xenbw_host(ledger_uuid, host, seq) VALUES ('other', 'other', 77)");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_passes(b, 2);
	mariadb_bed_is(b->root, "SELECT seq FROM xenbw_host ORDER BY seq", "2\n77\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mysql_bed_set_up, mysql_bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_at_any_time_no_byte_is_lost_or_doubled),
		TEST(what_was_committed_before_a_kill_is_acknowledged_after_it),
		TEST(a_commit_that_lands_late_is_not_doubled),
		TEST(a_commit_whose_answer_is_lost_is_not_doubled),
		TEST(when_a_server_fails_the_next_one_goes_on),
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
	};

	return cmocka_run_group_tests_name("mysql_sink_once", tests, mysql_bed_start_server,
					   mysql_bed_stop_server);
}
