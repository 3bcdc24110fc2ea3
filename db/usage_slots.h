/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * usage_slots: what buckets were charged in each slot of a period, and which slots xenbwd observed.
 *
 * Reads only, in one read transaction, and leaves no statement open (see db/usage.h).
 */
#ifndef XENBW_USAGE_SLOTS_H
#define XENBW_USAGE_SLOTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"

struct usage_slots {
	size_t earlier; /* slots of the period before these: none was seen, or what was seen was retired */
	int64_t from;   /* of the first one */
	size_t count;
	uint64_t *bytes[DIR_COUNT]; /* by slot; charged: netacct's input and output */
	bool *observed;             /* by slot: xenbwd ran in a part of it, or there are bytes of it */
};

/* The complete slots that start in [from, to), which lie on edges of slots; of `count` buckets together. */
int usage_read_slots(sqlite3 *db, int64_t from, int64_t to, const int64_t *buckets, size_t count,
		     struct usage_slots *out, char **err);
void usage_slots_free(struct usage_slots *s);

/* When xenbwd first ran; -1 where it never has. */
int usage_read_begin(sqlite3 *db, int64_t *out, char **err);

#endif
