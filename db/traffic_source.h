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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/traffic_table.h"

/* How far the table is, as the server has it: see db/traffic_marker.h. */
struct traffic_marker {
	int64_t seq;
	char *taken; /* what tells the take of that sequence from any other; "": somebody's word */
	char *host;  /* that wrote it last */
};

/* How far the ledger is. */
struct traffic_ledger {
	char *uuid;
	int64_t newest;  /* highest sequence given out */
	int64_t passed;  /* what xenbwd wrote down of our acknowledgements; -1: it knows no such sink yet */
	int64_t missing; /* takes above the marker that are folded already: nobody can have them any more */
	int64_t whole;   /* all takes above it are still there */
	bool fits;       /* the marker is at a take of this ledger, as far as that can be known */
	int64_t resume;  /* where it does not: the last take that is no newer than the marker's */
	char *resume_taken; /* NULL: it is folded */
};

/* The bytes of a bucket in one slot. */
struct traffic_bytes {
	char *label; /* fit for the column ip */
	int64_t slot;
	uint64_t bytes[TRAFFIC_COLUMNS];
};

struct traffic_batch {
	int64_t seq; /* of its last take; 0: it is empty */
	char *taken; /* what tells that take from any other; NULL: it is empty */
	struct traffic_bytes *list;
	size_t count;
};

/* `sink` is our name in the ledger; marker NULL: not known yet, none is missing, and it fits. */
int traffic_source_ledger(sqlite3 *ledger, const char *sink, const struct traffic_marker *marker,
			  struct traffic_ledger *out, char **err);
void traffic_ledger_clear(struct traffic_ledger *l);

/* At most `limit` takes above `after`. `suffix` goes behind the labels of domains; NULL: nothing does. */
int traffic_source_batch(sqlite3 *ledger, int64_t after, unsigned limit, const char *suffix,
			 struct traffic_batch *out, char **err);

/* What the ledger has of the slots in [from, to), in takes or folded; nothing in it tells of sequences. */
int traffic_source_between(sqlite3 *ledger, int64_t from, int64_t to, const char *suffix,
			   struct traffic_batch *out, char **err);
void traffic_batch_free(struct traffic_batch *b);

#endif
