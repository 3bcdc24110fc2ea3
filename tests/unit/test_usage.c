/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of db/usage: sums from a real ledger, folded and not, while it is being written.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/sql.h"
#include "db/usage.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*300)

static const uint64_t none[2] = {0, 0};

/* No transaction and no statement may stay open: they would hold up the writer's checkpoints. */
static void assert_nothing_open(const struct ledger_bed *b)
{
	assert_int_equal(sqlite3_get_autocommit(b->reader.db), 1);
	assert_null(sqlite3_next_stmt(b->reader.db, NULL));
}

static struct usage_report report(const struct ledger_bed *b, enum usage_by by, int64_t from, int64_t to,
				  const int64_t *ids, size_t count)
{
	struct usage_report r;
	char *err = NULL;

	if (usage_read_report(b->reader.db, by, from, to, ids, count, &r, &err) < 0)
		fail_msg("%s", err);
	assert_nothing_open(b);
	return r;
}

static struct usage_vifs vifs(const struct ledger_bed *b, const char *boot, int64_t from, int64_t to)
{
	struct usage_vifs v;
	char *err = NULL;

	if (usage_read_vifs(b->reader.db, boot, from, to, true, &v, &err) < 0)
		fail_msg("%s", err);
	assert_nothing_open(b);
	return v;
}

static void assert_class(const struct usage_row *row, enum byte_class c, uint64_t input, uint64_t output)
{
	assert_int_equal(row->sums.classes.bytes[DIR_INPUT][c], input);
	assert_int_equal(row->sums.classes.bytes[DIR_OUTPUT][c], output);
}

static void an_empty_ledger_has_no_rows_and_no_run(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r = report(b, USAGE_BY_BUCKET, 0, INT64_MAX, NULL, 0);
	struct usage_vifs v = vifs(b, "boot", 0, INT64_MAX);
	struct usage_buckets buckets;

	assert_int_equal(r.count, 0);
	assert_null(r.run.boot);
	assert_int_equal(r.run.seen, -1);
	assert_int_equal(v.vif_count + v.epoch_count + v.baseline_count, 0);
	assert_int_equal(usage_read_buckets(b->reader.db, &buckets, NULL), 0);
	assert_int_equal(buckets.count, 0);
	assert_null(usage_bucket_named(&buckets, "web"));
	usage_buckets_free(&buckets);
	usage_report_free(&r);
	usage_vifs_free(&v);
}

static void folded_and_fresh_bytes_are_one_sum_by_class(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_bytes(b->writer.db, 1, SLOT(0), 1, (uint64_t[]){100, 200}, (uint64_t[]){10, 20},
			 (uint64_t[]){1, 2});
	ledger_bed_bytes(b->writer.db, 1, SLOT(1), 1, (uint64_t[]){1000, 2000}, none, none);
	ledger_bed_bytes(b->writer.db, 1, SLOT(1), 0, (uint64_t[]){30000, 40000}, none, (uint64_t[]){3, 4});
	ledger_bed_sql(b->writer.db,
		       "UPDATE take SET clipped_input = 50, clipped_output = 51, estimated_input = 60,"
		       " estimated_output = 61, spoofed_output = 62");
	r = report(b, USAGE_BY_BUCKET, SLOT(0), SLOT(2), NULL, 0);
	assert_int_equal(r.count, 1);
	assert_string_equal(r.rows[0].label, "web");
	assert_class(&r.rows[0], CLASS_EXTERNAL, 31100, 42200);
	assert_class(&r.rows[0], CLASS_PEER, 10, 20);
	assert_class(&r.rows[0], CLASS_DIRECT, 15, 18);
	assert_class(&r.rows[0], CLASS_LOCAL, 21, 24);
	assert_class(&r.rows[0], CLASS_IGNORED, 27, 30);
	assert_class(&r.rows[0], CLASS_UNATTRIBUTED, 4, 6);
	assert_int_equal(r.rows[0].sums.clipped[DIR_INPUT], 50);
	assert_int_equal(r.rows[0].sums.clipped[DIR_OUTPUT], 51);
	assert_int_equal(r.rows[0].sums.estimated[DIR_INPUT], 60);
	assert_int_equal(r.rows[0].sums.estimated[DIR_OUTPUT], 61);
	assert_int_equal(r.rows[0].sums.spoofed, 62);
	assert_true(r.unattributed_charged);
	usage_report_free(&r);
}

