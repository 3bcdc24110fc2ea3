/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbwd: counts each guest's traffic on a Xen dom0.
 *
 * This file reads the command line and the configuration, goes into the background as nacctd does, reloads
 * when asked, and turns the outcome into an exit status.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pidfile.h"
#include "config/conf.h"
#include "daemon/carry.h"
#include "daemon/daemon.h"
#include "daemon/detach.h"
#include "daemon/guard.h"

/* The settings in force and what lives by them. */
struct service {
	char *path; /* of the configuration */
	bool named; /* by the command line: then it must be there */
	struct conf conf;
	struct pidfile pidfile;
	struct guard *guard; /* lives through reloads, for only the first start has the right to make it */
	struct daemon *daemon;
	struct carry carry; /* what the last one left */
	bool held; /* SQL was left alone when the last daemon ended: a reload does not change that */
};

static void usage(FILE *out)
{
	fputs("usage: xenbwd [-dDnv] [-c FILE]\n"
	      "Counts each guest's traffic on a Xen dom0.\n"
	      "\n"
	      "  -c, --config FILE  read FILE (an xenbw.conf, or netacct's naccttab) instead of\n"
	      "                     " CONF_DEFAULT_PATH "\n"
	      "  -D, --foreground   do not detach; messages go to standard error\n"
	      "  -n, --check        check the configuration and exit\n"
	      "  -v, --verbose      with -n: print the settings in force\n"
	      "  -d, --debug        do not detach, and log more\n"
	      "  -h, --help         print this\n"
	      "  -V, --version      print the version\n"
	      "\n"
	      "Look at the traffic with: xenbw list-domains\n",
	      out);
}

/* As the file stands now. On failure nothing is left to free. */
static int read_settings(const struct service *s, struct conf *conf, char **err)
{
	conf_init(conf);
	if (conf_read(conf, s->path, !s->named, err) < 0) {
		conf_free(conf);
		return -1;
	}
	conf_apply_timezone(conf);
	return 0;
}

static int start(struct service *s, char **err)
{
	if (pidfile_take(&s->pidfile, s->conf.pidfile, err) < 0)
		return -1;
	if (!s->guard)
		s->guard = guard_new();
	if (daemon_open(&s->daemon, &s->conf, s->guard, &s->carry, err) < 0) {
		pidfile_release(&s->pidfile);
		return -1;
	}
	carry_free(&s->carry);
	s->daemon->held = s->held;
	daemon_begin(s->daemon);
	return 0;
}

static void stop(struct service *s)
{
	s->held = s->daemon->held;
	daemon_close(s->daemon);
	s->daemon = NULL;
	pidfile_release(&s->pidfile);
}

static void log_warnings(const struct conf *conf)
{
	for (size_t i = 0; i < conf->warnings.count; i++)
		log_warn("%s", conf->warnings.list[i]);
}

/* While there is no daemon that hears them, signals wait: a second HUP must not end the process. */
static void hold_signals(bool held)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTSTP);
	if (sigprocmask(held ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL) < 0)
		log_err("cannot change the signal mask: %s", strerror(errno));
}

/* New settings for a running service: as a restart would bring them, in some milliseconds. What cannot be
 * read or does not work leaves the old ones in force. Returns -1 where not even those work any more. */
static int reload(struct service *s, char **err)
{
	struct conf fresh, old;
	char *why = NULL;
	int rc;

	if (read_settings(s, &fresh, &why) < 0) {
		log_err("%s; the settings in force stay", why);
		free(why);
		return 0;
	}
	log_warnings(&fresh);
	if (daemon_end(s->daemon, DAEMON_RELOAD) < 0) {
		log_err("the ledger refuses a commit, and bytes are kept in memory only: the settings in "
			"force "
			"stay until it works");
		conf_free(&fresh);
		daemon_begin(s->daemon);
		return 0;
	}
	if (carry_take(&s->carry, s->daemon, &why) < 0) {
		log_err("%s; the settings in force stay", why);
		free(why);
		conf_free(&fresh);
		daemon_begin(s->daemon);
		return 0;
	}
	stop(s);
	old = s->conf;
	s->conf = fresh;
	rc = start(s, &why);
	if (rc == 0) {
		conf_free(&old);
		return 0;
	}
	log_err("%s; the settings from before are taken back", why);
	free(why);
	conf_free(&fresh);
	s->conf = old;
	return start(s, err);
}

static int serve(struct service *s)
{
	char *err = NULL;
	int rc;

	while (daemon_run(s->daemon) == DAEMON_RELOAD) {
		hold_signals(true);
		rc = daemon_is_stopped(s->daemon) ? 1 : reload(s, &err);
		hold_signals(false);
		if (rc > 0)
			break;
		if (rc < 0) {
			log_err("%s", err);
			free(err);
			return EX_UNAVAILABLE;
		}
	}
	rc = daemon_end(s->daemon, DAEMON_STOP);
	stop(s);
	return rc == 0 ? EX_OK : EX_IOERR;
}

static int run(struct service *s, bool detach)
{
	char *err = NULL;
	int fd = detach ? detach_begin(&err) : -1;

	if ((detach && fd < 0) || start(s, &err) < 0) {
		log_err("%s", err);
		free(err);
		if (fd >= 0)
			detach_done(fd, EX_UNAVAILABLE);
		return EX_UNAVAILABLE;
	}
	if (fd >= 0)
		detach_done(fd, EX_OK);
	return serve(s);
}

/* From the root, for a reload after detaching. */
static char *absolute(const char *path)
{
	char resolved[PATH_MAX];

	return mem_strdup(realpath(path, resolved) ? resolved : path);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"foreground", no_argument, NULL, 'D'},
		{"check", no_argument, NULL, 'n'},        {"verbose", no_argument, NULL, 'v'},
		{"debug", no_argument, NULL, 'd'},        {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
	};
	struct service s = {.pidfile = {.fd = -1}};
	bool foreground = false, check = false, verbose = false, debug = false;
	const char *path = NULL;
	char *err = NULL;
	int opt, status = EX_OK;

	while ((opt = getopt_long(argc, argv, "c:DnvdhV", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 'D':
			foreground = true;
			break;
		case 'n':
			check = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'd':
			debug = foreground = true;
			break;
		case 'h':
			usage(stdout);
			return EX_OK;
		case 'V':
			puts("xenbwd " XENBW_VERSION);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "xenbwd: `%s` is not an option; xenbwd takes no operands\n", argv[optind]);
		return EX_USAGE;
	}
	log_init("xenbwd", debug);
	s.named = path != NULL;
	s.path = absolute(path ? path : CONF_DEFAULT_PATH);
	if (read_settings(&s, &s.conf, &err) < 0) {
		fprintf(stderr, "xenbwd: %s\n", err);
		free(err);
		free(s.path);
		return EX_CONFIG;
	}
	log_warnings(&s.conf);
	if (check && verbose)
		conf_print(&s.conf, stdout, false);
	if (!check)
		status = run(&s, !foreground);
	guard_free(s.guard);
	carry_free(&s.carry);
	conf_free(&s.conf);
	free(s.path);
	return status;
}
