/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RRD files written by db/rrd from db/rrd_plan's updates, read back by librrd: every byte in its slot; old
 * files gone on with; files that cannot be used; kills.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"
#include "db/rrd.h"
#include "db/rrd_tasks.h"
#include "tests/support/rrd_bed.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*RRD_STEP)

#define ARTICLE_DS "DS:input:COUNTER:600:U:U DS:output:COUNTER:600:U:U"
#define ARTICLE_RRA                                                                                   \
	"RRA:AVERAGE:0.5:1:600 RRA:AVERAGE:0.5:6:700 RRA:AVERAGE:0.5:24:775 RRA:AVERAGE:0.5:288:797 " \
	"RRA:MAX:0.5:1:600 RRA:MAX:0.5:6:700 RRA:MAX:0.5:24:775 RRA:MAX:0.5:288:797"

static const char *const columns[RRD_COLUMNS] = {
	"input",        "output",        "peer_input",  "peer_output",
	"direct_input", "direct_output", "local_input", "local_output",
};

struct bed {
	char *path; /* of the directory */
	struct rrd_dir dir;
};

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));
	char *err = NULL;

	b->path = scratch_new();
	*state = b;
	return rrd_dir_open(&b->dir, b->path, &err);
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	rrd_dir_close(&b->dir);
	scratch_free(b->path);
	free(b);
	return 0;
}

static char *path_of(const struct bed *b, const char *name)
{
	return mem_printf("%s/%s", b->path, name);
}

static struct rrd_state read_file(const struct bed *b, const char *name)
{
	struct rrd_state s;
	char *err = NULL;

	if (rrd_dir_read(&b->dir, &name, 1, &s, &err) < 0)
		fail_msg("%s", err);
	return s;
}

static struct rrd_outcome do_job(const struct bed *b, const struct rrd_job *job)
{
	struct rrd_outcome o;
	char *err = NULL;

	if (rrd_dir_write(&b->dir, job, 1, &o, &err) < 0)
		fail_msg("%s", err);
	return o;
}

/* One pass over one file. */
static struct rrd_outcome bring_up(const struct bed *b, const char *name, int64_t from, int64_t to,
				   const struct rrd_usage *usage)
{
	struct rrd_state s = read_file(b, name);
	bool missing = s.outcome.cause == RRD_MISSING;
	struct rrd_job job = {.name = name,
			      .mode = missing ? RRD_BEGIN : RRD_GO_ON,
			      .place = missing,
			      .after = s.tail.last_update,
			      .columns = s.columns};

	if (s.outcome.cause == RRD_FINE || missing) {
		rrd_plan(&s.tail, from, to, usage, &job.updates);
		s.outcome = do_job(b, &job);
		free(job.updates.list);
	}
	return s.outcome;
}

static void expect_fine(struct rrd_outcome o)
{
	if (o.cause != RRD_FINE)
		fail_msg("cause %d: %s", o.cause, o.reason);
}

static void expect_trouble(struct rrd_outcome o, int cause, const char *words)
{
	if (o.cause != cause || !strstr(o.reason, words))
		fail_msg("expected cause %d and `%s`, got %d: %s", cause, words, o.cause, o.reason);
}

/* A few slots with bytes, for files of which only that they are written matters. */
static struct rrd_slot some_slots[] = {
	{.slot = SLOT(0), .bytes = {300, 600, 1, 2, 3, 4, 5, 6}},
	{.slot = SLOT(1), .bytes = {900, 30, 1, 2, 3, 4, 5, 6}},
	{.slot = SLOT(2), .bytes = {7, 8, 9, 10, 11, 12, 13, 14}},
};
static const struct rrd_usage some = {.slots = some_slots, .slot_count = 3};

static void expect_slot(const char *path, const char *column, int64_t slot, double bytes)
{
	double seen = rrd_bed_slot(path, column, slot);

	if (isnan(bytes) ? !isnan(seen) : !(fabs(seen - bytes) < 0.001))
		fail_msg("%s of slot %" PRId64 ": expected %f, seen %f", column, slot, bytes, seen);
}

static void expect_some(const char *path)
{
	for (int s = 0; s < 3; s++)
		for (int c = 0; c < RRD_COLUMNS; c++)
			expect_slot(path, columns[c], SLOT(s), (double)some_slots[s].bytes[c]);
}

static void a_new_file_has_netaccts_columns_and_the_articles_archives(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *dump;
	struct stat st;
	size_t at = 0;

	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
	expect_some(path);
	dump = rrd_bed_dump(path);
	for (int c = 0; c < RRD_COLUMNS; c++) {
		char *want = mem_printf("<name> %s </name>", columns[c]);
		const char *found = strstr(dump + at, want);

		assert_non_null(found);
		at = (size_t)(found - dump);
		free(want);
	}
	free(dump);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	/* 8 columns of 8 bytes in twice 600 + 700 + 775 + 797 rows, and a header below 10 kB */
	assert_in_range(st.st_size, 2 * (600 + 700 + 775 + 797) * 64,
			2 * (600 + 700 + 775 + 797) * 64 + 10000);
	free(path);
}

/* Slots of `days` days with bytes, idle life and gaps of one to nine slots. */
static struct rrd_usage make_days(int days)
{
	size_t count = (size_t)days * 288;
	struct rrd_usage u = {.slots = mem_array(count, sizeof(*u.slots)),
			      .lives = mem_array(count, sizeof(*u.lives))};
	struct random r = random_new();

	for (size_t i = 0; i < count;) {
		uint64_t kind = random_below(&r, 4),
			 length = 1 + random_below(&r, 9); /* kind 0 gap, 1 idle, else bytes */

		for (; length > 0 && i < count; length--, i++) {
			if (kind == 0)
				continue;
			u.lives[u.life_count++] = (struct rrd_life){SLOT(i) + 7, SLOT(i) + 11};
			if (kind == 1)
				continue;
			u.slots[u.slot_count].slot = SLOT(i);
			for (int c = 0; c < RRD_COLUMNS; c++)
				u.slots[u.slot_count].bytes[c] = random_next(&r) >> (14 + c * 6);
			u.slot_count++;
		}
	}
	return u;
}

