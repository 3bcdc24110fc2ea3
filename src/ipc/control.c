/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

#define PATIENCE_MS 2000

static int time_left(struct mono since)
{
	int64_t passed = (clock_mono().ns - since.ns) / 1000000;

	return passed < PATIENCE_MS ? (int)(PATIENCE_MS - passed) : 0;
}

/* A connected socket; -1 with an error, or with *nobody set where no daemon listens. */
static int call(const char *path, int *nobody, char **err)
{
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000}; /* connect waits while the queue is full */
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(err, "%s is too long for the path of a socket", path);
	strncpy(at.sun_path, path, sizeof(at.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		*nobody = errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED;
		if (!*nobody)
			err_sys(err, "cannot ask xenbwd on %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* Returns its size. */
static ssize_t receive(int fd, struct control_reply *r, struct mono since, char **err)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int ready = poll(&wait, 1, time_left(since));
	ssize_t n;

	if (ready < 0)
		return err_sys(err, "waiting for xenbwd's answer");
	if (ready == 0)
		return err_set(err, "xenbwd did not answer within %d seconds", PATIENCE_MS / 1000);
	n = recv(fd, r, sizeof(*r), MSG_DONTWAIT);
	if (n < 0)
		return err_sys(err, "reading xenbwd's answer");
	if (n == 0)
		return err_set(err, "xenbwd hung up before it had answered");
	return n;
}

/* The names of devices as text that may be shown. */
static void take_uplinks(char to[CONTROL_UPLINKS], const char from[CONTROL_UPLINKS])
{
	for (size_t i = 0; i + 1 < CONTROL_UPLINKS && from[i]; i++)
		to[i] = from[i] < ' ' || from[i] > '~' ? '?' : from[i];
}

static void take_state(struct control_status *out, const struct control_reply *r)
{
	out->started = r->started;
	out->committed = r->committed;
	out->xenstore_connected = r->xenstore_connected != 0;
	out->commit_failing = r->commit_failing != 0;
	out->split = (enum control_split)r->split;
	take_uplinks(out->uplinks, r->uplinks);
	out->dropped = r->dropped;
	out->stray_packets = r->stray_packets;
	out->stray_bytes = r->stray_bytes;
}

int control_take(struct control_status *out, const struct control_reply *r, size_t size, char **err)
{
	if (size != sizeof(*r) || r->magic != CONTROL_MAGIC || r->kind != CONTROL_STATUS ||
	    r->count > CONTROL_VIFS || r->split > CONTROL_SPLIT_FAILING)
		return err_set(err, "xenbwd answers in another version's way; restart it after an update");
	/* A message without records while some are left would be a daemon that never ends. */
	if (r->count == 0 && r->left > 0)
		return err_set(err, "xenbwd's answer has a hole");
	out->vifs = mem_resize(out->vifs, out->count + r->count, sizeof(out->vifs[0]));
	memcpy(out->vifs + out->count, r->vifs, r->count * sizeof(out->vifs[0]));
	out->count += r->count;
	if (r->left > 0)
		return 1;
	take_state(out, r);
	return 0;
}

static int converse(int fd, struct control_status *out, char **err)
{
	struct control_request ask = {.magic = CONTROL_MAGIC, .kind = CONTROL_STATUS};
	struct control_reply *r = mem_alloc(sizeof(*r));
	struct mono since = clock_mono();
	int rc = 1;

	if (send(fd, &ask, sizeof(ask), MSG_NOSIGNAL) < 0)
		rc = err_sys(err, "asking xenbwd");
	while (rc == 1) {
		ssize_t size = receive(fd, r, since, err);

		rc = size < 0 ? -1 : control_take(out, r, (size_t)size, err);
	}
	free(r);
	return rc;
}

int control_ask(const char *path, struct control_status *out, char **err)
{
	int nobody = 0, fd = call(path, &nobody, err), rc;

	*out = (struct control_status){0};
	if (fd < 0)
		return nobody ? 1 : -1;
	rc = converse(fd, out, err);
	close(fd);
	if (rc < 0) {
		free(out->vifs);
		*out = (struct control_status){0};
	}
	return rc;
}
