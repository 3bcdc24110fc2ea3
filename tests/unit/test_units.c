/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/units: what people read for a number.
 */
#include <stdlib.h>

#include "cli/units.h"
#include "tests/support/unit.h"

#define KIB ((uint64_t)1024)

static void expect(char *seen, const char *expected)
{
	assert_string_equal(seen, expected);
	free(seen);
}

static void small_numbers_are_exact(void **state)
{
	(void)state;
	expect(units_bytes(0), "0 B");
	expect(units_bytes(1), "1 B");
	expect(units_bytes(1023), "1023 B");
	expect(units_rate(0), "0");
	expect(units_rate(1), "8");
	expect(units_rate(124), "992");
}

static void bytes_have_three_digits_and_binary_units(void **state)
{
	(void)state;
	expect(units_bytes(KIB), "1.00 KiB");
	expect(units_bytes(100000), "97.7 KiB");
	expect(units_bytes(5 * KIB * KIB), "5.00 MiB");
	expect(units_bytes(150 * KIB * KIB * KIB), "150 GiB");
	expect(units_bytes(2 * KIB * KIB * KIB * KIB), "2.00 TiB");
	expect(units_bytes(UINT64_MAX), "16.0 EiB");
}

static void rates_are_bits_with_decimal_units(void **state)
{
	(void)state;
	expect(units_rate(125), "1.00k");
	expect(units_rate(125000), "1.00M");
	expect(units_rate(1540000), "12.3M");
	expect(units_rate(1250000000), "10.0G");
	expect(units_rate(UINT64_MAX), "148E");
}

static void rounding_never_gives_a_digit_too_many(void **state)
{
	(void)state;
	expect(units_bytes(10 * KIB - 1), "10.0 KiB");
	expect(units_bytes(100 * KIB - 1), "100 KiB");
	expect(units_bytes(1023 * KIB), "1023 KiB");
	expect(units_bytes(1024 * KIB - 1), "1.00 MiB");
	expect(units_bytes(KIB * KIB * KIB - 1), "1.00 GiB");
	expect(units_rate(124999999), "1.00G");
	expect(units_rate(124900000), "999M");
	expect(units_rate(1249999), "10.0M");
}

static void rates_are_read_as_people_type_them(void **state)
{
	static const char *const bad[] = {"",      "M",   "-1M", "10m",       "10Mb",
					  "1.2.3", "1e3", "nan", "99999999T", " 1"};
	uint64_t rate;

	(void)state;
	assert_true(units_read_rate("500000", &rate));
	assert_int_equal(rate, 500000);
	assert_true(units_read_rate("800k", &rate));
	assert_int_equal(rate, 800000);
	assert_true(units_read_rate("1.5G", &rate));
	assert_int_equal(rate, 1500000000);
	assert_true(units_read_rate("0", &rate));
	assert_int_equal(rate, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (units_read_rate(bad[i], &rate))
			fail_msg("%s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_numbers_are_exact),
		cmocka_unit_test(bytes_have_three_digits_and_binary_units),
		cmocka_unit_test(rates_are_bits_with_decimal_units),
		cmocka_unit_test(rounding_never_gives_a_digit_too_many),
		cmocka_unit_test(rates_are_read_as_people_type_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
