/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What xenbw-writer hands to xenbw-rrd: it arrives as it was sent, and whatever stands there instead is
 * refused or stays inside; the real xenbw-rrd with tasks that are broken.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"
#include "db/rrd_tasks.h"
#include "tests/support/unit.h"

/* xenbw-writer's side and xenbw-rrd's. */
struct both {
	struct rrd_tasks ours, theirs;
	int fd;
};

static struct both hand_over(enum rrd_tasks_kind kind, const struct rrd_job *jobs, size_t count)
{
	struct both b;
	char *err = NULL;

	b.fd = rrd_tasks_make(&b.ours, kind, RRD_TEMPORARY ".1", jobs, count, &err);
	if (b.fd < 0 || rrd_tasks_open(&b.theirs, b.fd, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(b.theirs.kind, kind);
	assert_int_equal(b.theirs.count, count);
	assert_int_equal(rrd_tasks_parent(&b.theirs), getpid());
	assert_int_equal(b.theirs.progress->begun, 0);
	assert_int_equal(b.theirs.progress->done, 0);
	return b;
}

static void let_go(struct both *b)
{
	rrd_tasks_close(&b->theirs);
	rrd_tasks_close(&b->ours);
	close(b->fd);
}

static void expect_job(const struct rrd_job *seen, const struct rrd_job *sent)
{
	assert_string_equal(seen->name, sent->name);
	assert_int_equal(seen->mode, sent->mode);
	assert_int_equal(seen->place, sent->place);
	assert_int_equal(seen->after, sent->after);
	assert_int_equal(seen->columns, sent->columns);
	assert_int_equal(seen->updates.count, sent->updates.count);
	if (sent->updates.count)
		assert_memory_equal(seen->updates.list, sent->updates.list,
				    sent->updates.count * sizeof(*sent->updates.list));
}

/* `count` jobs of all kinds, with up to `most` updates and names of up to 300 bytes. */
static struct rrd_job *make_jobs(size_t count, size_t most)
{
	struct random r = random_new();
	struct rrd_job *jobs = mem_array(count, sizeof(*jobs));

	for (size_t i = 0; i < count; i++) {
		size_t length = 1 + random_below(&r, 300), updates = random_below(&r, most + 1);
		char *name = mem_alloc(length + 1);

		memset(name, 'a' + (int)(i % 26), length);
		jobs[i] = (struct rrd_job){.name = name,
					   .mode = (enum rrd_mode)(i % 3),
					   .place = i % 2,
					   .after = (int64_t)i,
					   .columns = (unsigned)random_below(&r, RRD_ALL_COLUMNS + 1)};
		jobs[i].updates.count = updates;
		jobs[i].updates.list = mem_array(updates, sizeof(struct rrd_update));
		for (size_t u = 0; u < updates; u++)
			for (int c = 0; c < RRD_COLUMNS; c++)
				jobs[i].updates.list[u].value[c] = random_next(&r);
	}
	return jobs;
}

static void free_jobs(struct rrd_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)jobs[i].name);
		free(jobs[i].updates.list);
	}
	free(jobs);
}

static void jobs_arrive_as_they_were_sent(void **state)
{
	static const size_t counts[] = {0, 1, 2, 1000}, most[] = {0, 30000, 1, 50};

	(void)state;
	for (size_t n = 0; n < sizeof(counts) / sizeof(*counts); n++) {
		struct rrd_job *jobs = make_jobs(counts[n], most[n]);
		struct both b = hand_over(RRD_TASKS_WRITE, jobs, counts[n]);

		for (size_t i = 0; i < counts[n]; i++) {
			struct rrd_job seen = rrd_tasks_job(&b.theirs, i);

			expect_job(&seen, &jobs[i]);
		}
		let_go(&b);
		free_jobs(jobs, counts[n]);
	}
}

static void replies_come_back(void **state)
{
	struct rrd_job jobs[] = {{.name = "a.rrd"}, {.name = "b.rrd"}};
	struct both b = hand_over(RRD_TASKS_READ, jobs, 2);
	struct rrd_state *s = rrd_tasks_reply(&b.theirs, 1);

	(void)state;
	s->columns = 7;
	s->tail.last_update = 1700000100;
	b.theirs.progress->done = 2;
	s = rrd_tasks_reply(&b.ours, 1);
	assert_int_equal(s->columns, 7);
	assert_int_equal(s->tail.last_update, 1700000100);
	assert_int_equal(b.ours.progress->done, 2);
	let_go(&b);
}

