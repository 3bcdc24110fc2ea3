/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RRD files written by db/rrd from db/rrd_plan's updates, read back by librrd: every byte in its slot; names
 * and the directory.
 */
#include <errno.h>
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
#include "tests/support/rrd_bed.h"
#include "tests/support/rrd_unit.h"
#include "tests/support/unit.h"

static void a_new_file_has_netaccts_columns_and_the_articles_archives(void **state)
{
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "web.rrd"), *dump;
	struct stat st;
	size_t at = 0;

	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	rrd_unit_expect_some(path);
	dump = rrd_bed_dump(path);
	for (int c = 0; c < RRD_COLUMNS; c++) {
		char *want = mem_printf("<name> %s </name>", rrd_unit_columns[c]);
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
	struct rrd_unit *b = *state;
	struct rrd_usage u = make_days(4);
	char *path = rrd_unit_path(b, "days.rrd");
	size_t at = 0, unknown = 0, zero = 0;

	for (int day = 0; day < 4; day++) {
		rrd_unit_fine(rrd_unit_bring_up(b, "days.rrd", SLOT(0), SLOT((day + 1) * 288), &u));
		for (int i = day * 288; i < (day + 1) * 288; i++) {
			double rate = rrd_bed_slot(path, "input", SLOT(i));

			if (at < u.slot_count && u.slots[at].slot == SLOT(i)) {
				for (int c = 0; c < RRD_COLUMNS; c++)
					assert_int_equal(
						llround(rrd_bed_slot(path, rrd_unit_columns[c], SLOT(i))),
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
	struct rrd_unit *b = *state;
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {10}}, {.slot = SLOT(4), .bytes = {20}}};
	struct rrd_life lives[] = {{SLOT(0), SLOT(1)}, {SLOT(4), SLOT(7)}};
	struct rrd_usage u = {slots, 2, lives, 2};
	char *path = rrd_unit_path(b, "gap.rrd");

	rrd_unit_fine(rrd_unit_bring_up(b, "gap.rrd", SLOT(0), SLOT(7), &u));
	rrd_unit_expect_slot(path, "input", SLOT(-1), NAN);
	rrd_unit_expect_slot(path, "input", SLOT(0), 10);
	for (int i = 1; i < 4; i++)
		rrd_unit_expect_slot(path, "input", SLOT(i), NAN);
	rrd_unit_expect_slot(path, "input", SLOT(4), 20);
	rrd_unit_expect_slot(path, "input", SLOT(5), 0);
	rrd_unit_expect_slot(path, "input", SLOT(6), 0);
	free(path);
}

static void sums_above_two_to_the_53_and_the_63_lose_nothing(void **state)
{
	struct rrd_unit *b = *state;
	uint64_t huge[] = {(1ull << 53) - 50, (1ull << 63) - 50, UINT64_MAX - 1000};

	for (size_t i = 0; i < sizeof(huge) / sizeof(*huge); i++) {
		char *name = mem_printf("huge%zu.rrd", i), *path = rrd_unit_path(b, name);
		struct rrd_update list[] = {
			{.time = SLOT(0), .value = {huge[i], 0}},
			{.time = SLOT(1), .value = {huge[i] + 101, 0}},
			{.time = SLOT(2), .value = {huge[i] + 104, 0}},
		};
		struct rrd_job job = {.name = name, .mode = RRD_BEGIN, .place = true, .updates = {list, 3}};
		struct rrd_state s;

		rrd_unit_fine(rrd_unit_do(b, &job));
		rrd_unit_expect_slot(path, "input", SLOT(0), 101);
		rrd_unit_expect_slot(path, "input", SLOT(1), 3);
		s = rrd_unit_read(b, name);
		rrd_unit_fine(s.outcome);
		assert_int_equal(s.tail.value[0], huge[i] + 104);
		assert_int_equal(s.tail.last_update, SLOT(2));
		free(path);
		free(name);
	}
}

static void a_sum_that_wraps_costs_one_slot(void **state)
{
	struct rrd_unit *b = *state;
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {100}}, {.slot = SLOT(1), .bytes = {7}}};
	struct rrd_usage u = {.slots = slots, .slot_count = 2};
	struct rrd_update base[] = {{.time = SLOT(-1), .value = {UINT64_MAX - 60}},
				    {.time = SLOT(0), .value = {UINT64_MAX - 50}}};
	struct rrd_job job = {.name = "wrap.rrd", .mode = RRD_BEGIN, .place = true, .updates = {base, 2}};
	char *path = rrd_unit_path(b, "wrap.rrd");

	rrd_unit_fine(rrd_unit_do(b, &job));
	rrd_unit_fine(rrd_unit_bring_up(b, "wrap.rrd", SLOT(0), SLOT(2), &u));
	rrd_unit_expect_slot(path, "input", SLOT(-1), 10);
	rrd_unit_expect_slot(path, "input", SLOT(0), NAN);
	rrd_unit_expect_slot(path, "input", SLOT(1), 7);
	free(path);
}

