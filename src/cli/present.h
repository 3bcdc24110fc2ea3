/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * present: the ledger's sums brought up to the present reading of the counters.
 *
 * Pure. The ledger must have been read before the counters. Then a figure is exact with or without a running
 * xenbwd: what the ledger has not booked yet is what the counters have grown by since.
 */
#ifndef XENBW_PRESENT_H
#define XENBW_PRESENT_H

#include "cli/live.h"
#include "db/usage.h"

struct present_row {
	const struct live_vif *live;   /* NULL: it is not there now, or nobody could look */
	const struct usage_vif *known; /* NULL: the ledger does not know it */
	bool gone;
	bool counted; /* bytes are known */
	uint64_t bytes[DIR_COUNT];
};

struct present {
	struct present_row *rows; /* live ones by domid and devid; then gone ones by domain and time */
	size_t count;
};

/* What is there and what the ledger knows. `boot` is the present boot id. Either may be NULL: without `live`
 * a vif is taken to be there if the ledger last knew it to be; without `known` a vif has what its counters
 * say since it appeared. Rows point into both. */
void present_merge(const struct live *live, const struct usage_vifs *known, const char *boot,
		   struct present *out);
void present_free(struct present *p);

#endif
