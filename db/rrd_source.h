/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_source: what the ledger holds for RRD files, copied into memory.
 *
 * Reads only, from a ledger that the caller opened; no statement or transaction is open when a function
 * returns. Only complete slots (below meta.open_slot) are ever read. On an error nothing is left to free.
 */
#ifndef XENBW_RRD_SOURCE_H
#define XENBW_RRD_SOURCE_H

#include <sqlite3.h>

#include "db/rrd_plan.h"

/* One bucket that has a present label. */
struct rrd_bucket {
	int64_t id;
	char *label;
	int64_t begins,
		ends; /* slot edges: all that the ledger knows of it lies in [begins, ends), may be empty */
	struct rrd_usage usage; /* from the batch's `since` on */
};

struct rrd_batch {
	int64_t open_slot; /* slots below it are complete; 0: none is yet */
	int64_t seq;       /* of the newest take that lies in a complete slot; 0: there is none */
	int64_t passed;    /* what xenbwd wrote down of our acknowledgements */
	int64_t since;
	struct rrd_bucket *buckets;
	size_t count;
};

/* A label that a bucket had before. */
struct rrd_former {
	char *label;
	int64_t taken; /* when another bucket got it afterwards; INT64_MAX: none did */
};

struct rrd_formers {
	struct rrd_former *list; /* the latest first */
	size_t count;
};

/* meta.open_slot alone: cheap. */
int rrd_source_open_slot(sqlite3 *ledger, int64_t *slot, char **err);

/* All buckets, in one read transaction, with their usage in [since, open_slot), but of no more than the
 * last hour: out->since says what became of it. */
int rrd_source_batch(sqlite3 *ledger, int64_t since, struct rrd_batch *out, char **err);
void rrd_batch_free(struct rrd_batch *b);

/* The usage of one bucket in [from, to); release with rrd_usage_free. */
int rrd_source_usage(sqlite3 *ledger, int64_t bucket, int64_t from, int64_t to, struct rrd_usage *out,
		     char **err);

int rrd_source_formers(sqlite3 *ledger, int64_t bucket, struct rrd_formers *out, char **err);
void rrd_formers_free(struct rrd_formers *f);

#endif
