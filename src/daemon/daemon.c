/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/boot.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/privileges.h"
#include "daemon/carry.h"
#include "daemon/classifier.h"
#include "daemon/guard.h"
#include "daemon/quotas.h"
#include "daemon/tc.h"
#include "db/rrd_folder.h"
#include "db/sink.h"
#include "ipc/feed.h"

/* Events may come in a stream (a guest that flaps its interface): at most this often do they cause a reading.
 */
#define EVENT_GAP_MS 50

/* A poll that aims at a slot's edge comes just behind it. */
#define EDGE_SLACK_MS 10

/* ---- timers ---- */

static void set_timer(struct event *timer, int64_t ms)
{
	struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (event_add(timer, &t) < 0)
		log_err("cannot set a timer");
}

/* The next regular poll: after `poll` seconds, or at the open slot's edge where that comes first. */
static void set_next_poll(struct daemon *d)
{
	int64_t wait = (int64_t)d->conf->poll * 1000;
	int64_t to_edge =
		(account_open_slot(d->account) + SLOT_SECONDS) * 1000 + EDGE_SLACK_MS - clock_wall_ms();

	if (to_edge > 0 && to_edge < wait)
		wait = to_edge;
	set_timer(d->on_timer, wait);
}

/* A vif came, went, or its guest disconnected: the sooner it is read, the less of its tail can be lost. */
static void on_change(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	int64_t since = (clock_mono().ns - d->last_poll.ns) / 1000000;

	(void)fd;
	(void)what;
	if (!evtimer_pending(d->on_soon, NULL))
		set_timer(d->on_soon, since >= EVENT_GAP_MS ? 0 : EVENT_GAP_MS - since);
}

/* Waits for changes once more. Each is a one-shot: until the next poll has read them they would only wake us
 * again. Xenstore's descriptor is another one after each new connection. */
static void wait_for_changes(struct daemon *d)
{
	int fd = directory_fd(d->directory);

	if (event_add(d->on_links, NULL) < 0)
		log_err("cannot wait for link events");
	if (d->on_directory)
		event_free(d->on_directory);
	d->on_directory = fd >= 0 ? event_new(d->base, fd, EV_READ, on_change, d) : NULL;
	if (d->on_directory && event_add(d->on_directory, NULL) < 0)
		log_err("cannot wait for xenstore events");
}

/* Ready means that what flows from now on is in the ledger, whatever happens. */
static void tell_manager(struct daemon *d)
{
	if (!d->ready && d->committed) {
		log_info("ready: %u vifs, a reading every %u s, a commit every %u s", HASH_COUNT(d->followed),
			 d->conf->poll, d->conf->flush);
		notify_ready();
		d->ready = true;
	}
	if (!d->ready)
		notify_wait(d->conf->poll + d->conf->flush);
	notify_status(d);
}

static void poll_and_wait(struct daemon *d)
{
	poll_now(d, true);
	tc_reap(d->tc);
	wait_for_changes(d);
	set_next_poll(d);
	tell_manager(d);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	poll_and_wait(arg);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	d->stop = true;
	event_base_loopexit(d->base, NULL); /* after the other events that are due: a HUP hides no TERM */
}

static void on_reload(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	event_base_loopexit(d->base, NULL);
}

/* netacct's signals for whoever copies the database: counting goes on. */
static void on_hold(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;
	bool held = sig == SIGTSTP;

	(void)what;
	if (d->conf->database == DATABASE_NONE || d->held == held)
		return;
	d->held = held;
	log_info(held ? "MySQL is left alone until SIGCONT; counting goes on" : "MySQL is written again");
	feed_hold(d->feed);
}

/* Nothing can be started any more. What starts xenbwd itself again does it best, and a restart loses nothing;
 * else counting goes on without. */
static void on_guard(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	char *how;

	(void)fd;
	(void)what;
	if (!guard_has_ended(d->guard, &how))
		return;
	event_del(d->on_guard);
	if (!d->managed) {
		log_err("%s; " GUARD_MISSING, how);
		classifier_give_up(d->classifier);
		feed_kill(d->feed);
		d->feed = NULL;
	} else if (!d->stop) {
		log_err("%s; xenbwd commits and ends, to be started again with a new one", how);
		daemon_restart(d);
	}
	free(how);
}

/* ---- life ---- */

/* Waits for a signal from now on; NULL where it cannot. */
static struct event *on_signal(struct daemon *d, int sig, event_callback_fn fn)
{
	struct event *e = evsignal_new(d->base, sig, fn, d);

	if (!e || event_add(e, NULL) == 0)
		return e;
	event_free(e);
	return NULL;
}

