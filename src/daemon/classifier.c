/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/classifier.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/backoff.h"
#include "daemon/daemon.h"
#include "daemon/guard.h"
#include "daemon/heard.h"
#include "daemon/nat_watch.h"
#include "daemon/roster.h"
#include "ipc/packet.h"
#include "net/offload.h"
#include "net/uplinks.h"

#define ANSWER_MS 500    /* how long the loop stands still for an answer; usually some 20 */
#define PATIENCE_MS 2000 /* so old an answer is still worth the delay of a poll */
#define START_MS 2000    /* what a worker may take until it looks */
#define HANG_SECONDS 10  /* without an answer: another worker is started */
/* Where an uplink has large packets cut: headers of 40 to 60 bytes to segments of 1,460. With room to spare.
 */
#define HEADERS_PART 16

struct classifier {
	struct daemon *d;
	struct uplinks uplinks;
	struct roster roster;
	struct nat_watch *nat;
	int fd; /* to the worker; -1: there is none */
	struct event *on_answer, *on_retry;
	struct backoff backoff;
	uint32_t asked, answered;   /* serials */
	uint32_t overdue;           /* up to this one, the poll that asked went without the answer */
	struct mono asked_at;       /* the oldest question without an answer */
	struct mono up;             /* since when all that this worker sees is taken; 0: not yet */
	struct mono settled;        /* when the last reading that was settled began */
	struct heard heard, given;  /* since the account asked last; what it is given now */
	uint64_t before[DIR_COUNT]; /* of what was missed at the last poll: what this one may show */
	bool blind;                 /* in this poll: not everything was seen */
	struct account_look look;
	struct account_portion *portions;
	size_t portion_room;
	int64_t told_slot; /* the last one with an event about strays */
	struct trouble no_uplink, no_answer;
	struct classifier_status status;
};

/* ---- the worker ---- */

static void close_worker(struct classifier *c)
{
	if (c->on_answer)
		event_free(c->on_answer);
	c->on_answer = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->up = (struct mono){0};
	c->answered = c->asked;
}

static void retry_later(struct classifier *c, const char *why)
{
	struct timeval wait = {.tv_sec = backoff_wait(&c->backoff)};

	close_worker(c);
	log_err("%s; it is started again in %ld s, and what moves meanwhile is unattributed", why,
		(long)wait.tv_sec);
	if (event_add(c->on_retry, &wait) < 0)
		log_err("cannot set a timer for starting xenbw-capture again");
}

/* Is this the answer to a question that was asked and has none? */
static bool is_asked(const struct classifier *c, uint32_t serial)
{
	uint32_t ahead = serial - c->answered;

	return ahead > 0 && ahead <= c->asked - c->answered;
}

/* Takes an answer; false where it is none. One that comes after its poll tells of what was booked as
 * unattributed by then: it says no more than that the worker looks. */
static bool hear(struct classifier *c, const struct capture_answer *a, int table)
{
	bool overdue;

	if (a->magic != CAPTURE_MAGIC || a->kind != CAPTURE_SEEN || !is_asked(c, a->serial))
		return false;
	overdue = (int32_t)(a->serial - c->overdue) <= 0;
	if (!overdue && !heard_add(&c->heard, a, table))
		return false;
	c->answered = a->serial;
	if (c->up.ns)
		backoff_delivered(&c->backoff); /* the first answer says only that it looks */
	if (!c->up.ns || overdue)
		c->up = clock_mono();
	return true;
}

/* Takes all messages that are there. */
static void receive(struct classifier *c)
{
	int got = c->fd >= 0 ? 1 : 0;

	while (got == 1 && c->fd >= 0) {
		struct capture_answer a;
		int fds[PACKET_FDS];
		char *err = NULL;
		bool good;

		got = packet_receive(c->fd, &a, sizeof(a), fds, &err);
		good = got == 1 && hear(c, &a, fds[0]);
		packet_close(fds);
		if (err)
			err_add(&err, "listening to xenbw-capture");
		if (got < 0 && !err)
			retry_later(c, "xenbw-capture has ended");
		else if (got < 0)
			retry_later(c, err);
		else if (got == 1 && !good)
			retry_later(c, "xenbw-capture sent a message that is none; it is of another version: "
				       "reinstall xenbw");
		free(err);
	}
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	receive(arg);
}

