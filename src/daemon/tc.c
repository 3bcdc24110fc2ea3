/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#define END_MS 3000
#define KILL_MS 500

struct tc {
	pid_t pid; /* 0: not running */
	int fd;    /* -1 */
};

static int start(struct tc *t, char **err)
{
	static char syslog[] = "--syslog";
	char *argv[3] = {NULL};
	int pair[2], rc;

	if (log_helpers_to_syslog())
		argv[1] = syslog;
	if (child_socketpair(pair, err) < 0)
		return -1;
	rc = fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? err_sys(err, "cannot set a socket to not waiting") : 0;
	if (rc == 0)
		rc = child_start(&t->pid, "xenbw-tc", argv, &pair[1], 1, err);
	if (rc == 0)
		t->fd = pair[0];
	else
		close(pair[0]);
	close(pair[1]);
	return rc;
}

struct tc *tc_new(void)
{
	struct tc *t = mem_alloc(sizeof(*t));
	char *err = NULL;

	t->fd = -1;
	if (start(t, &err) < 0)
		log_err("%s; what moves is unattributed until xenbwd is started again", err);
	free(err);
	return t;
}

static bool has_ended(struct tc *t, int64_t ms)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	int64_t end = clock_mono().ns + ms * 1000000;
	pid_t got;

	while ((got = waitpid(t->pid, NULL, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		if (clock_mono().ns > end)
			return false;
		(void)nanosleep(&nap, NULL);
	}
	t->pid = 0;
	return true;
}

/* The end of its socket ends it. */
void tc_give_up(struct tc *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

void tc_free(struct tc *t)
{
	if (!t)
		return;
	tc_give_up(t);
	if (t->pid && !has_ended(t, END_MS) && (kill(t->pid, SIGKILL) < 0 || !has_ended(t, KILL_MS)))
		log_err("xenbw-tc does not end and is left as it is: look at process %d", (int)t->pid);
	free(t);
}

int tc_fd(const struct tc *t)
{
	return t->fd;
}
