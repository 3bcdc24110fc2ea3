/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw-writer: feeds the RRD files and MySQL from the ledger, and looks at the quotas. xenbw-guard starts it
 * for xenbwd, which it talks to over descriptor 3; descriptor 4 has the settings.
 *
 * Holds no capability and can gain none. Reads the ledger, never writes it; writer/writer.h says what it
 * does. Only a broken descriptor or wrong arguments end this program with an error. It can be killed at any
 * time.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/privileges.h"
#include "base/started.h"
#include "config/conf.h"
#include "ipc/feed.h"
#include "writer/writer.h"

struct arguments {
	bool naccttab, syslog, debug;
};

static const char usage[] = "usage: xenbw-writer [--naccttab] [--syslog] [--debug]\n"
			    "Started for xenbwd; descriptor 3 is the socket to it, 4 has the settings.\n";

static void take_option(void *ctx, int option)
{
	struct arguments *a = ctx;

	if (option == 'n')
		a->naccttab = true;
	else if (option == 's')
		a->syslog = true;
	else
		a->debug = true;
}

static const struct option options[] = {{"naccttab", no_argument, NULL, 'n'},
					{"syslog", no_argument, NULL, 's'},
					{"debug", no_argument, NULL, 'd'},
					STARTED_OPTIONS};
static const struct started_arguments arguments = {
	.name = "xenbw-writer", .usage = usage, .letters = "h", .options = options, .take = take_option};

static int open_signals(int *fd, char **err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, "cannot block signals");
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd < 0 ? err_sys(err, "cannot make a signalfd") : 0;
}

static int run(const struct arguments *a, struct conf *conf, char **err)
{
	struct writer_setup setup = {0};

	umask(022);
	conf->kind = a->naccttab ? CONF_NACCTTAB : CONF_XENBW;
	if (started_check_socket(FEED_FD, err) < 0 || conf_receive(conf, FEED_SETTINGS_FD, err) < 0 ||
	    open_signals(&setup.signals, err) < 0)
		return -1;
	setup.ledger = conf->ledger;
	setup.rrd_dir = conf->rrd_dir;
	setup.conf = conf->database == DATABASE_MYSQL ? conf : NULL;
	setup.quotas = conf->quotas.count ? conf : NULL;
	if (!setup.rrd_dir && !setup.conf && !setup.quotas)
		return err_set(err,
			       "the settings name neither RRD files nor MySQL to write to, and no quota");
	conf_apply_timezone(conf); /* of the quotas' periods */
	return writer_run(&setup, err);
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct conf conf;
	char *err = NULL;
	int rc = started_read(&arguments, argc, argv, &a);

	if (rc)
		return rc - 1;
	log_init("xenbw-writer", a.debug);
	if (a.syslog)
		log_to_syslog();
	conf_init(&conf);
	rc = privileges_hide(&err);
	if (rc == 0)
		rc = privileges_drop(&err);
	if (rc == 0)
		rc = run(&a, &conf, &err);
	conf_free(&conf);
	if (rc < 0) {
		log_err("%s", err);
		free(err);
		return 1;
	}
	log_debug("ends");
	return 0;
}
