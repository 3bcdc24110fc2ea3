/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/looker.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/backoff.h"
#include "daemon/daemon.h"
#include "daemon/devices.h"
#include "daemon/guard.h"
#include "daemon/settings.h"
#include "daemon/tc.h"
#include "ipc/packet.h"

#define ANSWER_MS 500    /* how long the loop stands still for an answer; usually some 50 */
#define PATIENCE_MS 2000 /* so old an answer is still worth the delay of a poll */
#define START_MS 2000    /* what one may take until it looks */
#define HANG_SECONDS 10  /* without an answer: another worker is started */

/* A table as the worker has it; records NULL: it has none. */
struct told {
	void *records;
	size_t bytes;
};

struct looker {
	struct daemon *d;
	const struct uplinks *uplinks; /* the classifier's */
	const struct roster *roster;
	bool kernel; /* it is xenbw-tc, not a worker of xenbw-capture */
	int fd;      /* to it; -1: there is none */
	struct told devices, vifs;
	struct event *on_answer, *on_retry;
	struct backoff backoff;
	uint32_t asked, answered; /* serials */
	uint32_t overdue;         /* up to this one, the poll that asked went without the answer */
	struct mono asked_at;     /* the oldest question without an answer */
	struct mono up;           /* since when all that it sees is taken; 0: not yet */
	struct mono settled;      /* when the last reading that was settled began */
	uint64_t position;        /* xenbw-tc: of what was heard; 0: nothing of it counts */
	struct heard heard;       /* since it was taken last */
	bool gap;                 /* … not all of what the kernel counted */
	bool began;               /* xenbw-tc was asked to go on from the ledger's position */
	bool blind;               /* at this poll: not everything was seen */
	struct trouble no_answer;
};

/* ---- its end ---- */

static void forget(struct told *t)
{
	free(t->records);
	*t = (struct told){0};
}

static void close_worker(struct looker *l)
{
	forget(&l->devices);
	forget(&l->vifs);
	if (l->on_answer)
		event_free(l->on_answer);
	l->on_answer = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->up = (struct mono){0};
	l->answered = l->asked;
	l->position = 0;
	l->gap = true;
}

/* Nobody here has the right to start xenbw-tc again. What the kernel counts meanwhile is booked as
 * unattributed first, or seen by xenbw-capture, so that it never is booked twice. */
static void end_kernel(struct looker *l, const char *why)
{
	bool worked = l->up.ns, may_capture = l->d->conf->attribution == ATTRIBUTION_AUTO;
	static const struct timeval now = {0};

	close_worker(l);
	tc_give_up(l->d->tc);
	/* Where it worked a restart is done at once, and costs the split of a poll; else it would fail again.
	 */
	if (worked && l->d->managed && !l->d->stop) {
		log_err("%s; xenbwd commits and ends, to be started again with a new one", why);
		daemon_restart(l->d);
	} else if (may_capture) {
		log_err("%s; xenbw-capture looks at packets instead until xenbwd is started again", why);
		l->kernel = false;
		if (event_add(l->on_retry, &now) < 0)
			log_err("cannot set a timer for starting xenbw-capture");
	} else {
		log_err("%s; what moves is unattributed until xenbwd is started again", why);
	}
}

static void retry_later(struct looker *l, const char *why)
{
	struct timeval wait = {.tv_sec = 1};

	if (l->kernel) {
		end_kernel(l, why);
		return;
	}
	wait.tv_sec = backoff_wait(&l->backoff);
	close_worker(l);
	log_err("%s; it is started again in %ld s, and what moves meanwhile is unattributed", why,
		(long)wait.tv_sec);
	if (event_add(l->on_retry, &wait) < 0)
		log_err("cannot set a timer for starting xenbw-capture again");
}

static const char *name_of(const struct looker *l)
{
	return l->kernel ? "xenbw-tc" : "xenbw-capture";
}

/* "xenbw-… text"; frees nothing of yours. */
static void retry_with(struct looker *l, const char *text)
{
	char *why = mem_printf("%s %s", name_of(l), text);

	retry_later(l, why);
	free(why);
}

/* ---- asking ---- */

/* Is this the answer to a question that was asked and has none? */
static bool is_asked(const struct looker *l, uint32_t serial)
{
	uint32_t ahead = serial - l->answered;

	return ahead > 0 && ahead <= l->asked - l->answered;
}

