/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is read from a real ledger: sums, spans, lives, labels, the sequence to acknowledge.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/rrd_source.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*RRD_STEP)

static const uint64_t none[2] = {0, 0};

static struct rrd_batch read_batch(struct ledger_bed *b, int64_t since)
{
	struct rrd_batch batch;
	char *err = NULL;

	if (rrd_source_batch(b->reader.db, since, &batch, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(sqlite3_get_autocommit(b->reader.db), 1); /* no transaction is left open */
	assert_null(sqlite3_next_stmt(b->reader.db, NULL));
	return batch;
}

static void a_new_ledger_gives_nothing(void **state)
{
	struct rrd_batch batch = read_batch(*state, 0);

	assert_int_equal(batch.open_slot, 0);
	assert_int_equal(batch.seq, 0);
	assert_int_equal(batch.passed, 0);
	assert_int_equal(batch.count, 0);
	rrd_batch_free(&batch);
}

static void columns_are_sums_over_vifs_addresses_takes_and_folded_rows(void **state)
{
	static const uint64_t expected[RRD_COLUMNS] = {
		1000 + 7 + 20 + 3, 200 + 9 + 50 + 4, 30 + 8, 40 + 9, 5 + 5, 6 + 6, 7 + 7, 8 + 8};
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_batch batch;

	ledger_bed_bucket(db, 1, "web");
	ledger_bed_bucket(db, 2, "db");
	ledger_bed_epoch(db, 1, SLOT(-1), SLOT(9), 0);
	ledger_bed_epoch(db, 2, SLOT(-1), SLOT(9), 0);
	ledger_bed_open_slot(db, SLOT(2));
	ledger_bed_bytes(db, 1, SLOT(1), 1, (uint64_t[]){1000, 200}, (uint64_t[]){30, 40},
			 (uint64_t[]){7, 9});
	ledger_bed_bytes(db, 1, SLOT(1), 0, (uint64_t[]){20, 50}, (uint64_t[]){8, 9}, (uint64_t[]){3, 4});
	ledger_bed_bytes(db, 2, SLOT(0), 0, (uint64_t[]){11, 12}, none, none);
	ledger_bed_bytes(db, 2, SLOT(1), 0, (uint64_t[]){13, 14}, none, none);
	ledger_bed_bytes(db, 2, SLOT(2), 0, (uint64_t[]){999, 999}, none, none); /* not complete */

	batch = read_batch(b, SLOT(1));
	assert_int_equal(batch.count, 2);
	assert_string_equal(batch.buckets[0].label, "web");
	assert_int_equal(batch.buckets[0].usage.slot_count, 1);
	assert_int_equal(batch.buckets[0].usage.slots[0].slot, SLOT(1));
	for (int c = 0; c < RRD_COLUMNS; c++)
		assert_int_equal(batch.buckets[0].usage.slots[0].bytes[c], expected[c]);
	assert_string_equal(batch.buckets[1].label, "db");
	assert_int_equal(batch.buckets[1].usage.slot_count, 1);
	assert_int_equal(batch.buckets[1].usage.slots[0].bytes[0], 13);
	rrd_batch_free(&batch);
}

static void a_batch_looks_back_an_hour_at_most(void **state)
{
	struct ledger_bed *b = *state;
	struct rrd_batch batch;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_epoch(b->writer.db, 1, SLOT(-1), SLOT(9), 0);
	for (int i = 0; i < 40; i++)
		ledger_bed_bytes(b->writer.db, 1, SLOT(i), i % 2, (uint64_t[]){(uint64_t)i, 0}, none, none);
	ledger_bed_open_slot(b->writer.db, SLOT(39));
	batch = read_batch(b, 0);
	assert_int_equal(batch.since, SLOT(27));
	assert_int_equal(batch.buckets[0].usage.slot_count, 12);
	assert_int_equal(batch.buckets[0].usage.slots[0].slot, SLOT(27));
	assert_int_equal(batch.buckets[0].usage.slots[11].bytes[0], 38);
	assert_int_equal(batch.buckets[0].begins, SLOT(-1));
	assert_int_equal(batch.buckets[0].ends, SLOT(39));
	rrd_batch_free(&batch);
	batch = read_batch(b, SLOT(38));
	assert_int_equal(batch.since, SLOT(38));
	assert_int_equal(batch.buckets[0].usage.slot_count, 1);
	rrd_batch_free(&batch);
}

static void the_newest_take_of_a_complete_slot_is_acknowledged(void **state)
{
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_batch batch;

	ledger_bed_bucket(db, 1, "web");
	ledger_bed_epoch(db, 1, SLOT(0), SLOT(9), 0);
	for (int i = 0; i < 6; i++)
		ledger_bed_bytes(db, 1, SLOT(i / 2), 0, none, none, none); /* seq 1..6, two a slot */
	for (int open = 0; open <= 3; open++) {
		ledger_bed_open_slot(db, SLOT(open));
		batch = read_batch(b, 0);
		assert_int_equal(batch.seq, open * 2);
		assert_int_equal(batch.passed, 0);
		rrd_batch_free(&batch);
	}
	ledger_bed_sql(db, "INSERT INTO sink VALUES ('rrd', 4), ('mysql', 99)");
	ledger_bed_sql(db, "DELETE FROM take WHERE seq <= 4");
	ledger_bed_open_slot(db, SLOT(2));
	batch = read_batch(b, 0);
	assert_int_equal(batch.seq, 0);
	assert_int_equal(batch.passed, 4);
	rrd_batch_free(&batch);
}

static void lives_are_the_union_over_vifs_within_the_runs(void **state)
{
	static const struct rrd_life expected[] = {
		{SLOT(0) + 10, SLOT(1) + 20}, /* two epochs that overlap, the second of another vif */
		{SLOT(2),
		 SLOT(2) + 100}, /* an epoch that outlived a stop: its start, and its end after the restart */
		{SLOT(3), SLOT(4)},
	};
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_batch batch;
	struct rrd_usage usage;
	char *err = NULL;

	ledger_bed_bucket(db, 1, "web");
	ledger_bed_bucket(db, 2, "other");
	ledger_bed_sql(db, "INSERT INTO vif(id, boot, domid, devid, domain, bucket, appeared)"
			   " VALUES (11, 'boot', 1, 1, 'web', 1, 0)");
	ledger_bed_run(db, SLOT(-50), SLOT(2) + 100, 0); /* killed: seen counts */
	ledger_bed_run(db, SLOT(3), SLOT(3) + 200, SLOT(4));
	ledger_bed_epoch(db, 1, SLOT(0) + 10, SLOT(0) + 200, SLOT(0) + 200);
	ledger_bed_epoch(db, 1, SLOT(2), SLOT(2), 0); /* open and idle: it lasts */
	ledger_bed_epoch(db, 1, SLOT(5), SLOT(6), SLOT(6));
	ledger_bed_epoch(db, 1, SLOT(6), SLOT(6), SLOT(6)); /* seen once: no time */
	ledger_bed_epoch(db, 2, SLOT(-20), SLOT(9), 0);
	ledger_bed_sql(db, "UPDATE epoch SET vif = 11 WHERE id = 3");
	ledger_bed_sql(db, "UPDATE epoch SET opened = %lld, closed = %lld WHERE id = 3",
		       (long long)SLOT(0) + 150, (long long)SLOT(1) + 20);
	ledger_bed_open_slot(db, SLOT(10));

	batch = read_batch(b, 0);
	assert_int_equal(batch.buckets[0].usage.life_count, 3);
	assert_memory_equal(batch.buckets[0].usage.lives, expected, sizeof(expected));
	assert_int_equal(batch.buckets[0].begins, SLOT(0));
	assert_int_equal(batch.buckets[0].ends, SLOT(10));
	assert_int_equal(batch.buckets[1].usage.life_count, 2);
	rrd_batch_free(&batch);

	assert_int_equal(rrd_source_usage(b->reader.db, 1, SLOT(-99), SLOT(10), &usage, &err), 0);
	assert_int_equal(usage.life_count, 3);
	assert_memory_equal(usage.lives, expected, sizeof(expected));
	assert_int_equal(usage.slot_count, 0);
	rrd_usage_free(&usage);
}

/* Bucket and vif of the same id, as ledger_bed_bucket makes them; the bucket is an address's. */
static void address_bucket(sqlite3 *db, int id, const char *address)
{
	ledger_bed_bucket(db, id, address);
	ledger_bed_sql(db, "UPDATE bucket SET kind = 'ip' WHERE id = %d", id);
}

/* What crossed an uplink under one of a vif's further addresses. */
static void books(sqlite3 *db, int vif, int bucket, int64_t slot, int folded)
{
	ledger_bed_bytes(db, bucket, slot, folded, (uint64_t[]){1, 2}, none, none);
	ledger_bed_sql(db, "UPDATE %s SET vif = %d WHERE bucket = %d AND slot = %lld AND vif = %d",
		       folded ? "slot" : "take", vif, bucket, (long long)slot, bucket);
}

static void expect_lives(const struct rrd_usage *u, const struct rrd_life *expected, size_t count)
{
	assert_int_equal(u->life_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(u->lives[i].from, expected[i].from);
		assert_int_equal(u->lives[i].to, expected[i].to);
	}
}

/* The lives of a bucket as they are read for its file alone, as far as they lie in [from, to). */
static void expect_lives_within(struct ledger_bed *b, int bucket, int64_t from, int64_t to,
				const struct rrd_life *expected, size_t count)
{
	struct rrd_usage usage;
	char *err = NULL;

	if (rrd_source_usage(b->reader.db, bucket, from, to, &usage, &err) < 0)
		fail_msg("%s", err);
	for (size_t i = 0; i < usage.life_count; i++) {
		if (usage.lives[i].from < from)
			usage.lives[i].from = from;
		if (usage.lives[i].to > to)
			usage.lives[i].to = to;
	}
	expect_lives(&usage, expected, count);
	rrd_usage_free(&usage);
}

static void a_further_addresss_bucket_lives_from_its_first_bytes_on_while_its_vif_is_observed(void **state)
{
	static const struct rrd_life expected[] = {{SLOT(3), SLOT(8)}, {SLOT(9), SLOT(15)}};
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_batch batch;

	address_bucket(db, 1, "10.0.0.1");
	address_bucket(db, 2, "10.0.0.2");
	address_bucket(db, 3, "10.0.0.3");
	ledger_bed_run(db, SLOT(-1), SLOT(8), SLOT(8));
	ledger_bed_run(db, SLOT(9), SLOT(15) + 5, 0);
	ledger_bed_epoch(db, 1, SLOT(0) + 10, SLOT(9), 0);
	books(db, 1, 2, SLOT(3), 1);
	books(db, 1, 2, SLOT(6), 0);
	books(db, 1, 3, SLOT(15), 0); /* not complete */
	ledger_bed_open_slot(db, SLOT(15));

	batch = read_batch(b, SLOT(3));
	assert_int_equal(batch.buckets[1].usage.slot_count, 2);
	expect_lives(&batch.buckets[1].usage, expected, 2);
	assert_int_equal(batch.buckets[1].begins, SLOT(3));
	assert_int_equal(batch.buckets[1].ends, SLOT(15));
	assert_int_equal(batch.buckets[2].usage.life_count, 0);
	rrd_batch_free(&batch);

	/* most flushes look at the last slot alone, and the address may have been idle for long */
	batch = read_batch(b, SLOT(14));
	assert_int_equal(batch.buckets[1].usage.slot_count, 0);
	assert_int_equal(batch.buckets[1].usage.life_count, 1);
	assert_true(batch.buckets[1].usage.lives[0].from <= SLOT(14));
	assert_int_equal(batch.buckets[1].usage.lives[0].to, SLOT(15));
	rrd_batch_free(&batch);

	expect_lives_within(b, 2, SLOT(-99), SLOT(15), expected, 2);
	expect_lives_within(b, 2, SLOT(4), SLOT(7), (struct rrd_life[]){{SLOT(4), SLOT(7)}}, 1);
	expect_lives_within(b, 2, SLOT(0), SLOT(3), NULL, 0);
	ledger_bed_sql(db, "UPDATE epoch SET closed = %lld", (long long)SLOT(12));
	expect_lives_within(b, 2, SLOT(11), SLOT(15), (struct rrd_life[]){{SLOT(11), SLOT(12)}}, 1);
	batch = read_batch(b, SLOT(14));
	assert_int_equal(batch.buckets[1].usage.life_count, 0);
	assert_int_equal(batch.buckets[1].ends, SLOT(12));
	rrd_batch_free(&batch);
}

static void an_address_that_another_vif_takes_over_lives_with_that_one_from_then_on(void **state)
{
	static const struct rrd_life expected[] = {
		{SLOT(1), SLOT(3)}, {SLOT(5), SLOT(9)}, {SLOT(10), SLOT(11)}};
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_batch batch;

	address_bucket(db, 1, "10.0.0.1");
	address_bucket(db, 2, "10.0.0.2");
	address_bucket(db, 3, "10.0.0.3");
	ledger_bed_run(db, SLOT(-1), SLOT(12), 0);
	ledger_bed_epoch(db, 1, SLOT(0), SLOT(3),
			 SLOT(3)); /* its device goes, and comes back without the address */
	ledger_bed_epoch(db, 1, SLOT(6), SLOT(12), 0);
	ledger_bed_epoch(db, 2, SLOT(4), SLOT(9), SLOT(9));
	books(db, 1, 3, SLOT(1), 1);
	books(db, 2, 3, SLOT(5), 1);
	books(db, 1, 3, SLOT(10), 0); /* both have it in one slot: as long as either is there */
	books(db, 2, 3, SLOT(10), 0);
	ledger_bed_sql(db, "UPDATE epoch SET closed = %lld WHERE id = 2", (long long)SLOT(11));
	ledger_bed_open_slot(db, SLOT(12));

	batch = read_batch(b, 0);
	assert_int_equal(batch.since, SLOT(0));
	expect_lives(&batch.buckets[2].usage, expected, 3);
	assert_int_equal(batch.buckets[2].begins, SLOT(1));
	assert_int_equal(batch.buckets[2].ends, SLOT(11));
	rrd_batch_free(&batch);
	expect_lives_within(b, 3, SLOT(-9), SLOT(12), expected, 3);
	/* from whatever slot on it is read */
	expect_lives_within(b, 3, SLOT(2), SLOT(6),
			    (struct rrd_life[]){{SLOT(2), SLOT(3)}, {SLOT(5), SLOT(6)}}, 2);
	expect_lives_within(b, 3, SLOT(7), SLOT(10), (struct rrd_life[]){{SLOT(7), SLOT(9)}}, 1);
}

static void a_vifs_bucket_does_not_live_before_it_was_made(void **state)
{
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_batch batch;

	address_bucket(db, 1, "10.0.0.1");
	ledger_bed_sql(db, "UPDATE bucket_label SET since = %lld, until = %lld", (long long)SLOT(2),
		       (long long)SLOT(4));
	ledger_bed_sql(db, "INSERT INTO bucket_label VALUES (1, '10.0.0.1', %lld, NULL)", (long long)SLOT(4));
	ledger_bed_run(db, SLOT(0), SLOT(6), 0);
	ledger_bed_epoch(db, 1, SLOT(0), SLOT(6), 0);
	ledger_bed_open_slot(db, SLOT(6));
	batch = read_batch(b, 0);
	expect_lives(&batch.buckets[0].usage, (struct rrd_life[]){{SLOT(2), SLOT(6)}}, 1);
	assert_int_equal(batch.buckets[0].begins, SLOT(2));
	rrd_batch_free(&batch);
	expect_lives_within(b, 1, SLOT(0), SLOT(6), (struct rrd_life[]){{SLOT(2), SLOT(6)}}, 1);
}

static void one_buckets_usage_is_cut_at_both_ends(void **state)
{
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_usage usage;
	char *err = NULL;

	ledger_bed_bucket(db, 1, "web");
	ledger_bed_bucket(db, 2, "db");
	ledger_bed_epoch(db, 1, SLOT(0), SLOT(9), 0);
	ledger_bed_epoch(db, 2, SLOT(0), SLOT(9), 0);
	for (int i = 0; i < 9; i++) {
		ledger_bed_bytes(db, 1, SLOT(i), i < 5, (uint64_t[]){(uint64_t)i, 1}, none, none);
		ledger_bed_bytes(db, 2, SLOT(i), i < 5, (uint64_t[]){77, 77}, none, none);
	}
	assert_int_equal(rrd_source_usage(b->reader.db, 1, SLOT(3), SLOT(7), &usage, &err), 0);
	assert_int_equal(usage.slot_count, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(usage.slots[i].slot, SLOT(3 + i));
		assert_int_equal(usage.slots[i].bytes[0], 3 + i);
	}
	assert_int_equal(sqlite3_get_autocommit(b->reader.db), 1);
	rrd_usage_free(&usage);
}

static void a_bucket_without_a_present_label_is_left_out(void **state)
{
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_batch batch;

	ledger_bed_bucket(db, 1, "gone");
	ledger_bed_bucket(db, 2, "here");
	ledger_bed_sql(db, "UPDATE bucket_label SET until = 5 WHERE bucket = 1");
	ledger_bed_epoch(db, 1, SLOT(0), SLOT(9), 0);
	ledger_bed_epoch(db, 2, SLOT(0), SLOT(9), 0);
	ledger_bed_bytes(db, 1, SLOT(0), 0, (uint64_t[]){1, 1}, none, none);
	ledger_bed_bytes(db, 2, SLOT(0), 0, (uint64_t[]){2, 2}, none, none);
	ledger_bed_run(db, SLOT(0), SLOT(1), 0);
	ledger_bed_open_slot(db, SLOT(1));
	batch = read_batch(b, 0);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.buckets[0].id, 2);
	assert_int_equal(batch.buckets[0].usage.slots[0].bytes[0], 2);
	assert_int_equal(batch.buckets[0].usage.life_count, 1);
	rrd_batch_free(&batch);
}

static void a_bucket_without_anything_has_an_empty_span(void **state)
{
	struct ledger_bed *b = *state;
	struct rrd_batch batch;

	ledger_bed_bucket(b->writer.db, 1, "new");
	ledger_bed_open_slot(b->writer.db, SLOT(1));
	batch = read_batch(b, 0);
	assert_int_equal(batch.count, 1);
	assert_true(batch.buckets[0].ends <= batch.buckets[0].begins);
	rrd_batch_free(&batch);
}

static void former_labels_come_latest_first_and_say_who_took_them(void **state)
{
	struct ledger_bed *b = *state;
	sqlite3 *db = b->writer.db;
	struct rrd_formers f;
	char *err = NULL;

	ledger_bed_bucket(db, 1, "third");
	ledger_bed_bucket(db, 2, "first");
	ledger_bed_sql(db, "UPDATE bucket_label SET since = 300 WHERE bucket = 1");
	ledger_bed_sql(db, "UPDATE bucket_label SET since = 250 WHERE bucket = 2");
	ledger_bed_sql(db, "INSERT INTO bucket_label VALUES (1, 'first', 100, 200), (1, 'second', 200, 300),"
			   " (2, 'second', 1, 150)");
	assert_int_equal(rrd_source_formers(b->reader.db, 1, &f, &err), 0);
	assert_int_equal(f.count, 2);
	assert_string_equal(f.list[0].label, "second");
	assert_true(f.list[0].taken == INT64_MAX); /* bucket 2 had it before, not after */
	assert_string_equal(f.list[1].label, "first");
	assert_int_equal(f.list[1].taken, 250);
	rrd_formers_free(&f);
}

static void a_damaged_ledger_is_an_error_and_leaves_nothing_open(void **state)
{
	struct ledger_bed *b = *state;
	struct rrd_batch batch;
	struct rrd_usage usage;
	char *err = NULL;

	ledger_bed_sql(b->writer.db, "DROP VIEW usage");
	assert_int_equal(rrd_source_batch(b->reader.db, 0, &batch, &err), -1);
	assert_non_null(strstr(err, "no such table: usage"));
	assert_non_null(strstr(err, b->path));
	assert_int_equal(rrd_source_usage(b->reader.db, 1, 0, 300, &usage, &err), -1);
	assert_int_equal(sqlite3_get_autocommit(b->reader.db), 1);
	assert_null(sqlite3_next_stmt(b->reader.db, NULL));
	free(err);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_bed_set_up, ledger_bed_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_new_ledger_gives_nothing),
		TEST(columns_are_sums_over_vifs_addresses_takes_and_folded_rows),
		TEST(a_batch_looks_back_an_hour_at_most),
		TEST(the_newest_take_of_a_complete_slot_is_acknowledged),
		TEST(lives_are_the_union_over_vifs_within_the_runs),
		TEST(a_further_addresss_bucket_lives_from_its_first_bytes_on_while_its_vif_is_observed),
		TEST(an_address_that_another_vif_takes_over_lives_with_that_one_from_then_on),
		TEST(a_vifs_bucket_does_not_live_before_it_was_made),
		TEST(one_buckets_usage_is_cut_at_both_ends),
		TEST(a_bucket_without_a_present_label_is_left_out),
		TEST(a_bucket_without_anything_has_an_empty_span),
		TEST(former_labels_come_latest_first_and_say_who_took_them),
		TEST(a_damaged_ledger_is_an_error_and_leaves_nothing_open),
	};

	return cmocka_run_group_tests_name("rrd_source", tests, NULL, NULL);
}
