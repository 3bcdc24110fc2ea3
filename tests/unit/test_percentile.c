/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/percentile: which slots are dropped, what a slot is that nobody saw, and projections.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/percentile.h"
#include "tests/support/unit.h"

#define SLOTS 8928 /* of a month with 31 days */

static struct usage_slots slots_of(size_t count)
{
	struct usage_slots s = {.count = count};

	for (int d = 0; d < DIR_COUNT; d++)
		s.bytes[d] = mem_array(count, sizeof(uint64_t));
	s.observed = mem_array(count, sizeof(bool));
	for (size_t i = 0; i < count; i++)
		s.observed[i] = true;
	return s;
}

static void release(struct usage_slots *s)
{
	for (int d = 0; d < DIR_COUNT; d++)
		free(s->bytes[d]);
	free(s->observed);
}

static void the_busiest_twentieth_is_dropped(void **state)
{
	uint64_t values[100];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		values[i] = (i * 37) % 100 + 1; /* 1 to 100, mixed */
	assert_int_equal(percentile_95(values, 100), 95);
	for (size_t i = 0; i < 100; i++)
		values[i] = i + 1;
	assert_int_equal(percentile_95(values, 19), 19); /* a twentieth of them is less than one */
	assert_int_equal(percentile_95(values, 20), 19);
}

static void few_slots_lose_none_and_none_give_nothing(void **state)
{
	uint64_t one[] = {7}, some[] = {1, 9, 3};

	(void)state;
	assert_int_equal(percentile_95(one, 1), 7);
	assert_int_equal(percentile_95(some, 3), 9);
	assert_int_equal(percentile_95(NULL, 0), 0);
}

static void a_month_may_burst_for_446_slots(void **state)
{
	struct usage_slots s = slots_of(SLOTS);
	struct percentile p;

	(void)state;
	for (size_t i = 0; i < 446; i++)
		s.bytes[DIR_INPUT][i * 20] = 1000000;
	p = percentile_of(&s, UINT64_MAX);
	assert_int_equal(p.bytes[DIR_INPUT], 0);
	assert_int_equal(p.slots, SLOTS);
	assert_int_equal(p.observed, SLOTS);
	s.bytes[DIR_INPUT][1] = 1000000; /* one more: 37 hours and 15 minutes */
	p = percentile_of(&s, UINT64_MAX);
	assert_int_equal(p.bytes[DIR_INPUT], 1000000);
	assert_int_equal(p.bytes[DIR_OUTPUT], 0);
	assert_int_equal(percentile_larger(&p), 1000000);
	release(&s);
}

static void a_slot_that_nobody_saw_is_no_zero(void **state)
{
	struct usage_slots s = slots_of(100);
	struct percentile p;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		s.bytes[DIR_OUTPUT][i] = 300;
	assert_int_equal(percentile_of(&s, UINT64_MAX).bytes[DIR_OUTPUT], 300);
	for (size_t i = 0; i < 10; i++)
		s.bytes[DIR_OUTPUT][i] = i < 5 ? 300 : 0;
	assert_int_equal(percentile_of(&s, UINT64_MAX).bytes[DIR_OUTPUT], 0);
	/* the same five bursts are more than a twentieth of what was seen, when half of it was not */
	for (size_t i = 50; i < 100; i++)
		s.observed[i] = false;
	p = percentile_of(&s, UINT64_MAX);
	assert_int_equal(p.bytes[DIR_OUTPUT], 300);
	assert_int_equal(p.slots, 100);
	assert_int_equal(p.observed, 50);
	s.earlier = 1000; /* of which nothing is known at all */
	p = percentile_of(&s, UINT64_MAX);
	assert_int_equal(p.bytes[DIR_OUTPUT], 300);
	assert_int_equal(p.slots, 1100);
	assert_int_equal(p.observed, 50);
	for (size_t i = 0; i < 100; i++)
		s.observed[i] = false;
	p = percentile_of(&s, 0);
	assert_int_equal(p.observed, 0);
	assert_int_equal(p.bytes[DIR_OUTPUT], 0);
	assert_int_equal(p.over, 0);
	release(&s);
}

static void directions_are_dropped_each_by_itself(void **state)
{
	struct usage_slots s = slots_of(40);
	struct percentile p;

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		s.bytes[DIR_INPUT][i] = i;
		s.bytes[DIR_OUTPUT][i] = 2 * (40 - i);
	}
	p = percentile_of(&s, UINT64_MAX);
	assert_int_equal(p.bytes[DIR_INPUT], 37);
	assert_int_equal(p.bytes[DIR_OUTPUT], 76);
	assert_int_equal(percentile_larger(&p), 76);
	release(&s);
}

static void slots_above_a_rate_are_counted_once(void **state)
{
	struct usage_slots s = slots_of(4);

	(void)state;
	s.bytes[DIR_INPUT][0] = 3000; /* 80 bit/s in five minutes */
	s.bytes[DIR_INPUT][1] = 3001;
	s.bytes[DIR_OUTPUT][1] = 9000;
	s.bytes[DIR_OUTPUT][2] = UINT64_MAX;
	assert_int_equal(percentile_of(&s, 80).over, 2);
	assert_int_equal(percentile_of(&s, 79).over, 3);
	assert_int_equal(percentile_of(&s, UINT64_MAX).over, 0);
	assert_int_equal(percentile_of(&s, 0).over, 3);
	release(&s);
}

static void rates_are_rounded_to_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(percentile_rate(149), 0);
	assert_int_equal(percentile_rate(150), 1);
	assert_int_equal(percentile_rate(300), 1);
	assert_int_equal(percentile_rate(UINT64_MAX), UINT64_MAX / 300);
}

static void a_projection_goes_on_as_so_far(void **state)
{
	(void)state;
	assert_int_equal(percentile_projected(1000, 0, 10, 30), 3000);
	assert_int_equal(percentile_projected(1000, 20, 30, 30), 1000); /* it is over */
	assert_int_equal(percentile_projected(1000, 20, 50, 30), 1000);
	assert_int_equal(percentile_projected(1000, 20, 20, 30), 1000); /* nothing to go by */
	assert_int_equal(percentile_projected(1000, 20, -1, 30), 1000);
	assert_int_equal(percentile_projected(UINT64_C(1) << 62, 0, 1, 1000000), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_busiest_twentieth_is_dropped),
		cmocka_unit_test(few_slots_lose_none_and_none_give_nothing),
		cmocka_unit_test(a_month_may_burst_for_446_slots),
		cmocka_unit_test(a_slot_that_nobody_saw_is_no_zero),
		cmocka_unit_test(directions_are_dropped_each_by_itself),
		cmocka_unit_test(slots_above_a_rate_are_counted_once),
		cmocka_unit_test(rates_are_rounded_to_the_nearest),
		cmocka_unit_test(a_projection_goes_on_as_so_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
