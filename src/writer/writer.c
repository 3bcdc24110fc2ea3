/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "writer/writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/mysql_sink.h"
#include "db/rrd_sink.h"
#include "db/sink.h"
#include "ipc/feed.h"
#include "writer/quotas.h"

#define RETRY_SECONDS 5 /* while there is no ledger, or the directory cannot be used */
#define NS INT64_C(1000000000)

/* What the loop knows of a sink. */
struct state {
	const char *name; /* in the ledger; NULL: of none that writes */
	const char *what; /* is written, or looked at, again */
	int64_t retry_at; /* clock_mono; 0: nothing failed */
	char *trouble;    /* the last one that was logged; NULL while all is well */
};

struct writer {
	const struct writer_setup *setup;
	struct rrd_sink *rrd;         /* NULL: not wanted */
	struct mysql_sink *mysql;     /* NULL: not wanted */
	struct writer_quotas *quotas; /* NULL: there are none */
	struct state rrd_state, mysql_state, quota_state;
	bool held; /* nothing goes to MySQL */
};

/* For the sinks: a signal came, or xenbwd will not send any more. */
static bool must_stop(void *arg)
{
	const struct writer *w = arg;
	struct pollfd fds[] = {{.fd = w->setup->signals, .events = POLLIN},
			       {.fd = FEED_FD, .events = POLLRDHUP}};

	return poll(fds, 2, 0) > 0;
}

static void say(void *arg, enum sink_level level, const char *line)
{
	(void)arg;
	if (level == SINK_WARNING)
		log_warn("%s", line);
	else if (level == SINK_INFO)
		log_info("%s", line);
	else
		log_debug("%s", line);
}

/* Logs what keeps a pass from being made, once; NULL: nothing does. */
static void note_trouble(struct state *s, const char *trouble)
{
	if (!mem_replace(&s->trouble, trouble))
		return;
	if (trouble)
		log_warn("%s; trying again until it works", trouble);
	else
		log_info("%s %s again", s->name ? "writing" : "looking at", s->what);
}

/* Returns 0, or 1 where xenbwd is gone. */
static int send_to_xenbwd(const void *message, size_t size)
{
	while (send(FEED_FD, message, size, MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EPIPE && errno != ECONNRESET)
			log_warn("cannot send to xenbwd: %s", strerror(errno));
		return 1;
	}
	return 0;
}

static int acknowledge(const struct state *s, int64_t seq)
{
	struct feed_message m = {.magic = FEED_MAGIC, .kind = FEED_PASSED, .seq = seq};

	snprintf(m.sink, sizeof(m.sink), "%s", s->name);
	if (send_to_xenbwd(&m, sizeof(m)))
		return 1;
	log_debug("%s passed up to sequence %lld", s->name, (long long)seq);
	return 0;
}

/* ---- passes ---- */

/* After a pass: `rc` as it returned, `seconds` until the next try where it could not be made. */
static int note_pass(struct state *s, int rc, int64_t seq, unsigned seconds, char *trouble)
{
	note_trouble(s, trouble);
	free(trouble);
	s->retry_at = rc == 0 ? 0 : clock_mono().ns + seconds * NS;
	return seq ? acknowledge(s, seq) : 0;
}

static int rrd_pass(struct writer *w)
{
	char *trouble = NULL;
	int64_t seq;
	int rc = rrd_sink_pass(w->rrd, clock_wall(), &seq, &trouble);

	return note_pass(&w->rrd_state, rc, seq, RETRY_SECONDS, trouble);
}

static int mysql_pass(struct writer *w)
{
	const struct conf *conf = w->setup->conf;
	char *trouble = NULL;
	int64_t seq;
	int rc = mysql_sink_pass(w->mysql, &seq, &trouble);

	return note_pass(&w->mysql_state, rc, seq,
			 rc < 0 ? (conf->errdelay + 1) * conf->flush : RETRY_SECONDS, trouble);
}

static bool tell_crossing(const struct crossing *c)
{
	struct feed_crossing m = {.magic = FEED_MAGIC, .kind = FEED_CROSSED, .crossing = *c};

	return send_to_xenbwd(&m, sizeof(m)) == 0;
}

static int quota_pass(struct writer *w)
{
	char *trouble = NULL;
	int rc = writer_quotas_pass(w->quotas, clock_wall(), tell_crossing, &trouble);

	if (note_pass(&w->quota_state, rc < 0 ? -1 : 0, 0, RETRY_SECONDS, trouble))
		return 1;
	return rc > 0;
}

