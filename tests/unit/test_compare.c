/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/compare: each cause alone, causes that must not be taken for each other, and at random
 * that the parts always add up.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "tests/support/unit.h"

enum { INPUT, OUTPUT, PEER_INPUT, LOCAL_INPUT = 6, LOCAL_OUTPUT };

#define CEILING 2147483647U

static struct compare fresh(void)
{
	struct compare c = {.first = 0, .last = 100, .flush = 30};

	return c;
}

static void put(struct compare *c, enum compare_source source, const char *label, int64_t hour, int column,
		uint64_t n)
{
	uint64_t bytes[COMPARE_COLUMNS] = {0};

	bytes[column] = n;
	compare_add(c, source, label, hour, COMPARE_UNEXPLAINED, bytes);
}

/* Both tables, and the ledger as xenbw's. */
static void both(struct compare *c, int64_t hour, int column, uint64_t nacctd, uint64_t xenbw, uint64_t tail)
{
	if (nacctd)
		put(c, COMPARE_NACCTD, "a", hour, column, nacctd);
	put(c, COMPARE_XENBW, "a", hour, column, xenbw);
	put(c, COMPARE_LEDGER, "a", hour, column, xenbw);
	put(c, COMPARE_TAIL, "a", hour, column, tail);
}

static int64_t part(const struct compare *c, const char *label, int64_t hour, int column,
		    enum compare_cause cause)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->rows[i].label, label) == 0 && c->rows[i].hour == hour)
			return c->rows[i].cells[column].part[cause];
	fail_msg("no row");
	return 0;
}

static void what_is_written_an_hour_later_is_told(void **state)
{
	struct compare c = fresh();

	(void)state;
	/* 10, 5 and 20 bytes were seen at the end of hours 1, 2 and 3 */
	both(&c, 1, INPUT, 90, 100, 12);
	both(&c, 2, INPUT, 105, 100, 5);
	both(&c, 3, INPUT, 85, 100, 50);
	both(&c, 4, INPUT, 120, 100, 50);
	compare_explain(&c);
	assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_LATE), 10);
	assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_LATE), -5);
	assert_int_equal(part(&c, "a", 3, INPUT, COMPARE_LATE), 15);
	assert_int_equal(part(&c, "a", 4, INPUT, COMPARE_LATE), -20);
	compare_free(&c);
}

static void what_is_lost_is_not_called_late(void **state)
{
	struct compare c = fresh();

	(void)state;
	both(&c, 1, OUTPUT, 900, 1000, 500);
	both(&c, 2, OUTPUT, 1000, 1000, 500);
	both(&c, 4, OUTPUT, 1100, 1000, 500); /* hour 3 is missing: nothing came from hour 2 */
	put(&c, COMPARE_NACCTD, "other", 3, OUTPUT, 1);
	compare_explain(&c);
	assert_int_equal(part(&c, "a", 1, OUTPUT, COMPARE_LATE), 0);
	assert_int_equal(part(&c, "a", 1, OUTPUT, COMPARE_WRITES), 33);
	assert_int_equal(part(&c, "a", 1, OUTPUT, COMPARE_UNEXPLAINED), 67);
	assert_int_equal(part(&c, "a", 4, OUTPUT, COMPARE_UNEXPLAINED), -100);
	compare_free(&c);
}

static void more_than_the_tail_is_not_late(void **state)
{
	struct compare c = fresh();

	(void)state;
	both(&c, 1, INPUT, 60, 100, 30);
	both(&c, 2, INPUT, 140, 100, 0);
	compare_explain(&c);
	assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_LATE), 30);
	assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_LATE), -30);
	assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_UNEXPLAINED), -10);
	compare_free(&c);
}

static void an_outage_of_mysql_is_late_and_an_end_is_silence(void **state)
{
	struct compare c = fresh();

	(void)state;
	both(&c, 1, INPUT, 100, 100, 0);
	both(&c, 2, INPUT, 0, 100, 0); /* nobody has a row in hours 2 and 3 */
	both(&c, 3, INPUT, 0, 100, 0);
	both(&c, 4, INPUT, 250, 100, 0);
	compare_explain(&c);
	assert_int_equal(part(&c, "a", 4, INPUT, COMPARE_LATE), -150);
	assert_int_equal(part(&c, "a", 3, INPUT, COMPARE_LATE), 100);
	assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_LATE), 50);
	assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_SILENT), 50);
	compare_free(&c);
}

