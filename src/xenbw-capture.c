/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-capture: looks at packets on the uplinks and tells which class each byte belongs to.
 *
 * xenbwd starts it as --guard, with its socket on descriptor 3 and all rights; the guard starts --worker and
 * starts it again (capture/guard.h, capture/worker.h). Both end with xenbwd, and only with it: the signals
 * that end a whole group of processes must not take from xenbwd what it asks for last. --replay is for
 * people.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "capture/guard.h"
#include "capture/worker.h"
#include "ipc/capture.h"

enum role { ROLE_NONE, ROLE_GUARD, ROLE_WORKER };

struct arguments {
	enum role role;
	bool naccttab, syslog, debug;
};

static void usage(FILE *out)
{
	fputs("usage: xenbw-capture --guard [--syslog] [--debug]\n"
	      "       xenbw-capture --worker [--naccttab] [--syslog] [--debug]\n",
	      out);
}

/* Returns 0, or 1 + the exit status. */
static int read_arguments(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"guard", no_argument, NULL, 'g'},    {"worker", no_argument, NULL, 'w'},
		{"naccttab", no_argument, NULL, 'n'}, {"syslog", no_argument, NULL, 's'},
		{"debug", no_argument, NULL, 'd'},    {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},  {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'g':
			a->role = ROLE_GUARD;
			break;
		case 'w':
			a->role = ROLE_WORKER;
			break;
		case 'n':
			a->naccttab = true;
			break;
		case 's':
			a->syslog = true;
			break;
		case 'd':
			a->debug = true;
			break;
		case 'h':
			usage(stdout);
			return 1;
		case 'V':
			puts("xenbw-capture " XENBW_VERSION);
			return 1;
		default:
			usage(stderr);
			return 1 + 2;
		}
	}
	if (optind < argc || a->role == ROLE_NONE) {
		usage(stderr);
		return 1 + 2;
	}
	return 0;
}

static int check_socket(char **err)
{
	struct stat st;

	if (fstat(CAPTURE_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_set(err, "descriptor %d is no socket; this program is started by xenbwd",
			       CAPTURE_FD);
	return 0;
}

static int ignore_signals(char **err)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (signal(signals[i], SIG_IGN) == SIG_ERR)
			return err_sys(err, "cannot ignore signal %d", signals[i]);
	return 0;
}

static int serve_xenbwd(const struct arguments *a, char **err)
{
	log_init("xenbw-capture", a->debug);
	if (a->syslog)
		log_to_syslog();
	if (check_socket(err) < 0 || ignore_signals(err) < 0)
		return -1;
	return a->role == ROLE_GUARD ? guard_run(a->debug, err) : worker_run(a->naccttab, err);
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	char *err = NULL;
	int rc = read_arguments(&a, argc, argv);

	if (rc)
		return rc - 1;
	if (serve_xenbwd(&a, &err) < 0) {
		log_err("%s", err);
		free(err);
		return 1;
	}
	return 0;
}