static void a_petabyte_in_one_slot_is_exact(void **state)
{
	struct rrd_unit *b = *state;
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {(1ull << 50) - 1, (1ull << 50) - 2}}};
	struct rrd_usage u = {.slots = slots, .slot_count = 1};
	char *path = rrd_unit_path(b, "big.rrd");

	rrd_unit_fine(rrd_unit_bring_up(b, "big.rrd", SLOT(0), SLOT(1), &u));
	assert_int_equal(llround(rrd_bed_slot(path, "input", SLOT(0))), (1ll << 50) - 1);
	assert_int_equal(llround(rrd_bed_slot(path, "output", SLOT(0))), (1ll << 50) - 2);
	free(path);
}

static void a_second_pass_leaves_the_file_as_it_is_to_the_byte(void **state)
{
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "web.rrd"), *before, *after;
	size_t size_before, size_after;
	struct stat st_before, st_after;

	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	before = scratch_read(path, &size_before);
	assert_int_equal(stat(path, &st_before), 0);
	for (int i = 0; i < 3; i++)
		rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
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
static void killed_pass(struct rrd_unit *b, const char *name, int64_t to, const struct rrd_usage *u,
			size_t done)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct rrd_state s = rrd_unit_read(b, name);
		bool missing = s.outcome.cause == RRD_MISSING;
		struct rrd_job job = {.name = name,
				      .mode = missing ? RRD_BEGIN : RRD_GO_ON,
				      .place = missing,
				      .after = s.tail.last_update,
				      .columns = s.columns};

		rrd_plan(&s.tail, SLOT(0), to, u, &job.updates);
		if (job.updates.count > done)
			job.updates.count = done;
		rrd_unit_do(b, &job);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void a_kill_between_two_updates_changes_nothing_in_the_end(void **state)
{
	struct rrd_unit *b = *state;
	struct rrd_usage u = make_days(1);
	char *whole = rrd_unit_path(b, "whole.rrd"), *killed = rrd_unit_path(b, "killed.rrd"), *want, *seen;

	rrd_unit_fine(rrd_unit_bring_up(b, "whole.rrd", SLOT(0), SLOT(288), &u));
	want = rrd_bed_dump(whole);
	for (size_t done = 1; done < 40; done += 3) {
		killed_pass(b, "killed.rrd", SLOT(288), &u, done);
		killed_pass(b, "killed.rrd", SLOT(288), &u, 5);
		rrd_unit_fine(rrd_unit_bring_up(b, "killed.rrd", SLOT(0), SLOT(288), &u));
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
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "web.rrd");
	struct rrd_tail tail = {0};
	struct rrd_job job = {.name = "web.rrd", .mode = RRD_BEGIN};

	for (int i = 0; i < 3; i++) {
		rrd_plan(&tail, SLOT(i), SLOT(i + 1), &rrd_unit_some, &job.updates);
		rrd_unit_fine(rrd_unit_do(b, &job));
		free(job.updates.list);
		assert_true(access(path, F_OK) < 0);
		job.mode = RRD_BUILD;
	}
	job.updates = (struct rrd_updates){0};
	job.place = true;
	rrd_unit_fine(rrd_unit_do(b, &job));
	rrd_unit_expect_some(path);

	/* nor does it take the place of another */
	job.mode = RRD_BEGIN;
	tail = (struct rrd_tail){0};
	rrd_plan(&tail, SLOT(0), SLOT(1), &rrd_unit_some, &job.updates);
	rrd_unit_trouble(rrd_unit_do(b, &job), EEXIST, "cannot put it in its place: File exists");
	free(job.updates.list);
	rrd_unit_expect_some(path);
	free(path);
}

