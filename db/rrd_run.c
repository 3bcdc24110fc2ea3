/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"

#define PROGRAM "xenbw-rrd"
#define NOT_WITHOUT "cannot read or write RRD files"

#define UNDO_TRIES 5 /* each waits a second where the file is locked */

static int add_advice(char **err)
{
	char *why = *err;

	*err = NULL;
	err_set(err, "%s; no RRD file is written without it: reinstall xenbw if it is missing", why);
	free(why);
	return -1;
}

/* Runs it once, up to its end. */
static int run_once(const int fds[2], int *status, char **err)
{
	char *argv[] = {NULL, NULL};
	pid_t pid;

	if (child_start(&pid, PROGRAM, argv, fds, 2, err) < 0)
		return add_advice(err);
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "cannot wait for " PROGRAM);
	return 0;
}

static int fail_end(int status, char **err)
{
	if (WIFSIGNALED(status))
		return err_set(err, NOT_WITHOUT ": " PROGRAM " was ended before its first file (%s)",
			       strsignal(WTERMSIG(status)));
	return err_set(
		err, NOT_WITHOUT ": " PROGRAM " ended with status %d before its first file; reinstall xenbw",
		WEXITSTATUS(status));
}

/* It has put back how a file began, and had nothing else to do; or could not, or died of that. */
static bool is_undone(const struct rrd_progress *p, size_t done, bool pending)
{
	return pending && p->begun == done && p->done == done;
}

/* What is not put back yet is tried again, and given up in the end. */
static void settle_undo(const struct rrd_tasks *t, int *tries, struct rrd_death *death)
{
	if (t->undo->length > 0 && ++*tries < UNDO_TRIES)
		return;
	death->torn = t->undo->length > 0;
	t->undo->length = 0;
	*tries = 0;
}

static int run_all(const struct rrd_tasks *t, const int fds[2], struct rrd_death *deaths, char **err)
{
	size_t done = 0;
	int tries = 0;

	while (done < t->count || t->undo->length) {
		struct rrd_progress p;
		bool pending = t->undo->length > 0;
		int status;

		if (run_once(fds, &status, err) < 0)
			return -1;
		p = *t->progress;
		/* what a dying librrd wrote over counts as one that died of the first task */
		if (p.done < done || p.done > t->count || p.begun < p.done || p.begun > p.done + 1)
			p = (struct rrd_progress){.begun = done + 1, .done = done};
		if (is_undone(&p, done, pending)) {
			settle_undo(t, &tries, &deaths[done - 1]);
			continue;
		}
		tries = 0;
		if (p.done < t->count && p.begun > p.done) {
			deaths[p.done].signal = WIFSIGNALED(status) ? WTERMSIG(status) : SIGABRT;
			p.done++;
		} else if (p.done == done) {
			return fail_end(status, err);
		}
		done = p.done;
		*t->progress = (struct rrd_progress){.begun = done, .done = done};
	}
	return 0;
}

int rrd_run_jobs(const struct rrd_dir *dir, enum rrd_tasks_kind kind, const struct rrd_job *jobs,
		 size_t count, void *replies, struct rrd_death *deaths, char **err)
{
	struct rrd_tasks t;
	int fds[2] = {-1, -1}, rc = -1;

	memset(deaths, 0, count * sizeof(*deaths));
	if (count == 0)
		return 0;
	fds[1] = rrd_tasks_make(&t, kind, dir->temporary, jobs, count, err);
	if (fds[1] < 0)
		return -1;
	fds[0] = child_fd(fcntl(dir->fd, F_DUPFD_CLOEXEC, 0));
	fds[1] = child_fd(fds[1]);
	if (fds[0] < 0 || fds[1] < 0)
		err_sys(err, NOT_WITHOUT ": cannot hand on descriptors");
	else
		rc = run_all(&t, fds, deaths, err);
	if (rc == 0)
		memcpy(replies, rrd_tasks_reply(&t, 0), count * rrd_tasks_reply_size(kind));
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	rrd_tasks_close(&t);
	return rc;
}
