/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/log.h"
#include "capture/privileges.h"
#include "ipc/capture.h"

struct guard {
	bool debug;
	pid_t pid;  /* of the worker; 0: there is none */
	int end_fd; /* readable when it has ended; -1 */
};

/* ---- the worker's end ---- */

static int reap(struct guard *g)
{
	int status = 0;

	while (waitpid(g->pid, &status, 0) < 0 && errno == EINTR)
		;
	g->pid = 0;
	if (g->end_fd >= 0)
		close(g->end_fd);
	g->end_fd = -1;
	return status;
}

static void end_worker(struct guard *g)
{
	if (g->pid == 0)
		return;
	(void)kill(g->pid, SIGKILL);
	(void)reap(g);
}

static void on_end(struct guard *g)
{
	int status = reap(g);

	if (WIFSIGNALED(status))
		log_err("the worker was ended by signal %d; nobody looks at the uplinks until xenbwd has it "
			"started again",
			WTERMSIG(status));
	else if (WEXITSTATUS(status))
		log_err("the worker exited with status %d; nobody looks at the uplinks until xenbwd has it "
			"started again",
			WEXITSTATUS(status));
	else
		log_debug("the worker has ended");
}

/* ---- its start ---- */

static int spawn(struct guard *g, const int fds[CAPTURE_FDS], bool naccttab, char **err)
{
	static char worker[] = "--worker", of_naccttab[] = "--naccttab", syslog[] = "--syslog",
		    debug[] = "--debug";
	char *argv[6] = {NULL, worker};
	size_t argc = 2;

	if (naccttab)
		argv[argc++] = of_naccttab;
	if (log_helpers_to_syslog())
		argv[argc++] = syslog;
	if (g->debug)
		argv[argc++] = debug;
	return child_start(&g->pid, "xenbw-capture", argv, fds, CAPTURE_FDS, err);
}

static void start_worker(struct guard *g, const int fds[CAPTURE_FDS], bool naccttab)
{
	char *err = NULL;

	end_worker(g);
	if (fds[0] < 0 || fds[1] < 0) {
		log_err("xenbwd sent an order to start the worker without its two descriptors; it is passed "
			"over");
		return;
	}
	if (spawn(g, fds, naccttab, &err) < 0) {
		log_err("%s", err);
		free(err);
		return;
	}
	g->end_fd = pidfd_open(g->pid, 0);
	if (g->end_fd < 0) {
		log_err("cannot wait for the worker's end: %s; it is ended", strerror(errno));
		end_worker(g);
	}
}

/* ---- orders ---- */

/* 0: xenbwd has closed its end. */
static int take_order(struct guard *g, char **err)
{
	struct capture_order o;
	int fds[CAPTURE_FDS], rc = capture_receive(CAPTURE_FD, &o, sizeof(o), fds, err);

	if (rc < 0)
		return *err ? err_add(err, "from xenbwd") : 0;
	if (rc == 0)
		return 1;
	if (o.magic == CAPTURE_MAGIC && o.kind == CAPTURE_START)
		start_worker(g, fds, o.flags & CAPTURE_NACCTTAB);
	else
		err_set(err, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
	capture_close(fds);
	return *err ? -1 : 1;
}

static int serve(struct guard *g, char **err)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = CAPTURE_FD, .events = POLLIN},
				      {.fd = g->end_fd, .events = POLLIN}};
		int rc;

		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, "cannot wait for orders");
		}
		if (p[1].revents)
			on_end(g);
		if (!p[0].revents)
			continue;
		rc = take_order(g, err);
		if (rc <= 0)
			return rc;
	}
}

int guard_run(bool debug, char **err)
{
	struct guard g = {.debug = debug, .end_fd = -1};
	int rc = privileges_keep_capture(err);

	if (rc == 0)
		rc = serve(&g, err);
	end_worker(&g);
	return rc;
}
