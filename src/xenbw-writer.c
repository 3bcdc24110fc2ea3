/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-writer: feeds the RRD files from the ledger. Started by xenbwd, which it talks to over descriptor 3.
 *
 * Holds no capability and can gain none. Reads the ledger, never writes it. After each commit of xenbwd it
 * makes a pass and acknowledges how far RRD has come; xenbwd writes that down. Trouble with one file, the
 * directory or the ledger is logged once and tried again; only a broken descriptor 3 or wrong arguments end
 * this program with an error. It can be killed at any time.
 */
#include <cap-ng.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/rrd_sink.h"
#include "ipc/feed.h"

#define RETRY_MS 5000 /* between two tries while there is no ledger, or the directory cannot be used */

struct writer {
	const char *ledger, *rrd_dir;
	bool debug;
	int signals;   /* signalfd */
	char *trouble; /* the last trouble that was logged; NULL while all is well */
};

static void usage(FILE *out)
{
	fputs("usage: xenbw-writer --ledger FILE --rrd-dir DIR [--debug]\n"
	      "Started by xenbwd; descriptor 3 is the socket to it.\n",
	      out);
}

/* Returns 0, or 1 + the exit status. */
static int read_arguments(struct writer *w, int argc, char **argv)
{
	static const struct option options[] = {
		{"ledger", required_argument, NULL, 'l'}, {"rrd-dir", required_argument, NULL, 'r'},
		{"debug", no_argument, NULL, 'd'},        {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},      {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			w->ledger = optarg;
			break;
		case 'r':
			w->rrd_dir = optarg;
			break;
		case 'd':
			w->debug = true;
			break;
		case 'h':
			usage(stdout);
			return 1;
		case 'V':
			puts("xenbw-writer " XENBW_VERSION);
			return 1;
		default:
			usage(stderr);
			return 1 + 2;
		}
	}
	if (optind < argc || !w->ledger || !w->rrd_dir) {
		usage(stderr);
		return 1 + 2;
	}
	return 0;
}

/* No capability, in no set, and none to gain by an exec. */
static int drop_privileges(char **err)
{
	bool bounding = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;

	capng_clear(CAPNG_SELECT_ALL);
	if (capng_apply(bounding ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) < 0)
		return err_set(err, "cannot drop the capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "cannot set no_new_privs");
	return 0;
}

static int open_signals(struct writer *w, char **err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, "cannot block signals");
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->signals < 0 ? err_sys(err, "cannot make a signalfd") : 0;
}

static int check_feed(char **err)
{
	struct stat st;

	if (fstat(FEED_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_set(err, "descriptor %d is no socket; this program is started by xenbwd", FEED_FD);
	return 0;
}

/* For the sink: a signal came, or xenbwd will not send any more. */
static bool must_stop(void *arg)
{
	const struct writer *w = arg;
	struct pollfd fds[] = {{.fd = w->signals, .events = POLLIN}, {.fd = FEED_FD, .events = POLLRDHUP}};

	return poll(fds, 2, 0) > 0;
}

static void say(void *arg, enum rrd_sink_level level, const char *line)
{
	(void)arg;
	if (level == RRD_SINK_WARNING)
		log_warn("%s", line);
	else if (level == RRD_SINK_INFO)
		log_info("%s", line);
	else
		log_debug("%s", line);
}

/* Logs what keeps a pass from being made, once; NULL: nothing does. */
static void note_trouble(struct writer *w, const char *trouble)
{
	if (!mem_replace(&w->trouble, trouble))
		return;
	if (trouble)
		log_warn("%s; trying again until it works", trouble);
	else
		log_info("writing RRD files again");
}

/* Returns 0, or 1 where xenbwd is gone. */
static int acknowledge(int64_t seq)
{
	struct feed_message m = {.magic = FEED_MAGIC, .kind = FEED_PASSED, .seq = seq, .sink = "rrd"};

	while (send(FEED_FD, &m, sizeof(m), MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EPIPE && errno != ECONNRESET)
			log_warn("cannot acknowledge to xenbwd: %s", strerror(errno));
		return 1;
	}
	log_debug("passed up to sequence %lld", (long long)seq);
	return 0;
}

/* Takes all messages that are there; several commits make one pass. Returns 1 where one or more came, 0 at
 * the end of file, -1 where the other side is not our xenbwd. */
static int take_messages(char **err)
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
		if (n != sizeof(m) || m.magic != FEED_MAGIC || m.kind != FEED_COMMITTED)
			return err_set(
				err,
				"xenbwd sent a message that this xenbw-writer does not know; install both "
				"from the same version");
		came = 1;
	}
}

/* Returns 1 to go on, 0 to end well, -1 on an error. */
static int wait_for_work(const struct writer *w, int timeout, char **err)
{
	struct pollfd fds[] = {{.fd = w->signals, .events = POLLIN}, {.fd = FEED_FD, .events = POLLIN}};
	int n = poll(fds, 2, timeout);

	if (n < 0)
		return errno == EINTR ? 1 : err_sys(err, "cannot wait for xenbwd");
	if (fds[0].revents)
		return 0;
	return fds[1].revents ? take_messages(err) : 1;
}

static int run(struct writer *w, char **err)
{
	struct rrd_sink_host host = {.say = say, .must_stop = must_stop, .arg = w};
	struct rrd_sink *sink = rrd_sink_new(w->ledger, w->rrd_dir, &host);
	int going = 1;

	while (going == 1) {
		char *trouble = NULL;
		int64_t seq;
		int rc = rrd_sink_pass(sink, clock_wall(), &seq, &trouble);

		note_trouble(w, trouble);
		err_clear(&trouble);
		if ((seq && acknowledge(seq)) || must_stop(w))
			break;
		going = wait_for_work(w, rc == 0 ? -1 : RETRY_MS, err);
	}
	rrd_sink_free(sink);
	return going < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct writer w = {.signals = -1};
	char *err = NULL;
	int rc = read_arguments(&w, argc, argv);

	if (rc)
		return rc - 1;
	log_init("xenbw-writer", w.debug);
	umask(022);
	if (check_feed(&err) < 0 || drop_privileges(&err) < 0 || open_signals(&w, &err) < 0 ||
	    run(&w, &err) < 0) {
		log_err("%s", err);
		free(err);
		return 1;
	}
	free(w.trouble);
	log_debug("ends");
	return 0;
}
