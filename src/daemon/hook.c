/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/hook.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/packet.h"

#define END_MS 500 /* that it has to end, once its socket is closed and nothing is called */

struct hook {
	pid_t pid; /* 0: not running */
	int fd;    /* -1 */
	char *program;
	bool idle;
	int64_t busy;
};

static int start(struct hook *h, const char *config, char **err)
{
	static char syslog[] = "--syslog", program[] = "--program", settings[] = "--config";
	char *path = mem_strdup(config);
	char *argv[] = {NULL, program, h->program, settings, path, log_helpers_to_syslog() ? syslog : NULL,
			NULL};
	int pair[2], rc = child_socketpair(pair, err);

	if (rc < 0) {
		free(path);
		return -1;
	}
	rc = fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? err_sys(err, "cannot set a socket to not waiting") : 0;
	if (rc == 0)
		rc = child_start(&h->pid, "xenbw-hook", argv, &pair[1], 1, err);
	if (rc == 0)
		h->fd = pair[0];
	else
		close(pair[0]);
	close(pair[1]);
	free(path);
	return rc;
}

struct hook *hook_new(const struct conf *conf, const char *config)
{
	struct hook *h = mem_alloc(sizeof(*h));
	char *err = NULL;

	h->fd = -1;
	h->idle = true;
	h->program = mem_strdup(conf->quota_hook);
	if (start(h, config, &err) < 0)
		log_err("%s; quota_hook is not called until xenbwd is started again", err);
	free(err);
	return h;
}

static bool has_ended(struct hook *h)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	int64_t end = clock_mono().ns + END_MS * INT64_C(1000000);

	while (h->pid && waitpid(h->pid, NULL, WNOHANG) == 0) {
		if (clock_mono().ns > end)
			return false;
		(void)nanosleep(&nap, NULL);
	}
	h->pid = 0;
	return true;
}

static void give_up(struct hook *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	h->busy = 0;
	if (h->idle)
		(void)has_ended(h);
}

void hook_free(struct hook *h)
{
	if (!h)
		return;
	if (!h->idle)
		log_info("quota_hook still runs, and is left to its time limit");
	give_up(h);
	free(h->program);
	free(h);
}

void hook_follow(const struct hook *h, const struct conf *conf)
{
	const char *now = h ? h->program : "none";

	if (conf->quota_hook && strcmp(conf->quota_hook, now) != 0)
		log_warn("`quota_hook %s` takes effect when xenbwd is started again; until then it is `%s`",
			 conf->quota_hook, now);
	else if (conf->quota_hook && h && h->fd < 0)
		log_err("xenbw-hook does not run; quota_hook is not called until xenbwd is started again");
}

int hook_fd(const struct hook *h)
{
	return h ? h->fd : -1;
}

int64_t hook_busy(const struct hook *h)
{
	return h ? h->busy : 0;
}

void hook_forget(struct hook *h)
{
	if (h)
		h->busy = 0;
}

bool hook_is_idle(const struct hook *h)
{
	return h->idle;
}

int hook_send(struct hook *h, const struct hook_order *order, char **err)
{
	if (packet_send(h->fd, order, sizeof(*order), NULL, 0, err) < 0)
		return err_add(err, "telling xenbw-hook");
	h->idle = false;
	h->busy = order->id;
	return 0;
}

int hook_receive(struct hook *h, struct hook_answer *answer)
{
	int fds[PACKET_FDS];
	int64_t busy = h->busy;
	char *err = NULL;
	int rc = packet_receive(h->fd, answer, sizeof(*answer), fds, &err);

	if (rc == 0)
		return 0;
	if (rc > 0) {
		packet_close(fds);
		answer->why[sizeof(answer->why) - 1] = '\0';
		if (answer->magic != HOOK_MAGIC)
			rc = err_set(&err, "its message is of another version: reinstall xenbw");
	}
	h->idle = true;
	if (rc < 0) {
		log_err("xenbw-hook has ended%s%s; quota_hook is not called until xenbwd is started again",
			err ? ": " : "", err ? err : "");
		free(err);
		give_up(h);
		return -1;
	}
	h->busy = 0;
	return busy && answer->id == busy;
}
