/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/user.h"
#include "ipc/guard.h"
#include "ipc/packet.h"

#define LAST_WAIT_MS 1000 /* at its own end, for each helper */

struct helper {
	const char *program;
	const char *without; /* what is so until it is started again */
	bool captures;
	pid_t pid;    /* 0: there is none */
	int end_fd;   /* readable when it has ended; -1 */
	bool ordered; /* its end is: nothing to tell */
	/* the last order to start one, while the one before has not ended: [0] -1: there is none */
	int next[PACKET_FDS];
	uint32_t next_flags;
};

struct guard {
	bool raw; /* it may hand on the right to open packet sockets */
	struct helper helpers[GUARD_HELPERS];
};

/* ---- a helper's end ---- */

/* Without waiting: one that hangs in the kernel, at a file server that is away, ends when that lets it. */
static void end_helper(struct helper *h)
{
	packet_close(h->next);
	if (h->pid == 0)
		return;
	(void)kill(h->pid, SIGKILL);
	h->ordered = true;
}

/* Of one that has ended, or has just been started and killed. */
static int reap(struct helper *h)
{
	int status = 0;

	while (waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
		;
	h->pid = 0;
	if (h->end_fd >= 0)
		close(h->end_fd);
	h->end_fd = -1;
	return status;
}

static void end_at_once(struct helper *h)
{
	end_helper(h);
	if (h->pid)
		(void)reap(h);
}

static void tell_end(const struct helper *h, int status)
{
	if (h->ordered)
		log_debug("%s was ended", h->program);
	else if (WIFSIGNALED(status))
		log_err("%s was ended by signal %d; %s until xenbwd has it started again", h->program,
			WTERMSIG(status), h->without);
	else if (WEXITSTATUS(status))
		log_err("%s exited with status %d; %s until xenbwd has it started again", h->program,
			WEXITSTATUS(status), h->without);
	else
		log_debug("%s has ended", h->program);
}

/* ---- its start ---- */

static int spawn(struct helper *h, const int fds[PACKET_FDS], uint32_t flags, char **err)
{
	static char worker[] = "--worker", naccttab[] = "--naccttab", syslog[] = "--syslog";
	char *argv[5] = {NULL};
	size_t argc = 1;

	if (h->captures)
		argv[argc++] = worker;
	if (flags & GUARD_NACCTTAB)
		argv[argc++] = naccttab;
	if (log_helpers_to_syslog())
		argv[argc++] = syslog;
	return child_start(&h->pid, h->program, argv, fds, PACKET_FDS, err);
}

/* Only xenbw-capture gets the right, and nothing else is started while it is handed on. */
static int spawn_with_rights(const struct guard *g, struct helper *h, const int fds[PACKET_FDS],
			     uint32_t flags, char **err)
{
	bool hand_on = h->captures && g->raw;
	int rc;

	if (hand_on && privileges_hand_on_raw(true, err) < 0)
		return -1;
	rc = spawn(h, fds, flags, err);
	if (hand_on && privileges_hand_on_raw(false, rc == 0 ? err : NULL) < 0) {
		end_at_once(h);
		return -1;
	}
	return rc;
}

static void start_now(const struct guard *g, struct helper *h, const int fds[PACKET_FDS], uint32_t flags)
{
	char *err = NULL;

	h->ordered = false;
	if (spawn_with_rights(g, h, fds, flags, &err) < 0) {
		log_err("%s", err);
		free(err);
		return;
	}
	h->end_fd = pidfd_open(h->pid, 0);
	if (h->end_fd < 0) {
		log_err("cannot wait for the end of %s: %s; it is ended", h->program, strerror(errno));
		end_at_once(h);
	}
}

/* Takes the descriptors over where the one before has to end first. */
static void start_helper(const struct guard *g, struct helper *h, int fds[PACKET_FDS], uint32_t flags)
{
	end_helper(h);
	if (fds[0] < 0 || fds[1] < 0) {
		log_err("xenbwd sent an order to start %s without its two descriptors; it is passed over",
			h->program);
		return;
	}
	if (h->pid == 0) {
		start_now(g, h, fds, flags);
		return;
	}
	h->next_flags = flags;
	for (int i = 0; i < PACKET_FDS; i++) {
		h->next[i] = child_fd(fds[i]);
		fds[i] = -1;
	}
	if (h->next[0] >= 0 && h->next[1] >= 0)
		return;
	log_err("no descriptor is free to start %s; the order is passed over", h->program);
	packet_close(h->next);
}

static void on_end(const struct guard *g, struct helper *h)
{
	tell_end(h, reap(h));
	if (h->next[0] < 0)
		return;
	start_now(g, h, h->next, h->next_flags);
	packet_close(h->next);
}

/* ---- orders ---- */

static int obey(struct guard *g, const struct guard_order *o, int fds[PACKET_FDS], char **err)
{
	if (o->magic == GUARD_MAGIC && o->helper < GUARD_HELPERS && o->kind == GUARD_START)
		start_helper(g, &g->helpers[o->helper], fds, o->flags);
	else if (o->magic == GUARD_MAGIC && o->helper < GUARD_HELPERS && o->kind == GUARD_END)
		end_helper(&g->helpers[o->helper]);
	else
		return err_set(
			err, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
	return 1;
}

/* 1: there may be more; 0: xenbwd has closed its end. */
static int take_order(struct guard *g, char **err)
{
	struct guard_order o;
	int fds[PACKET_FDS], rc = packet_receive(GUARD_FD, &o, sizeof(o), fds, err);

	if (rc < 0)
		return *err ? err_add(err, "from xenbwd") : 0;
	if (rc == 0)
		return 1;
	rc = obey(g, &o, fds, err);
	packet_close(fds);
	return rc;
}

static int serve(struct guard *g, char **err)
{
	for (;;) {
		struct pollfd p[1 + GUARD_HELPERS] = {{.fd = GUARD_FD, .events = POLLIN}};
		int rc;

		for (int i = 0; i < GUARD_HELPERS; i++)
			p[1 + i] = (struct pollfd){.fd = g->helpers[i].end_fd, .events = POLLIN};
		if (poll(p, 1 + GUARD_HELPERS, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, "cannot wait for orders");
		}
		for (int i = 0; i < GUARD_HELPERS; i++)
			if (p[1 + i].revents)
				on_end(g, &g->helpers[i]);
		if (!p[0].revents)
			continue;
		rc = take_order(g, err);
		if (rc <= 0)
			return rc;
	}
}

static int take_rights(struct guard *g, const char *name, char **err)
{
	struct user user;
	int found = name ? user_find(name, &user, err) : 0;

	if (found < 0 || (name && !found))
		return found < 0 ? -1 : err_set(err, "there is no user `%s`", name);
	if (privileges_keep_raw(name ? &user : NULL, &g->raw, err) < 0)
		return -1;
	if (!g->raw)
		log_err("no right to open packet sockets, so nobody can look at the uplinks; xenbwd must be "
			"started by root, with CAP_NET_RAW");
	return 0;
}

/* Their end is not waited for in vain: they are killed already. */
static void end_all(struct guard *g)
{
	for (int i = 0; i < GUARD_HELPERS; i++)
		end_helper(&g->helpers[i]);
	for (int i = 0; i < GUARD_HELPERS; i++) {
		struct pollfd p = {.fd = g->helpers[i].end_fd, .events = POLLIN};

		if (g->helpers[i].pid && poll(&p, 1, LAST_WAIT_MS) > 0)
			(void)reap(&g->helpers[i]);
	}
}

int guard_run(const char *user, char **err)
{
	struct guard g = {.helpers = {[GUARD_CAPTURE] = {.program = "xenbw-capture",
							 .without = "nobody looks at the uplinks",
							 .captures = true,
							 .end_fd = -1,
							 .next = {-1, -1}},
				      [GUARD_WRITER] = {.program = "xenbw-writer",
							.without = "the ledger keeps what it has to write",
							.end_fd = -1,
							.next = {-1, -1}}}};
	int rc = take_rights(&g, user, err);

	if (rc == 0)
		rc = serve(&g, err);
	end_all(&g);
	return rc;
}
