/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ledger's writer: old slots leave.
 *
 * What could go wrong first: bytes leave the sums with their slots (1); a slot leaves that a sink has not got
 * yet (2); a closed month is closed again when its slots are gone, and corrected to nothing (3). And: one
 * transaction takes everything that ever was; a report shows what was retired as bytes of some time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/audit.h"
#include "db/explain.h"
#include "db/ledger_closing.h"
#include "db/ledger_retain.h"
#include "db/retain.h"
#include "db/usage.h"
#include "tests/support/unit.h"
#include "tests/support/writer_bed.h"

#define SLOTS 20
#define VIFS 6 /* of three buckets: each has two, and the third of the vifs an address more */
#define SLOT(n) (SLOT0 + (int64_t)(n)*300)

static bool retire(const struct writer_bed *b, int64_t begin, unsigned limit)
{
	char *err = NULL;
	bool held;

	if (ledger_retire(b->ledger, begin, limit, &held, &err) < 0)
		fail_msg("%s", err);
	return held;
}

static int64_t number(const struct writer_bed *b, const char *query)
{
	return writer_bed_number(b, query);
}

/* Vifs whose counters have what their slots have. */
static void fill(const struct writer_bed *b)
{
	writer_bed_run(
		b,
		"INSERT INTO bucket VALUES (1, 'domain'), (2, 'domain'), (3, 'domain');"
		"INSERT INTO bucket_label SELECT id, 'b' || id, 0, NULL FROM bucket;"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6)"
		"INSERT INTO vif SELECT i, 'boot-1', i, 0, NULL, 'd' || i, NULL, NULL, NULL, NULL, 1 + i % 3,"
		" 1700000100, NULL FROM n;"
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19)"
		"INSERT INTO slot SELECT v.bucket, 1700000100 + 300 * i, v.id, '', 1000 * i, v.id, 1,2, 3,4, "
		"5,6,"
		" 7,8, 9,10, 11,12, 1, 0, 2 FROM vif v, n;"
		"INSERT INTO slot SELECT bucket, slot, vif, '10.0.0.3', 5,5, 0,0, 0,0, 0,0, 0,0, 0,0, 0,0, "
		"0,0, 0"
		" FROM slot WHERE vif = 3;"
		"INSERT INTO epoch SELECT vif, vif, 'boot-1', vif, 'vif', 0, 0, 0,0,0,0, 0,0,0,0,"
		" sum(external_input + peer_input + direct_input + local_input + ignored_input +"
		"  unattributed_input - estimated_input),"
		" sum(external_output + peer_output + direct_output + local_output + ignored_output +"
		"  unattributed_output - estimated_output), 0, 1700000100, 1700000100, NULL, NULL, 0, 0, 0, "
		"0 FROM "
		"slot"
		" GROUP BY vif;"
		"UPDATE meta SET value = 1800000000 WHERE key = 'open_slot'");
}

static void assert_sound(const struct writer_bed *b)
{
	int (*const questions[])(sqlite3 *, struct audit *, char **) = {audit_identity, audit_epochs,
									audit_rows};
	char *err = NULL;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct audit a;

		if (questions[i](b->db, &a, &err) < 0)
			fail_msg("%s", err);
		if (a.wrong)
			fail_msg("%s", a.first);
		assert_true(a.looked_at > 0);
		audit_clear(&a);
	}
}

/* (1) A few rows at a time, each time whole slots; all sums stay. */
static void sums_stay_while_slots_leave(void **state)
{
	static const char sums[] = "SELECT group_concat(x, ';') FROM (SELECT bucket || ' ' || vif || ' ' ||"
				   " sum(external_input) || ' ' || sum(external_output) || ' ' ||"
				   " sum(unattributed_output) || ' ' || sum(clipped_input) || ' ' ||"
				   " sum(estimated_input) || ' ' || sum(spoofed_output) AS x FROM usage"
				   " GROUP BY bucket, vif)";
	struct writer_bed b;
	char *before, *kept;
	int rounds = 0;

	(void)state;
	writer_bed_set_up(&b);
	fill(&b);
	before = writer_bed_row(&b, sums);
	kept = writer_bed_row(&b, "SELECT sum(external_input), count(*) FROM slot WHERE slot >= 1700003100");
	while (number(&b, "SELECT count(*) FROM slot WHERE slot > 0 AND slot < 1700003100")) {
		int64_t rows = number(&b, "SELECT count(*) FROM slot WHERE slot > 0");

		assert_false(retire(&b, SLOT(10), 15));
		rows -= number(&b, "SELECT count(*) FROM slot WHERE slot > 0");
		assert_int_equal(rows, 14); /* two slots: what a transaction may be is bounded */
		assert_sound(&b);
		writer_bed_row_is(&b, sums, before);
		rounds++;
	}
	assert_int_equal(rounds, 5);
	writer_bed_row_is(&b, "SELECT sum(external_input), count(*) FROM slot WHERE slot >= 1700003100",
			  kept);
	assert_int_equal(number(&b, "SELECT count(*) FROM slot WHERE slot = 0"), VIFS);
	assert_int_equal(number(&b, "SELECT value FROM meta WHERE key = 'retired'"), SLOT(10));
	retire(&b, SLOT(10), 15); /* nothing is left to do, and what was retired stays what it is */
	retire(&b, SLOT(5), 15);
	writer_bed_row_is(&b, sums, before);
	assert_int_equal(number(&b, "SELECT value FROM meta WHERE key = 'retired'"), SLOT(10));
	retire(&b, SLOT(12), 1); /* a slot that is larger than the limit goes as a whole */
	assert_int_equal(number(&b, "SELECT min(slot) FROM slot WHERE slot > 0"), SLOT(11));
	assert_sound(&b);
	free(before);
	free(kept);
	writer_bed_tear_down(&b);
}

