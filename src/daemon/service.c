/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/service.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/boot.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pidfile.h"
#include "config/keywords.h"
#include "daemon/alias.h"
#include "daemon/carry.h"
#include "daemon/daemon.h"
#include "daemon/detach.h"
#include "daemon/guard.h"
#include "daemon/hook.h"
#include "daemon/tc.h"

/* The settings in force and what lives by them. */
struct service {
	char *path; /* of the configuration */
	bool named; /* by the command line, or seen before: then it must be there */
	struct conf conf;
	bool has_conf; /* there is one to free */
	struct pidfile pidfile;
	struct guard *guard; /* lives through reloads, for only the first start has the right to make it */
	struct daemon_alias *alias; /* so does this; NULL: no `ifalias on` then */
	struct hook *hook;          /* so does this; NULL: no quota_hook was configured then */
	struct tc *tc;              /* so does this; NULL: the first start did not want it */
	struct ledger *ledger;      /* lives through reloads that do not name another one */
	struct daemon *daemon;
	struct carry carry; /* what the last one left */
	char *timezone;     /* of the environment; NULL: none */
	bool held;          /* SQL was left alone when the last daemon ended: a reload does not change that */
};

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
	return a->database == b->database && same_text(a->mysql.host, b->mysql.host) &&
	       a->mysql.port == b->mysql.port && same_text(a->mysql.database, b->mysql.database) &&
	       same_text(a->mysql.table, b->mysql.table);
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

/* `before`: the one in use, or NULL. */
static int open_ledger(struct ledger **out, const char *path, struct ledger **before, char **err)
{
	struct ledger_opening how = {.before = before, .alive = notify_alive};
	char *boot = boot_id(err);
	int rc = boot ? ledger_open_next(out, path, boot, &how, err) : -1;

	free(boot);
	return rc;
}

/* While there is the right to. The guard last, for the guard's start takes root's group from this process. */
static void start_helpers(struct service *s)
{
	s->tc = conf_asks_kernel(&s->conf) ? tc_new(s->conf.attribution == ATTRIBUTION_AUTO)
					   : tc_new_leaving();
	if (s->conf.quota_hook)
		s->hook = hook_new(&s->conf, s->path);
	if (s->conf.ifalias)
		s->alias = daemon_alias_new();
	s->guard = guard_new(&s->conf);
}

