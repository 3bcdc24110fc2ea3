/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host: one Xen host as xenbwd sees it, below the real daemon/follow.c and daemon/poll.c.
 *
 * host_kernel.c is the kernel and xenstore: devices, their counters, states, and what of it gets lost.
 * host_daemon.c gives the daemon's code its links, counters, directory, clock and ledger (instead of net/,
 * xen/ and the clock), and starts, stops and kills it. host_events.c is what happens; host_checks.c keeps the
 * books: of every device, what flowed, and what of that a reading has seen.
 */
#ifndef XENBW_SIM_HOST_H
#define XENBW_SIM_HOST_H

#include "daemon/daemon.h"
#include "memory_ledger.h"
#include "sim.h"

#define GUESTS 5
#define DOMAINS 8 /* at most so many at once */
#define NICS 2
#define POLL 60
#define FLUSH 180

/* One network device: a vif, or an emulated tap. */
struct dev {
	bool there;
	int guest;
	struct link link; /* as the kernel has it */
	struct counters raw;
	uint64_t flowed[DIR_COUNT]; /* IP bytes of this life of its counters */
	/* at the last reading, and at the last commit: of what flowed, the counters, and how often they began
	 * anew since */
	struct mark {
		uint64_t flowed[DIR_COUNT];
		struct counters raw;
		unsigned resets;
	} read, committed;
	uint64_t told[DIR_COUNT]; /* of what flowed, what a message about its carrier had in it */
	bool unproven;            /* nobody could see all of what happened to it since its last reading */
};

/* A vif in a domain. */
struct nic {
	bool plugged;
	struct dev vif, tap;
	int state;             /* of its backend in xenstore */
	unsigned state_events; /* that nobody read yet */
};

struct domain {
	bool live;
	unsigned domid;
	int guest;
	char *name;
	struct nic nics[NICS];
};

struct guest {
	char *uuid, *name;
	bool hvm, two;              /* two vifs */
	unsigned address;           /* the last part of 10.0.GUEST.x */
	uint64_t booked[DIR_COUNT]; /* at the last commit */
	/* since then: bytes that were read; that may be booked on top, told by an event; that may be missing,
	 * since nothing proved that counters began anew */
	uint64_t due[DIR_COUNT], may[DIR_COUNT], lose[DIR_COUNT];
	uint64_t owed[DIR_COUNT]; /* what was missing, and may be found later */
	unsigned reads, owed_at;  /* readings of its devices, in all and when something was found missing */
	bool waits;               /* for what was told */
};

/* What a link event says. */
struct told {
	enum link_event event;
	struct link link;
	struct counters counters;
	bool has_counters;
};

struct host {
	struct sim *sim;
	struct guest guests[GUESTS];
	struct domain domains[DOMAINS];
	unsigned next_domid, next_ifindex, boots, names;
	unsigned free_ifindex; /* may be given out again; 0: none */
	char free_node[40];    /* whose it was */
	char *boot;
	int64_t now, clock_error;

	/* what the daemon has of it */
	struct daemon *d; /* NULL: it does not run */
	struct conf conf;
	struct memory_ledger *ledger;
	struct ledger *disk; /* the same batches; or NULL */
	struct link *known;  /* links */
	size_t known_count;
	struct told *queue;
	size_t queued;
	bool overrun; /* link events were lost */
	struct xen_vif *listed;
	size_t listed_count;
	enum directory_news news;               /* of the last drain */
	unsigned drains[DIRECTORY_CHANGED + 1]; /* by what they brought */
	unsigned gone_through;                  /* how often the account was told of a vif */

	/* minutes that it will last */
	unsigned store_away, store_empty, netlink_fails, refuses;
	bool store_late; /* what is written now is seen at the drain after the next */
	unsigned doubts; /* at the last commit */
	unsigned commits, kills, starts, hidden, lost, resets;
};

/* ---- host_kernel.c ---- */

void host_boot_domain(struct host *h, int guest);
void host_end_domain(struct host *h, struct domain *m);
struct domain *host_domain_of(struct host *h, int guest);
void host_rename(struct domain *m, const char *name);
void host_plug(struct host *h, struct domain *m, unsigned devid);
void host_unplug(struct host *h, struct domain *m, struct nic *n);
void host_connect(struct host *h, struct nic *n);
void host_disconnect(struct host *h, struct nic *n, bool told);
void host_carrier(struct host *h, struct dev *v, bool on, const struct counters *told);
void host_tap_goes(struct host *h, struct nic *n);
void host_flow(struct host *h, struct dev *v, enum direction d, uint64_t packets, uint64_t bytes);
void host_minute(struct host *h);
void host_power_off(struct host *h);
void host_power_on(struct host *h);

/* ---- host_daemon.c ---- */

void host_poll(struct host *h);
void host_start(struct host *h);
void host_stop(struct host *h);
void host_kill(struct host *h);

/* ---- host_events.c ---- */

void host_something_happens(struct host *h);

/* ---- host_checks.c ---- */

void host_life_ends(struct host *h, struct dev *v, bool told);
void host_was_read(struct host *h, struct dev *v);
void host_was_committed(struct host *h);
void host_was_forgotten(struct host *h);

/* What happens to vifs from now on is not seen whole. */
void host_is_blind(struct host *h);

/* Calls fn for each device there is. */
void host_each_dev(struct host *h, void (*fn)(struct host *h, struct dev *v));

#endif
