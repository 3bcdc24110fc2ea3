/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/classifier.h"
#include "daemon/daemon.h"
#include "db/ledger_closing.h"
#include "ipc/control.h"

#define SEND_TIMEOUT_MS 200 /* a client that does not read cannot hold up the readings for longer */
#define CLOSE_LIMIT_NS INT64_C(1000000000) /* nor one that has much to say */
#define MOST_CLOSED 100000                 /* rows of a month */

struct control_server {
	struct daemon *d;
	char *path;
	int fd;
	struct event *on_client;
};

/* ---- answers ---- */

static struct control_vif describe(const struct daemon *d, const struct followed *f)
{
	bool blind = d->classifier && classifier_is_blind_to(d->classifier, f->vif);

	return (struct control_vif){
		.vif = f->vif,
		.domid = f->numbers[0],
		.devid = f->numbers[1],
		.ifindex = f->binding.main ? f->binding.main : f->binding.emu,
		.window_ms = f->window_ms,
		.input_rate = f->rate[DIR_INPUT],
		.output_rate = f->rate[DIR_OUTPUT],
		.flags = blind ? CONTROL_VIF_BLIND : 0,
	};
}

static void describe_split(const struct daemon *d, struct control_reply *r)
{
	struct classifier_status s;
	char *names;

	if (!d->classifier)
		return;
	s = classifier_status(d->classifier);
	names = classifier_uplinks(d->classifier);
	r->split = !s.looks ? CONTROL_SPLIT_FAILING : s.kernel ? CONTROL_SPLIT_KERNEL : CONTROL_SPLIT_PCAP;
	strncpy(r->uplinks, names, sizeof(r->uplinks) - 1);
	r->dropped = s.dropped;
	r->stray_packets = s.stray_packets;
	r->stray_bytes = s.stray_bytes;
	free(names);
}

/* Sends the state in as many messages as it takes. A client that went away is no error of ours. */
static void answer_status(const struct daemon *d, int client)
{
	struct control_reply *r = mem_alloc(sizeof(*r));
	uint32_t left = HASH_COUNT(d->followed);
	const struct followed *f = d->followed;

	*r = (struct control_reply){
		.magic = CONTROL_MAGIC,
		.kind = CONTROL_STATUS,
		.started = d->started,
		.committed = account_last_seq(d->account),
		.xenstore_connected = d->no_xenstore.reason == NULL,
		.commit_failing = d->no_commit.reason != NULL,
	};
	describe_split(d, r);
	do {
		for (r->count = 0; f && r->count < CONTROL_VIFS; f = f->hh.next)
			r->vifs[r->count++] = describe(d, f);
		left -= r->count;
		r->left = left;
		if (send(client, r, sizeof(*r), MSG_NOSIGNAL) < 0) {
			log_debug("a client of the control socket went away: %s", strerror(errno));
			break;
		}
	} while (left > 0);
	free(r);
}

/* ---- closing a month ---- */

/* Takes rows until none is left: 0; or -1 where the client stops, takes too long, or says something else. */
static int receive_rows(int client, struct control_closing *m, struct closing *c)
{
	struct mono since = clock_mono();

	do {
		ssize_t size = recv(client, m, sizeof(*m), 0);

		if (size < 0 || !control_closing_is_sound(m, (size_t)size) ||
		    clock_mono().ns - since.ns > CLOSE_LIMIT_NS || c->count + m->count > MOST_CLOSED)
			return -1;
		c->rows = mem_resize(c->rows, c->count + m->count, sizeof(*c->rows));
		memcpy(c->rows + c->count, m->rows, m->count * sizeof(*c->rows));
		c->count += m->count;
	} while (m->left > 0);
	memcpy(c->month, m->month, sizeof(c->month));
	c->edition = m->edition;
	return 0;
}

static void answer_close(const struct daemon *d, int client)
{
	struct control_answer a = {.magic = CONTROL_MAGIC, .kind = CONTROL_CLOSE};
	struct control_closing *m = mem_alloc(sizeof(*m));
	struct closing c = {0};
	char *err = NULL;

	if (receive_rows(client, m, &c) == 0) {
		a.failed = ledger_closing_write(d->ledger, &c, clock_wall(), &err) < 0;
		if (a.failed)
			log_warn("cannot close %s: %s", c.month, err);
		else
			log_info("%s is %s: %zu rows", c.month, c.edition ? "corrected" : "closed", c.count);
		if (err)
			strncpy(a.text, err, sizeof(a.text) - 1);
		if (send(client, &a, sizeof(a), MSG_NOSIGNAL) < 0)
			log_debug("a client of the control socket went away: %s", strerror(errno));
	}
	free(err);
	free(c.rows);
	free(m);
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
	struct timeval timeout = {.tv_usec = SEND_TIMEOUT_MS * 1000L};
	struct control_server *s = arg;
	struct control_request ask;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	(void)what;
	if (client < 0)
		return;
	if (setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    recv(client, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask) && ask.magic == CONTROL_MAGIC) {
		if (ask.kind == CONTROL_STATUS)
			answer_status(s->d, client);
		else if (ask.kind == CONTROL_CLOSE)
			answer_close(s->d, client);
	}
	close(client);
}

/* ---- the socket ---- */

/* Somebody listens there: not ours to take away. Left over from a daemon that was killed: is removed. */
static int clear_way(const struct sockaddr_un *at, char **err)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct stat st;
	int rc;

	if (fd < 0)
		return err_sys(err, "cannot make a socket");
	rc = connect(fd, (const struct sockaddr *)at, sizeof(*at));
	close(fd);
	if (rc == 0)
		return err_set(
			err,
			"another xenbwd answers on %s; stop that one, or give this one another `control`",
			at->sun_path);
	if (lstat(at->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "cannot look at %s", at->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, "%s is there and is no socket; name another path with `control`",
			       at->sun_path);
	if (unlink(at->sun_path) < 0)
		return err_sys(err, "cannot remove the old socket %s", at->sun_path);
	return 0;
}

int control_server_open(struct control_server **out, struct daemon *d, char **err)
{
	struct control_server *s = mem_alloc(sizeof(*s));
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	mode_t old;
	int rc;

	*out = NULL;
	s->d = d;
	s->fd = -1;
	strncpy(at.sun_path, d->conf->control, sizeof(at.sun_path) - 1); /* conf.c has checked its length */
	if (folder_of(at.sun_path, 0755, err) < 0 || clear_way(&at, err) < 0) {
		control_server_close(s);
		return -1;
	}
	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	old = umask(0177);
	rc = s->fd < 0 ? -1 : bind(s->fd, (struct sockaddr *)&at, sizeof(at));
	umask(old);
	if (rc == 0) {
		s->path = mem_strdup(at.sun_path);
		rc = listen(s->fd, 16);
	}
	if (rc < 0) {
		err_sys(err, "cannot listen on %s", at.sun_path);
		control_server_close(s);
		return -1;
	}
	s->on_client = event_new(d->base, s->fd, EV_READ | EV_PERSIST, on_client, s);
	if (!s->on_client || event_add(s->on_client, NULL) < 0) {
		control_server_close(s);
		return err_set(err, "cannot wait for clients on %s", at.sun_path);
	}
	*out = s;
	return 0;
}

void control_server_close(struct control_server *s)
{
	if (!s)
		return;
	if (s->on_client)
		event_free(s->on_client);
	if (s->path && unlink(s->path) < 0)
		log_debug("removing %s: %s", s->path, strerror(errno));
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	free(s);
}