static void guests_count_at_both_ends(void **state)
{
	struct compare c = fresh();

	(void)state;
	both(&c, 1, LOCAL_OUTPUT, 500, 500, 0);
	put(&c, COMPARE_NACCTD, "b", 1, INPUT, 1);
	put(&c, COMPARE_XENBW, "b", 1, INPUT, 1);
	put(&c, COMPARE_XENBW, "b", 1, LOCAL_INPUT, 500);
	compare_explain(&c);
	assert_int_equal(part(&c, "a", 1, LOCAL_OUTPUT, COMPARE_GUESTS), 0);
	assert_int_equal(part(&c, "b", 1, LOCAL_INPUT, COMPARE_GUESTS), 500);
	compare_free(&c);
}

static void the_ceiling_is_told_where_there_is_one(void **state)
{
	for (int has = 0; has < 2; has++) {
		struct compare c = fresh();

		(void)state;
		c.ceiling[INPUT] = has ? CEILING : 0;
		both(&c, 1, INPUT, CEILING, 5000000000U, 0);
		both(&c, 2, INPUT, CEILING - 1000, 3000000000U, 0); /* strict: whole flushes are lost */
		both(&c, 3, INPUT, 1000, 2000, 0);
		compare_explain(&c);
		assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_CEILING), has ? 5000000000 - CEILING : 0);
		assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_CEILING),
				 has ? 3000000000 - CEILING + 1000 : 0);
		assert_int_equal(part(&c, "a", 3, INPUT, COMPARE_CEILING), 0);
		compare_free(&c);
	}
}

static void a_class_is_another_one_where_lists_did_not_work(void **state)
{
	for (int differ = 0; differ < 2; differ++) {
		struct compare c = fresh();
		uint64_t aside[COMPARE_COLUMNS] = {0, 0, 40, 0};

		(void)state;
		c.lists_differ = differ;
		both(&c, 1, INPUT, 300, 100, 0);
		both(&c, 1, PEER_INPUT, 0, 200, 0);
		compare_add(&c, COMPARE_ASIDE, "a", 1, COMPARE_UNEXPLAINED, aside);
		compare_explain(&c);
		/* without such lists no more than what nobody could tell the class of */
		assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_CLASS), differ ? -200 : -40);
		assert_int_equal(part(&c, "a", 1, PEER_INPUT, COMPARE_CLASS), differ ? 200 : 40);
		assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_UNEXPLAINED), differ ? 0 : -160);
		compare_free(&c);
	}
}

static void what_is_ignored_now_is_told(void **state)
{
	for (int more = 0; more < 2; more++) {
		struct compare c = fresh();
		uint64_t aside[COMPARE_COLUMNS] = {70};

		(void)state;
		c.ignores_more = more;
		both(&c, 1, INPUT, 200, 100, 0);
		compare_add(&c, COMPARE_ASIDE, "a", 1, COMPARE_UNEXPLAINED, aside);
		compare_explain(&c);
		assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_IGNORED), more ? -70 : 0);
		assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_UNEXPLAINED), more ? -30 : -100);
		compare_free(&c);
	}
}

static void what_is_not_written_yet_is_told(void **state)
{
	struct compare c = fresh();

	(void)state;
	put(&c, COMPARE_NACCTD, "a", 1, INPUT, 100);
	put(&c, COMPARE_XENBW, "a", 1, INPUT, 70);
	put(&c, COMPARE_LEDGER, "a", 1, INPUT, 95);
	compare_explain(&c);
	assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_UNWRITTEN), -25);
	assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_UNEXPLAINED), -5);
	compare_free(&c);
}

