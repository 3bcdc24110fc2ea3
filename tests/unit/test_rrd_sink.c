/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whole passes from a real ledger to real RRD files: what is written, said and acknowledged; rebuilding,
 * labels that change, files that fail and come back, kills.
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/rrd.h"
#include "db/rrd_sink.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/rrd_bed.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*RRD_STEP)
#define DAY 288 /* slots */

static const uint64_t none[2] = {0, 0};

struct bed {
	char *folder, *ledger, *rrd_dir;
	struct ledger_file writer;
	struct rrd_sink *sink;
	char *said;   /* all lines of a pass */
	int stop_in;  /* must_stop says yes after so many questions; -1: never */
	int64_t open; /* open_slot as a number of slots */
};

static void say(void *arg, enum sink_level level, const char *line)
{
	static const char *const words[] = {"debug", "info", "warning"};
	struct bed *b = arg;
	char *more = mem_printf("%s%s: %s\n", b->said, words[level], line);

	free(b->said);
	b->said = more;
}

static bool must_stop(void *arg)
{
	struct bed *b = arg;

	return b->stop_in >= 0 && b->stop_in-- == 0;
}

/* As if xenbw-writer were started again. */
static void new_sink(struct bed *b)
{
	struct sink_host host = {.say = say, .must_stop = must_stop, .arg = b};

	if (b->sink)
		rrd_sink_free(b->sink);
	b->sink = rrd_sink_new(b->ledger, b->rrd_dir, &host);
}

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));

	b->folder = scratch_new();
	b->ledger = mem_printf("%s/ledger.db", b->folder);
	b->rrd_dir = mem_printf("%s/rrd", b->folder);
	b->writer = ledger_bed_open(b->ledger);
	b->said = mem_strdup("");
	b->stop_in = -1;
	new_sink(b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	rrd_sink_free(b->sink);
	ledger_file_close(&b->writer);
	scratch_free(b->folder);
	free(b->ledger);
	free(b->rrd_dir);
	free(b->said);
	free(b);
	return 0;
}

static void open_slot(struct bed *b, int n)
{
	b->open = n;
	ledger_bed_open_slot(b->writer.db, SLOT(n));
}

/* One pass at five seconds past the open slot's start. Returns what was acknowledged. */
static int64_t pass(struct bed *b)
{
	char *err = NULL;
	int64_t seq;
	int rc;

	free(b->said);
	b->said = mem_strdup("");
	rc = rrd_sink_pass(b->sink, SLOT(b->open) + 5, &seq, &err);
	if (rc != 0)
		fail_msg("pass: %d, %s", rc, err ? err : "no error");
	return seq;
}

static char *path_of(const struct bed *b, const char *name)
{
	return mem_printf("%s/%s", b->rrd_dir, name);
}

