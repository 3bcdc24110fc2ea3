/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket: moves rows of the table `traffic` from an address to the domain whose it was, and back.
 *
 * Rows are added to those of the domain, by hour; what was moved is kept in the table xenbw_rebucket, in the
 * same transaction, a batch at a time: after any interruption a row is moved or not, and the next call goes
 * on. xenbw-writer may add to the table meanwhile. Needs a table that is fine (traffic_table_check), and the
 * right to DELETE and CREATE.
 */
#ifndef XENBW_REBUCKET_H
#define XENBW_REBUCKET_H

#include "db/traffic_table.h"

#define REBUCKET_TABLE "xenbw_rebucket"

struct rebucket {
	struct mysql *m;
	const char *table;
	char *name; /* in backticks */
};

/* -1 where the table is not one that rows can be moved in, with the way out. */
int rebucket_open(struct rebucket *r, struct mysql *m, const char *table, char **err);
void rebucket_close(struct rebucket *r);

struct rebucket_sums {
	uint64_t rows, input, output;
};

/* What there is of an address in [from, to). */
int rebucket_count(const struct rebucket *r, const char *address, const char *from, const char *to,
		   struct rebucket_sums *out, char **err);

/* Moves it. *rows: how many were moved. */
int rebucket_move(const struct rebucket *r, const char *address, const char *from, const char *to,
		  const char *label, uint64_t *rows, char **err);

/* What was moved and can be taken back. */
int rebucket_moved(const struct rebucket *r, uint64_t *rows, char **err);

/* Takes all of it back. *rows: how many were. */
int rebucket_undo(const struct rebucket *r, uint64_t *rows, char **err);

#endif