static int open_events(struct daemon *d, char **err)
{
	d->base = event_base_new();
	if (!d->base)
		return err_set(err, "cannot make an event loop");
	d->on_links = event_new(d->base, links_fd(d->links), EV_READ, on_change, d);
	d->on_timer = evtimer_new(d->base, on_poll, d);
	d->on_soon = evtimer_new(d->base, on_poll, d);
	d->on_term = on_signal(d, SIGTERM, on_stop);
	d->on_int = on_signal(d, SIGINT, on_stop);
	d->on_hup = on_signal(d, SIGHUP, on_reload);
	d->on_tstp = on_signal(d, SIGTSTP, on_hold);
	d->on_cont = on_signal(d, SIGCONT, on_hold);
	if (!d->on_links || !d->on_timer || !d->on_soon || !d->on_term || !d->on_int || !d->on_hup ||
	    !d->on_tstp || !d->on_cont)
		return err_set(err, "cannot make the loop's events");
	d->on_watchdog = notify_watchdog(d->base);
	if (guard_fd(d->guard) < 0)
		return 0;
	d->on_guard = event_new(d->base, guard_fd(d->guard), EV_READ | EV_PERSIST, on_guard, d);
	if (!d->on_guard || event_add(d->on_guard, NULL) < 0)
		return err_set(err, "cannot wait for the end of xenbw-guard");
	return 0;
}

/* An older copy was put back, or commits at its end are torn off: it counts on from the counters that it
 * knows. */
static void say_missing(struct daemon *d)
{
	int64_t missing = ledger_missing(d->ledger);
	char *said;

	if (missing == 0)
		return;
	said = mem_printf(
		"the last %" PRId64 " takes that were committed here are missing: an older copy was put "
		"back, or its log (-wal) is "
		"torn or missing. Counting goes on from what is there: the bytes of vifs that stayed are "
		"booked "
		"again, now; those of vifs that went meanwhile are lost. MySQL refuses it until an admin has "
		"said "
		"how to go on; RRD files may have bytes twice until they are removed and made anew",
		missing);
	log_warn("ledger %s: %s", d->conf->ledger, said);
	account_event(d->account, "ledger", d->conf->ledger, said);
	free(said);
}

static int open_account(struct daemon *d, const struct carry *before, enum carry_way *way, char **err)
{
	struct account_settings settings = {
		.late = d->conf->poll,
		.bucket_by_ip = d->conf->bucket == BUCKET_IP,
		.rules = {.lines = &d->conf->addresses, .compactnet = &d->conf->compactnet}};
	const char *sinks[2];
	size_t sink_count = 0;
	struct ledger_state state;
	char *boot = boot_id(err);
	int rc = boot ? 0 : -1;

	if (d->conf->rrd_dir)
		sinks[sink_count++] = RRD_SINK;
	if (d->conf->database == DATABASE_MYSQL)
		sinks[sink_count++] = MYSQL_SINK;
	if (rc == 0)
		rc = ledger_sinks(d->ledger, sinks, sink_count, err);
	if (rc == 0)
		rc = ledger_charge(d->ledger, d->conf->charge_unattributed, err);
	if (rc == 0)
		rc = carry_way(before, d->ledger, way, err);
	if (rc == 0)
		rc = ledger_load(d->ledger, &state, err);
	if (rc == 0) {
		settings.boot = boot;
		d->position = state.position;
		steady_begin(&d->steady, state.steady, state.last_seen, d->started, clock_mono());
		d->account = account_new(&settings, &state, d->started);
		if (state.open_slot > d->started + SLOT_SECONDS)
			log_warn("the ledger's last slot is %" PRId64
				 " s ahead of this host's clock; bytes go into that slot "
				 "until the clock has caught up: check the clock",
				 state.open_slot - d->started);
		if (state.first_run && *way != CARRY_LAST) {
			*way = CARRY_NOTHING;
			rc = poll_baseline(d, err);
			log_info("new ledger %s: counting begins at the counters' present values",
				 d->conf->ledger);
		}
		ledger_state_free(&state);
		say_missing(d);
	}
	free(boot);
	return rc;
}

/* What is open by now needs no privilege any more; the thread that libxenstore starts must not have any
 * either. */
static int give_up_rights(char **err)
{
	if (privileges_drop(err) < 0)
		return -1;
	if (signal(SIGPIPE, SIG_IGN) ==
	    SIG_ERR) /* a client or xenstored that went away is seen by the return value */
		return err_sys(err, "cannot ignore SIGPIPE");
	return 0;
}

/* Where the writer may still write nothing it says so itself, file by file. */
static void prepare_rrd(const struct conf *conf)
{
	char *err = NULL;

	if (conf->rrd_dir && rrd_folder_prepare(conf->rrd_dir, &err) < 0)
		log_warn("%s", err);
	free(err);
}

