/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_guard.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

/* Begins the memory that parent and child share; the replies follow. */
struct shared {
	size_t done; /* tasks that are finished */
	max_align_t replies[];
};

_Noreturn static void run_child(rrd_guard_task *task, const void *context, size_t count, size_t reply_size,
				struct shared *shared, pid_t parent)
{
	static const int deadly[] = {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

	/* a handler of the caller's must not come back to life here */
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		signal(deadly[i], SIG_DFL);
	while (shared->done < count && getppid() == parent) {
		alarm(RRD_GUARD_SECONDS);
		task(context, shared->done, (char *)shared->replies + shared->done * reply_size);
		shared->done++;
	}
	_exit(0);
}

static int run_all(rrd_guard_task *task, const void *context, size_t count, size_t reply_size,
		   struct shared *shared, int *died, char **err)
{
	while (shared->done < count) {
		pid_t parent = getpid(), child = fork();
		int status;

		if (child < 0)
			return err_sys(err, "cannot fork a process to write RRD files");
		if (child == 0)
			run_child(task, context, count, reply_size, shared, parent);
		while (waitpid(child, &status, 0) < 0)
			if (errno != EINTR)
				return err_sys(err, "cannot wait for the process that writes RRD files");
		if (shared->done < count) {
			died[shared->done] = WIFSIGNALED(status) ? WTERMSIG(status) : SIGABRT;
			shared->done++;
		}
	}
	return 0;
}

int rrd_guard_run(rrd_guard_task *task, const void *context, size_t count, size_t reply_size, void *replies,
		  int *died, char **err)
{
	size_t size;
	struct shared *shared;
	int rc;

	memset(died, 0, count * sizeof(*died));
	if (count == 0)
		return 0;
	size = sizeof(*shared) + count * reply_size;
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return err_sys(err, "cannot share memory with the process that writes RRD files");
	rc = run_all(task, context, count, reply_size, shared, died, err);
	if (rc == 0)
		memcpy(replies, shared->replies, count * reply_size);
	munmap(shared, size);
	return rc;
}