static void ask(struct classifier *c, struct mono counted)
{
	struct capture_order order = {.magic = CAPTURE_MAGIC,
				      .kind = CAPTURE_READ,
				      .serial = c->asked + 1,
				      .counted_ns = counted.ns};

	if (c->fd < 0)
		return;
	if (c->asked == c->answered)
		c->asked_at = clock_mono();
	c->asked++;
	/* Where this fails there is no answer: its end shows when it is listened to; a full socket is one
	 * that hangs. */
	(void)packet_send(c->fd, &order, sizeof(order), NULL, 0, NULL);
}

/* Listens until the last question is answered, the worker is gone or the time is over. */
static void await(struct classifier *c, int64_t ms)
{
	int64_t end = clock_mono().ns + ms * 1000000;

	receive(c);
	while (c->fd >= 0 && c->answered != c->asked) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int64_t left = (end - clock_mono().ns) / 1000000;

		if (left <= 0)
			return;
		if (poll(&p, 1, (int)left) > 0)
			receive(c);
	}
}

static void tell_roster(struct classifier *c)
{
	struct capture_order order = {
		.magic = CAPTURE_MAGIC, .kind = CAPTURE_VIFS, .count = (uint32_t)c->roster.count};

	int table;

	if (c->fd < 0)
		return;
	table = capture_table_pack(c->roster.list, c->roster.count, sizeof(*c->roster.list), NULL);
	if (table < 0 || packet_send(c->fd, &order, sizeof(order), &table, 1, NULL) < 0)
		retry_later(c, "xenbw-capture does not take its orders");
	if (table >= 0)
		close(table);
}

/* The settings with the uplinks that were chosen. */
static int start_on(struct classifier *c, char **err)
{
	struct conf conf = *c->d->conf;
	int fd;

	conf.devices.list = mem_array(c->uplinks.count, sizeof(*conf.devices.list));
	conf.devices.count = 0;
	for (size_t i = 0; i < c->uplinks.count; i++) {
		const struct link *link = links_find(c->d->links, c->uplinks.list[i]);

		if (link &&
		    !uplinks_see_below(&c->uplinks, link)) /* else each of its frames would be seen twice */
			conf.devices.list[conf.devices.count++] = mem_strdup(link->name);
	}
	fd = guard_start(c->d->guard, GUARD_CAPTURE, &conf, false, err);
	for (size_t i = 0; i < conf.devices.count; i++)
		free(conf.devices.list[i]);
	free(conf.devices.list);
	return fd;
}

static void start_worker(struct classifier *c)
{
	char *err = NULL;

	evtimer_del(c->on_retry);
	close_worker(c);
	if (!c->uplinks.count)
		guard_end(c->d->guard, GUARD_CAPTURE);
	if (!c->uplinks.count || guard_fd(c->d->guard) < 0)
		return;
	backoff_started(&c->backoff);
	c->fd = start_on(c, &err);
	if (c->fd >= 0)
		c->on_answer = event_new(c->d->base, c->fd, EV_READ | EV_PERSIST, on_answer, c);
	if (c->fd >= 0 && (!c->on_answer || event_add(c->on_answer, NULL) < 0))
		err_set(&err, "cannot wait for answers of xenbw-capture");
	if (err) {
		retry_later(c, err);
		free(err);
		return;
	}
	tell_roster(c);
	ask(c, clock_mono()); /* its answer says that it looks */
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_worker(arg);
}

void classifier_give_up(struct classifier *c)
{
	if (!c)
		return;
	evtimer_del(c->on_retry);
	close_worker(c);
}

/* ---- who and where ---- */

static bool is_vif(void *ctx, unsigned ifindex)
{
	const struct daemon *d = ctx;

	return account_vif_of(d->account, ifindex) != 0;
}

char *classifier_uplinks(const struct classifier *c)
{
	char *names = mem_strdup("");

	for (size_t i = 0; i < c->uplinks.count; i++) {
		const struct link *link = links_find(c->d->links, c->uplinks.list[i]);
		char *more = mem_printf("%s%s%s", names, *names ? " " : "", link ? link->name : "?");

		free(names);
		names = more;
	}
	return names;
}

static bool has_guests(const struct daemon *d)
{
	for (const struct ledger_vif *v = NULL; (v = account_next_vif(d->account, v));)
		if (v->domid != 0)
			return true;
	return false;
}

/* Whether an uplink cuts can be set while it is one: the kernel tells of that as of any change of a device.
 */
