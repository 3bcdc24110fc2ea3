/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of db/usage_slots: charged bytes by slot, folded and not, and which slots xenbwd saw.
 */
#include <stdlib.h>

#include "base/err.h"
#include "db/usage.h"
#include "db/usage_slots.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*300)

static const uint64_t none[2] = {0, 0};

static struct usage_slots slots(const struct ledger_bed *b, int64_t from, int64_t to, const int64_t *ids,
				size_t count)
{
	struct usage_slots s;
	char *err = NULL;

	if (usage_read_slots(b->reader.db, from, to, ids, count, &s, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(sqlite3_get_autocommit(b->reader.db), 1);
	assert_null(sqlite3_next_stmt(b->reader.db, NULL));
	return s;
}

static void put(const struct ledger_bed *b, int bucket, int n, int folded, uint64_t external,
		uint64_t unknown)
{
	const uint64_t e[2] = {external, external + 1}, u[2] = {unknown, 0};

	ledger_bed_bytes(b->writer.db, bucket, SLOT(n), folded, e, none, u);
}

static void slots_have_their_bytes_folded_or_not(void **state)
{
	const struct ledger_bed *b = *state;
	const int64_t both[] = {1, 2};
	struct usage_slots s;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_bucket(b->writer.db, 2, "db");
	ledger_bed_bucket(b->writer.db, 3, "not asked for");
	put(b, 1, 0, 1, 100, 5);
	put(b, 1, 0, 0, 10, 0);
	put(b, 2, 0, 1, 1, 0);
	put(b, 2, 3, 0, 7, 0);
	put(b, 3, 1, 0, 1000, 0);
	put(b, 1, 9, 0, 1000, 0); /* still open */
	ledger_bed_open_slot(b->writer.db, SLOT(5));
	s = slots(b, SLOT(0), SLOT(10), both, 2);
	assert_int_equal(s.count, 5);
	assert_int_equal(s.bytes[DIR_INPUT][0], 116);
	assert_int_equal(s.bytes[DIR_OUTPUT][0], 114);
	assert_int_equal(s.bytes[DIR_INPUT][1], 0);
	assert_int_equal(s.bytes[DIR_INPUT][3], 7);
	assert_true(s.observed[0] && s.observed[3]);
	assert_false(s.observed[1] || s.observed[2] || s.observed[4]);
	usage_slots_free(&s);
	ledger_bed_sql(b->writer.db, "INSERT INTO meta VALUES ('unattributed', 'none')");
	s = slots(b, SLOT(0), SLOT(3), both, 1);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.bytes[DIR_INPUT][0], 110);
	usage_slots_free(&s);
}

static void a_slot_in_which_xenbwd_ran_is_seen(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_slots s;
	int64_t begin;
	char *err = NULL;

	assert_int_equal(usage_read_begin(b->reader.db, &begin, &err), 0);
	assert_int_equal(begin, -1);
	ledger_bed_run(b->writer.db, SLOT(-3), SLOT(-2), SLOT(-2));
	ledger_bed_run(b->writer.db, SLOT(-1), SLOT(1) + 299, SLOT(1) + 299);
	ledger_bed_run(b->writer.db, SLOT(4) + 299, SLOT(20), 0);
	ledger_bed_open_slot(b->writer.db, SLOT(7));
	s = slots(b, SLOT(0), SLOT(10), NULL, 0);
	assert_int_equal(s.count, 7);
	for (size_t i = 0; i < s.count; i++)
		if (s.observed[i] != (i <= 1 || i >= 4))
			fail_msg("slot %zu", i);
	usage_slots_free(&s);
	assert_int_equal(usage_read_begin(b->reader.db, &begin, &err), 0);
	assert_int_equal(begin, SLOT(-3));
}

static void what_lies_ahead_or_has_no_end_has_no_slots(void **state)
{
	const struct ledger_bed *b = *state;
	struct usage_slots s;
	char *err = NULL;

	ledger_bed_open_slot(b->writer.db, SLOT(2));
	s = slots(b, SLOT(2), SLOT(4), NULL, 0);
	assert_int_equal(s.count, 0);
	usage_slots_free(&s);
	ledger_bed_open_slot(b->writer.db, INT64_MAX / 2);
	ledger_bed_run(b->writer.db, 300, 600, 600);
	assert_int_equal(usage_read_slots(b->reader.db, 0, INT64_MAX, NULL, 0, &s, &err), -1);
	assert_non_null(err);
	err_clear(&err);
}

/* What nobody saw, and what is not kept, is not looked at slot by slot: there are six million since 1970. */
static void only_slots_that_something_is_known_of_are_looked_at(void **state)
{
	const struct ledger_bed *b = *state;
	const int64_t web = 1;
	struct usage_slots s;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_open_slot(b->writer.db, SLOT(9));
	s = slots(b, -3600, SLOT(9), &web, 1); /* 1970, somewhere */
	assert_int_equal(s.earlier, (SLOT(9) + 3600) / 300);
	assert_int_equal(s.count, 0);
	usage_slots_free(&s);
	put(b, 1, 2, 1, 100, 0); /* from a ledger that went before: xenbwd had not run here */
	ledger_bed_run(b->writer.db, SLOT(4) + 10, SLOT(9), 0);
	s = slots(b, 0, SLOT(9), &web, 1);
	assert_int_equal(s.earlier, SLOT(2) / 300);
	assert_int_equal(s.from, SLOT(2));
	assert_int_equal(s.count, 7);
	assert_int_equal(s.bytes[DIR_INPUT][0], 100);
	assert_true(s.observed[0] && s.observed[2] && s.observed[6]);
	assert_false(s.observed[1]);
	usage_slots_free(&s);
}

static void retired_slots_are_not_seen(void **state)
{
	const struct ledger_bed *b = *state;
	const int64_t web = 1;
	struct usage_slots s;

	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_open_slot(b->writer.db, SLOT(9));
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(9), 0);
	put(b, 1, 6, 1, 100, 0);
	ledger_bed_sql(b->writer.db, "INSERT INTO meta VALUES ('retired', %lld)", (long long)SLOT(5));
	s = slots(b, SLOT(0), SLOT(9), &web, 1);
	assert_int_equal(s.earlier, 5);
	assert_int_equal(s.count, 4);
	assert_int_equal(s.bytes[DIR_INPUT][1], 100);
	usage_slots_free(&s);
	s = slots(b, SLOT(1), SLOT(3), &web, 1);
	assert_int_equal(s.earlier, 2);
	assert_int_equal(s.count, 0);
	usage_slots_free(&s);
	s = slots(b, SLOT(6), SLOT(9), &web, 1);
	assert_int_equal(s.earlier, 0);
	assert_int_equal(s.count, 3);
	usage_slots_free(&s);
}

