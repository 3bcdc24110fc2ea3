/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * year: one host in the simulated year, its kernel, its guests, and a daemon that drives the account.
 *
 * What no counter reading could know (the tail of a life whose last counters the kernel threw away) is kept
 * account of, byte by byte, and taken off what is expected. year_host.c is the kernel, year_daemon.c what
 * xenbwd does, year_events.c what happens, year_checks.c what must hold at each commit and at the end.
 */
#ifndef XENBW_YEAR_H
#define XENBW_YEAR_H

#include <stddef.h>

#include "account/account.h"
#include "memory_ledger.h"
#include "sim.h"

#define GUESTS 7
#define TWO_ADDRESSES 3 /* so many of them, the first, have two addresses, 10.0.GUEST.1 and 2 */
#define SPOOFERS 4      /* those from this one on also send from addresses that are not theirs */
#define POLL 60
#define FIRST_DAY 1767225600 /* 2026-01-01 UTC */

/* What the classifier saw. */
struct seen {
	struct class_bytes at[3]; /* under no address, the first, the second */
	uint64_t late, spoofed;   /* of the output */
};

/* One life of one guest's device. */
struct device {
	bool there;
	unsigned domid, ifindex;
	struct counters raw;
	uint64_t flowed[DIR_COUNT]; /* IP bytes of this life */
	uint64_t local[DIR_COUNT];  /* the part that crossed no uplink while xenbwd ran */
	uint64_t read[DIR_COUNT];   /* of what flowed, at the last reading */
	uint64_t read_local[DIR_COUNT];
	uint64_t committed[DIR_COUNT]; /* of what flowed, at the last commit */
	struct seen seen;              /* since it was asked last */
	uint32_t carrier_down;
	unsigned left_connected;
	bool away; /* disconnecting: the carrier is off, the counters are still whole */
	int64_t vif;
};

struct guest {
	char *uuid, *name;
	struct device device, incoming; /* incoming: the other end of a migration to the same host */
	unsigned addresses;             /* 0, 1, 2 */
	struct class_bytes expected;
	uint64_t expected_at[3][DIR_COUNT]; /* of the external bytes, those under each address */
	uint64_t missed[DIR_COUNT]; /* of the local bytes, those that crossed under another name or none */
};

/* What the classifier saw last of a vif that is gone. */
struct last_words {
	int64_t vif;
	struct guest *guest;
	struct seen seen;
};

struct host {
	struct sim *sim;
	struct guest guests[GUESTS];
	struct memory_ledger *ledger;
	struct account *account; /* NULL: xenbwd does not run */
	char *boot;
	unsigned boots, next_domid, next_ifindex, names;
	int64_t true_time, clock_error;
	unsigned refuse; /* commits that the ledger will still refuse */
	bool classify;
	bool dying;                     /* the daemon will be killed before it can commit */
	bool just_began;                /* the classifier has not seen what flowed before this poll */
	bool behind;                    /* it has seen what the counters did not hold yet */
	uint64_t missed[DIR_COUNT];     /* before the next poll, under nobody's name */
	uint64_t missed_all[DIR_COUNT]; /* in all, under nobody's or another's */
	uint64_t under_others, spoofed; /* in all */
	struct account_portion portions[3];
	struct last_words last_words[GUESTS * 2];
	size_t last_word_count;
	unsigned restarts, kills, resets, hidden_resets, reboots, migrations, steps, refusals, lates, strays,
		thefts;
};

/* ---- year_host.c ---- */

/* A minute's traffic. */
void year_flow(struct host *h, struct guest *g, struct device *v);

/* So much flows at once that no counter is below what it was in the life before. */
void year_burst(struct host *h, struct guest *g, struct device *v, const struct counters *before);

/* Bytes that no classifier sees as this guest's. */
void year_flow_unseen(struct host *h, struct guest *g, enum direction d, uint64_t bytes);

/* What crosses between the reading of the counters and that of the classifier. */
void year_lag(struct host *h, struct guest *g, struct device *v);

/* A life ends; told: the kernel told its last counters. */
void year_life_ends(struct host *h, struct guest *g, struct device *v, bool told);

void year_start(struct host *h, struct device *v);

/* ---- year_daemon.c ---- */

/* The toolstack says that it is there, under this name. */
void year_here(struct host *h, const struct guest *g, struct device *v, const char *name);

/* One poll, with a commit where a slot is complete or a flush is due; true: it went in. */
bool year_poll_with(struct host *h, bool flush, bool may_lag);
bool year_poll_host(struct host *h, bool flush);

void year_start_daemon(struct host *h);
void year_stop_daemon(struct host *h);
void year_kill_daemon(struct host *h);

/* ---- year_events.c ---- */

void year_run(struct host *h);

/* ---- year_checks.c ---- */

/* After a commit. */
void year_check_commit(const struct host *h);

/* At the end. */
void year_check_all(const struct host *h);

#endif
