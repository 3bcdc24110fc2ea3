/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/support/writer_bed.h"

#include <stdlib.h>

#include "base/mem.h"
#include "db/sql.h"
#include "tests/support/unit.h"

void writer_bed_start(struct writer_bed *b, const char *boot)
{
	char *err = NULL;

	if (ledger_open(&b->ledger, b->path, boot, &err) < 0)
		fail_msg("%s", err);
}

void writer_bed_set_up(struct writer_bed *b)
{
	b->dir = scratch_new();
	b->path = mem_printf("%s/ledger.db", b->dir);
	writer_bed_start(b, BOOT);
	assert_int_equal(sqlite3_open(b->path, &b->db), SQLITE_OK);
}

void writer_bed_tear_down(struct writer_bed *b)
{
	sqlite3_close(b->db);
	ledger_close(b->ledger);
	free(b->path);
	scratch_free(b->dir);
}

void writer_bed_run(const struct writer_bed *b, const char *text)
{
	char *err = NULL;

	if (sql_run(b->db, text, &err) < 0)
		fail_msg("%s", err);
}

int64_t writer_bed_number(const struct writer_bed *b, const char *query)
{
	char *err = NULL;
	int64_t n = 0;

	if (sql_number(b->db, query, -1, &n, &err) < 0)
		fail_msg("%s", err);
	return n;
}

char *writer_bed_row(const struct writer_bed *b, const char *query)
{
	char *err = NULL, *all = mem_strdup("");
	sqlite3_stmt *q;

	assert_int_equal(sql_prepare(b->db, &q, query, &err), 0);
	assert_int_equal(sql_step(q, &err), 1);
	for (int i = 0; i < sqlite3_column_count(q); i++) {
		char *text = sql_text(q, i),
		     *more = mem_printf("%s%s%s", all, i ? "|" : "", text ? text : "NULL");

		free(text);
		free(all);
		all = more;
	}
	assert_int_equal(sql_step(q, &err), 0); /* just one */
	sqlite3_finalize(q);
	return all;
}

void writer_bed_row_is(const struct writer_bed *b, const char *query, const char *expected)
{
	char *got = writer_bed_row(b, query);

	assert_string_equal(got, expected);
	free(got);
}

struct ledger_state writer_bed_load(const struct writer_bed *b)
{
	struct ledger_state s;
	char *err = NULL;

	if (ledger_load(b->ledger, &s, &err) < 0)
		fail_msg("%s", err);
	return s;
}

char *writer_bed_text(const char *s)
{
	return (char *)(uintptr_t)s; /* rows here own nothing */
}

void writer_bed_fill(struct writer_bed_sample *s)
{
	*s = (struct writer_bed_sample){
		.bucket = {.id = 3},
		.label = {.bucket = 3, .label = writer_bed_text("web'1\xc3\xbc"), .since = 1000},
		.uuid = {.uuid = writer_bed_text("uuid-1"), .bucket = 3},
		.vif = {.id = 4,
			.boot = writer_bed_text(BOOT),
			.domid = 5,
			.devid = 6,
			.uuid = writer_bed_text("uuid-1"),
			.domain = writer_bed_text("web"),
			.mac = writer_bed_text("00:16:3e:00:00:01"),
			.addresses = writer_bed_text("10.0.0.1 2001:db8::1"),
			.bridge = writer_bed_text("xenbr0"),
			.netdev = writer_bed_text("vif5.6"),
			.bucket = 3,
			.appeared = 1001},
		.epoch = {.id = 7,
			  .vif = 4,
			  .boot = writer_bed_text(BOOT),
			  .ifindex = 8,
			  .netdev = writer_bed_text("vif5.6"),
			  .rx_header = 0,
			  .tx_header = 14,
			  .base = {11, 12, 13, 14},
			  .last = {UINT64_MAX, 22, 23, 24},
			  .total = {[DIR_INPUT] = 31, [DIR_OUTPUT] = 32},
			  .carrier_down = UINT32_MAX,
			  .opened = 1002,
			  .seen = 1003,
			  .doubtful = 41,
			  .ahead_bytes = -42,
			  .ahead_packets = 43,
			  .ahead_known = LEDGER_AHEAD_LENT},
		.take = {.seq = 51,
			 .slot = SLOT0,
			 .bucket = 3,
			 .vif = 4,
			 .address = writer_bed_text("10.0.0.1"),
			 .from_time = SLOT0 + 1,
			 .to_time = SLOT0 + 2,
			 .clipped = {[DIR_INPUT] = 61, [DIR_OUTPUT] = 62},
			 .estimated = {[DIR_INPUT] = 63, [DIR_OUTPUT] = 64},
			 .spoofed = 65},
		.event = {.time = 1004,
			  .kind = "clock",
			  .object = writer_bed_text("host"),
			  .detail = writer_bed_text("what's up")},
		.baseline = {.ifindex = 9, .counters = {71, 72, 73, 74}},
	};
	for (int d = 0; d < DIR_COUNT; d++)
		for (int c = 0; c < CLASS_COUNT; c++)
			s->take.classes.bytes[d][c] = (uint64_t)(100 * (d + 1) + c);
	s->buckets[0] = &s->bucket;
	s->labels[0] = &s->label;
	s->uuids[0] = &s->uuid;
	s->vifs[0] = &s->vif;
	s->epochs[0] = &s->epoch;
	s->takes[0] = &s->take;
	s->events[0] = &s->event;
	s->baselines[0] = &s->baseline;
	s->batch = (struct ledger_batch){.now = 2000,
					 .open_slot = SLOT0,
					 .steady = 1001,
					 .buckets = s->buckets,
					 .labels = s->labels,
					 .uuids = s->uuids,
					 .vifs = s->vifs,
					 .epochs = s->epochs,
					 .takes = s->takes,
					 .events = s->events,
					 .baselines = s->baselines,
					 .bucket_count = 1,
					 .label_count = 1,
					 .uuid_count = 1,
					 .vif_count = 1,
					 .epoch_count = 1,
					 .take_count = 1,
					 .event_count = 1,
					 .baseline_count = 1};
}

void writer_bed_commit(const struct writer_bed *b, const struct ledger_batch *batch)
{
	char *err = NULL;

	if (ledger_commit(b->ledger, batch, &err) < 0)
		fail_msg("%s", err);
	assert_null(err);
}
