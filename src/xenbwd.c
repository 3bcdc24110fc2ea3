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
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pidfile.h"
#include "config/conf.h"
#include "config/keywords.h"
#include "daemon/carry.h"
#include "daemon/daemon.h"
#include "daemon/detach.h"
#include "daemon/guard.h"

enum { STATUS_FD = 256 }; /* options without a letter */

/* The settings in force and what lives by them. */
struct service {
	char *path; /* of the configuration */
	bool named; /* by the command line, or seen before: then it must be there */
	struct conf conf;
	struct pidfile pidfile;
	struct guard *guard; /* lives through reloads, for only the first start has the right to make it */
	struct daemon *daemon;
	struct carry carry; /* what the last one left */
	char *timezone;     /* of the environment; NULL: none */
	bool held;          /* SQL was left alone when the last daemon ended: a reload does not change that */
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
static int read_settings(struct service *s, struct conf *conf, char **err)
{
	conf_init(conf);
	if (conf_read(conf, s->path, !s->named, err) < 0) {
		conf_free(conf);
		return -1;
	}
	/* One that was there and vanished does not mean that all defaults are wanted. */
	if (!s->named)
		s->named = access(s->path, F_OK) == 0;
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Do these lead the bytes to the same places? */
static bool same_ways(const struct conf *a, const struct conf *b)
{
	return same_text(a->ledger, b->ledger) && a->database == b->database &&
	       same_text(a->mysql.host, b->mysql.host) && a->mysql.port == b->mysql.port &&
	       same_text(a->mysql.database, b->mysql.database) && same_text(a->mysql.table, b->mysql.table);
}

/* What the environment said before any setting is what `timezone system` goes back to. */
static void apply_timezone(const struct service *s)
{
	if (s->timezone)
		setenv("TZ", s->timezone, 1);
	else
		unsetenv("TZ");
	conf_apply_timezone(&s->conf);
}

/* By whatever path: the one that is held needs not be taken again. */
static bool is_held(const struct pidfile *p, const char *path)
{
	struct stat held, named;

	return p->fd >= 0 && path && fstat(p->fd, &held) == 0 && stat(path, &named) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

/* One that stays the same is there all the time; another one is taken before the old one is let go. */
static int start(struct service *s, char **err)
{
	struct pidfile before = s->pidfile;
	bool same = is_held(&before, s->conf.pidfile);

	if (!same && pidfile_take(&s->pidfile, s->conf.pidfile, err) < 0) {
		s->pidfile = before;
		return -1;
	}
	apply_timezone(s);
	if (s->guard)
		guard_follow(s->guard, &s->conf);
	else
		s->guard = guard_new(&s->conf);
	if (daemon_open(&s->daemon, &s->conf, s->guard, &s->carry, err) < 0) {
		if (!same) {
			pidfile_release(&s->pidfile);
			s->pidfile = before;
		}
		return -1;
	}
	if (!same)
		pidfile_release(&before);
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
}

static void log_warnings(const struct conf *conf)
{
	for (size_t i = 0; i < conf->warnings.count; i++)
		log_warn("%s", conf->warnings.list[i]);
}

/* While there is no daemon that hears them, signals wait: a HUP must not end the process. But a start may be
 * ended by TERM: there is nothing to lose yet. */
static void hold_signals(bool held, bool all)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTSTP);
	if (all) {
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGINT);
	}
	if (sigprocmask(held ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL) < 0)
		log_err("cannot change the signal mask: %s", strerror(errno));
}

/* The settings in force stay: the daemon goes on, or (where it has ended) begins again. */
static int stay(struct service *s, bool ended, char *why)
{
	log_err("%s; the settings in force stay", why);
	free(why);
	if (ended)
		daemon_begin(s->daemon);
	notify_ready();
	return 0;
}

static void tell_changes(const struct conf *before, const struct conf *now)
{
	char *words = keywords_changed(before, now);

	if (words)
		log_info("in force from now on is what the configuration says of: %s", words);
	else
		log_info("no setting has changed");
	free(words);
}

