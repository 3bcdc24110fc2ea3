/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/backoff.h"
#include "daemon/daemon.h"
#include "daemon/guard.h"
#include "daemon/quotas.h"
#include "db/sink.h"

#define STOP_SECONDS 5  /* what the writer has to finish its batch */
#define FLUSH_SECONDS 2 /* what it has to bring the last commit to MySQL */

struct feed {
	struct daemon *d;
	int fd; /* our end; -1: it does not run */
	struct event *on_message, *on_retry;
	bool told_held; /* whether the writer knows that MySQL is held */
	struct backoff backoff;
};

static void start_writer(struct feed *f);

static void close_end(struct feed *f)
{
	if (f->on_message)
		event_free(f->on_message);
	f->on_message = NULL;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static void retry_later(struct feed *f)
{
	struct timeval wait = {.tv_sec = backoff_wait(&f->backoff)};

	if (event_add(f->on_retry, &wait) < 0)
		log_err("cannot set a timer for starting xenbw-writer again");
}

/* A sink has passed a sequence: the ledger notes it, so that what every sink has passed can be folded. */
static void passed(struct feed *f, struct feed_message *m)
{
	char *err = NULL;

	m->sink[sizeof(m->sink) - 1] = '\0';
	if (m->seq > account_last_seq(f->d->account)) {
		char *sink = text_printable(m->sink, strlen(m->sink));

		log_err("xenbw-writer says that sink %s passed sequence %" PRId64
			", and the ledger ends at %" PRId64
			"; that is not noted: if it comes again, restart xenbwd",
			sink, m->seq, account_last_seq(f->d->account));
		free(sink);
		return;
	}
	if (ledger_passed(f->d->ledger, m->sink, m->seq, &err) < 0)
		log_warn("%s; sink %s tells again with the next slot", err, m->sink);
	free(err);
	backoff_delivered(&f->backoff); /* it tells of nothing that was known */
}

/* 1 = a message was handled, 0 = none is waiting, -1 = the writer closed its end or is not ours. */
static int receive(struct feed *f)
{
	union {
		struct feed_message message;
		struct feed_crossing crossing;
	} m;
	ssize_t n = recv(f->fd, &m, sizeof(m), MSG_DONTWAIT);

	/* A writer that ended with a message unread makes the kernel report a reset, once, before what it
	 * sent last. */
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNRESET ? 0 : -1;
	if (n == 0)
		return -1;
	if (n == (ssize_t)sizeof(m.crossing) && m.crossing.magic == FEED_MAGIC &&
	    m.crossing.kind == FEED_CROSSED) {
		quotas_crossed(f->d->quotas, &m.crossing.crossing);
		return 1;
	}
	if (n != (ssize_t)sizeof(m.message) || m.message.magic != FEED_MAGIC ||
	    m.message.kind != FEED_PASSED) {
		log_err("xenbw-writer sent a message that is none; it is of another version: reinstall "
			"xenbw");
		guard_end(f->d->guard, GUARD_WRITER); /* it has not ended yet */
		return -1;
	}
	passed(f, &m.message);
	return 1;
}

/* How it ended is told by the guard, which takes an end that was ordered for ours. */
static void ended(struct feed *f)
{
	close_end(f);
	retry_later(f);
	log_err("xenbw-writer has ended; it is started again in %u s, the ledger keeps what it has to write",
		f->backoff.seconds);
}

static void on_message(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	if (receive(f) < 0)
		ended(f);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_writer(arg);
}

static struct feed_message message_of(const struct feed *f, enum feed_kind kind)
{
	return (struct feed_message){
		.magic = FEED_MAGIC, .kind = kind, .seq = account_last_seq(f->d->account)};
}

/* Whether it was taken. A full socket means that it has such messages waiting already. */
static bool send_message(const struct feed *f, enum feed_kind kind)
{
	struct feed_message m = message_of(f, kind);

	if (f->fd < 0)
		return false;
	if (send(f->fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN)
		log_debug("telling xenbw-writer: %s", strerror(errno));
	return false;
}

/* What found no place is said again with the next word. */
static void tell_held(struct feed *f)
{
	if (f->told_held != f->d->held && send_message(f, f->d->held ? FEED_HOLD : FEED_RESUME))
		f->told_held = f->d->held;
}

static void tell_committed(struct feed *f)
{
	tell_held(f);
	(void)send_message(f, FEED_COMMITTED);
}

static void start_writer(struct feed *f)
{
	struct feed_message hold = message_of(f, FEED_HOLD);
	struct iovec first = {&hold, sizeof(hold)};
	char *err = NULL;

	backoff_started(&f->backoff);
	f->fd = guard_start(f->d->guard, GUARD_WRITER, f->d->conf, true, f->d->held ? &first : NULL, &err);
	if (f->fd >= 0) {
		f->on_message = event_new(f->d->base, f->fd, EV_READ | EV_PERSIST, on_message, f);
		if (!f->on_message || event_add(f->on_message, NULL) < 0)
			err_set(&err, "cannot wait for messages of xenbw-writer");
	}
	f->told_held = f->d->held;
	if (err) {
		log_err("%s; RRD files and MySQL are not fed until it runs, the ledger keeps everything",
			err);
		free(err);
		close_end(f);
		retry_later(f);
	}
}

struct feed *feed_start(struct daemon *d)
{
	struct feed *f;

	if (guard_fd(d->guard) < 0)
		return NULL; /* that was said already */
	f = mem_alloc(sizeof(*f));
	f->d = d;
	f->fd = -1;
	f->on_retry = evtimer_new(d->base, on_retry, f);
	if (!f->on_retry) {
		log_err("cannot look after xenbw-writer: RRD files and MySQL are not fed, the ledger keeps "
			"everything");
		feed_kill(f);
		return NULL;
	}
	start_writer(f);
	return f;
}

void feed_tell(struct feed *f)
{
	if (f)
		tell_committed(f);
}

void feed_hold(struct feed *f)
{
	if (f)
		tell_held(f);
}

/* Handles its messages until `enough` or it closes its end; false when the time is over. */
static bool listen_for(struct feed *f, unsigned seconds, bool (*enough)(const struct feed *))
{
	struct mono end = {clock_mono().ns + (int64_t)seconds * 1000000000};

	while (!enough(f)) {
		int64_t left = (end.ns - clock_mono().ns) / 1000000;
		struct pollfd p = {.fd = f->fd, .events = POLLIN};

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) > 0 && receive(f) < 0)
			return true;
	}
	return true;
}

