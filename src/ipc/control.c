/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/control.h"

#include <ctype.h>
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
static ssize_t receive(int fd, void *to, size_t size, struct mono since, char **err)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int ready = poll(&wait, 1, time_left(since));
	ssize_t n;

	if (ready < 0)
		return err_sys(err, "waiting for xenbwd's answer");
	if (ready == 0)
		return err_set(err, "xenbwd did not answer within %d seconds", PATIENCE_MS / 1000);
	n = recv(fd, to, size, MSG_DONTWAIT);
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
		ssize_t size = receive(fd, r, sizeof(*r), since, err);

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

/* ---- closing a month ---- */

static bool is_month(const char month[8])
{
	for (int i = 0; i < 7; i++)
		if (i == 4 ? month[i] != '-' : !isdigit((unsigned char)month[i]))
			return false;
	return month[7] == '\0';
}

bool control_closing_is_sound(const struct control_closing *m, size_t size)
{
	if (size != sizeof(*m) || m->magic != CONTROL_MAGIC || m->kind != CONTROL_CLOSE ||
	    m->count > CONTROL_CLOSED || (m->count == 0 && m->left > 0) || !is_month(m->month))
		return false;
	for (uint32_t i = 0; i < m->count; i++) {
		const struct control_closed *r = &m->rows[i];

		if (!memchr(r->label, '\0', sizeof(r->label)) || !memchr(r->owner, '\0', sizeof(r->owner)) ||
		    r->bucket < 0 || r->from >= r->to)
			return false;
	}
	return true;
}

static int send_rows(int fd, struct control_closing *m, const struct control_closed *rows, size_t count,
		     char **err)
{
	size_t sent = 0;

	do {
		size_t n = count - sent < CONTROL_CLOSED ? count - sent : CONTROL_CLOSED;

		m->count = (uint32_t)n;
		m->left = (uint32_t)(count - sent - n);
		memset(m->rows, 0, sizeof(m->rows));
		memcpy(m->rows, rows + sent, n * sizeof(*rows));
		if (send(fd, m, sizeof(*m), MSG_NOSIGNAL) < 0)
			return err_sys(err, "telling xenbwd what to close");
		sent += n;
	} while (sent < count);
	return 0;
}

static int take_answer(int fd, char **err)
{
	struct control_answer a = {0};
	ssize_t size = receive(fd, &a, sizeof(a), clock_mono(), err);

	if (size < 0)
		return -1;
	if (size != (ssize_t)sizeof(a) || a.magic != CONTROL_MAGIC || a.kind != CONTROL_CLOSE)
		return err_set(err, "xenbwd answers in another version's way; restart it after an update");
	a.text[sizeof(a.text) - 1] = '\0';
	return a.failed ? err_set(err, "xenbwd did not write it: %s", a.text) : 0;
}

int control_close(const char *path, const char month[8], uint32_t edition, const struct control_closed *rows,
		  size_t count, char **err)
{
	struct control_request ask = {.magic = CONTROL_MAGIC, .kind = CONTROL_CLOSE};
	int nobody = 0, fd = call(path, &nobody, err), rc;
	struct control_closing *m;

	if (fd < 0)
		return nobody ? 1 : -1;
	m = mem_alloc(sizeof(*m));
	m->magic = CONTROL_MAGIC;
	m->kind = CONTROL_CLOSE;
	m->edition = edition;
	memcpy(m->month, month, sizeof(m->month));
	rc = send(fd, &ask, sizeof(ask), MSG_NOSIGNAL) < 0 ? err_sys(err, "asking xenbwd")
							   : send_rows(fd, m, rows, count, err);
	if (rc == 0)
		rc = take_answer(fd, err);
	free(m);
	close(fd);
	return rc;
}
