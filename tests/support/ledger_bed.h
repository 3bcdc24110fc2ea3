/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_bed: a real ledger, made from the schema and filled by hand.
 *
 * For cmocka tests: whatever goes wrong fails the running test. Times are UTC seconds.
 */
#ifndef XENBW_TEST_LEDGER_BED_H
#define XENBW_TEST_LEDGER_BED_H

#include <sqlite3.h>
#include <stdint.h>

#include "db/ledger_file.h"

struct ledger_bed {
	char *folder, *path;
	struct ledger_file writer, reader;
};

/* A new ledger in a folder of its own, open for both; cmocka's set-up and tear-down, *state is the bed. */
int ledger_bed_set_up(void **state);
int ledger_bed_tear_down(void **state);

struct ledger_file ledger_bed_open(const char *path);

/* Statements, formatted as by printf: nothing is quoted. */
__attribute__((format(printf, 2, 3))) void ledger_bed_sql(sqlite3 *db, const char *fmt, ...);

/* A bucket with a vif of the same id, and its present label since 0. */
void ledger_bed_bucket(sqlite3 *db, int id, const char *label);

/* An epoch of the bucket's vif; its id is returned. `closed` 0: it is open. */
int64_t ledger_bed_epoch(sqlite3 *db, int bucket, int64_t opened, int64_t seen, int64_t closed);

/* A life of xenbwd; `ended` 0: it runs, or was killed. */
void ledger_bed_run(sqlite3 *db, int64_t started, int64_t seen, int64_t ended);

/* A take, or with `folded` a row of `slot`: external, peer and unattributed bytes in and out. The others get
 * the numbers 5, 6 (direct), 7, 8 (local), 9, 10 (ignored). */
void ledger_bed_bytes(sqlite3 *db, int bucket, int64_t slot, int folded, const uint64_t external[2],
		      const uint64_t peer[2], const uint64_t unattributed[2]);

void ledger_bed_open_slot(sqlite3 *db, int64_t slot);

#endif
