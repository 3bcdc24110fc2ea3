/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A wall clock that goes evenly, is stepped, and is not known before a start.
 */
#include "daemon/steady.h"
#include "tests/support/unit.h"

#define NOW INT64_C(1700000000)
#define DAY 86400

static struct mono seconds(int64_t n)
{
	return (struct mono){n * 1000000000};
}

static void a_day_of_even_time_is_steady(void **state)
{
	struct steady s;

	(void)state;
	steady_begin(&s, 0, 0, NOW, seconds(5));
	assert_false(steady_is(&s));
	for (int64_t t = 60; t < DAY; t += 60)
		assert_int_equal(steady_look(&s, NOW + t, seconds(5 + t)), 0);
	assert_false(steady_is(&s));
	assert_int_equal(steady_look(&s, NOW + DAY, seconds(5 + DAY)), 0);
	assert_true(steady_is(&s));
	assert_int_equal(s.since, NOW);
}

/* NTP sets it right by some seconds now and then; a suspended host is away, and both clocks know. */
static void small_steps_and_absence_are_no_steps(void **state)
{
	struct steady s;

	(void)state;
	steady_begin(&s, NOW - DAY, NOW, NOW, seconds(0));
	assert_int_equal(steady_look(&s, NOW + 60 + 3599, seconds(60)), 0);
	assert_int_equal(steady_look(&s, NOW + 120, seconds(120)), 0);
	assert_int_equal(steady_look(&s, NOW + 30 * DAY, seconds(30 * DAY)), 0);
	assert_true(steady_is(&s));
}

static void a_step_either_way_begins_it_anew(void **state)
{
	struct steady s;

	(void)state;
	steady_begin(&s, NOW - DAY, NOW, NOW, seconds(0));
	assert_int_equal(steady_look(&s, NOW + 400 * DAY, seconds(60)), 400 * DAY - 60);
	assert_false(steady_is(&s));
	assert_int_equal(steady_look(&s, NOW + 120, seconds(120)), -400 * DAY + 60);
	assert_false(steady_is(&s));
	assert_int_equal(s.since, NOW + 120);
}

static void a_start_goes_on_from_a_commit_that_was_just_now(void **state)
{
	struct steady s;

	(void)state;
	steady_begin(&s, NOW - DAY, NOW - 3599, NOW, seconds(0));
	assert_true(steady_is(&s));
	steady_begin(&s, NOW - DAY, NOW - 3600, NOW, seconds(0));
	assert_false(steady_is(&s));
	steady_begin(&s, NOW - DAY, NOW + 3600, NOW, seconds(0));
	assert_false(steady_is(&s));
	steady_begin(&s, NOW + 1, NOW, NOW, seconds(0));
	assert_int_equal(s.since, NOW);
	steady_begin(&s, INT64_MIN, INT64_MAX, NOW, seconds(0));
	assert_false(steady_is(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_of_even_time_is_steady),
		cmocka_unit_test(small_steps_and_absence_are_no_steps),
		cmocka_unit_test(a_step_either_way_begins_it_anew),
		cmocka_unit_test(a_start_goes_on_from_a_commit_that_was_just_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