static bool there(const struct bed *b, const char *name)
{
	char *path = path_of(b, name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

/* A bucket that is live from slot 0 on. */
static void live_bucket(struct bed *b, int id, const char *label)
{
	ledger_bed_bucket(b->writer.db, id, label);
	ledger_bed_epoch(b->writer.db, id, SLOT(0), SLOT(0), 0);
}

static void bytes(struct bed *b, int bucket, int slot, uint64_t input, uint64_t output)
{
	ledger_bed_bytes(b->writer.db, bucket, SLOT(slot), 0, (uint64_t[]){input, output}, none, none);
}

static void expect_input(const struct bed *b, const char *name, int slot, double expected)
{
	char *path = path_of(b, name);
	double seen = rrd_bed_slot(path, "input", SLOT(slot));

	if (isnan(expected) ? !isnan(seen) : !(fabs(seen - expected) < 0.001))
		fail_msg("%s, slot %d: expected %f, seen %f; said: %s", name, slot, expected, seen, b->said);
	free(path);
}

static void expect_said(const struct bed *b, const char *words)
{
	if (!strstr(b->said, words))
		fail_msg("expected `%s`, but it said: %s", words, b->said);
}

static void expect_no_warning(const struct bed *b)
{
	if (strstr(b->said, "warning"))
		fail_msg("it said: %s", b->said);
}

static void every_bucket_gets_its_file_and_the_newest_sequence_is_acknowledged_once(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *before, *after;
	size_t size, again;

	live_bucket(b, 1, "web");
	live_bucket(b, 2, "10.0.0.7");
	live_bucket(b, 3, "idle");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(2) + 20, 0);
	bytes(b, 1, 0, 1000, 10);
	bytes(b, 1, 1, 2000, 20);
	bytes(b, 2, 1, 77, 88);
	bytes(b, 1, 2, 4000, 40); /* in the open slot */
	open_slot(b, 2);
	assert_int_equal(pass(b), 3);
	expect_no_warning(b);
	expect_input(b, "web.rrd", 0, 1000);
	expect_input(b, "web.rrd", 1, 2000);
	expect_input(b, "web.rrd", 2, NAN);
	expect_input(b, "10.0.0.7.rrd", 0, 0);
	expect_input(b, "10.0.0.7.rrd", 1, 77);
	expect_input(b, "idle.rrd", 0, 0);
	expect_input(b, "idle.rrd", 1, 0);

	before = scratch_read(path, &size);
	assert_int_equal(pass(b), 0);
	new_sink(b);
	ledger_bed_sql(b->writer.db, "INSERT INTO sink VALUES ('rrd', 3)");
	assert_int_equal(pass(b), 0); /* xenbwd has it written down */
	after = scratch_read(path, &again);
	assert_int_equal(size, again);
	assert_memory_equal(before, after, size);
	ledger_bed_sql(b->writer.db, "UPDATE sink SET seq = 2");
	new_sink(b);
	assert_int_equal(pass(b), 3); /* the acknowledgement was lost */

	ledger_bed_sql(b->writer.db, "UPDATE run SET seen = %lld", (long long)SLOT(3) + 20);
	open_slot(b, 3);
	assert_int_equal(pass(b), 4);
	expect_input(b, "web.rrd", 2, 4000);
	expect_input(b, "10.0.0.7.rrd", 2, 0);
	assert_int_equal(rrd_bed_last(path), SLOT(3));
	free(before);
	free(after);
	free(path);
}

/* Days of a bucket with gaps and idle slots, in takes or folded rows. */
static void fill_days(struct bed *b, int bucket, int from, int to)
{
	struct random r = random_new();
	sqlite3 *db = b->writer.db;

	ledger_bed_sql(db, "BEGIN");
	for (int i = from; i < to;) {
		int length = 1 + (int)random_below(&r, 12), kind = (int)random_below(&r, 4);

		if (kind != 0) /* not a gap */
			ledger_bed_epoch(db, bucket, SLOT(i) + 3, SLOT(i) + 4, SLOT(i + length) - 9);
		for (; length > 0 && i < to; length--, i++)
			if (kind > 1)
				ledger_bed_bytes(
					db, bucket, SLOT(i), (int)random_below(&r, 2),
					(uint64_t[]){random_below(&r, 1000000), random_below(&r, 1u << 30)},
					(uint64_t[]){random_below(&r, 9), 0}, (uint64_t[]){1, 2});
	}
	ledger_bed_sql(db, "COMMIT");
}

static char *dump(const struct bed *b, const char *name)
{
	char *path = path_of(b, name), *text = rrd_bed_dump(path);

	free(path);
	return text;
}

static void a_missing_file_is_rebuilt_as_it_was(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *want, *seen;

	/* 70 days: three windows */
	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(70 * DAY), 0);
	fill_days(b, 1, 0, 70 * DAY);
	for (int n = 1; n <= 70 * DAY;
	     n += n % 7 ? 1 + n % 100 : 600) { /* sometimes more than a batch holds */
		open_slot(b, n);
		pass(b);
		expect_no_warning(b);
	}
	open_slot(b, 70 * DAY);
	pass(b);
	want = dump(b, "web.rrd");
	assert_int_equal(unlink(path), 0);
	new_sink(b);
	pass(b);
	seen = dump(b, "web.rrd");
	assert_string_equal(want, seen);
	free(want);
	free(seen);
	free(path);
}

static void spoil(const char *path)
{
	scratch_write(path, "no RRD", 6);
}