static void nobody_can_make_the_memory_shorter(void **state)
{
	struct rrd_job job = {.name = "a.rrd"};
	struct both b = hand_over(RRD_TASKS_WRITE, &job, 1);

	(void)state;
	assert_int_equal(ftruncate(b.fd, 0), -1);
	assert_int_equal(errno, EPERM);
	let_go(&b);
}

/* Looks at every byte that a task claims; a place outside ends this test by a signal. */
static void touch(const struct rrd_tasks *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct rrd_job job = rrd_tasks_job(t, i);
		volatile char *reply = rrd_tasks_reply(t, i);

		assert_true(strlen(job.name) > 0 && !strchr(job.name, '/'));
		assert_true(job.mode <= RRD_BUILD && job.columns <= RRD_ALL_COLUMNS);
		assert_true(job.name + strlen(job.name) < t->map + t->replies_from);
		assert_true((char *)(job.updates.list + job.updates.count) <= t->map + t->replies_from);
		for (size_t u = 0; u < job.updates.count; u++)
			sum += (uint64_t)job.updates.list[u].time + job.updates.list[u].value[7];
		assert_true(reply + rrd_tasks_reply_size(t->kind) <= t->map + t->size);
		reply[rrd_tasks_reply_size(t->kind) - 1] = (char)sum;
	}
}

/* Every word of the description in turn, by values that are near an edge of something. */
static void a_spoilt_word_is_refused_or_harmless(void **state)
{
	struct rrd_job *jobs = make_jobs(3, 5);
	struct rrd_tasks ours, theirs;
	char *err = NULL;
	int fd = rrd_tasks_make(&ours, RRD_TASKS_WRITE, RRD_TEMPORARY ".1", jobs, 3, &err);
	size_t words = (sizeof(struct rrd_tasks_head) + 3 * sizeof(struct rrd_task)) / 4, refused = 0;
	const uint32_t values[] = {0,          1,          4,          7,
				   8,          4096,       8192,       (uint32_t)ours.size,
				   0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};

	(void)state;
	assert_true(fd >= 0);
	for (size_t w = 0; w < words; w++)
		for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
			uint32_t *word = (uint32_t *)ours.map + w, old = *word;

			*word = values[v];
			if (rrd_tasks_open(&theirs, fd, &err) == 0) {
				touch(&theirs);
				rrd_tasks_close(&theirs);
			} else {
				assert_non_null(err);
				refused++;
			}
			*word = old;
		}
	assert_true(refused > words * 4);
	assert_int_equal(rrd_tasks_open(&theirs, fd, &err), 0);
	rrd_tasks_close(&theirs);
	rrd_tasks_close(&ours);
	close(fd);
	free(err);
	free_jobs(jobs, 3);
}

static void the_tasks_cannot_be_written_by_who_does_them(void **state)
{
	struct rrd_job job = {.name = "a.rrd"};
	struct both b = hand_over(RRD_TASKS_WRITE, &job, 1);
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)b.theirs.map = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	let_go(&b);
}

/* ---- the real xenbw-rrd ---- */