/* Returns 1 where xenbwd is gone. MySQL has its own pace after a failure; a ledger that is not there yet is
 * none. */
static int passes(struct writer *w)
{
	if ((w->quotas && quota_pass(w)) || (w->rrd && rrd_pass(w)))
		return 1;
	if (!w->mysql || w->held || clock_mono().ns < w->mysql_state.retry_at)
		return 0;
	return mysql_pass(w);
}

/* Milliseconds until something is to be tried again; -1: nothing is. */
static int patience(const struct writer *w)
{
	int64_t at = INT64_MAX, left;

	if (w->rrd && w->rrd_state.retry_at)
		at = w->rrd_state.retry_at;
	if (w->quota_state.retry_at && w->quota_state.retry_at < at)
		at = w->quota_state.retry_at;
	if (w->mysql && !w->held && w->mysql_state.retry_at && w->mysql_state.retry_at < at)
		at = w->mysql_state.retry_at;
	if (at == INT64_MAX)
		return -1;
	left = (at - clock_mono().ns) / (NS / 1000) + 1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* ---- xenbwd ---- */

static void hold(struct writer *w, bool held)
{
	if (!w->mysql || w->held == held)
		return;
	w->held = held;
	w->mysql_state.retry_at = 0;
	log_info(held ? "nothing goes to MySQL until xenbwd says so; the ledger keeps it" : "MySQL goes on");
}

static int take_message(struct writer *w, const struct feed_message *m, ssize_t size, char **err)
{
	if (size == sizeof(*m) && m->magic == FEED_MAGIC) {
		switch (m->kind) {
		case FEED_COMMITTED:
			return 0;
		case FEED_HOLD:
		case FEED_RESUME:
			hold(w, m->kind == FEED_HOLD);
			return 0;
		default:
			break;
		}
	}
	return err_set(
		err, "xenbwd sent a message that this xenbw-writer does not know; install both from the same "
		     "version");
}

/* Takes all messages that are there; several commits make one pass. Returns 1 to go on, 0 at the end of file
 * where no message came before it, -1 where the other side is not our xenbwd. */
static int take_messages(struct writer *w, char **err)
{
	struct feed_message m;
	int came = 0;

	for (;;) {
		ssize_t n = recv(FEED_FD, &m, sizeof(m), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 1;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return came;
		if (n < 0)
			return err_sys(err, "cannot read from xenbwd");
		if (take_message(w, &m, n, err) < 0)
			return -1;
		came = 1;
	}
}

/* Returns 1 to go on, 0 to end well, -1 on an error. */
static int wait_for_work(struct writer *w, char **err)
{
	struct pollfd fds[] = {{.fd = w->setup->signals, .events = POLLIN},
			       {.fd = FEED_FD, .events = POLLIN}};
	int n = poll(fds, 2, patience(w));

	if (n < 0)
		return errno == EINTR ? 1 : err_sys(err, "cannot wait for xenbwd");
	if (fds[0].revents)
		return 0;
	return fds[1].revents ? take_messages(w, err) : 1;
}

int writer_run(const struct writer_setup *setup, char **err)
{
	struct writer w = {.setup = setup,
			   .rrd_state = {.name = RRD_SINK, .what = "RRD files"},
			   .mysql_state = {.name = MYSQL_SINK, .what = "to MySQL"},
			   .quota_state = {.what = "quotas"}};
	struct sink_host host = {.say = say, .must_stop = must_stop, .arg = &w};
	int going;

	if (setup->rrd_dir)
		w.rrd = rrd_sink_new(setup->ledger, setup->rrd_dir, &host);
	if (setup->quotas)
		w.quotas = writer_quotas_new(setup->quotas);
	if (setup->conf)
		w.mysql = mysql_sink_new(setup->ledger, setup->conf, &host);
	/* what xenbwd said before the first pass, to hold MySQL, is in force from the start */
	going = take_messages(&w, err);
	while (going == 1) {
		if (passes(&w))
			break;
		log_tell();
		going = wait_for_work(&w, err);
	}
	if (w.rrd)
		rrd_sink_free(w.rrd);
	if (w.mysql)
		mysql_sink_free(w.mysql);
	writer_quotas_free(w.quotas);
	free(w.quota_state.trouble);
	free(w.rrd_state.trouble);
	free(w.mysql_state.trouble);
	return going < 0 ? -1 : 0;
}