static void a_file_whose_bucket_has_ended_is_left_alone(void **state)
{
	struct bed *b = *state;
	char *web = path_of(b, "web.rrd"), *old = path_of(b, "old.rrd");

	live_bucket(b, 1, "web");
	ledger_bed_bucket(b->writer.db, 2, "old");
	ledger_bed_epoch(b->writer.db, 2, SLOT(0), SLOT(0), SLOT(3) - 10);
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(20), 0);
	bytes(b, 1, 1, 1000, 1);
	bytes(b, 2, 1, 2000, 2);
	for (int n = 2; n < 6; n++) {
		open_slot(b, n);
		pass(b);
	}
	expect_input(b, "old.rrd", 1, 2000);

	spoil(old); /* nobody looks into it any more */
	open_slot(b, 6);
	pass(b);
	assert_string_equal(b->said, "");
	assert_int_equal(unlink(old), 0);
	assert_int_equal(unlink(web), 0);
	open_slot(b, 7);
	pass(b);
	assert_false(there(b, "old.rrd"));
	expect_input(b, "web.rrd", 1, 1000); /* this one goes on, so it is made anew */

	new_sink(b); /* one that starts knows of no removal */
	open_slot(b, 8);
	pass(b);
	expect_input(b, "old.rrd", 1, 2000);
	assert_int_equal(unlink(old), 0); /* before a second pass saw it whole */
	open_slot(b, 9);
	pass(b);
	assert_false(there(b, "old.rrd"));
	ledger_bed_epoch(b->writer.db, 2, SLOT(9), SLOT(9), 0); /* it is there again */
	open_slot(b, 10);
	pass(b);
	expect_input(b, "old.rrd", 1, 2000);
	expect_input(b, "old.rrd", 9, 0);
	expect_no_warning(b);
	free(old);
	free(web);
}

static void a_spoilt_file_whose_bucket_has_ended_is_made_anew_when_it_is_moved_away(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "old.rrd");

	ledger_bed_bucket(b->writer.db, 1, "old");
	ledger_bed_epoch(b->writer.db, 1, SLOT(0), SLOT(0), SLOT(3) - 10);
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(20), 0);
	bytes(b, 1, 1, 2000, 2);
	open_slot(b, 5);
	pass(b);
	spoil(path);
	new_sink(b);
	for (int n = 6; n < 8; n++) {
		open_slot(b, n);
		pass(b);
	}
	assert_int_equal(unlink(path), 0);
	open_slot(b, 8);
	pass(b);
	expect_said(b, "is written again");
	expect_input(b, "old.rrd", 1, 2000);
	free(path);
}

/* Bucket 2 is that of a further address of bucket 1's vif: it lives from its first bytes on. */
static void a_further_address_is_0_while_idle_and_unknown_while_nobody_looked(void **state)
{
	struct bed *b = *state;
	sqlite3 *db = b->writer.db;
	char *path = path_of(b, "10.0.0.2.rrd"), *before, *after;

	live_bucket(b, 1, "10.0.0.1");
	ledger_bed_bucket(db, 2, "10.0.0.2");
	ledger_bed_sql(db, "UPDATE bucket SET kind = 'ip'");
	ledger_bed_run(db, SLOT(0), SLOT(8), SLOT(8));
	ledger_bed_run(db, SLOT(30), SLOT(40), 0);
	bytes(b, 2, 2, 1000, 10);
	bytes(b, 2, 32, 500, 5);
	ledger_bed_sql(db, "UPDATE take SET vif = 1");
	for (int slot = 1; slot <= 40; slot++) {
		open_slot(b, slot);
		pass(b);
		expect_no_warning(b);
	}
	expect_input(b, "10.0.0.2.rrd", 1, NAN);
	expect_input(b, "10.0.0.2.rrd", 2, 1000);
	expect_input(b, "10.0.0.2.rrd", 3, 0);
	expect_input(b, "10.0.0.2.rrd", 7, 0);
	expect_input(b, "10.0.0.2.rrd", 9, NAN);
	expect_input(b, "10.0.0.2.rrd", 28, NAN);
	expect_input(b, "10.0.0.2.rrd", 31, 0);
	expect_input(b, "10.0.0.2.rrd", 32, 500);
	expect_input(b, "10.0.0.2.rrd", 39, 0);

	before = dump(b, "10.0.0.2.rrd");
	assert_int_equal(unlink(path), 0);
	new_sink(b);
	pass(b);
	after = dump(b, "10.0.0.2.rrd");
	assert_string_equal(before, after);
	free(before);
	free(after);
	free(path);
}