/* The kernel's counts go on whoever looks: each answer begins where the one before ended, the first one where
 * the ledger is. Without that it is known from now on what moves. */
static bool hear_kernel(struct looker *l, const struct capture_answer *a, int table)
{
	if (a->base && (a->base != l->position || !heard_add(&l->heard, a, table)))
		return false;
	l->gap |= !a->base;
	if (!a->base)
		l->up = clock_mono();
	else if (!l->up.ns)
		l->up = l->settled = (struct mono){1}; /* it has looked all the time, whatever was here */
	l->position = a->position;
	l->answered = a->serial;
	return true;
}

/* Takes an answer; false where it is none. One that comes after its poll tells of what was booked as
 * unattributed by then: it says no more than that the worker looks, and how much it missed. */
static bool hear(struct looker *l, const struct capture_answer *a, int table)
{
	bool overdue;

	if (a->magic != CAPTURE_MAGIC || a->kind != CAPTURE_SEEN)
		return false;
	if (!is_asked(l, a->serial))
		return l->kernel; /* asked by the daemon before a reload */
	if (l->kernel)
		return hear_kernel(l, a, table);
	overdue = (int32_t)(a->serial - l->overdue) <= 0;
	if (!(overdue ? heard_add_dropped(&l->heard, a) : heard_add(&l->heard, a, table)))
		return false;
	l->answered = a->serial;
	if (l->up.ns)
		backoff_delivered(&l->backoff); /* the first answer says only that it looks */
	if (!l->up.ns || overdue)
		l->up = clock_mono();
	return true;
}

/* Takes all messages that are there. */
static void receive(struct looker *l)
{
	int got = l->fd >= 0 ? 1 : 0;

	while (got == 1 && l->fd >= 0) {
		struct capture_answer a;
		int fds[PACKET_FDS];
		char *err = NULL;
		bool good;

		got = packet_receive(l->fd, &a, sizeof(a), fds, &err);
		good = got == 1 && hear(l, &a, fds[0]);
		packet_close(fds);
		if (err)
			err_add(&err, "listening to %s", name_of(l));
		if (got < 0 && !err)
			retry_with(l, "has ended");
		else if (got < 0)
			retry_later(l, err);
		else if (got == 1 && !good)
			retry_with(l,
				   "sent a message that is none; it is of another version: reinstall xenbw");
		free(err);
	}
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	receive(arg);
}

static void ask(struct looker *l, struct mono counted)
{
	struct capture_order order = {.magic = CAPTURE_MAGIC,
				      .kind = CAPTURE_READ,
				      .serial = l->asked + 1,
				      .counted_ns = counted.ns,
				      .committed = l->d->position};

	if (l->fd < 0)
		return;
	if (l->asked == l->answered)
		l->asked_at = clock_mono();
	l->asked++;
	/* Where this fails there is no answer: its end shows when it is listened to; a full socket is one
	 * that hangs. */
	(void)packet_send(l->fd, &order, sizeof(order), NULL, 0, NULL);
}

/* Listens until the last question is answered, the worker is gone or the time is over. */
static void await(struct looker *l, int64_t ms)
{
	int64_t end = clock_mono().ns + ms * 1000000;

	receive(l);
	while (l->fd >= 0 && l->answered != l->asked) {
		struct pollfd p = {.fd = l->fd, .events = POLLIN};
		int64_t left = (end - clock_mono().ns) / 1000000;

		if (left <= 0)
			return;
		if (poll(&p, 1, (int)left) > 0)
			receive(l);
	}
}

/* ---- telling ---- */

static int send_table(struct looker *l, enum capture_kind kind, const void *records, size_t count,
		      size_t size)
{
	struct capture_order order = {.magic = CAPTURE_MAGIC, .kind = kind, .count = (uint32_t)count};
	int table = capture_table_pack(records, count, size, NULL), rc = -1;

	if (table >= 0) {
		rc = packet_send(l->fd, &order, sizeof(order), &table, 1, NULL);
		close(table);
	}
	return rc;
}

static bool is_told(const struct told *t, const void *records, size_t bytes)
{
	return t->records && t->bytes == bytes && (!bytes || memcmp(t->records, records, bytes) == 0);
}

