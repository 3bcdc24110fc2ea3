/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * usage_gather: adds up the ledger's rows of a period, by bucket, by vif, or by vif and address.
 *
 * One pass over the rows, in whatever order they lie, by an SQL function of ours: SQL's own sums cost twice
 * as much, and three times where the rows must be sorted first. Where a period has fewer rows than there ever
 * were buckets, the rows are found by their slot, else bucket after bucket: what a report costs does not grow
 * with what is not in it. Reads only, in the caller's transaction.
 */
#ifndef XENBW_USAGE_GATHER_H
#define XENBW_USAGE_GATHER_H

#include "db/usage_rows.h"

/* The numbers of a row, in the order of the table's columns. */
#define USAGE_COLUMNS                                                                         \
	"u.external_input, u.external_output, u.peer_input, u.peer_output, u.direct_input,"   \
	" u.direct_output, u.local_input, u.local_output, u.ignored_input, u.ignored_output," \
	" u.unattributed_input, u.unattributed_output, u.clipped_input, u.clipped_output,"    \
	" u.estimated_input, u.estimated_output, u.spoofed_output"

struct usage_group {
	int64_t id;    /* of the bucket or vif */
	char *address; /* NULL: not by address */
	int64_t sums[USAGE_COLUMN_COUNT];
};

struct usage_groups {
	struct usage_group *list; /* as the rows were found */
	size_t count;
	size_t *places; /* of each, and 1, by hash; 0: free */
	size_t place_count;
	size_t last; /* the one that the last row went to */
};

/* The rows of the slots that start in [from, to) in these buckets; of all buckets, when count is 0. What was
 * retired (db/retain.h) is in no period. Release with usage_groups_free, whatever it returned. */
int usage_gather(sqlite3 *db, enum usage_by by, int64_t from, int64_t to, const int64_t *buckets,
		 size_t count, struct usage_groups *out, char **err);
void usage_groups_free(struct usage_groups *g);

/* NULL where nothing was found of it. */
const struct usage_group *usage_group_of(const struct usage_groups *g, int64_t id);

#endif