/* xenbwd commits between two questions that are to fit each other, as those of `xenbw close` are. */
static int ask_twice(sqlite3 *db, void *ctx, char **err)
{
	static const int64_t web = 1;
	const struct ledger_bed *b = ctx;

	for (int i = 0; i < 2; i++) {
		struct usage_slots s;
		struct usage_report r;

		if (usage_read_slots(db, SLOT(0), SLOT(3), &web, 1, &s, err) < 0 ||
		    usage_read_report(db, USAGE_BY_BUCKET, SLOT(0), SLOT(3), &web, 1, &r, err) < 0)
			return -1;
		assert_int_equal(sqlite3_get_autocommit(db), 0);
		assert_int_equal(s.count, 1);
		assert_int_equal(s.bytes[DIR_INPUT][0], 100);
		assert_int_equal(r.rows[0].sums.classes.bytes[DIR_INPUT][CLASS_EXTERNAL], 100);
		usage_slots_free(&s);
		usage_report_free(&r);
		put(b, 1, 0, 0, 900, 0);
		ledger_bed_open_slot(b->writer.db, SLOT(3));
	}
	return 0;
}

static void questions_in_one_see_the_same_commit(void **state)
{
	struct ledger_bed *b = *state;
	const int64_t web = 1;
	struct usage_slots s;
	char *err = NULL;

	ledger_bed_bucket(b->writer.db, 1, "web");
	put(b, 1, 0, 1, 100, 0);
	ledger_bed_open_slot(b->writer.db, SLOT(1));
	if (usage_ask(b->reader.db, ask_twice, b, &err) < 0)
		fail_msg("%s", err);
	s = slots(b, SLOT(0), SLOT(3), &web, 1);
	assert_int_equal(s.count, 3);
	assert_true(s.bytes[DIR_INPUT][0] > 100);
	usage_slots_free(&s);
}

int main(void)
{
#define bed_test(f) cmocka_unit_test_setup_teardown(f, ledger_bed_set_up, ledger_bed_tear_down)
	const struct CMUnitTest tests[] = {
		bed_test(slots_have_their_bytes_folded_or_not),
		bed_test(a_slot_in_which_xenbwd_ran_is_seen),
		bed_test(only_slots_that_something_is_known_of_are_looked_at),
		bed_test(retired_slots_are_not_seen),
		bed_test(questions_in_one_see_the_same_commit),
		bed_test(what_lies_ahead_or_has_no_end_has_no_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