static void every_byte_of_four_days_with_gaps_is_in_its_slot(void **state)
{
	struct bed *b = *state;
	struct rrd_usage u = make_days(4);
	char *path = path_of(b, "days.rrd");
	size_t at = 0, unknown = 0, zero = 0;

	for (int day = 0; day < 4; day++) {
		expect_fine(bring_up(b, "days.rrd", SLOT(0), SLOT((day + 1) * 288), &u));
		for (int i = day * 288; i < (day + 1) * 288; i++) {
			double rate = rrd_bed_slot(path, "input", SLOT(i));

			if (at < u.slot_count && u.slots[at].slot == SLOT(i)) {
				for (int c = 0; c < RRD_COLUMNS; c++)
					assert_int_equal(llround(rrd_bed_slot(path, columns[c], SLOT(i))),
							 u.slots[at].bytes[c]);
				at++;
			} else if (isnan(rate)) {
				unknown++;
			} else {
				assert_true(rate == 0);
				zero++;
			}
		}
	}
	assert_int_equal(at, u.slot_count);
	assert_true(at > 200 && unknown > 10 && zero > 50);
	rrd_usage_free(&u);
	free(path);
}

static void a_gap_longer_than_the_heartbeat_is_unknown_and_an_idle_slot_is_zero(void **state)
{
	struct bed *b = *state;
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {10}}, {.slot = SLOT(4), .bytes = {20}}};
	struct rrd_life lives[] = {{SLOT(0), SLOT(1)}, {SLOT(4), SLOT(7)}};
	struct rrd_usage u = {slots, 2, lives, 2};
	char *path = path_of(b, "gap.rrd");

	expect_fine(bring_up(b, "gap.rrd", SLOT(0), SLOT(7), &u));
	expect_slot(path, "input", SLOT(-1), NAN);
	expect_slot(path, "input", SLOT(0), 10);
	for (int i = 1; i < 4; i++)
		expect_slot(path, "input", SLOT(i), NAN);
	expect_slot(path, "input", SLOT(4), 20);
	expect_slot(path, "input", SLOT(5), 0);
	expect_slot(path, "input", SLOT(6), 0);
	free(path);
}

static void sums_above_two_to_the_53_and_the_63_lose_nothing(void **state)
{
	struct bed *b = *state;
	uint64_t huge[] = {(1ull << 53) - 50, (1ull << 63) - 50, UINT64_MAX - 1000};

	for (size_t i = 0; i < sizeof(huge) / sizeof(*huge); i++) {
		char *name = mem_printf("huge%zu.rrd", i), *path = path_of(b, name);
		struct rrd_update list[] = {
			{.time = SLOT(0), .value = {huge[i], 0}},
			{.time = SLOT(1), .value = {huge[i] + 101, 0}},
			{.time = SLOT(2), .value = {huge[i] + 104, 0}},
		};
		struct rrd_job job = {.name = name, .mode = RRD_BEGIN, .place = true, .updates = {list, 3}};
		struct rrd_state s;

		expect_fine(do_job(b, &job));
		expect_slot(path, "input", SLOT(0), 101);
		expect_slot(path, "input", SLOT(1), 3);
		s = read_file(b, name);
		expect_fine(s.outcome);
		assert_int_equal(s.tail.value[0], huge[i] + 104);
		assert_int_equal(s.tail.last_update, SLOT(2));
		free(path);
		free(name);
	}
}

static void a_sum_that_wraps_costs_one_slot(void **state)
{
	struct bed *b = *state;
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {100}}, {.slot = SLOT(1), .bytes = {7}}};
	struct rrd_usage u = {.slots = slots, .slot_count = 2};
	struct rrd_update base[] = {{.time = SLOT(-1), .value = {UINT64_MAX - 60}},
				    {.time = SLOT(0), .value = {UINT64_MAX - 50}}};
	struct rrd_job job = {.name = "wrap.rrd", .mode = RRD_BEGIN, .place = true, .updates = {base, 2}};
	char *path = path_of(b, "wrap.rrd");

	expect_fine(do_job(b, &job));
	expect_fine(bring_up(b, "wrap.rrd", SLOT(0), SLOT(2), &u));
	expect_slot(path, "input", SLOT(-1), 10);
	expect_slot(path, "input", SLOT(0), NAN);
	expect_slot(path, "input", SLOT(1), 7);
	free(path);
}

static void a_petabyte_in_one_slot_is_exact(void **state)
{
	struct bed *b = *state;
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {(1ull << 50) - 1, (1ull << 50) - 2}}};
	struct rrd_usage u = {.slots = slots, .slot_count = 1};
	char *path = path_of(b, "big.rrd");

	expect_fine(bring_up(b, "big.rrd", SLOT(0), SLOT(1), &u));
	assert_int_equal(llround(rrd_bed_slot(path, "input", SLOT(0))), (1ll << 50) - 1);
	assert_int_equal(llround(rrd_bed_slot(path, "output", SLOT(0))), (1ll << 50) - 2);
	free(path);
}

static void a_second_pass_leaves_the_file_as_it_is_to_the_byte(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *before, *after;
	size_t size_before, size_after;
	struct stat st_before, st_after;

	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
	before = scratch_read(path, &size_before);
	assert_int_equal(stat(path, &st_before), 0);
	for (int i = 0; i < 3; i++)
		expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
	after = scratch_read(path, &size_after);
	assert_int_equal(stat(path, &st_after), 0);
	assert_int_equal(size_before, size_after);
	assert_memory_equal(before, after, size_before);
	assert_int_equal(st_before.st_ino, st_after.st_ino);
	assert_int_equal(st_before.st_mtim.tv_nsec, st_after.st_mtim.tv_nsec);
	free(before);
	free(after);
	free(path);
}

