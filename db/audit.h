/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * audit: whether a ledger agrees with itself, and what it tells of its own last days.
 *
 * Reads only; each function answers one question with one or few statements, and leaves none open. Some read
 * the whole ledger. What is found wrong is counted, and the first of it named; -1 and sql_error's text are
 * for what could not be read. Times are UTC seconds.
 */
#ifndef XENBW_AUDIT_H
#define XENBW_AUDIT_H

#include "db/usage.h"

struct audit {
	uint64_t looked_at, wrong;
	char *first; /* what is wrong with the first one; NULL: nothing is */
};

void audit_clear(struct audit *a);

/* SQLite's own structure. */
int audit_pages(sqlite3 *db, struct audit *out, char **err);

/* Each epoch's counters give the bytes that were booked of it. */
int audit_epochs(sqlite3 *db, struct audit *out, char **err);

/* Of each vif: the classes of all its slots and takes, less what is estimated, are what its epochs counted.
 */
int audit_identity(sqlite3 *db, struct audit *out, char **err);

/* Rows that cannot be: bytes below 0, parts larger than the whole, slots that are none, links to nothing. */
int audit_rows(sqlite3 *db, struct audit *out, char **err);

/* Times of more than `shortest` seconds, or after a kill, in which no xenbwd observed. */
struct audit_gaps {
	uint64_t count;
	int64_t seconds;  /* all of them */
	int64_t from, to; /* the last one */
};

int audit_gaps(sqlite3 *db, int64_t since, int64_t shortest, struct audit_gaps *out, char **err);

/* All vifs' bytes since then. */
int audit_sums(sqlite3 *db, int64_t since, struct usage_sums *out, char **err);

/* How far a sink is. */
struct audit_sink {
	bool there;      /* xenbwd knows of it */
	uint64_t behind; /* takes that it has not passed */
	int64_t since;   /* when the oldest of them was made; -1: there is none */
	int64_t slot;    /* its slot; -1 */
};

int audit_sink(sqlite3 *db, const char *name, struct audit_sink *out, char **err);

/* Events since then: "2 clock, 13 spoofed"; NULL: none. Allocated. */
int audit_events(sqlite3 *db, int64_t since, char **out, char **err);

/* Labels that buckets had at some time since, and not any more. */
struct audit_rename {
	char *former, *present;
	bool by_ip; /* the bucket of an address */
};

struct audit_renames {
	struct audit_rename *list;
	size_t count;
};

int audit_renames(sqlite3 *db, int64_t since, struct audit_renames *out, char **err);
void audit_renames_free(struct audit_renames *r);

#endif