static void follow_offload(struct classifier *c)
{
	const struct link *link;

	c->look.headers = 0;
	for (size_t i = 0; i < c->uplinks.count; i++)
		if ((link = links_find(c->d->links, c->uplinks.list[i])) && offload_cuts(link->name))
			c->look.headers = HEADERS_PART;
}

/* Whether they are others than before. */
static bool follow_uplinks(struct classifier *c)
{
	struct daemon *d = c->d;
	char *why = NULL, *names;
	struct uplinks now = uplinks_choose(d->links, &d->conf->devices, is_vif, d, &c->uplinks, &why);
	bool same = uplinks_equal(&now, &c->uplinks);

	if (why && !has_guests(d)) { /* nobody misses it yet */
		free(why);
		why = NULL;
	}
	trouble_is(&c->no_uplink, why);
	uplinks_free(&c->uplinks);
	c->uplinks = now;
	follow_offload(c);
	if (same)
		return false;
	names = classifier_uplinks(c);
	if (now.count)
		log_info("uplink%s: %s", now.count > 1 ? "s" : "", names);
	free(names);
	return true;
}

/* Whether somebody has another MAC, address or place than before. */
static bool follow_roster(struct classifier *c)
{
	struct roster now = roster_make(c->d->account, c->d->links, &c->uplinks);

	if (roster_equal(&now, &c->roster)) {
		roster_free(&now);
		return false;
	}
	roster_free(&c->roster);
	c->roster = now;
	nat_watch_set(c->nat, &now);
	return true;
}

/* A new worker is told who is there before it is asked anything: the frames of those it had not been told of
 * by then would be nobody's. */
void classifier_follow(struct classifier *c)
{
	bool elsewhere = follow_uplinks(c), others = follow_roster(c);

	if (elsewhere) {
		c->backoff = (struct backoff){0};
		start_worker(c);
	} else if (others) {
		tell_roster(c);
	}
}

static void watch_nat(struct classifier *c, struct mono counted)
{
	const uint8_t *address;
	while (nat_watch_scan(c->nat, counted, &address) != 0) {
		struct network n = {.bits = 128};
		char *text, *detail;

		memcpy(n.address, address, sizeof(n.address));
		text = network_text(&n);
		detail = mem_printf("this host translates the address %s (NAT), so frames on the uplink do "
				    "not show whose "
				    "they are: this vif's bytes are unattributed; give its guest an address "
				    "that is routed, "
				    "or write `attribution off`",
				    text);
		log_warn("vif with the address %s: %s", text, detail);
		account_event(c->d->account, "nat", text, detail);
		free(detail);
		free(text);
	}
}

bool classifier_is_blind_to(const struct classifier *c, int64_t vif)
{
	return roster_is_unknown(&c->roster, vif) || nat_watch_has(c->nat, vif);
}

/* ---- what was seen ---- */

static void seen(void *ctx, int64_t vif, struct account_seen *out)
{
	struct classifier *c = ctx;
	const struct heard *h = &c->given;

	for (size_t i = heard_first(h, vif); i < h->count && h->list[i].vif == vif; i++) {
		const struct capture_seen *s = &h->list[i];

		if (out->count == c->portion_room) {
			c->portion_room = c->portion_room ? c->portion_room * 2 : 8;
			c->portions = mem_resize(c->portions, c->portion_room, sizeof(*c->portions));
		}
		c->portions[out->count++] = (struct account_portion){
			.address = s->has_address ? s->address : NULL, .bytes = s->bytes};
		for (int d = 0; d < DIR_COUNT; d++)
			out->late[d] += s->late[d];
		out->spoofed += s->spoofed_bytes;
	}
	out->portions = c->portions;
	out->blind = c->blind || classifier_is_blind_to(c, vif);
}

/* Once a slot for the ledger, once a run for the log. */
static void tell_strays(struct classifier *c, bool first)
{
	const struct heard *h = &c->given;
	const uint8_t *m = h->stray_mac;
	int64_t slot = account_open_slot(c->d->account);
	char *names, *detail;

	if (!h->stray_packets[DIR_OUTPUT] || slot == c->told_slot)
		return;
	c->told_slot = slot;
	names = classifier_uplinks(c);
	detail = mem_printf(
		"%" PRIu64 " packets (%" PRIu64
		" bytes) left under a MAC or address that is no guest's, the first from "
		"%02x:%02x:%02x:%02x:%02x:%02x: a guest may be hiding; so much of each vif's local "
		"output of that poll is unattributed",
		h->stray_packets[DIR_OUTPUT], h->stray_bytes[DIR_OUTPUT], m[0], m[1], m[2], m[3], m[4], m[5]);
	account_event(c->d->account, "stray", names, detail);
	if (first)
		log_warn("%s: %s", names, detail);
	free(detail);
	free(names);
}