/* Dies by SIGKILL after the first `done` updates of a pass. */
static void killed_pass(struct bed *b, const char *name, int64_t to, const struct rrd_usage *u, size_t done)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct rrd_state s = read_file(b, name);
		bool missing = s.outcome.cause == RRD_MISSING;
		struct rrd_job job = {.name = name,
				      .mode = missing ? RRD_BEGIN : RRD_GO_ON,
				      .place = missing,
				      .after = s.tail.last_update,
				      .columns = s.columns};

		rrd_plan(&s.tail, SLOT(0), to, u, &job.updates);
		if (job.updates.count > done)
			job.updates.count = done;
		do_job(b, &job);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void a_kill_between_two_updates_changes_nothing_in_the_end(void **state)
{
	struct bed *b = *state;
	struct rrd_usage u = make_days(1);
	char *whole = path_of(b, "whole.rrd"), *killed = path_of(b, "killed.rrd"), *want, *seen;

	expect_fine(bring_up(b, "whole.rrd", SLOT(0), SLOT(288), &u));
	want = rrd_bed_dump(whole);
	for (size_t done = 1; done < 40; done += 3) {
		killed_pass(b, "killed.rrd", SLOT(288), &u, done);
		killed_pass(b, "killed.rrd", SLOT(288), &u, 5);
		expect_fine(bring_up(b, "killed.rrd", SLOT(0), SLOT(288), &u));
		seen = rrd_bed_dump(killed);
		assert_string_equal(seen, want);
		free(seen);
		assert_int_equal(unlink(killed), 0);
	}
	free(want);
	free(killed);
	free(whole);
	rrd_usage_free(&u);
}

static void a_file_built_in_parts_is_not_there_before_it_is_whole(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd");
	struct rrd_tail tail = {0};
	struct rrd_job job = {.name = "web.rrd", .mode = RRD_BEGIN};

	for (int i = 0; i < 3; i++) {
		rrd_plan(&tail, SLOT(i), SLOT(i + 1), &some, &job.updates);
		expect_fine(do_job(b, &job));
		free(job.updates.list);
		assert_true(access(path, F_OK) < 0);
		job.mode = RRD_BUILD;
	}
	job.updates = (struct rrd_updates){0};
	job.place = true;
	expect_fine(do_job(b, &job));
	expect_some(path);

	/* nor does it take the place of another */
	job.mode = RRD_BEGIN;
	tail = (struct rrd_tail){0};
	rrd_plan(&tail, SLOT(0), SLOT(1), &some, &job.updates);
	expect_trouble(do_job(b, &job), EEXIST, "cannot put it in its place: File exists");
	free(job.updates.list);
	expect_some(path);
	free(path);
}

static void what_a_kill_left_half_made_goes_away(void **state)
{
	struct bed *b = *state;
	char *one = path_of(b, ".xenbw-new"), *two = path_of(b, ".xenbw-newAbCdEf"), *err = NULL;
	char *kept = path_of(b, "web.rrd");

	scratch_write(one, "x", 1);
	scratch_write(two, "x", 1);
	scratch_write(kept, "x", 1);
	rrd_dir_close(&b->dir);
	assert_int_equal(rrd_dir_open(&b->dir, b->path, &err), 0);
	assert_false((access(one, F_OK) == 0));
	assert_false((access(two, F_OK) == 0));
	assert_true((access(kept, F_OK) == 0));
	free(one);
	free(two);
	free(kept);
}

/* A file as the article makes it, with `--start` before T0. */
static char *article_file(const struct bed *b, const char *name, const char *ds, int step)
{
	char *path = path_of(b, name);
	char *words =
		mem_printf("create %s --step %d --start %d %s %s", path, step, T0 - 3000, ds, ARTICLE_RRA);

	rrd_bed_tool(words);
	free(words);
	return path;
}

static void tool_update(const char *path, int64_t time, const char *values)
{
	char *words = mem_printf("update %s %" PRId64 ":%s", path, time, values);

	rrd_bed_tool(words);
	free(words);
}

static void a_counter_file_of_the_article_is_gone_on_with(void **state)
{
	struct bed *b = *state;
	char *path = article_file(b, "192.168.1.1.rrd", ARTICLE_DS, 300), *dump;
	struct rrd_state s;

	tool_update(path, SLOT(-2), "5000000000:100");
	tool_update(path, SLOT(-1), "5000003000:100");
	tool_update(path, SLOT(0), "5000004500:400");
	s = read_file(b, "192.168.1.1.rrd");
	expect_fine(s.outcome);
	assert_int_equal(s.columns, 3);
	assert_int_equal(s.tail.last_update, SLOT(0));
	assert_int_equal(s.tail.value[0], 5000004500);
	assert_int_equal(s.tail.value[1], 400);

	expect_fine(bring_up(b, "192.168.1.1.rrd", SLOT(0), SLOT(3), &some));
	expect_slot(path, "input", SLOT(-2), 3000);
	expect_slot(path, "input", SLOT(-1), 1500);
	for (int i = 0; i < 3; i++) {
		expect_slot(path, "input", SLOT(i), (double)some_slots[i].bytes[0]);
		expect_slot(path, "output", SLOT(i), (double)some_slots[i].bytes[1]);
	}
	dump = rrd_bed_dump(path);
	assert_non_null(strstr(dump, "<type> COUNTER </type>"));
	assert_null(strstr(dump, "DERIVE"));
	assert_non_null(strstr(dump, "<last_ds>5000005707</last_ds>"));
	free(dump);
	free(path);
}

static void a_counter_file_with_a_gap_before_xenbw_goes_on_without_a_spike(void **state)
{
	struct bed *b = *state;
	char *path = article_file(b, "a.rrd", ARTICLE_DS, 300);
	struct rrd_slot slots[] = {{.slot = SLOT(20), .bytes = {1200, 12}}};
	struct rrd_usage u = {.slots = slots, .slot_count = 1};

	tool_update(path, SLOT(-1) + 207, "4294967000:77");
	expect_fine(bring_up(b, "a.rrd", SLOT(0), SLOT(21), &u));
	for (int i = 0; i < 20; i++)
		expect_slot(path, "input", SLOT(i), NAN);
	expect_slot(path, "input", SLOT(20), 1200);
	expect_slot(path, "output", SLOT(20), 12);
	free(path);
}

