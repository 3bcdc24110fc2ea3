/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include "ipc/capture.h"
#include "ipc/packet.h"

#define READY_MS 6000 /* usually some 50; another xenbw-tc that is about to end is waited for */
#define PASSING_MS 50 /* what the loop has for one that is about to end */
#define END_MS 3000
#define KILL_MS 500

struct tc {
	pid_t pid; /* 0: not running */
	int fd;    /* -1 */
	bool left;
};

static int start(struct tc *t, bool optional, char **err)
{
	static char syslog[] = "--syslog", may_fail[] = "--optional";
	char *argv[4] = {NULL};
	int pair[2], rc, count = 1;

	if (log_helpers_to_syslog())
		argv[count++] = syslog;
	if (optional)
		argv[count++] = may_fail;
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
	if (t->pid)
		(void)has_ended(t, PASSING_MS);
}

/* Why it is not, xenbw-tc has logged itself where *err stays NULL. */
static bool is_ready(struct tc *t, char **err)
{
	int64_t end = clock_mono().ns + (int64_t)READY_MS * 1000000, left = READY_MS;
	struct pollfd p = {.fd = t->fd, .events = POLLIN};
	struct capture_answer a = {0};
	int fds[PACKET_FDS], got = 0;

	while (got == 0 && left > 0) {
		if (poll(&p, 1, (int)left) > 0) {
			got = packet_receive(t->fd, &a, sizeof(a), fds, err);
			packet_close(fds);
		}
		left = (end - clock_mono().ns) / 1000000;
	}
	if (got == 1 && a.magic == CAPTURE_MAGIC && a.kind == CAPTURE_READY)
		return true;
	if (got >= 0)
		err_set(err, got ? "xenbw-tc is of another version: reinstall xenbw"
				 : "xenbw-tc has not become ready in time");
	return false;
}

struct tc *tc_new(bool optional)
{
	struct tc *t = mem_alloc(sizeof(*t));
	char *err = NULL;
	bool ready;

	t->fd = -1;
	ready = start(t, optional, &err) == 0 && is_ready(t, &err);
	if (ready)
		log_info("the kernel tells the classes apart (eBPF)");
	else
		tc_give_up(t);
	if (err && optional)
		log_warn("%s; xenbw-capture looks at packets instead", err);
	else if (!ready && !optional)
		log_err("%s; what moves is unattributed until xenbwd is started again",
			err ? err : "xenbw-tc has ended");
	free(err);
	return t;
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

void tc_leave(struct tc *t)
{
	const struct capture_order order = {.magic = CAPTURE_MAGIC, .kind = CAPTURE_LEAVE};

	if (!t || t->fd < 0)
		return;
	if (packet_send(t->fd, &order, sizeof(order), NULL, 0, NULL) < 0)
		log_warn("xenbw-tc does not take its orders, and its programs stay in the kernel");
	tc_give_up(t);
	t->left = true;
}

struct tc *tc_new_leaving(void)
{
	static char detach[] = "--detach", syslog[] = "--syslog";
	char *argv[] = {NULL, detach, log_helpers_to_syslog() ? syslog : NULL, NULL}, *err = NULL;
	struct tc *t = mem_alloc(sizeof(*t));

	t->fd = -1;
	t->left = true;
	if (child_start(&t->pid, "xenbw-tc", argv, NULL, 0, &err) < 0)
		log_warn("%s; what an earlier one has left in the kernel counts on, for nobody", err);
	free(err);
	return t;
}

bool tc_has_left(const struct tc *t)
{
	return t->left;
}

void tc_reap(struct tc *t)
{
	if (t && t->pid && t->fd < 0)
		(void)has_ended(t, 0);
}

int tc_fd(const struct tc *t)
{
	return t->fd;
}
