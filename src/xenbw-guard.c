/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-guard: starts the helpers of xenbwd as a user without privileges (guard/guard.h).
 *
 * xenbwd starts it, with its socket on descriptor 3 and all rights. Ends with xenbwd, and only with it: the
 * signals that end a whole group of processes must not take from xenbwd what it asks its helpers for last.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/started.h"
#include "guard/guard.h"
#include "ipc/guard.h"

struct arguments {
	const char *user;
	bool syslog;
};

static const char usage[] =
	"usage: xenbw-guard [--user NAME] [--syslog]\n"
	"Started by xenbwd; descriptor 3 is the socket to it. Starts the helpers as that user.\n";

static void take_option(void *ctx, int option)
{
	struct arguments *a = ctx;

	if (option == 'u')
		a->user = optarg;
	else
		a->syslog = true;
}

static const struct option options[] = {
	{"user", required_argument, NULL, 'u'}, {"syslog", no_argument, NULL, 's'}, STARTED_OPTIONS};
static const struct started_arguments arguments = {
	.name = "xenbw-guard", .usage = usage, .letters = "h", .options = options, .take = take_option};

int main(int argc, char **argv)
{
	struct arguments a = {0};
	char *err = NULL;
	int rc = started_read(&arguments, argc, argv, &a);

	if (rc)
		return rc - 1;
	log_init("xenbw-guard", false);
	if (a.syslog)
		log_to_syslog();
	if (privileges_hide(&err) < 0 || started_check_socket(GUARD_FD, &err) < 0 ||
	    started_ignore_signals(&err) < 0 || guard_run(a.user, &err) < 0) {
		log_err("%s", err);
		free(err);
		return 1;
	}
	return 0;
}
