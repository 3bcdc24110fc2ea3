/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An amount divided among parts: to the byte, whatever the numbers are.
 */
#include <stdbool.h>

#include "account/portion.h"
#include "tests/support/unit.h"

static void shares_are_in_proportion(void **state)
{
	struct portion p = portion_of(50, 100);

	(void)state;
	assert_int_equal(portion_next(&p, 10), 5);
	assert_int_equal(portion_next(&p, 0), 0);
	assert_int_equal(portion_next(&p, 70), 35);
	assert_int_equal(portion_next(&p, 20), 10);
}

static void bytes_that_do_not_divide_are_not_lost(void **state)
{
	struct portion p = portion_of(2, 3);
	uint64_t given = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		uint64_t share = portion_next(&p, 1);

		assert_true(share <= 1);
		given += share;
	}
	assert_int_equal(given, 2);
}

static void of_nothing_everybody_gets_nothing(void **state)
{
	struct portion p = portion_of(0, 0);

	(void)state;
	assert_int_equal(portion_next(&p, 0), 0);
	p = portion_of(0, 7);
	assert_int_equal(portion_next(&p, 7), 0);
}

static void all_of_it_is_each_ones_part(void **state)
{
	const uint64_t much = UINT64_C(1) << 62;
	struct portion p = portion_of(2 * much + 3, 2 * much + 3);

	(void)state;
	assert_true(portion_next(&p, much + 1) == much + 1);
	assert_int_equal(portion_next(&p, 2), 2);
	assert_true(portion_next(&p, much) == much);
}

static void whatever_the_parts_are_the_shares_add_up(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t parts[12], all = 0, given = 0, amount;
		unsigned shift = (unsigned)random_below(&r, 59);
		size_t count = 1 + random_below(&r, 12);
		struct portion p;

		for (size_t k = 0; k < count; k++)
			all += parts[k] = random_below(&r, 3) ? random_next(&r) >> (64 - shift) % 64 >> 4 : 0;
		amount = all ? random_below(&r, all) + random_below(&r, 2) : 0;
		p = portion_of(amount, all);
		for (size_t k = 0; k < count; k++) {
			uint64_t share = portion_next(&p, parts[k]);

			/* within a byte of the exact share */
			unsigned __int128 exact = (unsigned __int128)amount * parts[k];

			assert_true(share <= parts[k]);
			if (all) {
				assert_true((unsigned __int128)share * all < exact + all);
				assert_true((unsigned __int128)(share + 1) * all > exact);
			}
			given += share;
		}
		assert_true(given == amount);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_in_proportion),
		cmocka_unit_test(bytes_that_do_not_divide_are_not_lost),
		cmocka_unit_test(of_nothing_everybody_gets_nothing),
		cmocka_unit_test(all_of_it_is_each_ones_part),
		cmocka_unit_test(whatever_the_parts_are_the_shares_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
