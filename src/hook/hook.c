/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "hook/check.h"
#include "hook/environment.h"
#include "hook/output.h"
#include "ipc/hook.h"
#include "ipc/packet.h"

#define NS INT64_C(1000000000)

struct hook {
	const struct hook_setup *setup;
	bool alone; /* xenbwd has closed its end */
	/* the call */
	pid_t pid; /* 0: there is none */
	int end_fd;
	int64_t id;
	struct mono until;
	unsigned seconds;
	bool killed;
	struct output output;
};

/* ---- answers ---- */

static void answer(struct hook *h, enum hook_kind kind, int64_t id, int status, const char *why)
{
	struct hook_answer a = {.magic = HOOK_MAGIC, .kind = kind, .id = id, .status = status};
	char *err = NULL;

	if (h->alone)
		return;
	snprintf(a.why, sizeof(a.why), "%s", why ? why : "");
	if (packet_send(HOOK_FD, &a, sizeof(a), NULL, 0, &err) < 0)
		log_warn("telling xenbwd what became of quota_hook: %s", err);
	free(err);
}

/* ---- a call ---- */

static int spawn(struct hook *h, const struct hook_order *o, const char *program, int output, char **err)
{
	char **env = environment_new(&o->crossing, h->setup->config), *name = mem_strdup(program);
	char *argv[] = {name, NULL};
	int rc = -1;

	if (!env)
		err_set(err, "xenbwd sent an order that means nothing; it is of another version");
	else
		rc = child_start_other(&h->pid, program, argv, env, output, err);
	free(name);
	environment_free(env);
	return rc;
}

static int call(struct hook *h, const struct hook_order *o, char **err)
{
	char *program;
	int ends[2], rc;

	if (check_program(h->setup->program, &program, err) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		free(program);
		return err_sys(err, "cannot make a pipe");
	}
	rc = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? err_sys(err, "cannot set a pipe to not waiting")
						     : spawn(h, o, program, ends[1], err);
	free(program);
	close(ends[1]);
	if (rc < 0)
		close(ends[0]);
	else
		h->output = (struct output){.fd = ends[0]};
	return rc;
}

/* It runs: whatever fails from here on, it was called. */
static void begin(struct hook *h, const struct hook_order *o)
{
	h->id = o->id;
	h->killed = false;
	h->seconds = o->seconds;
	h->until = (struct mono){clock_mono().ns + o->seconds * NS};
	h->end_fd = pidfd_open(h->pid, 0);
	if (h->end_fd < 0)
		log_warn("cannot wait for the end of quota_hook: %s; it is looked for each second",
			 strerror(errno));
}

static void take_order(struct hook *h, const struct hook_order *o)
{
	char *err = NULL;

	if (h->pid)
		err_set(&err, "the call before has not ended");
	else if (call(h, o, &err) == 0)
		begin(h, o);
	if (err)
		answer(h, HOOK_NOT_CALLED, o->id, 0, err);
	free(err);
}

/* Whatever it started goes with it, unless that has left its group. */
static void kill_late(struct hook *h)
{
	log_err("quota_hook has not ended within %u s; it is killed", h->seconds);
	(void)kill(-h->pid, SIGKILL);
	h->killed = true;
}

static void look_for_end(struct hook *h)
{
	int status = 0;
	pid_t got = waitpid(h->pid, &status, WNOHANG);

	if (got == 0 || (got < 0 && errno == EINTR))
		return;
	output_close(&h->output);
	if (h->end_fd >= 0)
		close(h->end_fd);
	h->end_fd = -1;
	h->pid = 0;
	if (h->alone && (status || h->killed))
		log_err("quota_hook, whose xenbwd has ended, ended with wait status %d", status);
	answer(h, h->killed ? HOOK_TIMED_OUT : HOOK_ENDED, h->id, status, NULL);
}

/* ---- the loop ---- */

/* Returns -1 where xenbwd is not ours. */
static int take_message(struct hook *h, char **err)
{
	struct hook_order o;
	int fds[PACKET_FDS], rc = packet_receive(HOOK_FD, &o, sizeof(o), fds, err);

	if (rc == 0)
		return 0;
	if (rc < 0) {
		h->alone = true;
		return *err ? err_add(err, "from xenbwd") : 0;
	}
	packet_close(fds);
	if (o.magic != HOOK_MAGIC || o.seconds == 0 || memchr(o.crossing.label, 0, CROSSING_NAME) == NULL ||
	    memchr(o.crossing.owner, 0, CROSSING_NAME) == NULL)
		return err_set(
			err, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
	take_order(h, &o);
	return 0;
}

/* Milliseconds until the call is late; -1: nothing is waited for but messages. */
static int patience(const struct hook *h)
{
	int64_t left;

	if (!h->pid)
		return -1;
	left = h->killed ? INT_MAX : (h->until.ns - clock_mono().ns) / (NS / 1000) + 1;
	if (h->end_fd < 0 && left > 1000)
		left = 1000;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int wait_once(struct hook *h, char **err)
{
	struct pollfd p[] = {{.fd = h->alone ? -1 : HOOK_FD, .events = POLLIN},
			     {.fd = h->pid ? h->end_fd : -1, .events = POLLIN},
			     {.fd = h->pid ? h->output.fd : -1, .events = POLLIN}};

	if (poll(p, 3, patience(h)) < 0)
		return errno == EINTR ? 0 : err_sys(err, "cannot wait for orders");
	if (p[2].revents)
		output_read(&h->output);
	if (h->pid && !h->killed && clock_mono().ns >= h->until.ns)
		kill_late(h);
	if (h->pid && (p[1].revents || h->end_fd < 0))
		look_for_end(h);
	log_tell();
	return p[0].revents ? take_message(h, err) : 0;
}

/* Said at the start, so that nobody has to wait for a quota to be reached. */
static void check_early(const struct hook *h)
{
	char *real = NULL, *err = NULL;

	if (check_program(h->setup->program, &real, &err) < 0)
		log_err("quota_hook is not called as it is: %s", err);
	free(real);
	free(err);
}

int hook_run(const struct hook_setup *setup, char **err)
{
	struct hook h = {.setup = setup, .end_fd = -1, .output = {.fd = -1}};
	int rc = 0;

	check_early(&h);
	while (rc == 0 && (!h.alone || h.pid))
		rc = wait_once(&h, err);
	if (h.pid && rc < 0)
		(void)kill(-h.pid, SIGKILL);
	output_close(&h.output);
	if (h.end_fd >= 0)
		close(h.end_fd);
	return rc;
}
