/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * daemon: the parts of xenbwd, and what they share.
 *
 * One struct, one event loop, one thread of ours (libxenstore has one of its own). follow.c keeps the account
 * up to date with what is there, poll.c reads the counters and commits, classifier.c looks after
 * who looks at the uplinks and feed.c after xenbw-writer, control_server.c answers clients. Nothing here
 * gives up once it runs: what fails is logged once, with what is so meanwhile, and tried again.
 */
#ifndef XENBW_DAEMON_H
#define XENBW_DAEMON_H

#include <event2/event.h>
#include <stdbool.h>
#include <uthash.h>

#include "account/account.h"
#include "base/clock.h"
#include "config/conf.h"
#include "daemon/steady.h"
#include "daemon/trouble.h"
#include "db/ledger.h"
#include "net/bind.h"
#include "net/links.h"
#include "net/stats.h"
#include "xen/directory.h"

struct carry;
struct classifier;
struct control_server;
struct daemon_alias;
struct daemon_quotas;
struct feed;
struct guard;
struct hook;
struct tc;

/* A vif as the loop follows it. dom0's own device in a bridge is one too: domid 0, devid its ifindex. */
struct followed {
	unsigned numbers[2]; /* domid, devid */
	int64_t vif;         /* ledger id */
	struct binding binding;
	unsigned left_connected;
	bool away;            /* its backend is not Connected */
	unsigned ask_carrier; /* readings before which the kernel is asked for its carrier count */
	bool restarted; /* its counters began anew, and the kernel could not be asked for its carrier since */
	bool listed;    /* xenstore has it */
	unsigned aliased; /* the device that was said to be of the domain `alias` */
	char *alias;
	/* present rates: what it had moved at the beginning of the window, and the rates of the last one */
	struct mono window_start;
	uint64_t moved[DIR_COUNT];
	uint64_t rate[DIR_COUNT];
	uint32_t window_ms;
	UT_hash_handle hh, by_vif;
};

struct daemon {
	const struct conf *conf;
	struct event_base *base;
	struct links *links;
	struct stats *stats;
	struct directory *directory;
	struct ledger *ledger;
	struct account *account;
	struct guard *guard;
	struct tc *tc;                 /* NULL: not the kernel counts by class */
	struct daemon_alias *alias;    /* NULL: vifs get none */
	struct hook *hook;             /* NULL: no quota_hook at the start */
	struct daemon_quotas *quotas;  /* NULL: there are none */
	struct feed *feed;             /* NULL: nothing is fed */
	struct classifier *classifier; /* NULL: nobody looks at packets */
	struct control_server *control;
	struct event *on_links, *on_directory, *on_timer, *on_soon, *on_term, *on_int, *on_hup, *on_tstp,
		*on_cont, *on_guard, *on_watchdog;
	struct followed *followed, *by_vif; /* the same: by numbers, by ledger id */
	uint64_t position;                  /* of the classifier, in the ledger; 0: none */
	int64_t started;
	struct mono last_poll, last_commit;
	int64_t told_slot; /* the open slot when xenbw-writer was last told */
	bool alias_again;  /* an alias could not be told */
	bool follow_again; /* devices or the directory changed */
	bool told_again;   /* what the classifier has to know may have changed */
	bool stop;         /* asked for by TERM or INT; else HUP asks for a reload */
	bool managed;      /* a service manager starts xenbwd again when it fails */
	bool again;        /* stop, to be started again */
	bool held;         /* by TSTP: SQL is left alone */
	bool urgent;       /* a vif came or went: commit with the next poll */
	bool committed;    /* something was */
	bool ready;        /* told to the log and to the service manager */
	char *told_status; /* to the latter */
	struct trouble no_xenstore, no_links, no_counters, no_commit, no_fold, no_retire, no_forget;
	bool retire_held; /* a sink holds old slots back */
	struct steady steady;
};

/* ---- follow.c ---- */

/* Takes in waiting link events and changes in xenstore; tells the account. */
void follow_events(struct daemon *d);

/* Devices of vifs that the ledger had open: which of them are still there? */
void follow_restored(struct daemon *d);

/* Asks the kernel for what its events would tell too late for this reading. */
void follow_carriers(struct daemon *d);