static void buckets_that_nacctd_had_not(void **state)
{
	struct compare c = fresh();
	uint64_t bytes[COMPARE_COLUMNS] = {10, 20};

	(void)state;
	compare_add(&c, COMPARE_XENBW, "2001:db8::1", 1, COMPARE_IPV6, bytes);
	compare_add(&c, COMPARE_XENBW, "Domain-0", 1, COMPARE_UNCOUNTED, bytes);
	compare_add(&c, COMPARE_XENBW, "10.0.0.9", 1, COMPARE_UNEXPLAINED, bytes);
	both(&c, 1, INPUT, 5, 5, 0);
	compare_explain(&c);
	assert_int_equal(part(&c, "2001:db8::1", 1, OUTPUT, COMPARE_IPV6), 20);
	assert_int_equal(part(&c, "Domain-0", 1, INPUT, COMPARE_UNCOUNTED), 10);
	assert_int_equal(part(&c, "10.0.0.9", 1, INPUT, COMPARE_UNSEEN), 10);
	compare_free(&c);
}

static void hours_at_the_edge(void **state)
{
	struct compare c = fresh();
	bool more;

	(void)state;
	c.first = 1, c.last = 2;
	both(&c, 1, INPUT, 100, 60, 0);
	both(&c, 2, INPUT, 100, 130, 25); /* not written yet, it may be */
	compare_explain(&c);
	assert_int_equal(part(&c, "a", 1, INPUT, COMPARE_EDGE), -40);
	assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_LATE), 25);
	assert_int_equal(part(&c, "a", 2, INPUT, COMPARE_EDGE), 5);
	assert_int_equal(compare_main_cause(&c.rows[1].cells[INPUT], &more), COMPARE_LATE);
	assert_true(more);
	assert_int_equal(compare_main_cause(&c.rows[0].cells[OUTPUT], &more), COMPARE_CAUSES);
	compare_free(&c);
}

/* Whatever there is: the parts of each figure are its difference, and no more is late than was early. */
static void parts_add_up(void **state)
{
	static const char *const labels[] = {"a", "b", "c", "d"};
	struct random r = random_new();

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct compare c = {.first = 2,
				    .last = 20,
				    .flush = (unsigned)random_below(&r, 40),
				    .lists_differ = random_below(&r, 2) == 0,
				    .ignores_more = random_below(&r, 2) == 0};
		int64_t hours[4][COMPARE_COLUMNS] = {{0}};

		c.ceiling[random_below(&r, COMPARE_COLUMNS)] = 500;
		for (uint64_t n = random_below(&r, 200); n > 0; n--) {
			uint64_t bytes[COMPARE_COLUMNS];

			for (int k = 0; k < COMPARE_COLUMNS; k++)
				bytes[k] = random_below(&r, 1000);
			compare_add(&c, (enum compare_source)random_below(&r, COMPARE_SOURCES),
				    labels[random_below(&r, 4)], 2 + (int64_t)random_below(&r, 19),
				    COMPARE_UNEXPLAINED, bytes);
		}
		compare_explain(&c);
		for (size_t i = 0; i < c.count; i++)
			for (int k = 0; k < COMPARE_COLUMNS; k++) {
				const struct compare_cell *cell = &c.rows[i].cells[k];
				int64_t sum = 0;

				for (int cause = 0; cause < COMPARE_CAUSES; cause++)
					sum += cell->part[cause];
				assert_int_equal(sum, compare_difference(cell));
				hours[*c.rows[i].label - 'a'][k] += cell->part[COMPARE_LATE];
				assert_true(hours[*c.rows[i].label - 'a'][k] >= 0);
			}
		compare_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_an_hour_later_is_told),
		cmocka_unit_test(what_is_lost_is_not_called_late),
		cmocka_unit_test(more_than_the_tail_is_not_late),
		cmocka_unit_test(an_outage_of_mysql_is_late_and_an_end_is_silence),
		cmocka_unit_test(guests_count_at_both_ends),
		cmocka_unit_test(the_ceiling_is_told_where_there_is_one),
		cmocka_unit_test(a_class_is_another_one_where_lists_did_not_work),
		cmocka_unit_test(what_is_ignored_now_is_told),
		cmocka_unit_test(what_is_not_written_yet_is_told),
		cmocka_unit_test(buckets_that_nacctd_had_not),
		cmocka_unit_test(hours_at_the_edge),
		cmocka_unit_test(parts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
