/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * traffic_source: what the ledger holds for the table `traffic`, copied into memory.
 *
 * Reads only, from a ledger that the caller opened; no statement or transaction is open when a function
 * returns. Takes are read as soon as they are committed, not only those of complete slots. A bucket's bytes
 * have the label that it has now, or had last. On an error nothing is left to free.
 */
#ifndef XENBW_TRAFFIC_SOURCE_H
#define XENBW_TRAFFIC_SOURCE_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "db/traffic_table.h"

/* How far the ledger is. */
struct traffic_ledger {
	char *uuid;      /* free() */
	int64_t newest;  /* highest sequence given out */
	int64_t passed;  /* what xenbwd wrote down of our acknowledgements; -1: it knows no such sink yet */
	int64_t missing; /* takes above `after` that are folded already: nobody can have them any more */
	int64_t whole;   /* all takes above it are still there */
};

/* The bytes of a bucket in one slot. */
struct traffic_bytes {
	char *label; /* fit for the column ip */
	int64_t slot;
	uint64_t bytes[TRAFFIC_COLUMNS];
};

struct traffic_batch {
	int64_t seq; /* of its last take; 0: it is empty */
	struct traffic_bytes *list;
	size_t count;
};

/* `sink` is our name in the ledger; after -1: not known yet, none is missing. */
int traffic_source_ledger(sqlite3 *ledger, const char *sink, int64_t after, struct traffic_ledger *out,
			  char **err);

/* At most `limit` takes above `after`. `suffix` goes behind the labels of domains; NULL: nothing does. */
int traffic_source_batch(sqlite3 *ledger, int64_t after, unsigned limit, const char *suffix,
			 struct traffic_batch *out, char **err);
void traffic_batch_free(struct traffic_batch *b);

#endif
