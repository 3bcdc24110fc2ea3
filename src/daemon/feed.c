/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/feed.h"

#include <errno.h>
#include <poll.h>
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
#include "daemon/daemon.h"
#include "daemon/helper.h"
#include "db/sink.h"

#define STOP_SECONDS 5  /* what the writer has to finish its batch */
#define FLUSH_SECONDS 2 /* what it has to bring the last commit to MySQL */

struct feed {
	struct daemon *d;
	pid_t pid; /* 0: not running */
	int fd;    /* our end; -1 */
	struct event *on_message, *on_exit, *on_retry;
	struct helper_backoff backoff;
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
	struct timeval wait = {.tv_sec = helper_wait(&f->backoff)};

	if (event_add(f->on_retry, &wait) < 0)
		log_err("cannot set a timer for starting xenbw-writer again");
}

/* A sink has passed a sequence: the ledger notes it, so that what every sink has passed can be folded. */
static void passed(struct feed *f, struct feed_message *m)
{
	char *err = NULL;

	m->sink[sizeof(m->sink) - 1] = '\0';
	if (ledger_passed(f->d->ledger, m->sink, m->seq, &err) < 0)
		log_warn("%s; sink %s tells again with the next slot", err, m->sink);
	free(err);
	helper_delivered(&f->backoff); /* it tells of nothing that was known */
}

/* 1 = a message was handled, 0 = none is waiting, -1 = the writer closed its end. */
static int receive(struct feed *f)
{
	struct feed_message m;
	ssize_t n = recv(f->fd, &m, sizeof(m), MSG_DONTWAIT);

	/* A writer that ended with a message unread makes the kernel report a reset, once, before what it
	 * sent last. */
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNRESET ? 0 : -1;
	if (n == 0)
		return -1;
	if (n != (ssize_t)sizeof(m) || m.magic != FEED_MAGIC || m.kind != FEED_PASSED) {
		log_err("xenbw-writer sent a message that is none; it is of another version: reinstall "
			"xenbw");
		return 1;
	}
	passed(f, &m);
	return 1;
}

static void on_message(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	if (receive(f) < 0)
		close_end(f); /* its exit is reported by on_exit */
}

static void on_exit_of_child(evutil_socket_t sig, short what, void *arg)
{
	struct feed *f = arg;
	int status;

	(void)sig;
	(void)what;
	if (f->pid == 0 || waitpid(f->pid, &status, WNOHANG) != f->pid)
		return;
	f->pid = 0;
	close_end(f);
	retry_later(f);
	if (WIFSIGNALED(status))
		log_err("xenbw-writer was ended by signal %d; it is started again in %u s, the ledger keeps "
			"what it has to "
			"write",
			WTERMSIG(status), f->backoff.seconds);
	else
		log_err("xenbw-writer exited with status %d; it is started again in %u s, the ledger keeps "
			"what it has to "
			"write",
			WEXITSTATUS(status), f->backoff.seconds);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_writer(arg);
}

/* It gets the socket and the settings, with MySQL's password among them. */
static int spawn(struct feed *f, int theirs, char **err)
{
	const struct conf *conf = f->d->conf;
	static char ledger[] = "--ledger", rrd_dir[] = "--rrd-dir", mysql[] = "--mysql",
		    syslog[] = "--syslog";
	char *argv[8] = {NULL, ledger, conf->ledger};
	int fds[] = {theirs, helper_settings(conf, true, err)};
	size_t argc = 3;
	int rc;

	if (fds[1] < 0)
		return -1;
	if (conf->rrd_dir) {
		argv[argc++] = rrd_dir;
		argv[argc++] = conf->rrd_dir;
	}
	if (conf->database == DATABASE_MYSQL)
		argv[argc++] = mysql;
	if (log_helpers_to_syslog())
		argv[argc++] = syslog;
	rc = child_start(&f->pid, "xenbw-writer", argv, fds, 2, err);
	close(fds[1]);
	return rc;
}

/* A full socket means that it has such messages waiting already. */
static void send_word(const struct feed *f, enum feed_kind kind)
{
	struct feed_message m = {.magic = FEED_MAGIC, .kind = kind};

	if (f->fd < 0)
		return;
	m.seq = account_last_seq(f->d->account);
	if (send(f->fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		log_debug("telling xenbw-writer: %s", strerror(errno));
}

static void start_writer(struct feed *f)
{
	char *err = NULL;
	int pair[2];

	helper_started(&f->backoff);
	if (child_socketpair(pair, &err) == 0) {
		f->fd = pair[0];
		if (spawn(f, pair[1], &err) == 0) {
			f->on_message = event_new(f->d->base, f->fd, EV_READ | EV_PERSIST, on_message, f);
			if (!f->on_message || event_add(f->on_message, NULL) < 0)
				err_set(&err, "cannot wait for messages of xenbw-writer");
		}
		close(pair[1]);
	}
	if (!err && f->d->held)
		send_word(f, FEED_HOLD);
	if (err) {
		log_err("%s; RRD files and MySQL are not fed until it runs, the ledger keeps everything",
			err);
		free(err);
		close_end(f);
		if (f->pid == 0)
			retry_later(f);
	}
}

struct feed *feed_start(struct daemon *d)
{
	struct feed *f = mem_alloc(sizeof(*f));

	f->d = d;
	f->fd = -1;
	f->on_exit = evsignal_new(d->base, SIGCHLD, on_exit_of_child, f);
	f->on_retry = evtimer_new(d->base, on_retry, f);
	if (!f->on_exit || !f->on_retry || event_add(f->on_exit, NULL) < 0) {
		log_err("cannot look after xenbw-writer: RRD files and MySQL are not fed, the ledger keeps "
			"everything");
		feed_stop(f);
		return NULL;
	}
	start_writer(f);
	return f;
}

void feed_tell(struct feed *f)
{
	if (f)
		send_word(f, FEED_COMMITTED);
}

void feed_hold(struct feed *f)
{
	if (f)
		send_word(f, f->d->held ? FEED_HOLD : FEED_RESUME);
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
	send_word(f, FEED_COMMITTED);
	if (!listen_for(f, FLUSH_SECONDS, mysql_has_all))
		log_warn("MySQL does not have all bytes yet; the ledger keeps them for the next start");
}

/* Reads its last messages until it closes its end or the time is over. */
static void last_words(struct feed *f)
{
	shutdown(f->fd, SHUT_WR);
	if (!listen_for(f, STOP_SECONDS, never))
		log_warn("xenbw-writer has not finished within %d s; it ends when its batch is written",
			 STOP_SECONDS);
}

static void release(struct feed *f)
{
	if (f->on_exit)
		event_free(f->on_exit);
	if (f->on_retry)
		event_free(f->on_retry);
	close_end(f);
	free(f);
}

void feed_kill(struct feed *f)
{
	if (!f)
		return;
	if (f->pid) {
		(void)kill(f->pid, SIGKILL);
		(void)waitpid(f->pid, NULL, 0);
	}
	release(f);
}

void feed_stop(struct feed *f)
{
	if (!f)
		return;
	if (f->fd >= 0) {
		last_flush(f);
		last_words(f);
	}
	if (f->pid)
		(void)waitpid(f->pid, NULL, WNOHANG);
	release(f);
}
