/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * explain: all that the ledger knows of where a bucket's bytes of a period come from.
 *
 * Reads only, inside one read transaction (db/usage.h); judges nothing. The ledger has each epoch's first and
 * last raw counters, and sums by slot: what lies before and after the period is told by slots. A damaged
 * ledger gives -1 and sql_error's text; the result is then empty. Times: -1 stands for "never" or "not yet".
 */
#ifndef XENBW_EXPLAIN_H
#define XENBW_EXPLAIN_H

#include "db/usage.h"

struct explain_epoch {
	int64_t id;
	char *netdev;
	unsigned ifindex;
	unsigned rx_header, tx_header;
	struct counters first, last;
	uint64_t booked[DIR_COUNT];
	int64_t opened, seen, closed;
	char *reason; /* NULL while it is open */
	unsigned doubtful;
};

/* When bytes were booked, by their slot; of retired ones (db/retain.h) it is not known any more. */
enum explain_when { EXPLAIN_BEFORE, EXPLAIN_WITHIN, EXPLAIN_AFTER, EXPLAIN_RETIRED, EXPLAIN_WHENS };

struct explain_vif {
	int64_t id;
	unsigned domid, devid;
	char *boot, *domain;
	char *mac, *bridge, *netdev; /* each may be NULL */
	int64_t appeared, gone;
	struct explain_epoch *epochs; /* by begin */
	size_t epoch_count;
	struct usage_sums booked[EXPLAIN_WHENS]; /* charged to this bucket */
	struct usage_sums elsewhere;             /* charged to others, at any time */
};

/* A time in which no xenbwd observed: from the last commit of one to the begin of the next. */
struct explain_gap {
	int64_t from, to;
	bool reboot; /* the host was started meanwhile */
};

/* Events of one kind about one object. */
struct explain_event {
	char *kind, *object;
	char *detail; /* of the last one */
	uint64_t count;
	int64_t first, last;
};

struct explain {
	struct usage_run run;
	int64_t retired;          /* slots before this one were; 0: none */
	struct explain_vif *vifs; /* those that have bytes in the period, or were there in it; by begin */
	size_t vif_count;
	struct explain_gap *gaps; /* that lie in the period, at least in part */
	size_t gap_count;
	struct explain_event *events; /* of the period, about these vifs or about the host */
	size_t event_count;
	struct usage_report report; /* what a report says of the bucket and period */
};

int explain_read(sqlite3 *db, int64_t bucket, int64_t from, int64_t to, struct explain *out, char **err);
void explain_free(struct explain *e);

#endif