static void a_rebuild_goes_no_further_back_than_the_longest_archive(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *text;
	int span = RRD_SPAN / RRD_STEP;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(3 * span), 0);
	bytes(b, 1, 0, 1, 1);
	bytes(b, 1, span, 2, 2);
	ledger_bed_epoch(b->writer.db, 1, SLOT(span), SLOT(span), SLOT(span + 2));
	bytes(b, 1, 2 * span, 4, 4);
	open_slot(b, 2 * span + 1);
	pass(b);
	expect_input(b, "web.rrd", 2 * span, 4);
	assert_int_equal(rrd_bed_last(path), SLOT(2 * span + 1));
	/* slot 0 is left out, the two live slots at the far end are not */
	text = dump(b, "web.rrd");
	assert_non_null(strstr(text, "<last_ds>4</last_ds>"));
	free(text);

	/* and a bucket that ended before has no file */
	ledger_bed_bucket(b->writer.db, 2, "old");
	bytes(b, 2, 1, 5, 5);
	open_slot(b, 2 * span + 2);
	pass(b);
	assert_false(there(b, "old.rrd"));
	free(path);
}

static void a_file_that_fails_is_named_once_and_catches_up_afterwards(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd");

	live_bucket(b, 1, "web");
	live_bucket(b, 2, "db");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	for (int i = 0; i < 60; i++) {
		bytes(b, 1, i, 100 + (uint64_t)i, 0);
		bytes(b, 2, i, 200 + (uint64_t)i, 0);
	}
	assert_int_equal(mkdir(b->rrd_dir, 0755), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	for (int n = 1; n < 30; n++) {
		open_slot(b, n);
		assert_int_equal(pass(b), n * 2); /* the ledger keeps it, so the sequence has passed */
		expect_input(b, "db.rrd", n - 1, 199 + n);
		if (n == 1)
			expect_said(
				b,
				"/web.rrd is not written: it is a directory; move it away; the ledger keeps");
		else
			assert_string_equal(b->said, "");
	}
	assert_int_equal(rmdir(path), 0);
	scratch_write(path, "x", 1);
	open_slot(b, 30);
	pass(b);
	expect_said(b, "/web.rrd is not written: librrd says: "); /* another cause: said again */
	assert_int_equal(unlink(path), 0);
	open_slot(b, 31);
	pass(b);
	expect_said(b, "info: RRD file ");
	expect_said(b, "/web.rrd is written again\n");
	for (int i = 0; i < 31; i++)
		expect_input(b, "web.rrd", i, 100 + i);
	free(path);
}

static void a_file_from_the_future_is_refused_until_it_is_moved_away(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd");
	char *words = mem_printf("create %s --step 300 --start 4000000000 DS:input:COUNTER:600:U:U "
				 "DS:output:COUNTER:600:U:U RRA:AVERAGE:0.5:1:600",
				 path);

	live_bucket(b, 1, "web");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	bytes(b, 1, 0, 5, 0);
	assert_int_equal(mkdir(b->rrd_dir, 0755), 0);
	rrd_bed_tool(words);
	open_slot(b, 1);
	pass(b);
	expect_said(b, "its last update, 2096-10-02 07:06:40 UTC, lies in the future; move it away");
	open_slot(b, 2);
	pass(b);
	assert_string_equal(b->said, "");
	assert_int_equal(unlink(path), 0);
	open_slot(b, 3);
	pass(b);
	expect_said(b, "is written again");
	expect_input(b, "web.rrd", 0, 5);
	free(words);
	free(path);
}

static void a_counter_file_is_taken_over_and_another_writer_is_noticed(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd");
	char *words = mem_printf("create %s --step 300 --start %lld DS:input:COUNTER:600:U:U "
				 "DS:output:COUNTER:600:U:U RRA:AVERAGE:0.5:1:600",
				 path, (long long)SLOT(-9));

	live_bucket(b, 1, "web");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	bytes(b, 1, 0, 5, 0);
	bytes(b, 1, 1, 7, 0);
	assert_int_equal(mkdir(b->rrd_dir, 0755), 0);
	rrd_bed_tool(words);
	free(words);
	words = mem_printf("update %s %lld:1000:1000 %lld:1300:1000", path, (long long)SLOT(-1),
			   (long long)SLOT(0));
	rrd_bed_tool(words);
	free(words);
	open_slot(b, 1);
	pass(b);
	assert_string_equal(b->said, "");
	expect_input(b, "web.rrd", -1, 300);
	expect_input(b, "web.rrd", 0, 5);

	words = mem_printf("update %s %lld:1306:1000", path, (long long)SLOT(1) + 100);
	rrd_bed_tool(words); /* the old job still runs */
	free(words);
	open_slot(b, 2);
	pass(b);
	expect_said(b, "web.rrd is also written by another program, last at ");
	expect_said(b, "an old cron job?");
	words = mem_printf("update %s %lld:1306:1000", path, (long long)SLOT(2) + 100);
	rrd_bed_tool(words);
	free(words);
	open_slot(b, 3);
	pass(b);
	assert_string_equal(b->said, ""); /* said once */
	free(path);
}

static void relabel(struct bed *b, int bucket, const char *label, int64_t when)
{
	ledger_bed_sql(b->writer.db,
		       "UPDATE bucket_label SET until = %lld WHERE bucket = %d AND until IS NULL",
		       (long long)when, bucket);
	ledger_bed_sql(b->writer.db, "INSERT INTO bucket_label(bucket, label, since) VALUES (%d, '%s', %lld)",
		       bucket, label, (long long)when);
}

static void the_history_follows_a_bucket_to_its_new_label(void **state)
{
	struct bed *b = *state;

	live_bucket(b, 1, "web");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	for (int i = 0; i < 9; i++)
		bytes(b, 1, i, 100 + (uint64_t)i, 0);
	open_slot(b, 2);
	pass(b);
	/* not the ledger's: it shows that the file was moved, not made anew */
	ledger_bed_sql(b->writer.db, "UPDATE take SET external_input = 999 WHERE slot = %lld",
		       (long long)SLOT(0));
	relabel(b, 1, "www", SLOT(2) + 7);
	relabel(b, 1, "shop", SLOT(2) + 9);
	open_slot(b, 3);
	pass(b);
	expect_said(b, "info: RRD file ");
	expect_said(b, "/web.rrd is now shop.rrd, as its label changed\n");
	assert_false(there(b, "web.rrd"));
	for (int i = 0; i < 3; i++)
		expect_input(b, "shop.rrd", i, 100 + i);

	relabel(b, 1, "web", SLOT(3) + 7); /* and back */
	open_slot(b, 4);
	pass(b);
	assert_false(there(b, "shop.rrd"));
	for (int i = 0; i < 4; i++)
		expect_input(b, "web.rrd", i, 100 + i);
}

static void a_file_that_is_locked_while_its_label_changes_follows_later(void **state)
{
	struct bed *b = *state;
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	char *path = path_of(b, "web.rrd");
	pid_t child;

	live_bucket(b, 1, "web");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	bytes(b, 1, 0, 11, 0);
	bytes(b, 1, 1, 22, 0);
	open_slot(b, 1);
	pass(b);
	relabel(b, 1, "shop", SLOT(1) + 7);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fd = open(path, O_RDONLY);

		if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	do { /* until it holds the lock */
		int fd = open(path, O_RDWR);
		struct flock seen = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

		assert_int_equal(fcntl(fd, F_GETLK, &seen), 0);
		close(fd);
		if (seen.l_type != F_UNLCK)
			break;
		usleep(1000);
	} while (1);
	open_slot(b, 2);
	pass(b);
	expect_said(b, "/shop.rrd is not written: another program has it locked");
	assert_true(there(b, "web.rrd") && !there(b, "shop.rrd"));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	open_slot(b, 3);
	pass(b);
	expect_said(b, "/web.rrd is now shop.rrd");
	expect_input(b, "shop.rrd", 0, 11);
	expect_input(b, "shop.rrd", 1, 22);
	free(path);
}

static void a_label_that_another_bucket_got_leaves_each_its_own_history(void **state)
{
	struct bed *b = *state;

	live_bucket(b, 1, "web");
	live_bucket(b, 2, "new");
	live_bucket(b, 3, "third");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	for (int i = 0; i < 9; i++)
		for (int bucket = 1; bucket <= 3; bucket++)
			bytes(b, bucket, i, (uint64_t)(bucket * 100 + i), 0);
	open_slot(b, 2);
	pass(b);
	/* at once: web becomes web-old, new becomes web, and third becomes new; what was committed just too
	 * late for the pass above dates from before the slot's end that it wrote */
	relabel(b, 1, "web-old", SLOT(2) - 3);
	relabel(b, 2, "web", SLOT(2) - 2);
	relabel(b, 3, "new", SLOT(2) - 1);
	open_slot(b, 3);
	pass(b);
	for (int i = 0; i < 3; i++) {
		expect_input(b, "web-old.rrd", i, 100 + i);
		expect_input(b, "web.rrd", i, 200 + i);
		expect_input(b, "new.rrd", i, 300 + i);
	}
	assert_false(there(b, "third.rrd"));
}

static void a_file_that_its_new_owner_has_written_to_stays_with_it(void **state)
{
	struct bed *b = *state;
	char *old = path_of(b, "web-old.rrd");

	live_bucket(b, 1, "web");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	bytes(b, 1, 0, 11, 0);
	open_slot(b, 1);
	pass(b);
	relabel(b, 1, "web-old", SLOT(1));
	ledger_bed_bucket(b->writer.db, 2, "web");
	ledger_bed_sql(b->writer.db, "UPDATE bucket_label SET since = %lld WHERE bucket = 2",
		       (long long)SLOT(1));
	bytes(b, 2, 1, 22, 0);
	bytes(b, 2, 2, 33, 0);
	open_slot(b, 3);
	pass(b);
	expect_input(b, "web.rrd", 2, 33);
	assert_int_equal(unlink(old),
			 0); /* somebody removes the moved file: it is made anew, web.rrd is not taken */
	open_slot(b, 4);
	pass(b);
	expect_input(b, "web.rrd", 1, 22);
	expect_input(b, "web-old.rrd", 0, 11);
	expect_no_warning(b);
	free(old);
}

static void two_buckets_that_change_their_labels_over_come_to_an_end(void **state)
{
	struct bed *b = *state;

	live_bucket(b, 1, "one");
	live_bucket(b, 2, "two");
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(99), 0);
	bytes(b, 1, 0, 1, 0);
	bytes(b, 2, 0, 2, 0);
	open_slot(b, 1);
	pass(b);
	relabel(b, 1, "x", SLOT(1) + 1);
	relabel(b, 2, "one", SLOT(1) + 2);
	relabel(b, 1, "two", SLOT(1) + 3);
	bytes(b, 1, 1, 11, 0);
	bytes(b, 2, 1, 22, 0);
	{
		char *path = path_of(b, "one.rrd");

		assert_int_equal(unlink(path), 0);
		free(path);
	}
	open_slot(b, 2);
	pass(b);
	expect_input(b, "two.rrd", 1, 11);
	expect_input(b, "one.rrd", 1, 22);
}

