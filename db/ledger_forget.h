/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_forget: what is left of domains that have been gone for long, and whose slots were retired
 * (db/ledger_retain.h): their buckets, vifs and epochs go, too, a few at a time.
 *
 * Their sums and what their counters said are added to one vif, LEDGER_NOBODY, of a bucket and with an epoch
 * of the same id: so totals and identities stay. Left alone are buckets of addresses, and whatever does not
 * add up by itself. A domain that comes again after that is a new one.
 */
#ifndef XENBW_LEDGER_FORGET_H
#define XENBW_LEDGER_FORGET_H

#include "db/ledger.h"

#define LEDGER_NOBODY 0 /* an id that is never given out */

struct ledger_forgotten {
	int64_t *buckets;
	size_t bucket_count;
	char **uuids;
	size_t uuid_count;
};

/* Looks at the next `limit` buckets, after those of the last time, for such whose vifs were gone before
 * `begin` and that are idle; forgets them in one transaction, and says which. Release with
 * ledger_forgotten_free, whatever it returned. */
int ledger_forget(struct ledger *l, int64_t begin, unsigned limit,
		  bool (*is_idle)(const void *ctx, int64_t bucket), const void *ctx,
		  struct ledger_forgotten *out, char **err);
void ledger_forgotten_free(struct ledger_forgotten *f);

#endif