static void what_a_kill_left_half_made_goes_away(void **state)
{
	struct rrd_unit *b = *state;
	char *one = rrd_unit_path(b, ".xenbw-new"), *two = rrd_unit_path(b, ".xenbw-newAbCdEf"), *err = NULL;
	char *kept = rrd_unit_path(b, "web.rrd");

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

static void no_files_are_no_work(void **state)
{
	struct rrd_unit *b = *state;
	char *err = NULL;

	assert_int_equal(rrd_dir_read(&b->dir, NULL, 0, NULL, &err), 0);
	assert_int_equal(rrd_dir_write(&b->dir, NULL, 0, NULL, &err), 0);
}

static void labels_of_all_kinds_become_files_in_the_directory(void **state)
{
	struct rrd_unit *b = *state;
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
		char *name = rrd_file_name(labels[i]), *path = rrd_unit_path(b, name);

		assert_null(strchr(name, '/'));
		assert_null(strchr(name, ':'));
		assert_true(name[0] != '.');
		assert_true(strlen(name) <= 255);
		assert_string_equal(name + strlen(name) - 4, ".rrd");
		rrd_unit_fine(rrd_unit_bring_up(b, name, SLOT(0), SLOT(2), &rrd_unit_some));
		rrd_unit_fine(rrd_unit_bring_up(b, name, SLOT(0), SLOT(3), &rrd_unit_some));
		rrd_unit_expect_some(path);
		free(path);
		free(name);
	}
	free(longest);
}

static void a_rename_takes_the_history_along_but_never_replaces_a_file(void **state)
{
	struct rrd_unit *b = *state;
	char *to = rrd_unit_path(b, "new.rrd"), *err = NULL;

	rrd_unit_fine(rrd_unit_bring_up(b, "old.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	assert_int_equal(rrd_dir_rename(&b->dir, "old.rrd", "new.rrd", &err), 0);
	rrd_unit_expect_some(to);
	rrd_unit_fine(rrd_unit_bring_up(b, "old.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	assert_int_equal(rrd_dir_rename(&b->dir, "old.rrd", "new.rrd", &err), -1);
	assert_non_null(strstr(err, "cannot rename RRD file"));
	assert_non_null(strstr(err, "File exists"));
	free(err);
	free(to);
}

static void the_directory_is_made_with_mode_0755_but_not_its_parent(void **state)
{
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "rrd"), *slash = rrd_unit_path(b, "rrd///"),
	     *deep = rrd_unit_path(b, "no/rrd"), *err = NULL;
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
	struct rrd_unit *b = *state;
	char *link_path = rrd_unit_path(b, "link"), *slash = rrd_unit_path(b, "link/"),
	     *file = rrd_unit_path(b, "file"), *err = NULL;
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, rrd_unit_set_up, rrd_unit_tear_down)
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
		TEST(no_files_are_no_work),
		TEST(labels_of_all_kinds_become_files_in_the_directory),
		TEST(a_rename_takes_the_history_along_but_never_replaces_a_file),
		TEST(the_directory_is_made_with_mode_0755_but_not_its_parent),
		TEST(a_directory_that_is_a_link_or_a_file_is_refused),
	};

	return cmocka_run_group_tests_name("rrd", tests, NULL, NULL);
}