static void a_period_has_its_first_slot_and_not_the_one_at_its_end(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r;

	ledger_bed_bucket(b->writer.db, 1, "web");
	for (int n = 0; n < 4; n++)
		ledger_bed_bytes(b->writer.db, 1, SLOT(n), n % 2, (uint64_t[]){(uint64_t)1 << n, 0}, none,
				 none);
	r = report(b, USAGE_BY_BUCKET, SLOT(1), SLOT(3), NULL, 0);
	assert_int_equal(r.count, 1);
	assert_class(&r.rows[0], CLASS_EXTERNAL, 2 + 4, 0);
	usage_report_free(&r);
	r = report(b, USAGE_BY_BUCKET, SLOT(4), SLOT(9), NULL, 0);
	assert_int_equal(r.count, 0);
	usage_report_free(&r);
}

static void buckets_come_by_label_with_numbers_in_it_by_value(void **state)
{
	const struct ledger_bed *b = *state;
	static const char *const labels[] = {"web10", "web9", "db", "192.168.1.10", "192.168.1.9"};
	static const char *const sorted[] = {"192.168.1.9", "192.168.1.10", "db", "web9", "web10"};
	struct usage_buckets buckets;
	struct usage_report r;

	for (int i = 0; i < 5; i++) {
		ledger_bed_bucket(b->writer.db, i + 1, labels[i]);
		ledger_bed_bytes(b->writer.db, i + 1, SLOT(0), i % 2, (uint64_t[]){1, 1}, none, none);
	}
	assert_int_equal(usage_read_buckets(b->reader.db, &buckets, NULL), 0);
	r = report(b, USAGE_BY_BUCKET, SLOT(0), SLOT(1), NULL, 0);
	assert_int_equal(buckets.count, 5);
	assert_int_equal(r.count, 5);
	for (int i = 0; i < 5; i++) {
		assert_string_equal(buckets.list[i].label, sorted[i]);
		assert_string_equal(r.rows[i].label, sorted[i]);
	}
	usage_report_free(&r);
	usage_buckets_free(&buckets);
}

static void a_label_means_the_bucket_that_has_it_now(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_buckets buckets;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_bucket(b->writer.db, 2, "other");
	ledger_bed_sql(b->writer.db, "UPDATE bucket_label SET until = 50 WHERE bucket = 1");
	ledger_bed_sql(b->writer.db, "UPDATE bucket_label SET until = 50 WHERE bucket = 2");
	ledger_bed_sql(b->writer.db, "INSERT INTO bucket_label VALUES (2, 'web', 50, NULL)");
	ledger_bed_sql(b->writer.db, "INSERT INTO bucket VALUES (3, 'domain')");
	assert_int_equal(usage_read_buckets(b->reader.db, &buckets, NULL), 0);
	assert_int_equal(usage_bucket_named(&buckets, "web")->id, 2);
	assert_null(usage_bucket_named(&buckets, "other")); /* it is not called so any more */
	/* one that never had a label is not hidden */
	assert_int_equal(usage_bucket_named(&buckets, "#3")->id, 3);
	usage_buckets_free(&buckets);
}