static void keep(struct told *t, const void *records, size_t bytes)
{
	forget(t);
	*t = (struct told){mem_array(bytes, 1), bytes};
	if (bytes)
		memcpy(t->records, records, bytes);
}

static int send_tables(struct looker *l, const struct capture_device *devices, size_t count)
{
	const struct roster *r = l->roster;

	log_debug("telling %s of %zu devices and %zu MACs and addresses", name_of(l), count, r->count);
	if (l->kernel && send_table(l, CAPTURE_DEVICES, devices, count, sizeof(*devices)) < 0)
		return -1;
	return send_table(l, CAPTURE_VIFS, r->list, r->count, sizeof(*r->list));
}

/* Many events change nothing in the tables, and for xenbw-tc it is much work to take them. */
void looker_tell(struct looker *l)
{
	size_t count = 0, device_bytes, vif_bytes = l->roster->count * sizeof(*l->roster->list);
	struct capture_device *devices;

	if (l->fd < 0)
		return;
	devices = l->kernel ? devices_make(l->d->account, l->d->links, l->uplinks, &count) : NULL;
	device_bytes = count * sizeof(*devices);
	if (is_told(&l->devices, devices, device_bytes) && is_told(&l->vifs, l->roster->list, vif_bytes)) {
		free(devices);
		return;
	}
	keep(&l->devices, devices, device_bytes);
	keep(&l->vifs, l->roster->list, vif_bytes);
	if (send_tables(l, devices, count) < 0)
		retry_with(l, "does not take its orders"); /* and forgets what it has */
	free(devices);
}

/* ---- its start ---- */

/* The settings with the uplinks that were chosen. */
static int start_on(struct looker *l, char **err)
{
	struct conf conf = *l->d->conf;
	int fd;

	conf.devices.list = mem_array(l->uplinks->count, sizeof(*conf.devices.list));
	conf.devices.count = 0;
	for (size_t i = 0; i < l->uplinks->count; i++) {
		const struct link *link = links_find(l->d->links, l->uplinks->list[i]);

		if (link &&
		    !uplinks_see_below(l->uplinks, link)) /* else each of its frames would be seen twice */
			conf.devices.list[conf.devices.count++] = mem_strdup(link->name);
	}
	fd = guard_start(l->d->guard, GUARD_CAPTURE, &conf, false, NULL, err);
	for (size_t i = 0; i < conf.devices.count; i++)
		free(conf.devices.list[i]);
	free(conf.devices.list);
	return fd;
}

/* xenbw-tc is there already: it goes on from the position in the ledger. Later (there was no uplink for a
 * while) some of what came after that has been heard, so it begins anew. */
