/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-tc: has the kernel count by class, for xenbwd (kernel/worker.h).
 *
 * xenbwd starts it, with its socket on descriptor 3 and all rights; it keeps those to traffic control and
 * BPF. Ends with xenbwd, and only with it. --detach takes away what it left in the kernel, --show tells it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/started.h"
#include "ipc/capture.h"
#include "kernel/worker.h"

struct arguments {
	bool detach, show, syslog, optional;
};

static const char usage[] =
	"usage: xenbw-tc [--syslog] [--optional]\n"
	"       xenbw-tc --detach | --show\n"
	"Started by xenbwd; descriptor 3 is the socket to it. Has the kernel count.\n"
	"--optional: xenbw-capture does that where the kernel cannot.\n"
	"--detach takes its programs and maps away: see `xenbwd --detach`.\n"
	"--show writes what of it is in the kernel, and what it counted: see xenbwd(8).\n";

static void take_option(void *ctx, int option)
{
	struct arguments *a = ctx;

	if (option == 'd')
		a->detach = true;
	else if (option == 'o')
		a->optional = true;
	else if (option == 'w')
		a->show = true;
	else
		a->syslog = true;
}

static const struct option options[] = {{"detach", no_argument, NULL, 'd'},
					{"optional", no_argument, NULL, 'o'},
					{"show", no_argument, NULL, 'w'},
					{"syslog", no_argument, NULL, 's'},
					STARTED_OPTIONS};
static const struct started_arguments arguments = {
	.name = "xenbw-tc", .usage = usage, .letters = "h", .options = options, .take = take_option};

static int serve(bool *ready, char **err)
{
	if (started_check_socket(CAPTURE_FD, err) < 0 || started_ignore_signals(err) < 0)
		return -1;
	return worker_run(ready, err);
}

static int work(const struct arguments *a, bool *ready, char **err)
{
	if (a->detach)
		return worker_detach(err);
	return a->show ? worker_show(stdout, err) : serve(ready, err);
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	char *err = NULL;
	bool ready = false;
	int rc = started_read(&arguments, argc, argv, &a);

	if (rc)
		return rc - 1;
	log_init("xenbw-tc", false);
	if (a.syslog)
		log_to_syslog();
	if (privileges_hide(&err) < 0 || privileges_keep_kernel(!a.detach && !a.show, &err) < 0 ||
	    work(&a, &ready, &err) < 0) {
		if (a.optional && !ready)
			log_info("the kernel cannot tell the classes apart here: %s; xenbw-capture looks at "
				 "packets instead",
				 err);
		else
			log_err("%s", err);
		free(err);
		return 1;
	}
	return 0;
}
