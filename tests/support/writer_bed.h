/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * writer_bed: a ledger as xenbwd writes it, and a sample of all that a batch can hold.
 *
 * For cmocka tests: whatever goes wrong fails the running test.
 */
#ifndef XENBW_TEST_WRITER_BED_H
#define XENBW_TEST_WRITER_BED_H

#include <sqlite3.h>

#include "db/ledger.h"

#define SLOT0 INT64_C(1700000100)
#define BOOT "boot-1"

struct writer_bed {
	char *dir, *path;
	struct ledger *ledger;
	sqlite3 *db; /* a second connection, that may do anything */
};

/* One of everything. */
struct writer_bed_sample {
	struct ledger_bucket bucket;
	struct ledger_label label;
	struct ledger_uuid uuid;
	struct ledger_vif vif;
	struct ledger_epoch epoch;
	struct ledger_take take;
	struct ledger_event event;
	struct ledger_baseline baseline;
	const struct ledger_bucket *buckets[1];
	const struct ledger_label *labels[1];
	const struct ledger_uuid *uuids[1];
	const struct ledger_vif *vifs[1];
	const struct ledger_epoch *epochs[1];
	const struct ledger_take *takes[1];
	const struct ledger_event *events[1];
	const struct ledger_baseline *baselines[1];
	struct ledger_batch batch;
};
void writer_bed_start(struct writer_bed *b, const char *boot);
void writer_bed_set_up(struct writer_bed *b);
void writer_bed_tear_down(struct writer_bed *b);
void writer_bed_run(const struct writer_bed *b, const char *text);
int64_t writer_bed_number(const struct writer_bed *b, const char *query);

/* A row of all columns as text; free it. */
char *writer_bed_row(const struct writer_bed *b, const char *query);
void writer_bed_row_is(const struct writer_bed *b, const char *query, const char *expected);
struct ledger_state writer_bed_load(const struct writer_bed *b);
char *writer_bed_text(const char *s);
void writer_bed_fill(struct writer_bed_sample *s);
void writer_bed_commit(const struct writer_bed *b, const struct ledger_batch *batch);

#endif