static void an_update_of_the_old_job_inside_a_slot_keeps_its_part(void **state)
{
	struct bed *b = *state;
	char *path = article_file(b, "b.rrd", ARTICLE_DS, 300);
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {930, 31}}, {.slot = SLOT(1), .bytes = {4, 5}}};
	struct rrd_life lives[] = {{SLOT(0) + 207, SLOT(2)}};
	struct rrd_usage u = {slots, 2, lives, 1};

	/* every 300 s at 207 s into the slot: 690 of its 1000 bytes lie in slot 0 */
	tool_update(path, SLOT(-2) + 207, "1000:0");
	tool_update(path, SLOT(-1) + 207, "1000:0");
	tool_update(path, SLOT(0) + 207, "2000:0");
	expect_fine(bring_up(b, "b.rrd", SLOT(0), SLOT(2), &u));
	expect_slot(path, "input", SLOT(-1), 310);
	expect_slot(path, "input", SLOT(0), 690 + 930);
	expect_slot(path, "output", SLOT(0), 31);
	expect_slot(path, "input", SLOT(1), 4);
	free(path);
}

static void a_counter_file_without_values_begins_at_zero(void **state)
{
	struct bed *b = *state;
	char *path = article_file(b, "c.rrd", ARTICLE_DS, 300);

	expect_fine(bring_up(b, "c.rrd", SLOT(0), SLOT(3), &some));
	expect_slot(path, "input", SLOT(-1), NAN);
	for (int i = 0; i < 3; i++)
		expect_slot(path, "input", SLOT(i), (double)some_slots[i].bytes[0]);
	free(path);
}

static void the_articles_empty_update_is_an_unknown_value(void **state)
{
	struct bed *b = *state;
	char *path = article_file(b, "d.rrd", ARTICLE_DS, 300);
	struct rrd_state s;

	/* what its script sends is `N::`: time and two empty values; here with a time, and inside slot 0 */
	tool_update(path, SLOT(-1) + 3, ":");
	tool_update(path, SLOT(0) + 3, ":");
	s = read_file(b, "d.rrd");
	expect_fine(s.outcome);
	assert_int_equal(s.tail.value[0], 0);
	expect_fine(bring_up(b, "d.rrd", SLOT(0), SLOT(3), &some));
	/* slot 0 has no known start: it stays unknown, and its end is the base of the next */
	expect_slot(path, "input", SLOT(0), NAN);
	expect_slot(path, "input", SLOT(1), 900);
	expect_slot(path, "output", SLOT(2), 8);
	free(path);
}

static void a_wrap_of_the_old_counter_is_not_ours_to_make(void **state)
{
	struct bed *b = *state;
	char *path = article_file(b, "e.rrd", ARTICLE_DS, 300);

	/* just below 2^32, where COUNTER would look for a wrap if the value fell */
	tool_update(path, SLOT(-1), "4294967290:4294967290");
	tool_update(path, SLOT(0), "4294967295:4294967290");
	expect_fine(bring_up(b, "e.rrd", SLOT(0), SLOT(3), &some));
	for (int i = 0; i < 3; i++)
		expect_slot(path, "input", SLOT(i), (double)some_slots[i].bytes[0]);
	free(path);
}

static void other_columns_of_a_file_stay_unknown_and_the_order_does_not_matter(void **state)
{
	struct bed *b = *state;
	char *path =
		article_file(b, "f.rrd",
			     "DS:output:COUNTER:600:U:U DS:load:GAUGE:600:U:U DS:peer_input:DERIVE:600:0:U "
			     "DS:input:DERIVE:600:0:U DS:local_input:GAUGE:600:0:U",
			     300);
	struct rrd_state s = read_file(b, "f.rrd");

	expect_fine(s.outcome);
	assert_int_equal(s.columns, 7); /* input, output, peer_input; a GAUGE is not ours */
	expect_fine(bring_up(b, "f.rrd", SLOT(0), SLOT(3), &some));
	expect_slot(path, "input", SLOT(1), 900);
	expect_slot(path, "output", SLOT(1), 30);
	expect_slot(path, "peer_input", SLOT(2), 9);
	expect_slot(path, "load", SLOT(1), NAN);
	expect_slot(path, "local_input", SLOT(1), NAN);
	free(path);
}

static void files_of_another_shape_are_refused_and_not_touched(void **state)
{
	struct bed *b = *state;
	const struct {
		const char *name, *ds, *words;
		int step;
	} shapes[] = {
		{"step.rrd", ARTICLE_DS, "its step is 60 seconds, and must be 300", 60},
		{"only.rrd", "DS:input:COUNTER:600:U:U", "no data sources `input` and `output`", 300},
		{"gauge.rrd", "DS:input:GAUGE:600:U:U DS:output:GAUGE:600:U:U", "COUNTER or DERIVE", 300},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		char *path = article_file(b, shapes[i].name, shapes[i].ds, shapes[i].step);
		size_t size_before, size_after;
		char *before = scratch_read(path, &size_before), *after;

		expect_trouble(bring_up(b, shapes[i].name, SLOT(0), SLOT(3), &some), RRD_SHAPE,
			       shapes[i].words);
		after = scratch_read(path, &size_after);
		assert_int_equal(size_before, size_after);
		assert_memory_equal(before, after, size_before);
		free(before);
		free(after);
		free(path);
	}
}

/* Brings up a.rrd, NAME and z.rrd in one go, and returns what became of NAME; the other two must be written.
 */
static struct rrd_outcome among_others(struct bed *b, const char *name)
{
	const char *names[] = {"a.rrd", name, "z.rrd"};
	struct rrd_job jobs[3];
	struct rrd_outcome outcomes[3], middle;
	struct rrd_state states[3];
	char *err = NULL;

	assert_int_equal(rrd_dir_read(&b->dir, names, 3, states, &err), 0);
	middle = states[1].outcome;
	for (int i = 0; i < 3; i++) {
		bool missing = states[i].outcome.cause == RRD_MISSING;

		jobs[i] = (struct rrd_job){.name = names[i],
					   .mode = missing ? RRD_BEGIN : RRD_GO_ON,
					   .place = missing,
					   .after = states[i].tail.last_update,
					   .columns = states[i].columns};
		if (states[i].outcome.cause == RRD_FINE || missing)
			rrd_plan(&states[i].tail, SLOT(0), SLOT(3), &some, &jobs[i].updates);
	}
	assert_int_equal(rrd_dir_write(&b->dir, jobs, 3, outcomes, &err), 0);
	if (middle.cause == RRD_FINE || middle.cause == RRD_MISSING)
		middle = outcomes[1];
	for (int i = 0; i < 3; i++)
		free(jobs[i].updates.list);
	for (int i = 0; i < 3; i += 2) {
		char *path = path_of(b, names[i]);

		expect_fine(outcomes[i]);
		expect_some(path);
		assert_int_equal(unlink(path), 0);
		free(path);
	}
	return middle;
}

