/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RRD files in use by others, and an xenbw-rrd that is killed amid its work: no byte twice, no file left half
 * made.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"
#include "db/rrd_tasks.h"
#include "tests/support/rrd_bed.h"
#include "tests/support/rrd_unit.h"
#include "tests/support/unit.h"

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
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "web.rrd");
	int status;
	pid_t child;

	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
	child = hold_lock(path, 300);
	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	rrd_unit_expect_some(path);

	child = hold_lock(path, 20000);
	rrd_unit_trouble(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some), RRD_LOCKED,
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
	struct rrd_unit *b = *state;
	const char *names[] = {"a.rrd", "b.rrd", "c.rrd"};
	char *paths[3], *err = NULL;
	struct rrd_outcome outcomes[3];
	struct rrd_job jobs[3];
	pid_t holder, killer;
	int status, descriptors;

	for (int i = 0; i < 3; i++) {
		struct rrd_state s;

		paths[i] = rrd_unit_path(b, names[i]);
		rrd_unit_fine(rrd_unit_bring_up(b, names[i], SLOT(0), SLOT(1), &rrd_unit_some));
		s = rrd_unit_read(b, names[i]);
		jobs[i] =
			(struct rrd_job){.name = names[i], .after = s.tail.last_update, .columns = s.columns};
		rrd_plan(&s.tail, SLOT(1), SLOT(3), &rrd_unit_some, &jobs[i].updates);
	}
	descriptors = rrd_bed_descriptors(getpid());
	holder = hold_lock(paths[1], 60000);
	killer = fork_killer(paths[1], SIGKILL);
	assert_int_equal(rrd_dir_write(&b->dir, jobs, 3, outcomes, &err), 0);
	assert_int_equal(waitpid(killer, &status, 0), killer);
	assert_int_equal(status, 0);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	rrd_unit_fine(outcomes[0]);
	rrd_unit_trouble(outcomes[1], RRD_KILLED, "xenbw-rrd was killed while it worked on it");
	rrd_unit_fine(outcomes[2]);
	rrd_unit_expect_some(paths[0]);
	rrd_unit_expect_some(paths[2]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(rrd_bed_descriptors(getpid()), descriptors);
	rrd_unit_fine(rrd_unit_bring_up(b, "b.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	rrd_unit_expect_some(paths[1]);
	for (int i = 0; i < 3; i++) {
		free(jobs[i].updates.list);
		free(paths[i]);
	}
}

/* Runs xenbw-rrd with these tasks, as after the death of another one. */
static void go_on_with(const struct rrd_unit *b, int tasks)
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
static int cut_off(const struct rrd_unit *b, const char *path, const char *bytes, size_t length,
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
	struct rrd_unit *b = *state;
	struct random r = random_new();
	char *path = rrd_unit_path(b, "web.rrd"), *before, *after;
	size_t size, prefix;
	unsigned unknown;

	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
	before = scratch_read(path, &size);
	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
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
		rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
		rrd_unit_expect_some(path);
		for (int c = 0; c < RRD_COLUMNS; c++) {
			uint64_t sum = 0;

			for (int s = 0; s < 3; s++)
				sum += rrd_unit_slots[s].bytes[c];
			assert_int_equal(
				rrd_bed_sum(path, rrd_unit_columns[c], SLOT(-500), SLOT(3), &unknown), sum);
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
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "web.rrd"), *before, *after, *seen;
	struct rrd_tasks t;
	size_t size;
	int tasks;

	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
	before = scratch_read(path, &size);
	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
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
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "web.rrd"), *before, *after;
	struct rrd_job job = {.name = "web.rrd"};
	struct rrd_state s;
	size_t size;

	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
	s = rrd_unit_read(b, "web.rrd");
	job.after = s.tail.last_update;
	job.columns = s.columns;
	rrd_plan(&s.tail, SLOT(0), SLOT(3), &rrd_unit_some, &job.updates);
	rrd_unit_fine(rrd_unit_do(b, &job));
	before = scratch_read(path, &size);
	rrd_unit_trouble(rrd_unit_do(b, &job), RRD_MEANWHILE,
			 "another program has written it since it was read; the next slot goes on");
	after = scratch_read(path, &size);
	assert_memory_equal(before, after, size);
	rrd_unit_expect_some(path);
	free(job.updates.list);
	free(before);
	free(after);
	free(path);
}

/* A writer that is killed while its xenbw-rrd works: until that one has ended nobody else has the directory.
 */
static void the_next_writer_waits_for_what_a_killed_one_left(void **state)
{
	struct rrd_unit *b = *state;
	char *path = rrd_unit_path(b, "web.rrd"), *err = NULL;
	pid_t holder, writer, worker = 0;

	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(1), &rrd_unit_some));
	rrd_dir_close(&b->dir);
	holder = hold_lock(path, 20000); /* its xenbw-rrd waits a second for it */
	writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		if (rrd_dir_open(&b->dir, b->path, &err) < 0)
			_exit(1);
		rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some);
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
	rrd_unit_fine(rrd_unit_bring_up(b, "web.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	rrd_unit_expect_some(path);
	free(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rrd_unit_set_up, rrd_unit_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_rrdtool_reads_just_now_is_waited_for),
		TEST(a_killed_xenbw_rrd_marks_the_file_in_hand_alone_and_leaves_nothing_behind),
		TEST(an_update_that_was_cut_off_is_put_back_and_made_again),
		TEST(nothing_is_put_back_into_another_or_newer_or_locked_file_or_by_an_orphan),
		TEST(a_file_written_since_it_was_read_is_left_as_it_is),
		TEST(the_next_writer_waits_for_what_a_killed_one_left),
	};

	return cmocka_run_group_tests_name("rrd_killed", tests, NULL, NULL);
}