static void a_bucket_that_was_asked_for_has_its_row_without_bytes_too(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r;

	for (int i = 1; i <= 3; i++)
		ledger_bed_bucket(b->writer.db, i, i == 1 ? "one" : i == 2 ? "two" : "three");
	ledger_bed_bytes(b->writer.db, 1, SLOT(0), 0, (uint64_t[]){5, 6}, none, none);
	ledger_bed_bytes(b->writer.db, 2, SLOT(0), 0, (uint64_t[]){7, 8}, none, none);
	r = report(b, USAGE_BY_BUCKET, SLOT(0), SLOT(1), (int64_t[]){3, 1}, 2);
	assert_int_equal(r.count, 2);
	assert_string_equal(r.rows[0].label, "one");
	assert_class(&r.rows[0], CLASS_EXTERNAL, 5, 6);
	assert_string_equal(r.rows[1].label, "three");
	assert_class(&r.rows[1], CLASS_EXTERNAL, 0, 0);
	usage_report_free(&r);
	r = report(b, USAGE_BY_ADDRESS, SLOT(0), SLOT(1), (int64_t[]){2}, 1);
	assert_int_equal(r.count, 1);
	assert_class(&r.rows[0], CLASS_EXTERNAL, 7, 8);
	usage_report_free(&r);
}

static void by_address_the_domains_are_told_apart_and_no_address_comes_last(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r;

	for (int i = 1; i <= 3; i++) {
		ledger_bed_bucket(b->writer.db, i, i == 1 ? "zoo" : i == 2 ? "web" : "ant");
		ledger_bed_bytes(b->writer.db, i, SLOT(0), 1, (uint64_t[]){(uint64_t)i, 0}, none, none);
	}
	ledger_bed_sql(b->writer.db, "UPDATE slot SET address = '10.0.0.10' WHERE bucket = 1");
	ledger_bed_sql(b->writer.db, "UPDATE slot SET address = '10.0.0.9' WHERE bucket = 2");
	ledger_bed_bytes(b->writer.db, 1, SLOT(1), 0, (uint64_t[]){100, 0}, none, none);
	ledger_bed_bytes(b->writer.db, 2, SLOT(1), 0, (uint64_t[]){200, 0}, none, none);
	ledger_bed_sql(b->writer.db, "UPDATE take SET address = '10.0.0.10'");
	r = report(b, USAGE_BY_ADDRESS, SLOT(0), SLOT(2), NULL, 0);
	assert_int_equal(r.count, 4);
	assert_string_equal(r.rows[0].address, "10.0.0.9");
	assert_string_equal(r.rows[0].domain, "web");
	assert_class(&r.rows[0], CLASS_EXTERNAL, 2, 0);
	assert_string_equal(r.rows[1].address, "10.0.0.10");
	assert_string_equal(r.rows[1].domain, "web");
	assert_class(&r.rows[1], CLASS_EXTERNAL, 200, 0);
	assert_string_equal(r.rows[2].address, "10.0.0.10");
	assert_string_equal(r.rows[2].domain, "zoo");
	assert_class(&r.rows[2], CLASS_EXTERNAL, 101, 0);
	assert_string_equal(r.rows[3].address, "");
	assert_string_equal(r.rows[3].domain, "ant");
	assert_class(&r.rows[3], CLASS_EXTERNAL, 3, 0);
	usage_report_free(&r);
}