static void damaged_files_are_named_and_the_others_go_on(void **state)
{
	struct bed *b = *state;
	char *good = path_of(b, "good.rrd"), *bad = path_of(b, "bad.rrd"), *bytes;
	size_t size;

	expect_fine(bring_up(b, "good.rrd", SLOT(0), SLOT(1), &some));
	bytes = scratch_read(good, &size);

	scratch_write(bad, "", 0);
	expect_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "it is empty; move it away");
	scratch_write(bad, "no RRD file at all", 18);
	expect_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "librrd says: ");
	scratch_write(bad, bytes, size - 1);
	expect_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "'bad.rrd' is too small");
	scratch_write(bad, bytes, 700);
	expect_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "move it away, and it is made anew");
	memcpy(bytes + 4, "0099", 4); /* a later version of the format */
	scratch_write(bad, bytes, size);
	expect_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "can't handle RRD file version 0099");
	memcpy(bytes + 4, "0003", 4);
	/* 2^64-1 archives, and then an archive with rows of 0 steps: librrd 1.7.2 dies of both. Of the first
	 * by SIGSEGV or SIGBUS: it reads behind the file's map, where another map may be by chance. */
	memset(bytes + 32, 0xff, 8);
	scratch_write(bad, bytes, size);
	expect_trouble(among_others(b, "bad.rrd"), RRD_DEADLY, "librrd died of it (");
	memset(bytes + 32, 0, 8);
	bytes[32] = 8;
	memset(bytes + 1120, 0, 8);
	scratch_write(bad, bytes, size);
	expect_trouble(among_others(b, "bad.rrd"), RRD_DEADLY,
		       "librrd died of it (Floating point exception)");
	free(bytes);
	free(good);
	free(bad);
}

/* Files spoilt in their header: whatever librrd does, this process and the other files are well. */
static void no_spoilt_header_harms_the_others(void **state)
{
	struct bed *b = *state;
	char *good = path_of(b, "good.rrd"), *bad = path_of(b, "bad.rrd"), *bytes, *spoilt;
	size_t size, header;
	struct random r = random_new();

	expect_fine(bring_up(b, "good.rrd", SLOT(0), SLOT(1), &some));
	bytes = scratch_read(good, &size);
	spoilt = mem_alloc(size);
	header = size - (size_t)2 * (600 + 700 + 775 + 797) * 64;
	for (int i = 0; i < 100; i++) {
		memcpy(spoilt, bytes, size);
		memset(spoilt + random_below(&r, header - 8), i % 2 ? 0xff : 0, 1 + i % 8);
		scratch_write(bad, spoilt, size);
		among_others(b, "bad.rrd");
	}
	free(spoilt);
	free(bytes);
	free(good);
	free(bad);
}

static void links_folders_and_pipes_are_not_followed_or_used(void **state)
{
	struct bed *b = *state;
	char *target = path_of(b, "target.rrd"), *bad = path_of(b, "bad.rrd"), *before, *after;
	size_t size_before, size_after;

	expect_fine(bring_up(b, "target.rrd", SLOT(0), SLOT(1), &some));
	before = scratch_read(target, &size_before);
	assert_int_equal(symlink(target, bad), 0);
	expect_trouble(among_others(b, "bad.rrd"), ELOOP, "it is a symbolic link, which is not followed");
	assert_int_equal(unlink(bad), 0);
	assert_int_equal(symlink("/nowhere", bad), 0);
	expect_trouble(among_others(b, "bad.rrd"), ELOOP, "put the file itself there");
	assert_int_equal(unlink(bad), 0);
	assert_int_equal(mkdir(bad, 0755), 0);
	expect_trouble(among_others(b, "bad.rrd"), RRD_NO_FILE, "it is a directory; move it away");
	assert_int_equal(rmdir(bad), 0);
	assert_int_equal(mkfifo(bad, 0644), 0);
	expect_trouble(among_others(b, "bad.rrd"), RRD_NO_FILE, "it is no regular file; move it away");
	after = scratch_read(target, &size_after);
	assert_memory_equal(before, after, size_before);
	free(before);
	free(after);
	free(target);
	free(bad);
}

/* Runs `body` in a child, which may give up what this process must keep. 77 is "cannot be tried here". */
static void in_child(void (*body)(struct bed *b), struct bed *b)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		body(b);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child failed (status %x)", (unsigned)status);
}

/* In a child a failed assertion must not unwind into the runner. */
#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                       \
		}                                                                       \
	} while (0)

static struct rrd_outcome bring_up_in_child(struct bed *b, const char *name)
{
	struct rrd_state s;
	struct rrd_job job = {.name = name};
	char *err = NULL;

	CHECK(rrd_dir_read(&b->dir, &name, 1, &s, &err) == 0);
	job.place = s.outcome.cause == RRD_MISSING;
	job.mode = job.place ? RRD_BEGIN : RRD_GO_ON;
	job.columns = s.columns;
	job.after = s.tail.last_update;
	if (s.outcome.cause == RRD_FINE || job.place) {
		rrd_plan(&s.tail, SLOT(0), SLOT(3), &some, &job.updates);
		CHECK(rrd_dir_write(&b->dir, &job, 1, &s.outcome, &err) == 0);
		free(job.updates.list);
	}
	return s.outcome;
}

static void without_capabilities(struct bed *b)
{
	char *path = path_of(b, "ro.rrd"), *err = NULL;
	struct rrd_outcome o;
	struct rrd_dir dir;

	CHECK(bring_up_in_child(b, "ro.rrd").cause == RRD_FINE);
	CHECK(chmod(path, 0444) == 0);
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_BOTH) != 0)
		_exit(77);
	o = bring_up_in_child(b, "ro.rrd");
	CHECK(o.cause == EACCES);
	CHECK(strstr(o.reason, "and `chmod g+rw` it, or `chown "));
	o = bring_up_in_child(b, "z.rrd");
	CHECK(o.cause == RRD_FINE);
	CHECK(chmod(b->path, 0555) == 0);
	CHECK(flock(b->dir.fd, LOCK_UN) == 0); /* our parent has it open too */
	CHECK(rrd_dir_open(&dir, b->path, &err) < 0);
	CHECK(strstr(err, "cannot write in RRD directory"));
	CHECK(chmod(b->path, 0755) == 0);
	CHECK(rrd_dir_open(&dir, b->path, &err) == 0);
}

