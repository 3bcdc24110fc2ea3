/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/top_rows: rates from reading to reading, what comes and goes, order, filter, sparkline.
 */
#include <stdlib.h>

#include "cli/top_rows.h"
#include "tests/support/unit.h"

#define SECOND INT64_C(1000000000)

static void take(struct top_rows *t, int seconds, const struct top_reading *vifs, size_t count)
{
	top_rows_take(t, vifs, count, (struct mono){seconds * SECOND});
}

static void rates_are_what_was_moved_since_the_last_look(void **state)
{
	struct top_rows t = {0};

	(void)state;
	take(&t, 100, (struct top_reading[]){{1, 0, "web", "vif1.0", {5000, 100}}}, 1);
	assert_false(t.list[0].has_rate);
	take(&t, 102, (struct top_reading[]){{1, 0, "web", "vif1.0", {7000, 101}}}, 1);
	assert_true(t.list[0].has_rate);
	assert_int_equal(t.list[0].rate[DIR_INPUT], 1000);
	assert_int_equal(t.list[0].rate[DIR_OUTPUT], 1); /* to the nearest */
	assert_int_equal(t.list[0].history[0], 1001);
	take(&t, 102, (struct top_reading[]){{1, 0, "web", "vif1.0", {7000, 101}}}, 1); /* at the same time */
	assert_int_equal(t.list[0].samples, 1);
	top_rows_free(&t);
}

static void counters_that_began_anew_have_no_rate_until_the_next_look(void **state)
{
	struct top_rows t = {0};

	(void)state;
	take(&t, 0, (struct top_reading[]){{1, 0, "web", "vif1.0", {5000, 5000}}}, 1);
	take(&t, 1, (struct top_reading[]){{1, 0, "web", "vif1.0", {10, 10}}}, 1);
	assert_false(t.list[0].has_rate);
	assert_int_equal(t.list[0].samples, 0);
	take(&t, 2, (struct top_reading[]){{1, 0, "web", "vif1.0", {30, 10}}}, 1);
	assert_true(t.list[0].has_rate);
	assert_int_equal(t.list[0].rate[DIR_INPUT], 20);
	top_rows_free(&t);
}

static void what_is_gone_goes_and_a_new_one_begins(void **state)
{
	struct top_rows t = {0};

	(void)state;
	take(&t, 0, (struct top_reading[]){{1, 0, "web", "vif1.0", {0, 0}}, {2, 0, NULL, "vif2.0", {0, 0}}},
	     2);
	take(&t, 1, (struct top_reading[]){{2, 0, "db", "vif2.0", {8, 0}}, {3, 1, "mail", "vif3.1", {9, 9}}},
	     2);
	assert_int_equal(t.count, 2);
	top_rows_sort(&t, TOP_BY_NAME);
	assert_string_equal(t.list[0].domain, "db"); /* it has a name by now */
	assert_int_equal(t.list[0].rate[DIR_INPUT], 8);
	assert_false(t.list[1].has_rate);
	take(&t, 2, NULL, 0);
	assert_int_equal(t.count, 0);
	top_rows_free(&t);
}

static const char *first(struct top_rows *t, enum top_order order)
{
	top_rows_sort(t, order);
	return t->list[0].domain;
}

static void the_busiest_is_first(void **state)
{
	const struct top_reading before[] = {{1, 0, "web9", "vif1.0", {0, 0}},
					     {2, 0, "web10", "vif2.0", {0, 0}},
					     {3, 0, "db", "vif3.0", {0, 0}}},
				 after[] = {{1, 0, "web9", "vif1.0", {10, 90}},
					    {2, 0, "web10", "vif2.0", {70, 20}},
					    {3, 0, "db", "vif3.0", {0, 0}}};
	struct top_rows t = {0};
	enum top_order order;

	(void)state;
	take(&t, 0, before, 3);
	take(&t, 1, after, 3);
	assert_string_equal(first(&t, TOP_BY_RATE), "web9");
	assert_string_equal(first(&t, TOP_BY_INPUT), "web10");
	assert_string_equal(first(&t, TOP_BY_OUTPUT), "web9");
	assert_string_equal(first(&t, TOP_BY_NAME), "db");
	assert_string_equal(t.list[1].domain, "web9"); /* numbers by value */
	assert_true(top_order_named("output", &order) && order == TOP_BY_OUTPUT);
	assert_false(top_order_named("size", &order));
	assert_string_equal(top_order_word(TOP_BY_NAME), "name");
	top_rows_free(&t);
}

static void a_filter_looks_at_both_names(void **state)
{
	char domain[] = "Web", netdev[] = "vif1.0";
	struct top_row r = {.domain = domain, .netdev = netdev};

	(void)state;
	assert_true(top_row_has(&r, ""));
	assert_true(top_row_has(&r, "wE"));
	assert_true(top_row_has(&r, "F1"));
	assert_false(top_row_has(&r, "web1"));
}

static void a_sparkline_has_the_newest_at_the_right(void **state)
{
	struct top_rows t = {0};
	struct top_reading v = {1, 0, "web", "vif1.0", {0, 0}};
	static const uint64_t rates[] = {0, 100, 50};
	char *text;

	(void)state;
	take(&t, 0, &v, 1);
	text = top_row_sparkline(&t.list[0], true);
	assert_string_equal(text, "");
	free(text);
	for (int i = 0; i < 3; i++) {
		v.bytes[DIR_OUTPUT] += rates[i];
		take(&t, i + 1, &v, 1);
	}
	text = top_row_sparkline(&t.list[0], true);
	assert_string_equal(text, "▁█▅");
	free(text);
	text = top_row_sparkline(&t.list[0], false);
	assert_string_equal(text, "_#=");
	free(text);
	for (int i = 3; i < 100; i++)
		take(&t, i + 1, &v, 1);
	text = top_row_sparkline(&t.list[0], false); /* all zeros by now */
	assert_string_equal(text, "________________________");
	free(text);
	top_rows_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_what_was_moved_since_the_last_look),
		cmocka_unit_test(counters_that_began_anew_have_no_rate_until_the_next_look),
		cmocka_unit_test(what_is_gone_goes_and_a_new_one_begins),
		cmocka_unit_test(the_busiest_is_first),
		cmocka_unit_test(a_filter_looks_at_both_names),
		cmocka_unit_test(a_sparkline_has_the_newest_at_the_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
