/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket_spans: which domain had which address when, as the ledger saw it.
 *
 * A domain is called here what xenbwd calls it: by the label of the bucket that it, or its uuid, was charged
 * to. One that never had such a bucket is called by its last own name, without what a migration adds. Neither
 * uuid nor name is a proof where another domain that had it lived at the same time. Reads only.
 */
#ifndef XENBW_REBUCKET_SPANS_H
#define XENBW_REBUCKET_SPANS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One owner of an address, for a while. */
struct rebucket_span {
	char *address, *domain;
	bool sure;        /* it was this one, and no other */
	int64_t from, to; /* UTC; of what the ledger saw */
};

struct rebucket_spans {
	struct rebucket_span *list; /* by address, then time */
	size_t count;
};

/* Free them, whatever it returned. */
int rebucket_spans_read(struct rebucket_spans *s, sqlite3 *ledger, char **err);
void rebucket_spans_free(struct rebucket_spans *s);

#endif