static void a_read_only_file_or_directory_is_named(void **state)
{
	in_child(without_capabilities, *state);
}

static void on_a_small_disk(struct bed *b)
{
	char *mount_path = path_of(b, "disk"), *path, *hole, *copy, *err = NULL, *bytes;
	struct bed small = {.path = mount_path};
	struct rrd_outcome o;
	size_t size;
	int fd;

	CHECK(mkdir(mount_path, 0755) == 0);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", mount_path, "tmpfs", 0, "size=1m") < 0)
		_exit(77);
	CHECK(rrd_dir_open(&small.dir, mount_path, &err) == 0);
	CHECK(bring_up_in_child(&small, "one.rrd").cause == RRD_FINE);

	/* a copy of it with a hole in place of all rows */
	path = path_of(&small, "one.rrd");
	hole = path_of(&small, "hole.rrd");
	bytes = scratch_read(path, &size);
	scratch_write(hole, bytes, 8192);
	CHECK(truncate(hole, (off_t)size) == 0);

	copy = path_of(&small, "ballast");
	fd = open(copy, O_WRONLY | O_CREAT, 0644);
	CHECK(fd >= 0);
	while (write(fd, bytes, 4096) > 0)
		;
	CHECK(errno == ENOSPC);

	o = bring_up_in_child(&small, "two.rrd");
	CHECK(o.cause == ENOSPC);
	CHECK(strcmp(o.reason, "No space left on device; free some") == 0);
	free(path);
	path = path_of(&small, "two.rrd");
	CHECK(!(access(path, F_OK) == 0));

	/* of a hole that cannot be filled the kernel says SIGBUS */
	{
		struct rrd_slot next[] = {{.slot = SLOT(9), .bytes = {1, 2}}};
		struct rrd_usage u = {.slots = next, .slot_count = 1};
		struct rrd_state s;
		const char *name = "hole.rrd";
		struct rrd_job job = {.name = name};

		CHECK(rrd_dir_read(&small.dir, &name, 1, &s, &err) == 0);
		CHECK(s.outcome.cause == RRD_FINE);
		job.columns = s.columns;
		job.after = s.tail.last_update;
		rrd_plan(&s.tail, SLOT(9), SLOT(10), &u, &job.updates);
		CHECK(rrd_dir_write(&small.dir, &job, 1, &o, &err) == 0);
		CHECK(o.cause == RRD_DEADLY);
		CHECK(strstr(o.reason, "Bus error") && strstr(o.reason, "the disk is full"));
	}

	/* with room again both are written */
	CHECK(unlink(copy) == 0 && close(fd) == 0);
	CHECK(bring_up_in_child(&small, "two.rrd").cause == RRD_FINE);
	_exit(0);
}

static void a_full_disk_is_named_and_harms_no_other_file(void **state)
{
	in_child(on_a_small_disk, *state);
}

/* Holds a read lock on the file, as rrdtool does while it draws. */
static pid_t hold_lock(const char *path, unsigned milliseconds)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
		int fd = open(path, O_RDONLY);

		if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(milliseconds * 1000);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void a_file_that_rrdtool_reads_just_now_is_waited_for(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd");
	int status;
	pid_t child;

	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(1), &some));
	child = hold_lock(path, 300);
	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	expect_some(path);

	child = hold_lock(path, 20000);
	expect_trouble(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some), RRD_LOCKED,
		       "another program has it locked");
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	free(path);
}

/* Ends the xenbw-rrd of this process by `sig` as soon as it has the file open. */
static pid_t fork_killer(const char *path, int sig)
{
	pid_t parent = getpid(), killer = fork(), worker = 0;

	assert_true(killer >= 0);
	if (killer > 0)
		return killer;
	for (int tries = 0; !worker && tries < 30000; tries++) {
		worker = rrd_bed_worker(parent, path);
		usleep(1000);
	}
	_exit(worker && kill(worker, sig) == 0 ? 0 : 1);
}

