/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-hook: calls `quota_hook` for xenbwd (hook/hook.h).
 *
 * xenbwd starts it, with its socket on descriptor 3 and all rights, which it keeps. Ends with xenbwd, and
 * only with it, once the call in hand is over.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/started.h"
#include "hook/hook.h"
#include "ipc/hook.h"

struct arguments {
	struct hook_setup setup;
	bool syslog;
};

static const char usage[] = "usage: xenbw-hook --program PATH --config FILE [--syslog]\n"
			    "Started by xenbwd; descriptor 3 is the socket to it. Calls the program for\n"
			    "what was reached of a quota.\n";

static void take_option(void *ctx, int option)
{
	struct arguments *a = ctx;

	if (option == 'p')
		a->setup.program = optarg;
	else if (option == 'c')
		a->setup.config = optarg;
	else
		a->syslog = true;
}

static const struct option options[] = {{"program", required_argument, NULL, 'p'},
					{"config", required_argument, NULL, 'c'},
					{"syslog", no_argument, NULL, 's'},
					STARTED_OPTIONS};
static const struct started_arguments arguments = {
	.name = "xenbw-hook", .usage = usage, .letters = "h", .options = options, .take = take_option};

int main(int argc, char **argv)
{
	struct arguments a = {0};
	char *err = NULL;
	int rc = started_read(&arguments, argc, argv, &a);

	if (rc == 0 && (!a.setup.program || !a.setup.config))
		rc = started_misused(&arguments);
	if (rc)
		return rc - 1;
	log_init("xenbw-hook", false);
	if (a.syslog)
		log_to_syslog();
	if (privileges_hide(&err) < 0 || started_check_socket(HOOK_FD, &err) < 0 ||
	    started_ignore_signals(&err) < 0 || hook_run(&a.setup, &err) < 0) {
		log_err("%s", err);
		free(err);
		return 1;
	}
	return 0;
}
