/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What reports cost, in steps of SQLite's machine, which no busy computer changes: beside a bare sum over the
 * same rows, and in a ledger that has far more buckets and vifs than the period has rows.
 *
 * What could go wrong: rows are sorted before they are summed; each of 17 columns is summed by itself; every
 * bucket that ever was is looked at.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "db/sql.h"
#include "db/usage.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*300)
#define STEPS 100 /* so many at once are told of */

static const char bare_sum[] = "SELECT sum(external_input), sum(external_output) FROM slot";

static int one_more(void *steps)
{
	*(uint64_t *)steps += STEPS;
	return 0;
}

/* Every bucket that there ever was, with a vif that is gone, and a row in each of so many slots. */
static void fill(const struct ledger_bed *b, int buckets, int slots)
{
	ledger_bed_sql(b->writer.db,
		       "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		       " INSERT INTO bucket SELECT i, 'domain' FROM n;"
		       " INSERT INTO bucket_label SELECT id, 'job-' || id, %d, NULL FROM bucket;"
		       " INSERT INTO vif(id, boot, domid, devid, domain, bucket, appeared, gone)"
		       " SELECT id, 'boot', id, 0, 'job-' || id, id, %d, %d FROM bucket;"
		       " WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d)"
		       " INSERT INTO slot SELECT b.id, %d + 300 * i, b.id, '', 1000, 500, 1,2, 3,4, 5,6, 7,8,"
		       " 0,0, 0,0, 0,0, 0 FROM bucket b, n; COMMIT",
		       buckets, T0, T0, T0, slots, T0);
}

enum question { BARE, REPORT, VIFS };

/* Asks, and returns what it took; *rows: how many rows came. */
static uint64_t steps_of(const struct ledger_bed *b, enum question question, enum usage_by by, int64_t from,
			 int64_t to, size_t *rows)
{
	struct usage_report r = {0};
	struct usage_vifs v = {0};
	uint64_t steps = 0;
	char *err = NULL;
	int64_t sum;
	int rc;

	sqlite3_progress_handler(b->reader.db, STEPS, one_more, &steps);
	if (question == BARE)
		rc = sql_number(b->reader.db, bare_sum, 0, &sum, &err);
	else if (question == REPORT)
		rc = usage_read_report(b->reader.db, by, from, to, NULL, 0, &r, &err);
	else
		rc = usage_read_vifs(b->reader.db, "boot", from, to, false, &v, &err);
	if (rc < 0)
		fail_msg("%s", err);
	sqlite3_progress_handler(b->reader.db, 0, NULL, NULL);
	*rows = question == REPORT ? r.count : v.vif_count;
	if (question == REPORT)
		usage_report_free(&r);
	if (question == VIFS)
		usage_vifs_free(&v);
	return steps;
}

static void all_questions_stay_near_a_bare_sum(void **state)
{
	const struct ledger_bed *b = *state;
	uint64_t bare, steps;
	size_t rows;

	fill(b, 100, 300);
	bare = steps_of(b, BARE, USAGE_BY_BUCKET, 0, 0, &rows);
	assert_true(bare > UINT64_C(100) * 300); /* the rows were read, one by one */
	for (int by = USAGE_BY_BUCKET; by <= USAGE_BY_VIF; by++) {
		steps = steps_of(b, REPORT, (enum usage_by)by, 0, SLOT(300), &rows);
		assert_int_equal(rows, 100);
		print_message("# by %d: %.2f of the bare sum's steps\n", by, (double)steps / (double)bare);
		assert_true(steps < bare * 5); /* 21 columns instead of 2; summed one by one it would be 8 */
	}
	steps = steps_of(b, VIFS, USAGE_BY_VIF, 0, SLOT(300), &rows);
	assert_int_equal(rows, 100);
	assert_true(steps < bare * 5);
}

static void what_is_not_in_the_period_costs_next_to_nothing(void **state)
{
	const struct ledger_bed *b = *state;
	uint64_t few, many;
	size_t rows;

	fill(b, 20000, 1);
	ledger_bed_sql(b->writer.db, "UPDATE slot SET slot = %lld WHERE bucket %% 1000 = 0",
		       (long long)SLOT(9));
	for (int by = USAGE_BY_BUCKET; by <= USAGE_BY_VIF; by++) {
		few = steps_of(b, REPORT, (enum usage_by)by, SLOT(9), SLOT(10), &rows);
		assert_int_equal(rows, 20);
		print_message("# by %d: %llu steps for 20 of 20000 buckets\n", by, (unsigned long long)few);
		assert_true(few < 20 * 100);
		many = steps_of(b, REPORT, (enum usage_by)by, SLOT(0), SLOT(1), &rows);
		assert_int_equal(rows, 20000 - 20);
		assert_true(many > few * 100);
	}
	few = steps_of(b, VIFS, USAGE_BY_VIF, SLOT(9), SLOT(10), &rows);
	assert_int_equal(rows, 20);
	print_message("# vifs: %llu steps for 20 of 20000\n", (unsigned long long)few);
	assert_true(few < 20000 * 8); /* each is looked at whether it is there, and no more */
}

/* What is summed is the same, whichever way the rows are found. */
static void both_ways_find_the_same_rows(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_report sparse, dense;
	char *err = NULL;

	fill(b, 50, 4);
	ledger_bed_sql(
		b->writer.db,
		"INSERT INTO take SELECT NULL, %lld, 7, 7, '', 0, 0, 9,8, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0,"
		" 0,0, 3",
		(long long)SLOT(3));
	if (usage_read_report(b->reader.db, USAGE_BY_BUCKET, SLOT(2), SLOT(4), NULL, 0, &dense, &err) < 0)
		fail_msg("%s", err);
	ledger_bed_sql(b->writer.db, "INSERT INTO bucket(id, kind) VALUES (100000, 'domain')");
	if (usage_read_report(b->reader.db, USAGE_BY_BUCKET, SLOT(2), SLOT(4), NULL, 0, &sparse, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(dense.count, 50);
	assert_int_equal(sparse.count, 50);
	for (size_t i = 0; i < 50; i++) {
		assert_string_equal(sparse.rows[i].label, dense.rows[i].label);
		assert_memory_equal(&sparse.rows[i].sums, &dense.rows[i].sums, sizeof(struct usage_sums));
	}
	assert_int_equal(dense.rows[6].sums.classes.bytes[DIR_INPUT][CLASS_EXTERNAL], 2009);
	assert_int_equal(dense.rows[6].sums.spoofed, 3);
	usage_report_free(&sparse);
	usage_report_free(&dense);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_questions_stay_near_a_bare_sum, ledger_bed_set_up,
						ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_in_the_period_costs_next_to_nothing,
						ledger_bed_set_up, ledger_bed_tear_down),
		cmocka_unit_test_setup_teardown(both_ways_find_the_same_rows, ledger_bed_set_up,
						ledger_bed_tear_down)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
