/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_unit: a directory of RRD files for the cmocka tests of db/rrd: one pass over a file, and what is in it
 * afterwards.
 *
 * Whatever goes wrong fails the running test. What librrd reads back is rrd_bed's.
 */
#ifndef XENBW_TEST_RRD_UNIT_H
#define XENBW_TEST_RRD_UNIT_H

#include "db/rrd.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*RRD_STEP)

struct rrd_unit {
	char *path; /* of the directory */
	struct rrd_dir dir;
};

/* The names in the files, in the order of RRD_COLUMNS. */
extern const char *const rrd_unit_columns[RRD_COLUMNS];

/* Three slots with bytes, for files of which only that they are written matters; and the usage that has them.
 */
extern struct rrd_slot rrd_unit_slots[3];
extern const struct rrd_usage rrd_unit_some;

int rrd_unit_set_up(void **state); /* makes a struct rrd_unit */
int rrd_unit_tear_down(void **state);

/* Allocated. */
char *rrd_unit_path(const struct rrd_unit *b, const char *name);

struct rrd_state rrd_unit_read(const struct rrd_unit *b, const char *name);
struct rrd_outcome rrd_unit_do(const struct rrd_unit *b, const struct rrd_job *job);

/* One pass over one file. */
struct rrd_outcome rrd_unit_bring_up(const struct rrd_unit *b, const char *name, int64_t from, int64_t to,
				     const struct rrd_usage *usage);

void rrd_unit_fine(struct rrd_outcome o);
void rrd_unit_trouble(struct rrd_outcome o, int cause, const char *words);

void rrd_unit_expect_slot(const char *path, const char *column, int64_t slot, double bytes);
void rrd_unit_expect_some(const char *path); /* what rrd_unit_some has */

#endif
