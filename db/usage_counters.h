/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * usage_counters: what each vif that is there has moved ever since the ledger began, and how far the sinks
 * are.
 *
 * Reads only, in one read transaction, and leaves no statement open (see db/usage.h). A figure never goes
 * back: a domain's vif that comes again, after a reboot or with another domid, goes on with what it had.
 */
#ifndef XENBW_USAGE_COUNTERS_H
#define XENBW_USAGE_COUNTERS_H

#include "db/usage.h"

struct usage_counter {
	char *domain, *uuid; /* the latter is "" where there is none */
	char *devid;         /* of Domain-0 its bridge */
	char *bucket;        /* label */
	uint64_t bytes[DIR_COUNT];
};

struct usage_sink {
	char *name;
	uint64_t behind; /* takes */
};

struct usage_counters {
	struct usage_run run;
	struct usage_counter *list; /* by bucket, domain, devid */
	size_t count;
	struct usage_sink *sinks;
	size_t sink_count;
};

int usage_read_counters(sqlite3 *db, struct usage_counters *out, char **err);
void usage_counters_free(struct usage_counters *c);

#endif
