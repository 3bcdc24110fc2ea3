/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/helper.h"
#include "ipc/capture.h"

struct guard {
	pid_t pid; /* 0: not running */
	int fd;    /* our end; -1 */
};

/* Our end never waits. */
static int socket_pair(int pair[2], char **err)
{
	if (child_socketpair(pair, err) < 0)
		return -1;
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	close(pair[0]);
	close(pair[1]);
	return err_sys(err, "cannot set a socket to not waiting");
}

struct guard *guard_new(void)
{
	static char role[] = "--guard", syslog[] = "--syslog";
	char *argv[] = {NULL, role, log_helpers_to_syslog() ? syslog : NULL, NULL};
	struct guard *g = mem_alloc(sizeof(*g));
	char *err = NULL;
	int pair[2];

	g->fd = -1;
	if (socket_pair(pair, &err) == 0) {
		if (child_start(&g->pid, "xenbw-capture", argv, &pair[1], 1, &err) == 0)
			g->fd = pair[0];
		else
			close(pair[0]);
		close(pair[1]);
	}
	if (err)
		log_err("%s; nothing is split into classes, counting goes on", err);
	free(err);
	return g;
}

/* It ends by the end of its socket, and its worker with it. */
void guard_free(struct guard *g)
{
	if (!g)
		return;
	if (g->fd >= 0)
		close(g->fd);
	if (g->pid)
		(void)waitpid(g->pid, NULL, 0);
	free(g);
}

int guard_start_worker(struct guard *g, const struct conf *conf, char **err)
{
	struct capture_order order = {.magic = CAPTURE_MAGIC,
				      .kind = CAPTURE_START,
				      .flags = conf->kind == CONF_NACCTTAB ? CAPTURE_NACCTTAB : 0};
	int pair[2], fds[2], rc;

	if (g->fd < 0)
		return err_set(err, "xenbw-capture's guard does not run; restart xenbwd");
	if (socket_pair(pair, err) < 0)
		return -1;
	fds[0] = pair[1];
	fds[1] = helper_settings(conf, false, err);
	rc = fds[1] < 0 ? -1 : capture_send(g->fd, &order, sizeof(order), fds, CAPTURE_FDS, err);
	if (fds[1] >= 0) {
		close(fds[1]);
		if (rc < 0)
			err_add(err, "xenbw-capture's guard does not answer, restart xenbwd");
	}
	close(pair[1]);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	return -1;
}