static void a_killed_xenbw_rrd_marks_the_file_in_hand_alone_and_leaves_nothing_behind(void **state)
{
	struct bed *b = *state;
	const char *names[] = {"a.rrd", "b.rrd", "c.rrd"};
	char *paths[3], *err = NULL;
	struct rrd_outcome outcomes[3];
	struct rrd_job jobs[3];
	pid_t holder, killer;
	int status, descriptors;

	for (int i = 0; i < 3; i++) {
		struct rrd_state s;

		paths[i] = path_of(b, names[i]);
		expect_fine(bring_up(b, names[i], SLOT(0), SLOT(1), &some));
		s = read_file(b, names[i]);
		jobs[i] =
			(struct rrd_job){.name = names[i], .after = s.tail.last_update, .columns = s.columns};
		rrd_plan(&s.tail, SLOT(1), SLOT(3), &some, &jobs[i].updates);
	}
	descriptors = rrd_bed_descriptors(getpid());
	holder = hold_lock(paths[1], 60000);
	killer = fork_killer(paths[1], SIGKILL);
	assert_int_equal(rrd_dir_write(&b->dir, jobs, 3, outcomes, &err), 0);
	assert_int_equal(waitpid(killer, &status, 0), killer);
	assert_int_equal(status, 0);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	expect_fine(outcomes[0]);
	expect_trouble(outcomes[1], RRD_KILLED, "xenbw-rrd was killed while it worked on it");
	expect_fine(outcomes[2]);
	expect_some(paths[0]);
	expect_some(paths[2]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(rrd_bed_descriptors(getpid()), descriptors);
	expect_fine(bring_up(b, "b.rrd", SLOT(0), SLOT(3), &some));
	expect_some(paths[1]);
	for (int i = 0; i < 3; i++) {
		free(jobs[i].updates.list);
		free(paths[i]);
	}
}

/* Runs xenbw-rrd with these tasks, as after the death of another one. */
static void go_on_with(const struct bed *b, int tasks)
{
	int fds[] = {child_fd(dup(b->dir.fd)), child_fd(dup(tasks))}, status;
	char *argv[] = {NULL, NULL}, *err = NULL;
	pid_t pid;

	if (child_start(&pid, "xenbw-rrd", argv, fds, 2, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fds[0]);
	close(fds[1]);
}

/* Tasks as a process leaves them that died amid an update of web.rrd, which began with `bytes`. */
static int cut_off(const struct bed *b, const char *path, const char *bytes, size_t length,
		   struct rrd_tasks *t)
{
	struct rrd_job job = {.name = "web.rrd"};
	char *err = NULL;
	int tasks = rrd_tasks_make(t, RRD_TASKS_WRITE, b->dir.temporary, &job, 1, &err);
	struct stat st;

	assert_true(tasks >= 0);
	assert_int_equal(stat(path, &st), 0);
	memcpy(t->undo->bytes, bytes, length);
	t->undo->length = length;
	t->undo->device = st.st_dev;
	t->undo->inode = st.st_ino;
	t->undo->newest = SLOT(3);
	*t->progress = (struct rrd_progress){.begun = 1, .done = 1};
	return tasks;
}

/* Wherever between two of librrd's stores the one before was killed: no row is there twice. */
static void an_update_that_was_cut_off_is_put_back_and_made_again(void **state)
{
	struct bed *b = *state;
	struct random r = random_new();
	char *path = path_of(b, "web.rrd"), *before, *after;
	size_t size, prefix;
	unsigned unknown;

	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(1), &some));
	before = scratch_read(path, &size);
	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
	after = scratch_read(path, &size);
	prefix = size < RRD_UNDO_BYTES ? size : RRD_UNDO_BYTES;
	for (int i = 0; i < 20; i++) {
		struct rrd_tasks t;
		char *torn = mem_alloc(size), *seen;
		int tasks;

		memcpy(torn, after, size);
		for (size_t at = 0; at < prefix; at += 8) /* some stores of the header are made, some not */
			if (random_below(&r, 2))
				memcpy(torn + at, before + at, prefix - at < 8 ? prefix - at : 8);
		scratch_write(path, torn, size);
		tasks = cut_off(b, path, before, prefix, &t);
		go_on_with(b, tasks);
		assert_int_equal(t.undo->length, 0);
		seen = scratch_read(path, &size);
		assert_memory_equal(seen, before, prefix);
		expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
		expect_some(path);
		for (int c = 0; c < RRD_COLUMNS; c++) {
			uint64_t sum = 0;

			for (int s = 0; s < 3; s++)
				sum += some_slots[s].bytes[c];
			assert_int_equal(rrd_bed_sum(path, columns[c], SLOT(-500), SLOT(3), &unknown), sum);
		}
		rrd_tasks_close(&t);
		close(tasks);
		free(seen);
		free(torn);
	}
	free(before);
	free(after);
	free(path);
}

static void nothing_is_put_back_into_another_or_newer_or_locked_file_or_by_an_orphan(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *before, *after, *seen;
	struct rrd_tasks t;
	size_t size;
	int tasks;

	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(1), &some));
	before = scratch_read(path, &size);
	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
	after = scratch_read(path, &size);
	tasks = cut_off(b, path, before, 2000, &t);
	for (int i = 0; i < 5; i++) {
		struct rrd_tasks_head *head = (struct rrd_tasks_head *)t.map;
		pid_t holder = i == 2 ? hold_lock(path, 20000) : 0;

		t.undo->inode += i == 0;
		t.undo->newest -= i == 1 ? 1 : 0;
		head->parent += i == 3;
		go_on_with(b, tasks);
		seen = scratch_read(path, &size);
		assert_memory_equal(seen, i == 4 ? before : after, 2000);
		assert_int_equal(t.undo->length, i == 4 ? 0 : 2000);
		free(seen);
		t.undo->inode -= i == 0;
		t.undo->newest += i == 1 ? 1 : 0;
		head->parent -= i == 3;
		if (holder) {
			assert_int_equal(kill(holder, SIGKILL), 0);
			assert_int_equal(waitpid(holder, NULL, 0), holder);
		}
	}
	rrd_tasks_close(&t);
	close(tasks);
	free(before);
	free(after);
	free(path);
}

static void a_file_written_since_it_was_read_is_left_as_it_is(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *before, *after;
	struct rrd_job job = {.name = "web.rrd"};
	struct rrd_state s;
	size_t size;

	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(1), &some));
	s = read_file(b, "web.rrd");
	job.after = s.tail.last_update;
	job.columns = s.columns;
	rrd_plan(&s.tail, SLOT(0), SLOT(3), &some, &job.updates);
	expect_fine(do_job(b, &job));
	before = scratch_read(path, &size);
	expect_trouble(do_job(b, &job), RRD_MEANWHILE,
		       "another program has written it since it was read; the next slot goes on");
	after = scratch_read(path, &size);
	assert_memory_equal(before, after, size);
	expect_some(path);
	free(job.updates.list);
	free(before);
	free(after);
	free(path);
}

/* A writer that is killed while its xenbw-rrd works: until that one has ended nobody else has the directory.
 */
static void the_next_writer_waits_for_what_a_killed_one_left(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "web.rrd"), *err = NULL;
	pid_t holder, writer, worker = 0;

	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(1), &some));
	rrd_dir_close(&b->dir);
	holder = hold_lock(path, 20000); /* its xenbw-rrd waits a second for it */
	writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		if (rrd_dir_open(&b->dir, b->path, &err) < 0)
			_exit(1);
		bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some);
		_exit(0);
	}
	for (int tries = 0; !worker && tries < 30000; tries++) {
		worker = rrd_bed_worker(writer, path);
		usleep(1000);
	}
	assert_true(worker > 0);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_int_equal(rrd_dir_open(&b->dir, b->path, &err), -1);
	assert_non_null(
		strstr(err, "is locked: another xenbw-writer, or the xenbw-rrd that a killed one left"));
	free(err);
	err = NULL;
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	assert_int_equal(kill(worker, SIGCONT), 0);
	assert_int_equal(rrd_dir_open(&b->dir, b->path, &err), 0);
	expect_fine(bring_up(b, "web.rrd", SLOT(0), SLOT(3), &some));
	expect_some(path);
	free(path);
}