static bool never(const struct feed *f)
{
	(void)f;
	return false;
}

static bool mysql_has_all(const struct feed *f)
{
	char *err = NULL;
	int64_t seq;

	if (ledger_sink_seq(f->d->ledger, MYSQL_SINK, &seq, &err) < 0) {
		log_warn("%s", err);
		free(err);
		return true; /* nothing will ever say more */
	}
	return seq >= account_last_seq(f->d->account);
}

/* The last commit is to reach MySQL before the end, as nacctd's users expect it. A server that is away must
 * not hold up the end: the ledger has it all. */
static void last_flush(struct feed *f)
{
	if (f->d->conf->database != DATABASE_MYSQL || f->d->held || mysql_has_all(f))
		return;
	tell_committed(f);
	if (!listen_for(f, FLUSH_SECONDS, mysql_has_all))
		log_warn("MySQL does not have all bytes yet; the ledger keeps them for the next start");
}

/* Reads its last messages until it closes its end or the time is over. */
static void last_words(struct feed *f)
{
	shutdown(f->fd, SHUT_WR);
	if (!listen_for(f, STOP_SECONDS, never))
		log_warn("xenbw-writer has not finished within %d s and is ended; the ledger keeps what it "
			 "has to write",
			 STOP_SECONDS);
}

void feed_kill(struct feed *f)
{
	if (!f)
		return;
	guard_end(f->d->guard, GUARD_WRITER);
	if (f->on_retry)
		event_free(f->on_retry);
	close_end(f);
	free(f);
}

void feed_flush(struct feed *f)
{
	if (f && f->fd >= 0)
		last_flush(f);
}

void feed_stop(struct feed *f)
{
	if (f && f->fd >= 0) {
		last_flush(f);
		if (f->fd >= 0)
			last_words(f);
	}
	feed_kill(f);
}