int daemon_open(struct daemon **out, const struct daemon_setup *setup, const struct carry *before, char **err)
{
	const struct conf *conf = setup->conf;
	struct daemon *d = mem_alloc(sizeof(*d));
	enum carry_way way = CARRY_NOTHING;

	*out = NULL;
	d->conf = conf;
	d->managed = notify_is_managed();
	d->guard = setup->guard;
	d->tc = setup->tc;
	d->hook = setup->hook;
	d->alias = conf->ifalias ? setup->alias : NULL;
	d->ledger = setup->ledger;
	d->started = clock_wall();
	d->last_poll = d->last_commit = clock_mono();
	d->no_xenstore.what = "xenstore";
	d->no_xenstore.meanwhile = "counting goes on, and new domains are found when it is back";
	d->no_links.what = "watching the network devices";
	d->no_links.meanwhile = "the devices that are known are counted";
	d->no_counters.what = "reading the counters";
	d->no_counters.meanwhile = "the kernel goes on counting";
	d->no_commit.what = "writing the ledger";
	d->no_commit.meanwhile = "bytes are kept in memory";
	d->no_forget.what = "forgetting domains that are gone";
	d->no_forget.meanwhile = "they stay in the ledger";
	d->no_retire.what = "retiring old slots";
	d->no_retire.meanwhile = "they stay in the ledger";
	d->no_fold.what = "folding the ledger";
	d->no_fold.meanwhile = "the ledger keeps more than it needs";
	d->directory = directory_new();
	if (links_open(&d->links, err) < 0 || stats_open(&d->stats, err) < 0 || open_events(d, err) < 0 ||
	    open_account(d, before, &way, err) < 0 || control_server_open(&d->control, d, err) < 0 ||
	    give_up_rights(err) < 0) {
		daemon_close(d);
		return -1;
	}
	prepare_rrd(conf);
	follow_restored(d);
	if ((way == CARRY_LAST && carry_give(before, d, err) < 0) ||
	    (way == CARRY_PRESENT && carry_give_present(d, err) < 0)) {
		daemon_close(d);
		return -1;
	}
	if (conf->attribution != ATTRIBUTION_OFF && !(d->classifier = classifier_new(d))) {
		daemon_close(d);
		return err_set(err, "cannot make a timer");
	}
	if (!conf_asks_kernel(conf))
		tc_leave(d->tc);
	*out = d;
	return 0;
}

void daemon_begin(struct daemon *d)
{
	notify_alive();
	d->urgent = true; /* the first commit begins the run */
	if (d->classifier) {
		follow_events(d); /* to know the uplinks */
		classifier_wait(d->classifier);
	}
	poll_and_wait(d);
	d->quotas = quotas_new(d);
	if (d->conf->rrd_dir || d->conf->database != DATABASE_NONE || d->quotas)
		d->feed = feed_start(d);
}

enum daemon_end daemon_run(struct daemon *d)
{
	event_base_dispatch(d->base);
	return d->stop ? DAEMON_STOP : DAEMON_RELOAD;
}

bool daemon_is_stopped(struct daemon *d)
{
	event_base_loop(d->base, EVLOOP_NONBLOCK);
	return d->stop;
}

void daemon_restart(struct daemon *d)
{
	d->again = d->stop = true;
	event_base_loopexit(d->base, NULL);
}

bool daemon_wants_restart(const struct daemon *d)
{
	return d->again;
}

int daemon_end(struct daemon *d, enum daemon_end how)
{
	bool committed;

	if (how == DAEMON_STOP)
		notify_stopping();
	notify_alive();
	log_info(how == DAEMON_STOP ? "stopping" : "taking the new settings");
	poll_now(d, false);
	committed = poll_commit(d, true, how == DAEMON_LEAVE);
	if (how == DAEMON_MOVE || how == DAEMON_LEAVE)
		feed_flush(d->feed);
	if (how == DAEMON_STOP)
		feed_stop(d->feed);
	else
		feed_kill(d->feed);
	d->feed = NULL;
	if (how == DAEMON_STOP)
		quotas_last_word(d->quotas);
	quotas_close(d->quotas);
	d->quotas = NULL;
	notify_alive();
	return committed ? 0 : -1;
}

static void free_event(struct event *e)
{
	if (e)
		event_free(e);
}

void daemon_close(struct daemon *d)
{
	if (!d)
		return;
	feed_kill(d->feed);
	quotas_close(d->quotas);
	classifier_free(d->classifier);
	control_server_close(d->control);
	free_event(d->on_links);
	free_event(d->on_directory);
	free_event(d->on_timer);
	free_event(d->on_soon);
	free_event(d->on_term);
	free_event(d->on_int);
	free_event(d->on_hup);
	free_event(d->on_tstp);
	free_event(d->on_cont);
	free_event(d->on_guard);
	free_event(d->on_watchdog);
	if (d->base)
		event_base_free(d->base);
	follow_free(d);
	account_free(d->account);
	directory_close(d->directory);
	stats_close(d->stats);
	links_close(d->links);
	free(d->told_status);
	free(d->no_xenstore.reason);
	free(d->no_links.reason);
	free(d->no_counters.reason);
	free(d->no_commit.reason);
	free(d->no_fold.reason);
	free(d->no_retire.reason);
	free(d->no_forget.reason);
	free(d);
}