static void a_vif_has_its_own_bytes_of_all_classes(void **state)
{
	static const uint64_t classes[CLASS_COUNT][DIR_COUNT] = {
		[CLASS_EXTERNAL] = {101, 202},      [CLASS_PEER] = {1000, 2000},
		[CLASS_DIRECT] = {5 + 5, 6 + 6},    [CLASS_LOCAL] = {7 + 7, 8 + 8},
		[CLASS_IGNORED] = {9 + 9, 10 + 10}, [CLASS_UNATTRIBUTED] = {10000, 20000}};
	const struct ledger_bed *b = *state;
	struct usage_vifs v;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_sql(
		b->writer.db,
		"INSERT INTO vif VALUES (7, 'boot', 1, 3, 'u', 'web', 'm', 'a b', 'br', 'dev', 1, 11, 22)");
	ledger_bed_bytes(b->writer.db, 1, SLOT(0), 1, (uint64_t[]){100, 200}, (uint64_t[]){1000, 2000},
			 (uint64_t[]){10000, 20000});
	ledger_bed_bytes(b->writer.db, 1, SLOT(1), 0, (uint64_t[]){1, 2}, none, none);
	ledger_bed_bytes(b->writer.db, 1, SLOT(2), 0, (uint64_t[]){1, 2}, none, none); /* not of the period */
	v = vifs(b, "boot", SLOT(0), SLOT(2));
	assert_int_equal(v.vif_count, 2);
	assert_int_equal(v.vifs[0].id, 1);
	assert_int_equal(v.vifs[0].bytes[DIR_INPUT], 11100 + 5 + 7 + 9 + 1 + 5 + 7 + 9);
	assert_int_equal(v.vifs[0].bytes[DIR_OUTPUT], 22200 + 6 + 8 + 10 + 2 + 6 + 8 + 10);
	for (int c = 0; c < CLASS_COUNT; c++)
		for (int d = 0; d < DIR_COUNT; d++)
			assert_int_equal(v.vifs[0].classes.bytes[d][c], classes[c][d]);
	assert_int_equal(v.vifs[0].gone, -1);
	assert_null(v.vifs[0].mac);
	assert_int_equal(v.vifs[1].id, 7);
	assert_int_equal(v.vifs[1].domid, 1);
	assert_int_equal(v.vifs[1].devid, 3);
	assert_string_equal(v.vifs[1].uuid, "u");
	assert_string_equal(v.vifs[1].mac, "m");
	assert_string_equal(v.vifs[1].addresses, "a b");
	assert_string_equal(v.vifs[1].bridge, "br");
	assert_string_equal(v.vifs[1].netdev, "dev");
	assert_string_equal(v.vifs[1].bucket, "web");
	assert_int_equal(v.vifs[1].appeared, 11);
	assert_int_equal(v.vifs[1].gone, 22);
	assert_int_equal(v.vifs[1].bytes[DIR_INPUT] + v.vifs[1].bytes[DIR_OUTPUT], 0);
	usage_vifs_free(&v);
}

static void unattributed_bytes_are_charged_unless_the_ledger_says_otherwise(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_vifs v = vifs(b, "boot", 0, 1);

	assert_true(v.charge_unattributed);
	usage_vifs_free(&v);
	ledger_bed_sql(b->writer.db, "INSERT INTO meta VALUES ('unattributed', 'none')");
	v = vifs(b, "boot", 0, 1);
	assert_false(v.charge_unattributed);
	usage_vifs_free(&v);
	ledger_bed_sql(b->writer.db, "UPDATE meta SET value = 'external' WHERE key = 'unattributed'");
	v = vifs(b, "boot", 0, 1);
	assert_true(v.charge_unattributed);
	usage_vifs_free(&v);
}

static void open_epochs_and_base_lines_are_those_of_this_boot(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_vifs v;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_sql(b->writer.db, "INSERT INTO epoch VALUES"
				     " (1, 1, 'boot', 5, 'vif1.0', 0, 14, 1,2,3,4, 11,12,13,14, 21,22, 0, 0, "
				     "0, NULL, NULL, 0, 0, 0, 0),"
				     " (2, 1, 'boot', 6, 'vif1.0', 0, 14, 1,2,3,4, 11,12,13,14, 21,22, 0, 0, "
				     "0, 9, 'gone', 0, 0, 0, 0),"
				     " (3, 1, 'other', 5, 'vif1.0', 0, 14, 1,2,3,4, 11,12,13,14, 21,22, 0, "
				     "0, 0, NULL, NULL, 0, 0, 0, 0)");
	ledger_bed_sql(b->writer.db,
		       "INSERT INTO baseline VALUES ('boot', 8, 31,32,33,34), ('other', 9, 1,1,1,1)");
	v = vifs(b, "boot", 0, 1);
	assert_int_equal(v.epoch_count, 1);
	assert_int_equal(v.epochs[0].vif, 1);
	assert_int_equal(v.epochs[0].ifindex, 5);
	assert_int_equal(v.epochs[0].rx_header, 0);
	assert_int_equal(v.epochs[0].tx_header, 14);
	assert_int_equal(v.epochs[0].base.rx_bytes, 1);
	assert_int_equal(v.epochs[0].base.tx_packets, 4);
	assert_int_equal(v.epochs[0].last.rx_bytes, 11);
	assert_int_equal(v.epochs[0].last.rx_packets, 12);
	assert_int_equal(v.epochs[0].last.tx_bytes, 13);
	assert_int_equal(v.epochs[0].last.tx_packets, 14);
	assert_int_equal(v.epochs[0].booked[DIR_INPUT], 21);
	assert_int_equal(v.epochs[0].booked[DIR_OUTPUT], 22);
	assert_int_equal(v.baseline_count, 1);
	assert_int_equal(v.baselines[0].ifindex, 8);
	assert_int_equal(v.baselines[0].counters.tx_bytes, 33);
	usage_vifs_free(&v);
}