/* (2) */
static void what_a_sink_has_not_got_stays(void **state)
{
	static const char *const sink[] = {"mysql"};
	struct writer_bed b;
	char *err = NULL;

	(void)state;
	writer_bed_set_up(&b);
	assert_int_equal(ledger_sinks(b.ledger, sink, 1, &err), 0);
	fill(&b);
	writer_bed_run(&b,
		       "INSERT INTO take SELECT 1, 1700001300, 1, 3, '', 0, 0, 7,7, 0,0, 0,0, 0,0, 0,0, 0,0,"
		       " 0,0, 0,0, 0; UPDATE epoch SET total_input = total_input + 7, total_output ="
		       " total_output + 7 WHERE vif = 3");
	assert_true(retire(&b, SLOT(10), 1000));
	assert_int_equal(number(&b, "SELECT min(slot) FROM slot WHERE slot > 0"), SLOT(4));
	assert_int_equal(number(&b, "SELECT value FROM meta WHERE key = 'retired'"), SLOT(4));
	assert_true(retire(&b, SLOT(10), 1000)); /* and stays for as long as that lasts */
	assert_int_equal(number(&b, "SELECT min(slot) FROM slot WHERE slot > 0"), SLOT(4));
	assert_int_equal(ledger_passed(b.ledger, "mysql", 1, &err), 0);
	assert_int_equal(ledger_fold(b.ledger, SLOT(1000), 1000, &err), 0);
	assert_false(retire(&b, SLOT(10), 1000));
	assert_int_equal(number(&b, "SELECT min(slot) FROM slot WHERE slot > 0"), SLOT(10));
	assert_sound(&b);
	writer_bed_tear_down(&b);
}

/* (3) Nor is one closed that was not: what it came to is not known any more. */
static void a_month_without_slots_is_not_closed_again(void **state)
{
	struct control_closed row = {.bucket = 1,
				     .from = SLOT(0),
				     .to = SLOT(SLOTS),
				     .bytes = {10, 20},
				     .slots = SLOTS,
				     .observed = SLOTS,
				     .day = 1,
				     .label = "b1"};
	struct closing c = {.month = "2023-11", .rows = &row, .count = 1};
	struct writer_bed b;
	char *err = NULL;

	(void)state;
	writer_bed_set_up(&b);
	fill(&b);
	assert_int_equal(ledger_closing_write(b.ledger, &c, SLOT(100), &err), 0);
	retire(&b, SLOT(2), 1000);
	c.edition = 1;
	row.bytes[DIR_INPUT] = -10;
	assert_int_equal(ledger_closing_write(b.ledger, &c, SLOT(101), &err), -1);
	assert_non_null(strstr(err, "slots of 2023-11 have been retired"));
	free(err);
	writer_bed_row_is(&b, "SELECT edition, input, output FROM closed", "0|10|20");
	writer_bed_tear_down(&b);
}

static void what_was_retired_is_in_no_period_and_explained(void **state)
{
	struct usage_report r;
	struct writer_bed b;
	struct explain e;
	char *err = NULL;

	(void)state;
	writer_bed_set_up(&b);
	fill(&b);
	retire(&b, SLOT(SLOTS - 1), 1000);
	for (int by = USAGE_BY_BUCKET; by <= USAGE_BY_VIF; by++) {
		uint64_t sum = 0;

		assert_int_equal(usage_read_report(b.db, (enum usage_by)by, -5, INT64_MAX, NULL, 0, &r, &err),
				 0);
		for (size_t i = 0; i < r.count; i++)
			sum += r.rows[i].sums.classes.bytes[DIR_INPUT][CLASS_EXTERNAL];
		assert_int_equal(sum, VIFS * 19000 + 5);
		usage_report_free(&r);
	}
	assert_int_equal(explain_read(b.db, 1, SLOT(SLOTS - 2), SLOT(SLOTS), &e, &err), 0);
	assert_int_equal(e.retired, SLOT(SLOTS - 1));
	assert_int_equal(e.vif_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct explain_vif *v = &e.vifs[i];
		uint64_t all = 0;

		for (int w = 0; w < EXPLAIN_WHENS; w++)
			all += class_bytes_total(&v->booked[w].classes, DIR_INPUT) -
			       v->booked[w].estimated[DIR_INPUT];
		assert_int_equal(all, v->epochs[0].booked[DIR_INPUT]);
		assert_true(class_bytes_total(&v->booked[EXPLAIN_RETIRED].classes, DIR_INPUT) > 0);
		assert_int_equal(class_bytes_total(&v->booked[EXPLAIN_BEFORE].classes, DIR_INPUT), 0);
	}
	explain_free(&e);
	writer_bed_tear_down(&b);
}

static void whole_months_are_kept_in_every_zone(void **state)
{
	const int64_t day = 86400;

	(void)state;
	assert_int_equal(retain_begin(1795651200, 1), 1790812800 - day);  /* 2026-11-26: from 2026-09-30 */
	assert_int_equal(retain_begin(1795651200, 10), 1767225600 - day); /* from 2025-12-31 */
	assert_int_equal(retain_begin(1795651200, 25), 1727740800 - day); /* from 2024-09-30 */
	assert_int_equal(retain_begin(1795651200, 1200), 0);
	assert_int_equal(retain_begin(1795651200, 3) % 300, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_stay_while_slots_leave),
		cmocka_unit_test(what_a_sink_has_not_got_stays),
		cmocka_unit_test(a_month_without_slots_is_not_closed_again),
		cmocka_unit_test(what_was_retired_is_in_no_period_and_explained),
		cmocka_unit_test(whole_months_are_kept_in_every_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
