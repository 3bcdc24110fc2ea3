/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipc/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/program.h"
#include "daemon/daemon.h"
#include "db/sink.h"

extern char **environ;

#define LONGEST_BACKOFF 60 /* seconds between two tries to start the writer */
#define STEADY_SECONDS 60  /* who lived that long begins again with a short back-off */
#define STOP_SECONDS 5     /* what the writer has to finish its batch */
#define FLUSH_SECONDS 2    /* what it has to bring the last commit to MySQL */

struct feed {
	struct daemon *d;
	pid_t pid; /* 0: not running */
	int fd;    /* our end; -1 */
	struct event *on_message, *on_exit, *on_retry;
	struct mono started;
	unsigned backoff; /* seconds */
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
	struct timeval wait;

	if (clock_mono().ns - f->started.ns > (int64_t)STEADY_SECONDS * 1000000000)
		f->backoff = 0;
	f->backoff = f->backoff ? f->backoff * 2 : 1;
	if (f->backoff > LONGEST_BACKOFF)
		f->backoff = LONGEST_BACKOFF;
	wait = (struct timeval){.tv_sec = f->backoff};
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
			WTERMSIG(status), f->backoff);
	else
		log_err("xenbw-writer exited with status %d; it is started again in %u s, the ledger keeps "
			"what it has to "
			"write",
			WEXITSTATUS(status), f->backoff);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_writer(arg);
}

/* The settings as text on a descriptor: no password on a command line or in an environment. Its number is
 * above those that the writer gets. */
static int settings_fd(const struct conf *conf, char **err)
{
	int fd = memfd_create("xenbw settings", MFD_CLOEXEC), high;
	FILE *out = fd >= 0 ? fdopen(dup(fd), "w") : NULL;

	if (out) {
		conf_print(conf, out, true);
		if (fclose(out) == 0 && lseek(fd, 0, SEEK_SET) == 0) {
			high = fcntl(fd, F_DUPFD_CLOEXEC, FEED_SETTINGS_FD + 1);
			if (high >= 0) {
				close(fd);
				return high;
			}
		}
	}
	err_sys(err, "cannot hand the settings to xenbw-writer");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* posix_spawn with nothing but the two descriptors, no signal blocked or ignored. */
static int spawn(struct feed *f, int theirs, int settings, char **err)
{
	const struct conf *conf = f->d->conf;
	char *path = program_path("xenbw-writer");
	static char ledger[] = "--ledger", rrd_dir[] = "--rrd-dir", mysql[] = "--mysql",
		    syslog[] = "--syslog";
	char *argv[8] = {path, ledger, conf->ledger};
	size_t argc = 3;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	if (conf->rrd_dir) {
		argv[argc++] = rrd_dir;
		argv[argc++] = conf->rrd_dir;
	}
	if (conf->database == DATABASE_MYSQL)
		argv[argc++] = mysql;
	if (log_is_syslog())
		argv[argc++] = syslog;
	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawn_file_actions_init(&files);
	if (rc == 0)
		rc = posix_spawnattr_init(&attr);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, theirs, FEED_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, settings, FEED_SETTINGS_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&files, FEED_SETTINGS_FD + 1);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(&attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(&attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawn(&f->pid, path, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (rc != 0) {
		f->pid = 0;
		errno = rc;
		rc = err_sys(err, "cannot start %s", path);
	}
	free(path);
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
	int pair[2], settings;

	f->started = clock_mono();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		log_err("cannot make a socket pair for xenbw-writer: %s", strerror(errno));
		retry_later(f);
		return;
	}
	f->fd = pair[0];
	settings = settings_fd(f->d->conf, &err);
	if (settings >= 0 && spawn(f, pair[1], settings, &err) == 0) {
		f->on_message = event_new(f->d->base, f->fd, EV_READ | EV_PERSIST, on_message, f);
		if (!f->on_message || event_add(f->on_message, NULL) < 0)
			err_set(&err, "cannot wait for messages of xenbw-writer");
	}
	close(pair[1]);
	if (settings >= 0)
		close(settings);
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
