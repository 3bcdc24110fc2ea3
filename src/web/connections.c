/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/connections.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define FIRST_FD 3

int connections_limit(char **err)
{
	struct rlimit limit = {CONNECTIONS_FDS, CONNECTIONS_FDS};

	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? err_sys(err, "cannot limit the descriptors") : 0;
}

/* A new descriptor is the lowest that is free: where that is high, all below are in use. */
bool connections_full(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FIRST_FD);

	if (fd >= 0)
		close(fd);
	return fd < 0 || fd >= FIRST_FD + CONNECTIONS_MOST;
}

/* The kernel's cookie of a connection; 0 for what is none. */
static uint64_t cookie_of(int fd)
{
	struct sockaddr_storage peer = {0};
	socklen_t length = sizeof(peer);
	uint64_t cookie = 0;

	if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0 ||
	    (peer.ss_family != AF_INET && peer.ss_family != AF_INET6))
		return 0;
	length = sizeof(cookie);
	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

void connections_served(struct connections *c, int fd, int64_t now)
{
	if (fd < 0 || fd >= CONNECTIONS_FDS)
		return;
	c->list[fd].cookie = cookie_of(fd);
	c->list[fd].until = now + CONNECTIONS_ANSWER;
}

void connections_tick(struct connections *c, int64_t now)
{
	for (int fd = FIRST_FD; fd < CONNECTIONS_FDS; fd++) {
		uint64_t cookie = cookie_of(fd);

		if (cookie != c->list[fd].cookie) {
			c->list[fd].cookie = cookie;
			c->list[fd].until = now + CONNECTIONS_ASK;
		} else if (cookie && now >= c->list[fd].until) {
			(void)shutdown(fd, SHUT_RDWR); /* evhttp sees its end, and closes it */
		}
	}
}
