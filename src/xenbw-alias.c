/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-alias: gives the devices of vifs their domains' names as aliases, for xenbwd (net/alias.h).
 *
 * xenbwd starts it, with its socket on descriptor 3 and all rights; it keeps the one to change network
 * devices. Ends with xenbwd, and only with it. --detach takes the aliases away.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/started.h"
#include "ipc/alias.h"
#include "ipc/packet.h"
#include "net/alias.h"

struct arguments {
	bool detach, syslog;
};

static const char usage[] = "usage: xenbw-alias [--syslog]\n"
			    "       xenbw-alias --detach\n"
			    "Started by xenbwd; descriptor 3 is the socket to it. Gives vifs aliases.\n"
			    "--detach takes them away: see `xenbwd --detach`.\n";

static void take_option(void *ctx, int option)
{
	struct arguments *a = ctx;

	if (option == 'd')
		a->detach = true;
	else
		a->syslog = true;
}

static const struct option options[] = {
	{"detach", no_argument, NULL, 'd'}, {"syslog", no_argument, NULL, 's'}, STARTED_OPTIONS};
static const struct started_arguments arguments = {
	.name = "xenbw-alias", .usage = usage, .letters = "h", .options = options, .take = take_option};

/* What does not work with one device does with the next. */
static int obey(struct alias *a, const struct alias_order *o, char **err)
{
	char *trouble = NULL;
	int rc;

	if (o->magic != ALIAS_MAGIC || !memchr(o->name, 0, ALIAS_NAME))
		return err_set(
			err, "xenbwd sent a message that is none; it is of another version: reinstall xenbw");
	rc = alias_set(a, o->ifindex, o->name, &trouble);
	if (rc < 0)
		log_warn("%s", trouble);
	else if (rc > 0)
		log_debug("device %u has another alias, or is gone", o->ifindex);
	free(trouble);
	return 1;
}

static int serve(struct alias *a, char **err)
{
	struct pollfd p = {.fd = ALIAS_FD, .events = POLLIN};

	for (;;) {
		struct alias_order o;
		int fds[PACKET_FDS], rc;

		if (poll(&p, 1, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, "cannot wait for orders");
		}
		rc = packet_receive(ALIAS_FD, &o, sizeof(o), fds, err);
		if (rc > 0) {
			packet_close(fds);
			rc = obey(a, &o, err);
		} else if (rc < 0) {
			return *err ? err_add(err, "from xenbwd") : 0;
		}
		if (rc < 0)
			return -1;
		log_tell();
	}
}

static int run(const struct arguments *a, char **err)
{
	struct alias *alias;
	int rc = 0;

	if (!a->detach)
		rc = started_check_socket(ALIAS_FD, err) < 0 || started_ignore_signals(err) < 0 ? -1 : 0;
	if (rc < 0 || alias_open(&alias, err) < 0)
		return -1;
	rc = a->detach ? alias_clear(alias, err) : serve(alias, err);
	alias_close(alias);
	return rc;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	char *err = NULL;
	int rc = started_read(&arguments, argc, argv, &a);

	if (rc)
		return rc - 1;
	log_init("xenbw-alias", false);
	if (a.syslog)
		log_to_syslog();
	if (privileges_hide(&err) < 0 || privileges_keep_devices(&err) < 0 || run(&a, &err) < 0) {
		log_err("%s", err);
		free(err);
		return 1;
	}
	return 0;
}
