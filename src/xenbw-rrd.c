/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-rrd: reads or writes RRD files by librrd, for xenbw-writer, which starts it once for many files.
 *
 * It may die of a damaged file, or be ended by SIGALRM where one takes too long; xenbw-writer goes on with
 * another one then. It has no privilege, no secret and no descriptor but the directory's and the tasks'
 * (db/rrd_tasks.h), and ends after the task in hand when xenbw-writer is gone.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "db/rrd_file.h"
#include "db/rrd_tasks.h"

#define TASK_SECONDS 60 /* a task that takes longer is ended by SIGALRM */

static int set_signals(char **err)
{
	/* a sanitizer's handlers would make an exit of it */
	static const int deadly[] = {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
	/* a terminal sends these to all its processes; xenbw-writer says when to stop */
	static const int calm[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		if (signal(deadly[i], SIG_DFL) == SIG_ERR)
			return err_sys(err, "cannot set a signal's default");
	for (size_t i = 0; i < sizeof(calm) / sizeof(*calm); i++)
		if (signal(calm[i], SIG_IGN) == SIG_ERR)
			return err_sys(err, "cannot ignore a signal");
	return 0;
}

static struct rrd_place place_of(const struct rrd_tasks *t)
{
	return (struct rrd_place){.dir = RRD_TASKS_DIR_FD,
				  .temporary = rrd_tasks_temporary(t),
				  .parent = (pid_t)rrd_tasks_parent(t)};
}

/* The process before this one died of this file, or was killed amid it. Returns whether nothing is left to be
 * put back: else xenbw-writer has another process try it, before any task. */
static bool undo(const struct rrd_tasks *t)
{
	struct rrd_place place = place_of(t);

	if (t->undo->length == 0)
		return true;
	alarm(TASK_SECONDS);
	rrd_file_undo(&place, rrd_tasks_job(t, t->undo->task).name, t->undo);
	return t->undo->length == 0;
}

static void do_task(const struct rrd_tasks *t, size_t index)
{
	struct rrd_place place = place_of(t);
	struct rrd_job job = rrd_tasks_job(t, index);
	void *reply = rrd_tasks_reply(t, index);

	memset(reply, 0, rrd_tasks_reply_size(t->kind));
	if (t->kind == RRD_TASKS_READ)
		rrd_file_read(&place, job.name, reply);
	else
		rrd_file_write(&place, &job, t->undo, reply);
}

static void do_tasks(const struct rrd_tasks *t)
{
	for (size_t i = t->progress->done; i < t->count && getppid() == rrd_tasks_parent(t); i++) {
		alarm(TASK_SECONDS);
		t->progress->begun = i + 1;
		t->undo->task = i;
		do_task(t, i);
		t->progress->done = i + 1;
	}
}

int main(int argc, char **argv)
{
	struct rrd_tasks tasks;
	char *err = NULL;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("xenbw-rrd " XENBW_VERSION);
		return 0;
	}
	if (argc != 1) {
		fputs("usage: xenbw-rrd\n"
		      "Started by xenbw-writer; descriptor 3 is the directory, 4 has the tasks.\n",
		      stderr);
		return 2;
	}
	if (set_signals(&err) < 0 || rrd_tasks_open(&tasks, RRD_TASKS_FD, &err) < 0) {
		fprintf(stderr, "xenbw-rrd: %s\n", err);
		free(err);
		return 1;
	}
	if (undo(&tasks))
		do_tasks(&tasks);
	rrd_tasks_close(&tasks);
	return 0;
}