/* A device's counters began anew at a reading: asks for the carrier count that its new life has, now or,
 * where the kernel does not answer, before the next reading. */
void follow_restarted(struct daemon *d, unsigned ifindex);

void follow_free(struct daemon *d);

/* ---- poll.c ---- */

/* One reading of all counters; commits where a slot is complete, a flush is due or something came or went.
 * `patient`: where the classifier's answer is late, all but the reading may wait for the next poll. */
void poll_now(struct daemon *d, bool patient);

/* Commits all there is; `ended` and `left` as in struct ledger_batch. Returns false where the ledger refused
 * (said in the log; nothing is lost). */
bool poll_commit(struct daemon *d, bool ended, bool left);

/* First run ever: the counters' present values are the base line. */
int poll_baseline(struct daemon *d, char **err);

/* ---- feed.c ---- */

/* Starts xenbw-writer and keeps it running; NULL where that cannot be (said in the log). */
struct feed *feed_start(struct daemon *d);

/* Tells it that something was committed. */
void feed_tell(struct feed *f);

/* Tells it whether SQL is to be left alone, as daemon.held says. */
void feed_hold(struct feed *f);

/* Lets it bring the last commit to MySQL: some seconds at most. */
void feed_flush(struct feed *f);

/* The same, and lets it finish, and takes its last word, some seconds at most; then ends it. */
void feed_stop(struct feed *f);

/* Ends it at once: it can be killed at any time, and another one is started. */
void feed_kill(struct feed *f);

/* ---- control_server.c ---- */

/* On failure *s is NULL. */
int control_server_open(struct control_server **out, struct daemon *d, char **err);
void control_server_close(struct control_server *s);

/* ---- notify.c: a service manager is told, if there is one (sd_notify(3)) ---- */

void notify_ready(void);
void notify_stopping(void);

/* notify_ready tells that it is over. */
void notify_reloading(void);

/* Not ready yet, and no reason to give up: it will be tried again within so many seconds. */
void notify_wait(unsigned seconds);

/* What xenbwd does and what does not work, where that is not what was told last. */
void notify_status(struct daemon *d);

/* The manager's watchdog hears that the process goes on: from the loop, by this timer (NULL where there is no
 * watchdog), and before and after what may take long. */
struct event *notify_watchdog(struct event_base *base);
void notify_alive(void);

/* Whether there is one, which starts xenbwd again when it fails. */
bool notify_is_managed(void);

/* ---- daemon.c ---- */

enum daemon_end {
	DAEMON_STOP,
	DAEMON_RELOAD,
	DAEMON_MOVE, /* a reload after which bytes go to another table of MySQL's */
	DAEMON_LEAVE /* the same, and to another ledger */
};

/* What lives longer than a daemon. */
struct daemon_setup {
	const struct conf *conf;
	struct guard *guard;
	struct tc *tc;              /* or NULL */
	struct hook *hook;          /* or NULL */
	struct daemon_alias *alias; /* or NULL */
	struct ledger *ledger;
};

/* Sets everything up, ready to begin. All that `setup` points to outlives it.
 * `before` is what the daemon before a reload left, empty at a start. On failure *d is NULL. */
int daemon_open(struct daemon **out, const struct daemon_setup *setup, const struct carry *before,
		char **err);

/* The first reading and commit; from then on xenbw-writer is fed. Once, and again after a daemon_end that
 * failed. */
void daemon_begin(struct daemon *d);

/* Runs until TERM or INT (stop) or HUP (reload: the caller reads the settings, and either runs it again or
 * ends it and opens another). */
enum daemon_end daemon_run(struct daemon *d);

/* After daemon_run: whether TERM or INT has come since, or the guard's end stops it. */
bool daemon_is_stopped(struct daemon *d);

/* It commits and ends, so that the service manager starts it again. */
void daemon_restart(struct daemon *d);
bool daemon_wants_restart(const struct daemon *d);

/* The last poll and commit, and xenbw-writer's end: with DAEMON_RELOAD at once, for another one takes over;
 * with DAEMON_MOVE and DAEMON_LEAVE once MySQL has what was committed.
 * Returns 0, or -1 where the last commit failed. */
int daemon_end(struct daemon *d, enum daemon_end how);
void daemon_close(struct daemon *d);

#endif