/* What was heard goes to the account with this look. */
static void sum_up(struct classifier *c)
{
	struct heard *h = &c->given;
	struct classifier_status *s = &c->status;
	bool first = s->stray_packets == 0;
	uint64_t next[DIR_COUNT];

	heard_clear(h);
	*h = c->heard;
	c->heard = (struct heard){0};
	heard_sort(h);
	heard_missed(h, c->look.missed, next);
	for (int d = 0; d < DIR_COUNT; d++) {
		c->look.missed[d] += c->before[d];
		c->before[d] = next[d];
		s->dropped += h->dropped[d];
	}
	s->stray_packets += h->stray_packets[DIR_OUTPUT];
	s->stray_bytes += h->stray_bytes[DIR_OUTPUT];
	s->looks = c->up.ns && c->answered == c->asked;
	tell_strays(c, first);
}

/* Of one that has ended, retry_later has told. */
static void tell_silence(struct classifier *c)
{
	if (c->fd < 0)
		return;
	trouble_is(&c->no_answer,
		   c->answered != c->asked
			   ? mem_strdup("xenbw-capture has not answered in time, so what moved since "
					"the last reading is unattributed")
			   : NULL);
}

/* It has looked all the time since the last reading that was settled, and is only late. */
static bool is_only_late(const struct classifier *c)
{
	return c->fd >= 0 && c->answered != c->asked && c->up.ns && c->up.ns <= c->settled.ns &&
	       clock_mono().ns - c->asked_at.ns < (int64_t)PATIENCE_MS * 1000000;
}

const struct account_look *classifier_look(struct classifier *c, struct mono counted, bool patient)
{
	bool hangs = c->fd >= 0 && c->answered != c->asked &&
		     counted.ns - c->asked_at.ns > (int64_t)ANSWER_MS * 1000000;

	ask(c, counted);
	await(c, hangs ? 0 : ANSWER_MS);
	if (patient && is_only_late(c))
		return NULL;
	if (c->answered != c->asked)
		c->overdue = c->asked;
	c->blind = c->fd < 0 || c->answered != c->asked || c->up.ns == 0 || c->up.ns > c->settled.ns;
	c->settled = counted;
	tell_silence(c);
	if (c->fd >= 0 && c->answered != c->asked &&
	    clock_mono().ns - c->asked_at.ns > (int64_t)HANG_SECONDS * 1000000000)
		retry_later(c, "xenbw-capture does not answer");
	watch_nat(c, counted);
	sum_up(c);
	return &c->look;
}

void classifier_wait(struct classifier *c)
{
	await(c, START_MS);
}

struct classifier_status classifier_status(const struct classifier *c)
{
	return c->status;
}

/* ---- life ---- */

struct classifier *classifier_new(struct daemon *d)
{
	struct classifier *c = mem_alloc(sizeof(*c));

	c->d = d;
	c->fd = -1;
	c->nat = nat_watch_new();
	c->look = (struct account_look){.seen = seen, .ctx = c};
	c->no_uplink.what = "finding the uplink";
	c->no_uplink.meanwhile = "what moves is unattributed";
	c->no_answer.what = "telling the classes apart";
	c->no_answer.meanwhile = "totals are counted all the same";
	c->on_retry = evtimer_new(d->base, on_retry, c);
	if (!c->on_retry) {
		classifier_free(c);
		return NULL;
	}
	return c;
}

void classifier_free(struct classifier *c)
{
	if (!c)
		return;
	close_worker(c);
	guard_end(c->d->guard, GUARD_CAPTURE); /* one that hangs does not see the end of its socket */
	if (c->on_retry)
		event_free(c->on_retry);
	uplinks_free(&c->uplinks);
	roster_free(&c->roster);
	nat_watch_free(c->nat);
	heard_clear(&c->heard);
	heard_clear(&c->given);
	free(c->portions);
	free(c->no_uplink.reason);
	free(c->no_answer.reason);
	free(c);
}