/* New settings for a running service: as a restart would bring them, in some milliseconds. What cannot be
 * read or does not work leaves the old ones in force. Returns -1 where not even those work any more. */
static int reload(struct service *s, char **err)
{
	struct conf fresh, old;
	char *why = NULL;

	notify_reloading();
	if (read_settings(s, &fresh, &why) < 0)
		return stay(s, false, why);
	log_warnings(&fresh);
	if (daemon_end(s->daemon, same_ways(&s->conf, &fresh) ? DAEMON_RELOAD : DAEMON_MOVE) < 0)
		err_set(&why, "the ledger refuses a commit, and bytes are kept in memory only");
	if (why || carry_take(&s->carry, s->daemon, &why) < 0) {
		conf_free(&fresh);
		return stay(s, true, why);
	}
	stop(s);
	old = s->conf;
	s->conf = fresh;
	if (start(s, &why) == 0) {
		tell_changes(&old, &s->conf);
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
	bool again;
	int rc;

	while (daemon_run(s->daemon) == DAEMON_RELOAD) {
		hold_signals(true, true);
		rc = daemon_is_stopped(s->daemon) ? 1 : reload(s, &err);
		hold_signals(false, true);
		if (rc > 0)
			break;
		if (rc < 0) {
			log_err("%s", err);
			free(err);
			return EX_UNAVAILABLE;
		}
	}
	again = daemon_wants_restart(s->daemon);
	rc = daemon_end(s->daemon, DAEMON_STOP);
	stop(s);
	return rc != 0 ? EX_IOERR : again ? EX_TEMPFAIL : EX_OK;
}

/* fd: of the process that waits for this one, or -1. */
static int run(struct service *s, int fd)
{
	char *err = NULL;

	hold_signals(true, false);
	if (start(s, &err) < 0) {
		log_err("%s", err);
		free(err);
		return EX_UNAVAILABLE;
	}
	if (fd >= 0)
		detach_done(fd);
	hold_signals(false, false);
	return serve(s);
}

/* For whoever reads it from another folder. Links in it are followed at each reading. */
static char *absolute(const char *path)
{
	char folder[PATH_MAX];

	if (path[0] == '/' || !getcwd(folder, sizeof(folder)))
		return mem_strdup(path);
	return mem_printf("%s/%s", folder, path);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"foreground", no_argument, NULL, 'D'},
		{"check", no_argument, NULL, 'n'},
		{"verbose", no_argument, NULL, 'v'},
		{"debug", no_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{DETACH_OPTION, required_argument, NULL, STATUS_FD},
		{NULL, 0, NULL, 0},
	};
	struct service s = {.pidfile = {.fd = -1}, .timezone = mem_strdup(getenv("TZ"))};
	bool foreground = false, check = false, verbose = false, debug = false;
	const char *path = NULL;
	char *err = NULL;
	int opt, fd = -1, status = EX_OK;

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
		case STATUS_FD:
			fd = detach_begun(optarg);
			if (fd < 0) {
				fputs("xenbwd: --" DETACH_OPTION " is xenbwd's own way to go into the "
				      "background; leave it out\n",
				      stderr);
				return EX_USAGE;
			}
			break;
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
	if (!check && !foreground && fd < 0) {
		status = detach_start(path ? s.path : NULL); /* which reads the settings */
	} else if (read_settings(&s, &s.conf, &err) < 0) {
		log_err(check ? "%s" : "%s; xenbwd does not start", err);
		free(err);
		status = EX_CONFIG;
	} else {
		log_warnings(&s.conf);
		if (check && verbose)
			conf_print(&s.conf, stdout, false);
		if (!check)
			status = run(&s, fd);
		conf_free(&s.conf);
	}
	guard_free(s.guard);
	carry_free(&s.carry);
	pidfile_release(&s.pidfile);
	free(s.timezone);
	free(s.path);
	return status;
}