static int open_daemon(struct service *s, char **err)
{
	const struct daemon_setup setup = {&s->conf, s->guard, s->tc, s->hook, s->alias, s->ledger};

	return daemon_open(&s->daemon, &setup, &s->carry, err);
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
	if (s->guard) {
		guard_follow(s->guard, &s->conf);
		hook_follow(s->hook, &s->conf);
		daemon_alias_follow(s->alias, &s->conf);
	} else {
		start_helpers(s);
	}
	if ((!s->ledger && open_ledger(&s->ledger, s->conf.ledger, NULL, err) < 0) ||
	    open_daemon(s, err) < 0) {
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

#define OWNER_TOLD                                                                                           \
	"SIGHUP cannot read %s, for xenbwd has given up the right to read what is not root's; `chown root` " \
	"the file"

/* Can the file be read without the right of root to read every file, which a start has and a reload has not?
 */
static bool by_mode_alone(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return true; /* something else is in the way */
	if (st.st_uid == geteuid())
		return st.st_mode & S_IRUSR;
	return st.st_mode & (st.st_gid == getegid() || group_member(st.st_gid) ? S_IRGRP : S_IROTH);
}

/* The settings in force stay: the daemon goes on, or (where it has ended) begins again. */
static int stay(struct service *s, bool ended, char *why)
{
	log_err("%s; the settings in force stay", why);
	free(why);
	if (ended)
		daemon_begin(s->daemon);
	if (s->daemon->ready)
		notify_ready();
	return 0;
}

static void tell_changes(const struct conf *before, const struct conf *now)
{
	/* who has been started with them says when they take effect */
	static const char *const later[] = {"user", "quota_hook", "ifalias", NULL};
	char *words = keywords_changed(before, now, later);

	if (words)
		log_info("in force from now on is what the configuration says of: %s", words);
	else
		log_info("no setting has changed");
	free(words);
}

/* ---- another ledger ---- */

/* The one that a reload brings. */
struct next {
	enum ledger_place place;
	struct ledger *ledger;   /* open where it can be beside the one in use */
	struct ledger_tail tail; /* uuid NULL: there is nothing in it yet */
	bool marked; /* as left: were this process killed now, it must not count what the other did */
};

/* What was done for a ledger that does not come into use after all is undone. */
static void next_drop(struct next *n)
{
	char *err = NULL;

	if (n->marked && ledger_leave(n->ledger, false, &err) < 0)
		log_warn("%s", err);
	free(err);
	ledger_close(n->ledger);
	free(n->tail.uuid);
	*n = (struct next){0};
}

static int next_mark(struct next *n, char **err)
{
	bool left;

	if (ledger_is_left(n->ledger, &left, err) < 0)
		return -1;
	if (left)
		return 0;
	n->marked = true;
	return ledger_leave(n->ledger, true, err);
}

/* Refuses a copy of the ledger in use that is not as that one is now. */
static int next_check(const struct service *s, struct next *n, const char *path, bool ended, char **err)
{
	struct ledger_tail used;
	int rc;

	if (n->place == LEDGER_SAME || !n->tail.uuid)
		return 0;
	if (ledger_tail(s->ledger, &used, err) < 0)
		return -1;
	if (ended) /* its last commit is newer in any case; it matters whether that had bytes */
		used.seen = n->tail.seen;
	rc = carry_check_copy(&used, &n->tail, path, err);
	free(used.uuid);
	return rc;
}

/* Opens and checks it, while the one in use can still go on. */
static int next_open(struct service *s, struct next *n, const char *path, char **err)
{
	int rc = 0;

	*n = (struct next){.place = ledger_place(s->ledger, path)};
	if (n->place == LEDGER_ALIAS)
		return err_set(err, "ledger %s is the one in use, by another name; name it as before", path);
	if (n->place == LEDGER_REPLACED)
		(void)ledger_tail_of_file(path, &n->tail); /* what else is wrong the opening says */
	if (n->place == LEDGER_ELSEWHERE) {
		rc = open_ledger(&n->ledger, path, &s->ledger, err);
		if (rc == 0)
			rc = ledger_tail(n->ledger, &n->tail, err);
	}
	if (rc == 0)
		rc = next_check(s, n, path, false, err);
	if (rc == 0 && n->ledger)
		rc = next_mark(n, err);
	if (rc < 0)
		next_drop(n);
	return rc;
}

/* Puts it into use; *left is the one before, where that is still open. */
static int next_use(struct service *s, struct next *n, struct ledger **left, char **err)
{
	*left = NULL;
	if (n->place == LEDGER_SAME)
		return 0;
	hook_forget(s->hook); /* what was called for is in the other one */
	*left = s->ledger;
	s->ledger = n->ledger;
	return n->ledger ? 0 : open_ledger(&s->ledger, s->conf.ledger, left, err);
}

/* ---- reload ---- */

/* As read_settings. A file that is cut to nothing, by an editor or a full disk, means no defaults either. */
static int read_again(struct service *s, struct conf *conf, char **err)
{
	if (read_settings(s, conf, err) < 0)
		return -1;
	if (conf->has_text || !s->conf.has_text)
		return 0;
	conf_free(conf);
	return err_set(
		err,
		"the configuration %s has become empty; where all defaults are wanted, write a comment "
		"into it",
		s->path);
}

/* New settings for a running service: as a restart would bring them, in some milliseconds. What cannot be
 * read or does not work leaves the old ones in force. Returns -1 where not even those work any more. */
static int reload(struct service *s, char **err)
{
	struct ledger *left = NULL;
	struct conf fresh, old;
	struct next next;
	enum daemon_end how = DAEMON_RELOAD;
	char *why = NULL;

	if (s->daemon->ready)
		notify_reloading();
	if (read_again(s, &fresh, &why) < 0) {
		if (!by_mode_alone(s->path))
			err_add(&why, OWNER_TOLD, s->path);
		return stay(s, false, why);
	}
	log_warnings(&fresh);
	if (next_open(s, &next, fresh.ledger, &why) < 0) {
		conf_free(&fresh);
		return stay(s, false, why);
	}
	if (next.place != LEDGER_SAME)
		how = DAEMON_LEAVE;
	else if (!same_ways(&s->conf, &fresh))
		how = DAEMON_MOVE;
	if (daemon_end(s->daemon, how) < 0)
		err_set(&why, "the ledger refuses a commit, and bytes are kept in memory only");
	if (why || next_check(s, &next, fresh.ledger, true, &why) < 0 ||
	    carry_take(&s->carry, s->daemon, &why) < 0) {
		next_drop(&next);
		conf_free(&fresh);
		return stay(s, true, why);
	}
	stop(s);
	old = s->conf;
	s->conf = fresh;
	if (next_use(s, &next, &left, &why) == 0 && start(s, &why) == 0) {
		ledger_close(left);
		free(next.tail.uuid);
		tell_changes(&old, &s->conf);
		conf_free(&old);
		return 0;
	}
	log_err("%s; the settings from before are taken back", why);
	err_clear(&why);
	conf_free(&fresh);
	s->conf = old;
	if (next.place != LEDGER_SAME) {
		if (!next.ledger)
			next.ledger = s->ledger;
		s->ledger = left;
		next_drop(&next);
		if (left && ledger_leave(left, false, &why) < 0)
			log_warn("%s", why);
		err_clear(&why);
	}
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

int service_run(struct service *s, int fd)
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

/* ---- for main ---- */

struct service *service_new(const char *path, bool named)
{
	struct service *s = mem_alloc(sizeof(*s));

	s->path = mem_strdup(path);
	s->named = named;
	s->pidfile.fd = -1;
	s->timezone = mem_strdup(getenv("TZ"));
	return s;
}

int service_read(struct service *s, char **err)
{
	if (read_settings(s, &s->conf, err) < 0)
		return -1;
	s->has_conf = true;
	log_warnings(&s->conf);
	if (!by_mode_alone(s->path))
		log_warn(OWNER_TOLD, s->path);
	return 0;
}

const struct conf *service_conf(const struct service *s)
{
	return &s->conf;
}

void service_free(struct service *s)
{
	if (s->has_conf)
		conf_free(&s->conf);
	guard_free(s->guard);
	hook_free(s->hook);
	daemon_alias_free(s->alias);
	tc_free(s->tc);
	carry_free(&s->carry);
	ledger_close(s->ledger);
	pidfile_release(&s->pidfile);
	free(s->timezone);
	free(s->path);
	free(s);
}
