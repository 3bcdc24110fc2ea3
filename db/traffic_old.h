/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * traffic_old: a table `traffic` as some version of netacct-mysql, or its admin, left it.
 *
 * Looks, and changes nothing. What it needs of the table: ip, time, input and output, and an id by which it
 * can be read in batches. Columns that came later (direct, local, peer) may be missing, types and keys may
 * be whatever they are.
 */
#ifndef XENBW_TRAFFIC_OLD_H
#define XENBW_TRAFFIC_OLD_H

#include <stdbool.h>

#include "db/traffic_table.h"

struct traffic_old {
	bool there;
	bool has[TRAFFIC_COLUMNS];
	uint64_t ceiling[TRAFFIC_COLUMNS]; /* where the type ends; 0: BIGINT, which nothing reaches */
	uint64_t bytes;                    /* on the disk, as the server knows it */
	char *engine;
	char *refusal; /* why it cannot be copied, with the way out; or NULL */
};

int traffic_old_look(struct mysql *m, const char *table, struct traffic_old *out, char **err);
void traffic_old_free(struct traffic_old *o);

/* What there is of one batch, or of all. Sums are modulo 2^64. */
struct traffic_sums {
	uint64_t rows, newest_id, capped; /* capped: rows with a counter at its ceiling */
	uint64_t counters[TRAFFIC_COLUMNS];
	bool negative; /* a counter below 0 was seen */
};

/* The id of the last of the next `rows` rows behind the id `after`; 0 where there is none. */
int traffic_old_batch(struct mysql *m, const char *table, uint64_t after, uint64_t rows, uint64_t *last,
		      char **err);

/* Adds up the whole table, a batch at a time. */
int traffic_old_sums(struct mysql *m, const char *table, const struct traffic_old *o,
		     struct traffic_sums *out, char **err);

/* Tells of the first `most` rows that have a counter at its ceiling: each such column. */
typedef void traffic_capped_fn(void *ctx, const char *ip, const char *time, const char *column,
			       uint64_t value);
int traffic_old_capped(struct mysql *m, const char *table, const struct traffic_old *o, size_t most,
		       traffic_capped_fn *fn, void *ctx, char **err);

#endif