static void without_a_ledger_it_waits_and_a_bad_directory_is_an_error(void **state)
{
	struct bed *b = *state;
	struct sink_host host = {.say = say, .must_stop = must_stop, .arg = b};
	char *nowhere = mem_printf("%s/none.db", b->folder), *err = NULL;
	struct rrd_sink *waiting = rrd_sink_new(nowhere, b->rrd_dir, &host);
	int64_t seq;

	assert_int_equal(rrd_sink_pass(waiting, T0, &seq, &err), 1);
	assert_null(err);
	rrd_sink_free(waiting);
	free(nowhere);

	live_bucket(b, 1, "web");
	bytes(b, 1, 0, 11, 0);
	open_slot(b, 1);
	scratch_write(b->rrd_dir, "x", 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rrd_sink_pass(b->sink, SLOT(1), &seq, &err), -1);
		assert_int_equal(seq, 0);
		assert_non_null(strstr(err, "is no directory, or a symbolic link"));
	}
	assert_int_equal(unlink(b->rrd_dir), 0);
	assert_int_equal(pass(b), 1);
	expect_input(b, "web.rrd", 0, 11);
	free(err);
}

static void a_stop_between_two_batches_acknowledges_nothing(void **state)
{
	struct bed *b = *state;
	char *err = NULL;
	int64_t seq;

	for (int id = 1; id <= 3; id++) {
		char *label = mem_printf("vm%d", id);

		ledger_bed_bucket(b->writer.db, id, label);
		bytes(b, id, 0, 10 * (uint64_t)id, 0);
		free(label);
	}
	open_slot(b, DAY);
	b->stop_in = 2;
	assert_int_equal(rrd_sink_pass(b->sink, SLOT(DAY), &seq, &err), 1);
	assert_int_equal(seq, 0);
	assert_true(there(b, "vm1.rrd") && there(b, "vm2.rrd") && !there(b, "vm3.rrd"));
	b->stop_in = -1;
	assert_int_equal(pass(b), 3);
	for (int id = 1; id <= 3; id++) {
		char *name = mem_printf("vm%d.rrd", id);

		expect_input(b, name, 0, 10 * id);
		free(name);
	}
}