static void no_files_are_no_work(void **state)
{
	struct bed *b = *state;
	char *err = NULL;

	assert_int_equal(rrd_dir_read(&b->dir, NULL, 0, NULL, &err), 0);
	assert_int_equal(rrd_dir_write(&b->dir, NULL, 0, NULL, &err), 0);
}

static void labels_of_all_kinds_become_files_in_the_directory(void **state)
{
	struct bed *b = *state;
	char *longest = mem_alloc(4097);
	const char *labels[] = {"a/../../b",
				"fe80::1",
				".hidden",
				"..",
				"",
				"50%",
				"a b\tc",
				"\xc3\xbc"
				"ml\xc3\xa4ut",
				NULL};

	for (int i = 0; i < 4096; i += 4)
		memcpy(longest + i, "\xf0\x9f\x90\xa7", 4);
	labels[8] = longest;
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		char *name = rrd_file_name(labels[i]), *path = path_of(b, name);

		assert_null(strchr(name, '/'));
		assert_null(strchr(name, ':'));
		assert_true(name[0] != '.');
		assert_true(strlen(name) <= 255);
		assert_string_equal(name + strlen(name) - 4, ".rrd");
		expect_fine(bring_up(b, name, SLOT(0), SLOT(2), &some));
		expect_fine(bring_up(b, name, SLOT(0), SLOT(3), &some));
		expect_some(path);
		free(path);
		free(name);
	}
	free(longest);
}

static void a_rename_takes_the_history_along_but_never_replaces_a_file(void **state)
{
	struct bed *b = *state;
	char *to = path_of(b, "new.rrd"), *err = NULL;

	expect_fine(bring_up(b, "old.rrd", SLOT(0), SLOT(3), &some));
	assert_int_equal(rrd_dir_rename(&b->dir, "old.rrd", "new.rrd", &err), 0);
	expect_some(to);
	expect_fine(bring_up(b, "old.rrd", SLOT(0), SLOT(3), &some));
	assert_int_equal(rrd_dir_rename(&b->dir, "old.rrd", "new.rrd", &err), -1);
	assert_non_null(strstr(err, "cannot rename RRD file"));
	assert_non_null(strstr(err, "File exists"));
	free(err);
	free(to);
}

static void the_directory_is_made_with_mode_0755_but_not_its_parent(void **state)
{
	struct bed *b = *state;
	char *path = path_of(b, "rrd"), *slash = path_of(b, "rrd///"), *deep = path_of(b, "no/rrd"),
	     *err = NULL;
	struct rrd_dir dir;
	struct stat st;
	mode_t old = umask(077);

	assert_int_equal(rrd_dir_open(&dir, slash, &err), 0);
	umask(old);
	assert_string_equal(dir.path, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	rrd_dir_close(&dir);
	assert_int_equal(rrd_dir_open(&dir, deep, &err), -1);
	assert_non_null(strstr(err, "cannot make RRD directory"));
	free(err);
	free(deep);
	free(slash);
	free(path);
}

static void a_directory_that_is_a_link_or_a_file_is_refused(void **state)
{
	struct bed *b = *state;
	char *link_path = path_of(b, "link"), *slash = path_of(b, "link/"), *file = path_of(b, "file"),
	     *err = NULL;
	const char *paths[] = {link_path, slash, file};
	struct rrd_dir dir;

	assert_int_equal(symlink("/tmp", link_path), 0);
	scratch_write(file, "x", 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rrd_dir_open(&dir, paths[i], &err), -1);
		assert_non_null(strstr(err, "is no directory, or a symbolic link, which is not followed"));
	}
	free(err);
	free(file);
	free(slash);
	free(link_path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_has_netaccts_columns_and_the_articles_archives),
		TEST(every_byte_of_four_days_with_gaps_is_in_its_slot),
		TEST(a_gap_longer_than_the_heartbeat_is_unknown_and_an_idle_slot_is_zero),
		TEST(sums_above_two_to_the_53_and_the_63_lose_nothing),
		TEST(a_sum_that_wraps_costs_one_slot),
		TEST(a_petabyte_in_one_slot_is_exact),
		TEST(a_second_pass_leaves_the_file_as_it_is_to_the_byte),
		TEST(a_kill_between_two_updates_changes_nothing_in_the_end),
		TEST(a_file_built_in_parts_is_not_there_before_it_is_whole),
		TEST(what_a_kill_left_half_made_goes_away),
		TEST(a_counter_file_of_the_article_is_gone_on_with),
		TEST(a_counter_file_with_a_gap_before_xenbw_goes_on_without_a_spike),
		TEST(an_update_of_the_old_job_inside_a_slot_keeps_its_part),
		TEST(a_counter_file_without_values_begins_at_zero),
		TEST(the_articles_empty_update_is_an_unknown_value),
		TEST(a_wrap_of_the_old_counter_is_not_ours_to_make),
		TEST(other_columns_of_a_file_stay_unknown_and_the_order_does_not_matter),
		TEST(files_of_another_shape_are_refused_and_not_touched),
		TEST(damaged_files_are_named_and_the_others_go_on),
		TEST(no_spoilt_header_harms_the_others),
		TEST(links_folders_and_pipes_are_not_followed_or_used),
		TEST(a_read_only_file_or_directory_is_named),
		TEST(a_full_disk_is_named_and_harms_no_other_file),
		TEST(a_file_that_rrdtool_reads_just_now_is_waited_for),
		TEST(a_killed_xenbw_rrd_marks_the_file_in_hand_alone_and_leaves_nothing_behind),
		TEST(an_update_that_was_cut_off_is_put_back_and_made_again),
		TEST(nothing_is_put_back_into_another_or_newer_or_locked_file_or_by_an_orphan),
		TEST(a_file_written_since_it_was_read_is_left_as_it_is),
		TEST(the_next_writer_waits_for_what_a_killed_one_left),
		TEST(no_files_are_no_work),
		TEST(labels_of_all_kinds_become_files_in_the_directory),
		TEST(a_rename_takes_the_history_along_but_never_replaces_a_file),
		TEST(the_directory_is_made_with_mode_0755_but_not_its_parent),
		TEST(a_directory_that_is_a_link_or_a_file_is_refused),
	};

	return cmocka_run_group_tests_name("rrd", tests, NULL, NULL);
}