static int start_kernel(struct looker *l, char **err)
{
	uint64_t from = l->began ? 0 : l->d->position;
	struct capture_order order = {.magic = CAPTURE_MAGIC,
				      .kind = CAPTURE_SETTINGS,
				      .count = l->d->conf->kind == CONF_NACCTTAB,
				      .committed = from};
	int settings = settings_fd(l->d->conf, false, err), fd = -1, rc = settings < 0 ? -1 : 0;

	if (rc == 0 && (fd = fcntl(tc_fd(l->d->tc), F_DUPFD_CLOEXEC, 0)) < 0)
		rc = err_sys(err, "cannot listen to xenbw-tc");
	if (rc == 0)
		rc = packet_send(fd, &order, sizeof(order), &settings, 1, err);
	if (settings >= 0)
		close(settings);
	if (rc == 0) {
		l->position = from;
		l->gap = !from;
		l->began = true;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool can_start(const struct looker *l)
{
	if (!l->uplinks->count)
		return false;
	return l->kernel ? tc_fd(l->d->tc) >= 0 : guard_fd(l->d->guard) >= 0;
}

static void start(struct looker *l)
{
	char *err = NULL;

	evtimer_del(l->on_retry);
	close_worker(l);
	if (!l->kernel && !l->uplinks->count)
		guard_end(l->d->guard, GUARD_CAPTURE);
	if (!can_start(l))
		return;
	backoff_started(&l->backoff);
	l->fd = l->kernel ? start_kernel(l, &err) : start_on(l, &err);
	if (l->fd >= 0)
		l->on_answer = event_new(l->d->base, l->fd, EV_READ | EV_PERSIST, on_answer, l);
	if (l->fd >= 0 && (!l->on_answer || event_add(l->on_answer, NULL) < 0))
		err_set(&err, "cannot wait for answers of %s", name_of(l));
	if (err) {
		retry_later(l, err);
		free(err);
		return;
	}
	looker_tell(l);
	ask(l, clock_mono()); /* its answer says that it looks */
}

void looker_start_anew(struct looker *l)
{
	l->backoff = (struct backoff){0};
	if (l->kernel && l->fd >= 0 && l->uplinks->count)
		looker_tell(l); /* it changes over, and what it knows of the others goes on */
	else
		start(l);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start(arg);
}

void looker_give_up(struct looker *l)
{
	if (l->kernel)
		return;
	evtimer_del(l->on_retry);
	close_worker(l);
}

/* ---- looking ---- */

/* Of one that has ended, retry_later has told. */
static void tell_silence(struct looker *l)
{
	if (l->fd < 0)
		return;
	trouble_is(&l->no_answer, l->answered != l->asked
					  ? mem_printf("%s has not answered in time, so what moved since the "
						       "last reading is unattributed",
						       name_of(l))
					  : NULL);
}

/* It has looked all the time since the last reading that was settled, and is only late. */
static bool is_only_late(const struct looker *l)
{
	return l->fd >= 0 && l->answered != l->asked && l->up.ns && l->up.ns <= l->settled.ns &&
	       clock_mono().ns - l->asked_at.ns < (int64_t)PATIENCE_MS * 1000000;
}

bool looker_look(struct looker *l, struct mono counted, bool patient)
{
	bool hangs = l->fd >= 0 && l->answered != l->asked &&
		     counted.ns - l->asked_at.ns > (int64_t)ANSWER_MS * 1000000;

	ask(l, counted);
	await(l, hangs ? 0 : ANSWER_MS);
	if (patient && is_only_late(l))
		return false;
	if (l->answered != l->asked)
		l->overdue = l->asked;
	l->blind = l->fd < 0 || l->answered != l->asked || l->up.ns == 0 || l->up.ns > l->settled.ns;
	l->settled = counted;
	tell_silence(l);
	if (l->fd >= 0 && l->answered != l->asked &&
	    clock_mono().ns - l->asked_at.ns > (int64_t)HANG_SECONDS * 1000000000)
		retry_with(l, "does not answer");
	return true;
}

void looker_wait(struct looker *l)
{
	await(l, START_MS);
}

bool looker_is_blind(const struct looker *l)
{
	return l->blind;
}

bool looker_looks(const struct looker *l)
{
	return l->up.ns && l->answered == l->asked && (!l->kernel || l->position);
}

bool looker_is_kernel(const struct looker *l)
{
	return l->kernel;
}

bool looker_goes_on(const struct looker *l)
{
	return l->kernel && l->fd >= 0 && l->answered == l->asked && !l->gap;
}

uint64_t looker_position(const struct looker *l)
{
	return l->answered == l->asked ? l->position : 0; /* else it is before what is booked now */
}

void looker_take(struct looker *l, struct heard *h)
{
	*h = l->heard;
	l->heard = (struct heard){0};
	l->gap = false;
}

/* ---- life ---- */

struct looker *looker_new(struct daemon *d, bool kernel, const struct uplinks *uplinks,
			  const struct roster *roster)
{
	struct looker *l = mem_alloc(sizeof(*l));

	l->d = d;
	l->kernel = kernel;
	l->uplinks = uplinks;
	l->roster = roster;
	l->fd = -1;
	/* xenbw-tc may still answer the daemon before a reload */
	l->asked = l->answered = l->overdue = kernel ? (uint32_t)(clock_mono().ns / 1000) : 0;
	l->no_answer.what = "telling the classes apart";
	l->no_answer.meanwhile = "totals are counted all the same";
	l->on_retry = evtimer_new(d->base, on_retry, l);
	if (!l->on_retry) {
		looker_free(l);
		return NULL;
	}
	return l;
}

void looker_free(struct looker *l)
{
	if (!l)
		return;
	close_worker(l);
	if (!l->kernel)
		guard_end(l->d->guard, GUARD_CAPTURE); /* one that hangs does not see its socket's end */
	if (l->on_retry)
		event_free(l->on_retry);
	heard_clear(&l->heard);
	free(l->no_answer.reason);
	free(l);
}