static void killed_passes_change_nothing_in_the_end(void **state)
{
	struct bed *b = *state;
	struct random r = random_new();
	char *want[4];

	ledger_bed_run(b->writer.db, SLOT(0), SLOT(40 * DAY), 0);
	for (int id = 1; id <= 4; id++) {
		char *label = mem_printf("vm%d", id);

		ledger_bed_bucket(b->writer.db, id, label);
		fill_days(b, id, 0, 40 * DAY);
		free(label);
	}
	open_slot(b, 40 * DAY);
	pass(b);
	for (int id = 1; id <= 4; id++) {
		char *name = mem_printf("vm%d.rrd", id), *path = path_of(b, name);

		want[id - 1] = dump(b, name);
		assert_int_equal(unlink(path), 0);
		free(path);
		free(name);
	}
	for (int kills = 0; kills < 40; kills++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			char *err = NULL;
			int64_t seq;

			setpgid(0, 0); /* its own child is killed too */
			new_sink(b);
			rrd_sink_pass(b->sink, SLOT(b->open), &seq, &err);
			_exit(0);
		}
		setpgid(child, child);
		usleep((unsigned)random_below(&r, 60000));
		kill(-child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
	}
	new_sink(b);
	pass(b);
	expect_no_warning(b);
	for (int id = 1; id <= 4; id++) {
		char *name = mem_printf("vm%d.rrd", id), *seen = dump(b, name);

		assert_string_equal(want[id - 1], seen);
		free(seen);
		free(want[id - 1]);
		free(name);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_bucket_gets_its_file_and_the_newest_sequence_is_acknowledged_once),
		TEST(a_missing_file_is_rebuilt_as_it_was),
		TEST(a_file_whose_bucket_has_ended_is_left_alone),
		TEST(a_spoilt_file_whose_bucket_has_ended_is_made_anew_when_it_is_moved_away),
		TEST(a_further_address_is_0_while_idle_and_unknown_while_nobody_looked),
		TEST(a_rebuild_goes_no_further_back_than_the_longest_archive),
		TEST(a_file_that_fails_is_named_once_and_catches_up_afterwards),
		TEST(a_file_from_the_future_is_refused_until_it_is_moved_away),
		TEST(a_counter_file_is_taken_over_and_another_writer_is_noticed),
		TEST(the_history_follows_a_bucket_to_its_new_label),
		TEST(a_file_that_is_locked_while_its_label_changes_follows_later),
		TEST(a_label_that_another_bucket_got_leaves_each_its_own_history),
		TEST(a_file_that_its_new_owner_has_written_to_stays_with_it),
		TEST(two_buckets_that_change_their_labels_over_come_to_an_end),
		TEST(without_a_ledger_it_waits_and_a_bad_directory_is_an_error),
		TEST(a_stop_between_two_batches_acknowledges_nothing),
		TEST(killed_passes_change_nothing_in_the_end),
	};

	return cmocka_run_group_tests_name("rrd_sink", tests, NULL, NULL);
}
