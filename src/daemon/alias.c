/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/alias.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ipc/alias.h"

#define CHARACTERS ((ALIAS_NAME - 1) / 4) /* of UTF-8, that fit in any case */

struct daemon_alias {
	pid_t pid; /* 0: not running */
	int fd;    /* -1 */
};

static int start(struct daemon_alias *a, char **err)
{
	static char syslog[] = "--syslog";
	char *argv[] = {NULL, log_helpers_to_syslog() ? syslog : NULL, NULL};
	int pair[2], rc = child_socketpair(pair, err);

	if (rc < 0)
		return -1;
	rc = fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? err_sys(err, "cannot set a socket to not waiting") : 0;
	if (rc == 0)
		rc = child_start(&a->pid, "xenbw-alias", argv, &pair[1], 1, err);
	if (rc == 0)
		a->fd = pair[0];
	else
		close(pair[0]);
	close(pair[1]);
	return rc;
}

struct daemon_alias *daemon_alias_new(void)
{
	struct daemon_alias *a = mem_alloc(sizeof(*a));
	char *err = NULL;

	a->fd = -1;
	if (start(a, &err) < 0)
		log_err("%s; vifs get no alias until xenbwd is started again", err);
	free(err);
	return a;
}

/* It ends by the end of its socket, or by KILL: it keeps nothing. */
static void give_up(struct daemon_alias *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	if (a->pid && waitpid(a->pid, NULL, WNOHANG) == 0) {
		(void)kill(a->pid, SIGKILL);
		(void)waitpid(a->pid, NULL, WNOHANG);
	}
	a->pid = 0;
}

void daemon_alias_free(struct daemon_alias *a)
{
	if (!a)
		return;
	give_up(a);
	free(a);
}

void daemon_alias_follow(const struct daemon_alias *a, const struct conf *conf)
{
	if (conf->ifalias && !a)
		log_warn("`ifalias on` takes effect when xenbwd is started again");
	else if (conf->ifalias && a && a->fd < 0)
		log_err("xenbw-alias does not run; vifs get no alias until xenbwd is started again");
}

/* What a guest's admin may have made of a name, as text that is short enough. */
static void set_name(struct alias_order *o, const char *domain)
{
	char *text = text_printable(domain, strlen(domain));

	if (strlen(text) >= ALIAS_NAME) {
		char *cut = text_cut(text, CHARACTERS);

		free(text);
		text = cut;
	}
	memcpy(o->name, text, strlen(text) + 1);
	free(text);
}

bool daemon_alias_tell(struct daemon_alias *a, unsigned ifindex, const char *domain)
{
	struct alias_order o = {.magic = ALIAS_MAGIC, .ifindex = ifindex};

	if (!a || a->fd < 0)
		return true;
	set_name(&o, domain);
	if (send(a->fd, &o, sizeof(o), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == EAGAIN || errno == EINTR)
		return false;
	log_err("xenbw-alias has ended; vifs get no alias until xenbwd is started again");
	give_up(a);
	return true;
}

int daemon_alias_take_away(char **err)
{
	static char detach[] = "--detach";
	char *argv[] = {NULL, detach, NULL};
	int status = 0;
	pid_t pid;

	if (child_start(&pid, "xenbw-alias", argv, NULL, 0, err) < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "cannot wait for xenbw-alias");
	return status ? err_set(err, "xenbw-alias could not take the aliases away") : 0;
}
