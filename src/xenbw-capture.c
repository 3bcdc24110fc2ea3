/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-capture: looks at packets on the uplinks and tells which class each byte belongs to.
 *
 * xenbw-guard starts it as --worker, with the socket to xenbwd on descriptor 3 (capture/worker.h). The worker
 * ends with xenbwd, and only with it: the signals that end a whole group of processes must not take from
 * xenbwd what it asks for last. --replay is for people (capture/replay.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/privileges.h"
#include "base/started.h"
#include "capture/replay.h"
#include "capture/worker.h"
#include "ipc/capture.h"

enum role { ROLE_NONE, ROLE_WORKER, ROLE_REPLAY };

struct arguments {
	enum role role;
	bool naccttab, syslog, debug;
	struct replay_setup replay;
	struct replay_file *files; /* of `replay` */
};

static const char usage[] =
	"usage: xenbw-capture --worker [--naccttab] [--syslog] [--debug]\n"
	"       xenbw-capture --help | --version\n"
	"       xenbw-capture --replay -c FILE --vifs FILE\n"
	"                     [--in SAVEFILE]... [--out SAVEFILE]...\n"
	"Tells which class the bytes on an uplink belong to. The worker is started for xenbwd:\n"
	"descriptor 3 is the socket to it, 4 has the settings.\n"
	"\n"
	"--replay prints how the packets of savefiles would be booked:\n"
	"  -c FILE         the configuration, an xenbw.conf or a naccttab\n"
	"  --vifs FILE     who is there, a line each: ID MAC [routed|host] [ADDRESS...]\n"
	"  --in SAVEFILE   packets that came in at the uplink\n"
	"  --out SAVEFILE  packets that left through it\n";

static void add_file(struct arguments *a, const char *path, enum direction dir)
{
	a->files = mem_resize(a->files, a->replay.count + 1, sizeof(*a->files));
	a->files[a->replay.count++] = (struct replay_file){path, dir};
	a->replay.files = a->files;
}

static void take_option(void *ctx, int option)
{
	struct arguments *a = ctx;

	switch (option) {
	case 'w':
		a->role = ROLE_WORKER;
		break;
	case 'r':
		a->role = ROLE_REPLAY;
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
	case 'c':
		a->replay.conf = optarg;
		break;
	case 'v':
		a->replay.vifs = optarg;
		break;
	case 'i':
		add_file(a, optarg, DIR_INPUT);
		break;
	default:
		add_file(a, optarg, DIR_OUTPUT);
	}
}

static const struct option options[] = {{"worker", no_argument, NULL, 'w'},
					{"replay", no_argument, NULL, 'r'},
					{"naccttab", no_argument, NULL, 'n'},
					{"syslog", no_argument, NULL, 's'},
					{"debug", no_argument, NULL, 'd'},
					{"vifs", required_argument, NULL, 'v'},
					{"in", required_argument, NULL, 'i'},
					{"out", required_argument, NULL, 'o'},
					STARTED_OPTIONS};
static const struct started_arguments arguments = {
	.name = "xenbw-capture", .usage = usage, .letters = "hc:", .options = options, .take = take_option};

/* Returns 0, or 1 + the exit status. */
static int read_arguments(struct arguments *a, int argc, char **argv)
{
	int rc = started_read(&arguments, argc, argv, a);
	bool replay = a->role == ROLE_REPLAY;

	if (rc == 0 && (a->role == ROLE_NONE || replay != (a->replay.conf != NULL) ||
			replay != (a->replay.vifs != NULL) || replay != (a->replay.count > 0)))
		return started_misused(&arguments);
	return rc;
}

static int run(const struct arguments *a, char **err)
{
	log_init("xenbw-capture", a->debug);
	if (a->syslog)
		log_to_syslog();
	if (a->role == ROLE_REPLAY)
		return replay_run(&a->replay, stdout, err);
	if (privileges_hide(err) < 0 || started_check_socket(CAPTURE_FD, err) < 0 ||
	    started_ignore_signals(err) < 0)
		return -1;
	return worker_run(a->naccttab, err);
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	char *err = NULL;
	int rc = read_arguments(&a, argc, argv);

	if (rc == 0) {
		rc = run(&a, &err);
		if (fflush(stdout) != 0 && rc == 0)
			rc = err_sys(&err, "cannot write the table");
		if (rc < 0)
			log_err("%s", err);
		rc = rc < 0 ? 1 + 1 : 1;
	}
	free(err);
	free(a.files);
	return rc - 1;
}
