/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuzz_control: what clients of xenbwd's control socket may send and do (libFuzzer), before the server as it
 * is.
 *
 * Who asks as the protocol says gets each vif once, in messages that the command line's own reader takes; who
 * says anything else gets not a byte, and the next one is served. What the daemon knows is the input's, too.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/classifier.h"
#include "daemon/daemon.h"
#include "ipc/control.h"
#include "tests/fuzz/ledger_life.h"

#define MOST_VIFS 300
#define CLIENTS 4 /* at a time */
#define ROUNDS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		abort();
}

static struct {
	const uint8_t *at, *end;
} input;

static uint8_t next(void)
{
	return input.at < input.end ? *input.at++ : 0;
}

/* ---- the daemon ---- */

static struct {
	struct daemon d;
	struct control_server *server;
	struct sockaddr_un at;
	struct followed vifs[MOST_VIFS];
	size_t count;
	char uplinks[2 * CONTROL_UPLINKS];
	struct classifier_status status;
} bed;

struct classifier_status classifier_status(const struct classifier *c)
{
	(void)c;
	return bed.status;
}

char *classifier_uplinks(const struct classifier *c)
{
	(void)c;
	return mem_strdup(bed.uplinks);
}

bool classifier_is_blind_to(const struct classifier *c, int64_t vif)
{
	(void)c;
	return vif % 3 == 0;
}

static void open_server(void)
{
	static struct conf conf;
	char *err = NULL;

	if (bed.server)
		return;
	bed.d.conf = &conf;
	bed.d.base = event_base_new();
	expect(bed.d.base != NULL);
	conf.control = mem_printf("%s.control", ledger_life_path());
	bed.at.sun_family = AF_UNIX;
	snprintf(bed.at.sun_path, sizeof(bed.at.sun_path), "%s", conf.control);
	expect(control_server_open(&bed.server, &bed.d, &err) == 0);
	bed.d.account = account_new(&(struct account_settings){.boot = "boot"},
				    &(struct ledger_state){.last_seq = 77}, 1000000000);
}

static void fill_daemon(void)
{
	uint8_t what = next();
	size_t length = next() % sizeof(bed.uplinks);

	bed.count = (size_t)(next() << 8 | next()) % (MOST_VIFS + 1);
	bed.d.classifier = what & 1 ? (struct classifier *)&bed : NULL; /* nobody looks into it */
	bed.status = (struct classifier_status){.looks = what & 2, .dropped = next()};
	bed.d.no_xenstore.reason = what & 4 ? (char *)&bed : NULL;
	for (size_t i = 0; i < length; i++)
		bed.uplinks[i] = (char)(next() | 1);
	bed.uplinks[length] = '\0';
	for (size_t i = 0; i < bed.count; i++) {
		struct followed *f = &bed.vifs[i];

		*f = (struct followed){.numbers = {(unsigned)i, next()}, .vif = (int64_t)i + 1};
		f->binding.main = next();
		f->rate[DIR_INPUT] = next();
		HASH_ADD(hh, bed.d.followed, numbers, sizeof(f->numbers), f);
	}
}

/* ---- clients ---- */

struct client {
	int fd; /* -1: it has gone */
	bool asks;
};

static struct client begin(void)
{
	struct control_request ask = {.magic = CONTROL_MAGIC, .kind = CONTROL_STATUS};
	struct client c = {.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), .asks = true};
	uint8_t bytes[4 * sizeof(ask)] = {0}, what = next();
	size_t size = sizeof(ask);

	expect(c.fd >= 0 && connect(c.fd, (struct sockaddr *)&bed.at, sizeof(bed.at)) == 0);
	memcpy(bytes, &ask, sizeof(ask));
	if (what & 1)
		size = next() % (sizeof(bytes) + 1);
	if (what & 2)
		for (size_t i = 0; i < size; i++)
			bytes[i] ^= next();
	/* more than a request is cut by the kernel, which tells nobody: its beginning counts */
	c.asks = size >= sizeof(ask) && memcmp(bytes, &ask, sizeof(ask)) == 0;
	expect(send(c.fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
	if (what & 4)
		(void)!send(c.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (what & 8)
		shutdown(c.fd, SHUT_WR);
	if ((what & 0x30) == 0x30) {
		close(c.fd);
		c.fd = -1;
	}
	return c;
}

static void check_status(const struct control_status *s)
{
	expect(s->count == bed.count && s->committed == 77);
	expect(s->xenstore_connected == !bed.d.no_xenstore.reason);
	for (size_t i = 0; i < s->count; i++) {
		const struct control_vif *v = &s->vifs[i];

		expect(v->vif == (int64_t)i + 1 && v->domid == i && v->ifindex == bed.vifs[i].binding.main);
		expect(v->input_rate == bed.vifs[i].rate[DIR_INPUT]);
		expect(!(v->flags & CONTROL_VIF_BLIND) == !(bed.d.classifier && v->vif % 3 == 0));
	}
	for (const char *p = s->uplinks; *p; p++)
		expect(*p >= ' ' && *p <= '~');
}

static void end(struct client *c)
{
	static struct control_reply r;
	struct control_status s = {0};
	char *err = NULL;
	ssize_t n;
	int rc = 1;

	if (c->fd < 0)
		return;
	while ((n = recv(c->fd, &r, sizeof(r), MSG_DONTWAIT)) > 0) {
		expect(c->asks && rc == 1);
		rc = control_take(&s, &r, (size_t)n, &err);
		expect(rc >= 0);
	}
	/* what it said twice was not read: then the end is a reset */
	expect(n == 0 || errno == ECONNRESET);
	expect((rc == 0) == c->asks || n < 0);
	if (rc == 0)
		check_status(&s);
	free(s.vifs);
	close(c->fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input.at = data;
	input.end = data + size;
	open_server();
	fill_daemon();
	for (int round = 0; round < ROUNDS && input.at < input.end; round++) {
		struct client clients[CLIENTS];
		int count = 1 + next() % CLIENTS;

		for (int i = 0; i < count; i++)
			clients[i] = begin();
		for (int i = 0; i < count; i++)
			expect(event_base_loop(bed.d.base, EVLOOP_NONBLOCK) >= 0);
		for (int i = 0; i < count; i++)
			end(&clients[i]);
	}
	HASH_CLEAR(hh, bed.d.followed);
	return 0;
}