static void the_run_is_the_newest_one(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r;

	ledger_bed_run(b->writer.db, 100, 5000, 5000);
	ledger_bed_run(b->writer.db, 200, 300, 0); /* the clock was stepped back */
	r = report(b, USAGE_BY_BUCKET, 0, 1, NULL, 0);
	assert_string_equal(r.run.boot, "boot");
	assert_int_equal(r.run.seen, 300);
	assert_int_equal(r.run.ended, -1);
	usage_report_free(&r);
}

static void what_cannot_be_does_not_read_as_exabytes(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_run(b->writer.db, 100, INT64_MAX, 0);
	ledger_bed_bytes(b->writer.db, 1, SLOT(0), 1, (uint64_t[]){(uint64_t)-5, 7}, none, none);
	r = report(b, USAGE_BY_BUCKET, 0, SLOT(9), NULL, 0);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.rows[0].sums.classes.bytes[DIR_INPUT][CLASS_EXTERNAL], 0);
	assert_int_equal(r.rows[0].sums.classes.bytes[DIR_OUTPUT][CLASS_EXTERNAL], 7);
	assert_int_equal(r.run.seen, sql_time(INT64_MAX));
	usage_report_free(&r);
}

static void sums_beyond_what_the_ledger_can_add_are_an_error_not_a_wrong_number(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report r;
	char *err = NULL;

	ledger_bed_bucket(b->writer.db, 1, "web");
	for (int n = 0; n < 2; n++)
		ledger_bed_bytes(b->writer.db, 1, SLOT(n), 1, (uint64_t[]){INT64_MAX, 0}, none, none);
	assert_int_equal(usage_read_report(b->reader.db, USAGE_BY_BUCKET, 0, SLOT(9), NULL, 0, &r, &err), -1);
	assert_non_null(strstr(err, b->path));
	assert_non_null(strstr(err, "overflow"));
	assert_non_null(strstr(err, "xenbwd(8)"));
	assert_int_equal(r.count, 0);
	assert_nothing_open(b);
	err_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_cannot_be_does_not_read_as_exabytes, ledger_bed_set_up,
						ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(an_empty_ledger_has_no_rows_and_no_run, ledger_bed_set_up,
						ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(folded_and_fresh_bytes_are_one_sum_by_class,
						ledger_bed_set_up, ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(a_period_has_its_first_slot_and_not_the_one_at_its_end,
						ledger_bed_set_up, ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(buckets_come_by_label_with_numbers_in_it_by_value,
						ledger_bed_set_up, ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(a_label_means_the_bucket_that_has_it_now, ledger_bed_set_up,
						ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(a_bucket_that_was_asked_for_has_its_row_without_bytes_too,
						ledger_bed_set_up, ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(
			by_address_the_domains_are_told_apart_and_no_address_comes_last, ledger_bed_set_up,
			ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(a_vif_has_its_own_bytes_of_all_classes, ledger_bed_set_up,
						ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(
			unattributed_bytes_are_charged_unless_the_ledger_says_otherwise, ledger_bed_set_up,
			ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(open_epochs_and_base_lines_are_those_of_this_boot,
						ledger_bed_set_up, ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(the_run_is_the_newest_one, ledger_bed_set_up,
						ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(
			sums_beyond_what_the_ledger_can_add_are_an_error_not_a_wrong_number,
			ledger_bed_set_up, ledger_bed_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
