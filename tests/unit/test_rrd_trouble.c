/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RRD files that cannot be used: damaged, no files at all, not ours to write, a full disk. Each is named, and
 * the others go on.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/rrd_unit.h"
#include "tests/support/unit.h"

/* Brings up a.rrd, NAME and z.rrd in one go, and returns what became of NAME; the other two must be written.
 */
static struct rrd_outcome among_others(struct rrd_unit *b, const char *name)
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
			rrd_plan(&states[i].tail, SLOT(0), SLOT(3), &rrd_unit_some, &jobs[i].updates);
	}
	assert_int_equal(rrd_dir_write(&b->dir, jobs, 3, outcomes, &err), 0);
	if (middle.cause == RRD_FINE || middle.cause == RRD_MISSING)
		middle = outcomes[1];
	for (int i = 0; i < 3; i++)
		free(jobs[i].updates.list);
	for (int i = 0; i < 3; i += 2) {
		char *path = rrd_unit_path(b, names[i]);

		rrd_unit_fine(outcomes[i]);
		rrd_unit_expect_some(path);
		assert_int_equal(unlink(path), 0);
		free(path);
	}
	return middle;
}

static void damaged_files_are_named_and_the_others_go_on(void **state)
{
	struct rrd_unit *b = *state;
	char *good = rrd_unit_path(b, "good.rrd"), *bad = rrd_unit_path(b, "bad.rrd"), *bytes;
	size_t size;

	rrd_unit_fine(rrd_unit_bring_up(b, "good.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
	bytes = scratch_read(good, &size);

	scratch_write(bad, "", 0);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "it is empty; move it away");
	scratch_write(bad, "no RRD file at all", 18);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "librrd says: ");
	scratch_write(bad, bytes, size - 1);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "'bad.rrd' is too small");
	scratch_write(bad, bytes, 700);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "move it away, and it is made anew");
	memcpy(bytes + 4, "0099", 4); /* a later version of the format */
	scratch_write(bad, bytes, size);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_DAMAGED, "can't handle RRD file version 0099");
	memcpy(bytes + 4, "0003", 4);
	/* 2^64-1 archives, and then an archive with rows of 0 steps: librrd 1.7.2 dies of both. Of the first
	 * by SIGSEGV or SIGBUS: it reads behind the file's map, where another map may be by chance. */
	memset(bytes + 32, 0xff, 8);
	scratch_write(bad, bytes, size);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_DEADLY, "librrd died of it (");
	memset(bytes + 32, 0, 8);
	bytes[32] = 8;
	memset(bytes + 1120, 0, 8);
	scratch_write(bad, bytes, size);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_DEADLY,
			 "librrd died of it (Floating point exception)");
	free(bytes);
	free(good);
	free(bad);
}

/* Files spoilt in their header: whatever librrd does, this process and the other files are well. */
static void no_spoilt_header_harms_the_others(void **state)
{
	struct rrd_unit *b = *state;
	char *good = rrd_unit_path(b, "good.rrd"), *bad = rrd_unit_path(b, "bad.rrd"), *bytes, *spoilt;
	size_t size, header;
	struct random r = random_new();

	rrd_unit_fine(rrd_unit_bring_up(b, "good.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
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
	struct rrd_unit *b = *state;
	char *target = rrd_unit_path(b, "target.rrd"), *bad = rrd_unit_path(b, "bad.rrd"), *before, *after;
	size_t size_before, size_after;

	rrd_unit_fine(rrd_unit_bring_up(b, "target.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
	before = scratch_read(target, &size_before);
	assert_int_equal(symlink(target, bad), 0);
	rrd_unit_trouble(among_others(b, "bad.rrd"), ELOOP, "it is a symbolic link, which is not followed");
	assert_int_equal(unlink(bad), 0);
	assert_int_equal(symlink("/nowhere", bad), 0);
	rrd_unit_trouble(among_others(b, "bad.rrd"), ELOOP, "put the file itself there");
	assert_int_equal(unlink(bad), 0);
	assert_int_equal(mkdir(bad, 0755), 0);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_NO_FILE, "it is a directory; move it away");
	assert_int_equal(rmdir(bad), 0);
	assert_int_equal(mkfifo(bad, 0644), 0);
	rrd_unit_trouble(among_others(b, "bad.rrd"), RRD_NO_FILE, "it is no regular file; move it away");
	after = scratch_read(target, &size_after);
	assert_memory_equal(before, after, size_before);
	free(before);
	free(after);
	free(target);
	free(bad);
}

/* Runs `body` in a child, which may give up what this process must keep. 77 is "cannot be tried here". */
static void in_child(void (*body)(struct rrd_unit *b), struct rrd_unit *b)
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

static struct rrd_outcome bring_up_in_child(struct rrd_unit *b, const char *name)
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
		rrd_plan(&s.tail, SLOT(0), SLOT(3), &rrd_unit_some, &job.updates);
		CHECK(rrd_dir_write(&b->dir, &job, 1, &s.outcome, &err) == 0);
		free(job.updates.list);
	}
	return s.outcome;
}

static void without_capabilities(struct rrd_unit *b)
{
	char *path = rrd_unit_path(b, "ro.rrd"), *err = NULL;
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

static void on_a_small_disk(struct rrd_unit *b)
{
	char *mount_path = rrd_unit_path(b, "disk"), *path, *hole, *copy, *err = NULL, *bytes;
	struct rrd_unit small = {.path = mount_path};
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
	path = rrd_unit_path(&small, "one.rrd");
	hole = rrd_unit_path(&small, "hole.rrd");
	bytes = scratch_read(path, &size);
	scratch_write(hole, bytes, 8192);
	CHECK(truncate(hole, (off_t)size) == 0);

	copy = rrd_unit_path(&small, "ballast");
	fd = open(copy, O_WRONLY | O_CREAT, 0644);
	CHECK(fd >= 0);
	while (write(fd, bytes, 4096) > 0)
		;
	CHECK(errno == ENOSPC);

	o = bring_up_in_child(&small, "two.rrd");
	CHECK(o.cause == ENOSPC);
	CHECK(strcmp(o.reason, "No space left on device; free some") == 0);
	free(path);
	path = rrd_unit_path(&small, "two.rrd");
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rrd_unit_set_up, rrd_unit_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(damaged_files_are_named_and_the_others_go_on),
		TEST(no_spoilt_header_harms_the_others),
		TEST(links_folders_and_pipes_are_not_followed_or_used),
		TEST(a_read_only_file_or_directory_is_named),
		TEST(a_full_disk_is_named_and_harms_no_other_file),
	};

	return cmocka_run_group_tests_name("rrd_trouble", tests, NULL, NULL);
}