/* Starts it with `tasks`; its exit status, or minus its signal. What it says goes to *said. */
static int run(int tasks, char **said)
{
	char *dir = scratch_new(), *log = mem_printf("%s/log", dir), *err = NULL, *argv[] = {NULL, NULL};
	int out = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), kept = dup(STDERR_FILENO), status, rc;
	int fds[] = {child_fd(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), -1};
	size_t size;
	pid_t pid;

	fds[1] = child_fd(dup(tasks));
	assert_true(out >= 0 && kept >= 0 && fds[0] >= 0 && fds[1] >= 0);
	dup2(out, STDERR_FILENO);
	rc = child_start(&pid, "xenbw-rrd", argv, fds, 2, &err);
	dup2(kept, STDERR_FILENO);
	if (rc < 0)
		fail_msg("%s", err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*said = scratch_read(log, &size);
	close(out);
	close(kept);
	close(fds[0]);
	close(fds[1]);
	free(log);
	scratch_free(dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void expect_refusal(int tasks, const char *words)
{
	char *said;
	int status = run(tasks, &said);

	if (status != 1 || strncmp(said, "xenbw-rrd: ", 11) != 0 || !strstr(said, words))
		fail_msg("expected status 1 and `%s`, got %d: %s", words, status, said);
	free(said);
}

static void the_program_refuses_broken_tasks_with_an_error(void **state)
{
	struct rrd_update update = {.time = 1700000100};
	struct rrd_job job = {.name = "a.rrd", .place = true, .mode = RRD_BEGIN, .updates = {&update, 1}};
	struct both b = hand_over(RRD_TASKS_WRITE, &job, 1);
	struct rrd_tasks_head *head = (struct rrd_tasks_head *)b.ours.map;
	struct rrd_task *task = (struct rrd_task *)(head + 1);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char *said;

#define SPOILT(what, value, words)             \
	do {                                   \
		__typeof__(what) old = (what); \
		(what) = (value);              \
		expect_refusal(b.fd, (words)); \
		(what) = old;                  \
	} while (0)
	(void)state;
	SPOILT(head->magic, 7, "none of this version's; reinstall xenbw");
	SPOILT(head->temporary[0], 'x', "the temporary name is none");
	SPOILT(head->temporary[9], '/', "the temporary name is none");
	SPOILT(head->kind, 7, "unknown kind 7");
	SPOILT(head->count, UINT64_MAX / 48, "too small for its tasks");
	SPOILT(head->replies, UINT64_MAX - 4095, "the replies do not begin within the memory");
	SPOILT(task->name, UINT64_MAX, "the name of task 0 does not lie within the memory");
	SPOILT(task->name_length, 4096, "the name of task 0 does not lie within the memory");
	SPOILT(task->name_length, 4, "the name of task 0 is no file's");
	SPOILT(b.ours.map[task->name + 1], '/', "the name of task 0 is no file's");
	SPOILT(task->update_count, UINT64_MAX / 72 + 1, "the updates of task 0 do not lie within the memory");
	SPOILT(task->updates, task->updates + 1, "the updates of task 0 do not lie within the memory");
	SPOILT(task->mode, 3, "task 0 is none");
	b.ours.undo->task = 1;
	SPOILT(b.ours.undo->length, 9, "what is to be put back is of no task, or too long");
	b.ours.undo->task = 0;
	SPOILT(b.ours.undo->length, RRD_UNDO_BYTES + 1, "what is to be put back is of no task, or too long");
	SPOILT(b.ours.progress->done, 2, "more tasks are done than there are");
	expect_refusal(null, "descriptor 4 has no tasks");
	assert_int_equal(b.ours.progress->begun, 0);

	/* and as it was it is done */
	assert_int_equal(run(b.fd, &said), 0);
	assert_string_equal(said, "");
	assert_int_equal(b.ours.progress->done, 1);
	assert_int_equal(((struct rrd_outcome *)rrd_tasks_reply(&b.ours, 0))->cause, RRD_FINE);
	free(said);
	close(null);
	let_go(&b);
}

static void the_program_does_nothing_for_a_parent_that_is_gone(void **state)
{
	struct rrd_job job = {.name = "a.rrd"};
	struct both b = hand_over(RRD_TASKS_READ, &job, 1);
	char *said;

	(void)state;
	((struct rrd_tasks_head *)b.ours.map)->parent = 1;
	assert_int_equal(run(b.fd, &said), 0);
	assert_string_equal(said, "");
	assert_int_equal(b.ours.progress->begun, 0);
	free(said);
	let_go(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_arrive_as_they_were_sent),
		cmocka_unit_test(replies_come_back),
		cmocka_unit_test(nobody_can_make_the_memory_shorter),
		cmocka_unit_test(a_spoilt_word_is_refused_or_harmless),
		cmocka_unit_test(the_tasks_cannot_be_written_by_who_does_them),
		cmocka_unit_test(the_program_refuses_broken_tasks_with_an_error),
		cmocka_unit_test(the_program_does_nothing_for_a_parent_that_is_gone),
	};

	return cmocka_run_group_tests_name("rrd_tasks", tests, NULL, NULL);
}
