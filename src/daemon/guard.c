/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/privileges.h"
#include "base/user.h"
#include "daemon/settings.h"
#include "ipc/packet.h"

#define END_MS 3000 /* what it may take to end: it waits for its helpers a second each */
#define KILL_MS 500

struct guard {
	pid_t pid;  /* 0: not running */
	int fd;     /* our end; -1 */
	char *user; /* as the configuration named it at the start */
};

/* Our end never waits. */
static int socket_pair(int pair[2], char **err)
{
	if (child_socketpair(pair, err) < 0)
		return -1;
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;
	err_sys(err, "cannot set a socket to not waiting");
	close(pair[0]);
	close(pair[1]);
	return -1;
}

/* ---- whom the helpers run as ---- */

#define AS_ROOT "xenbw-capture and xenbw-writer run as this one's user, without capabilities"

/* Whether the helpers become that user. Who changes nothing needs no right to. */
static bool may_become(const char *name, char **err)
{
	struct user u;
	int found = user_find(name, &u, err);

	if (found < 0)
		return false;
	if (!found) {
		err_set(err,
			"there is no user `%s`, so " AS_ROOT "; make it with `useradd --system %s` "
			"(systemd-sysusers makes xenbw), or write `user root` to have it so",
			name, name);
		return false;
	}
	if (u.uid == geteuid() && u.gid == getegid() && getgroups(0, NULL) == 0)
		return false;
	if (!privileges_may_change_user()) {
		err_set(err,
			"no right to become the user `%s`, so " AS_ROOT "; start xenbwd as root with "
			"CAP_SETUID and CAP_SETGID, or write `user root` to have it so",
			name);
		return false;
	}
	return privileges_take_group(&u, err) == 0;
}

/* ---- life ---- */

static int start(struct guard *g, bool become, char **err)
{
	static char user[] = "--user", syslog[] = "--syslog";
	char *argv[5] = {NULL};
	size_t argc = 1;
	int pair[2], rc;

	if (become) {
		argv[argc++] = user;
		argv[argc++] = g->user;
	}
	if (log_helpers_to_syslog())
		argv[argc++] = syslog;
	if (socket_pair(pair, err) < 0)
		return -1;
	rc = child_start(&g->pid, "xenbw-guard", argv, &pair[1], 1, err);
	if (rc == 0)
		g->fd = pair[0];
	else
		close(pair[0]);
	close(pair[1]);
	return rc;
}

struct guard *guard_new(const struct conf *conf)
{
	struct guard *g = mem_alloc(sizeof(*g));
	char *err = NULL;
	bool become;

	g->fd = -1;
	g->user = mem_strdup(conf->user);
	become = may_become(g->user, &err);
	if (err)
		log_warn("%s", err);
	err_clear(&err);
	if (start(g, become, &err) < 0)
		log_err("%s; " GUARD_MISSING, err);
	free(err);
	return g;
}

/* Whether it has ended, within this time. */
static bool wait_end(struct guard *g, int64_t ms, int *status)
{
	const struct timespec nap = {.tv_nsec = 5000000};
	int64_t end = clock_mono().ns + ms * 1000000;
	pid_t got;

	while ((got = waitpid(g->pid, status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		if (clock_mono().ns > end)
			return false;
		(void)nanosleep(&nap, NULL);
	}
	g->pid = 0;
	return true;
}

/* One that does not end must not hold up who waits for it. xenbwd may have no right to kill another user's.
 */
static void make_end(struct guard *g, int *status)
{
	if (wait_end(g, END_MS, status))
		return;
	if (kill(g->pid, SIGKILL) == 0 && wait_end(g, KILL_MS, status))
		return;
	log_err("xenbw-guard does not end and is left as it is: look at process %d, and end it with `kill "
		"-KILL %d`",
		(int)g->pid, (int)g->pid);
	g->pid = 0;
}

/* It ends by the end of its socket, and its helpers with it. */
void guard_free(struct guard *g)
{
	int status;

	if (!g)
		return;
	if (g->fd >= 0)
		close(g->fd);
	if (g->pid)
		make_end(g, &status);
	free(g->user);
	free(g);
}

void guard_follow(const struct guard *g, const struct conf *conf)
{
	if (g->fd < 0)
		log_err("xenbw-guard does not run; " GUARD_MISSING);
	else if (strcmp(g->user, conf->user) != 0)
		log_warn("`user %s` takes effect when xenbwd is started again; until then it is `%s`",
			 conf->user, g->user);
}

int guard_fd(const struct guard *g)
{
	return g->fd;
}

bool guard_has_ended(struct guard *g, char **how)
{
	char byte;
	int status = 0;

	if (g->fd < 0 || recv(g->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0)
		return false;
	close(g->fd);
	g->fd = -1;
	make_end(g, &status);
	*how = WIFSIGNALED(status) ? mem_printf("xenbw-guard was ended by signal %d", WTERMSIG(status))
				   : mem_printf("xenbw-guard exited with status %d", WEXITSTATUS(status));
	return true;
}

/* ---- orders ---- */

static int send_order(const struct guard *g, const struct guard_order *o, const int *fds, size_t count,
		      char **err)
{
	if (g->fd < 0)
		return err_set(err, "xenbw-guard does not run; restart xenbwd");
	if (packet_send(g->fd, o, sizeof(*o), fds, count, err) < 0)
		return err_add(err, "xenbw-guard does not take its orders, restart xenbwd");
	return 0;
}

int guard_start(struct guard *g, enum guard_helper helper, const struct conf *conf, bool with_secrets,
		const struct iovec *first, char **err)
{
	struct guard_order order = {.magic = GUARD_MAGIC,
				    .kind = GUARD_START,
				    .helper = helper,
				    .flags = conf->kind == CONF_NACCTTAB ? GUARD_NACCTTAB : 0};
	int pair[2], fds[2], rc;

	if (socket_pair(pair, err) < 0)
		return -1;
	fds[0] = pair[1];
	fds[1] = settings_fd(conf, with_secrets, err);
	rc = fds[1] < 0 ? -1 : 0;
	if (rc == 0 && first && writev(pair[0], first, 1) < 0)
		rc = err_sys(err, "cannot leave a message for a helper");
	if (rc == 0)
		rc = send_order(g, &order, fds, 2, err);
	if (fds[1] >= 0)
		close(fds[1]);
	close(pair[1]);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	return -1;
}

void guard_end(struct guard *g, enum guard_helper helper)
{
	struct guard_order order = {.magic = GUARD_MAGIC, .kind = GUARD_END, .helper = helper};
	char *err = NULL;

	if (g->fd >= 0 && send_order(g, &order, NULL, 0, &err) < 0)
		log_debug("%s", err);
	free(err);
}
