/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How long xenbwd waits before it starts a helper again.
 */
#include "daemon/backoff.h"
#include "tests/support/unit.h"

#define MINUTE_NS INT64_C(60000000000)

static unsigned dies_young(struct backoff *b)
{
	backoff_started(b);
	return backoff_wait(b);
}

static void who_dies_young_waits_longer_and_longer(void **state)
{
	static const unsigned waits[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct backoff b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++)
		assert_int_equal(dies_young(&b), waits[i]);
}

static void who_lived_long_begins_anew(void **state)
{
	struct backoff b = {0};

	(void)state;
	dies_young(&b);
	dies_young(&b);
	backoff_started(&b);
	b.started.ns -= MINUTE_NS + 1;
	assert_int_equal(backoff_wait(&b), 1);
	assert_int_equal(dies_young(&b), 2);
}

static void who_delivered_begins_anew_however_often_it_is_killed(void **state)
{
	struct backoff b = {0};

	(void)state;
	dies_young(&b);
	dies_young(&b);
	for (int i = 0; i < 50; i++) {
		backoff_started(&b);
		backoff_delivered(&b);
		assert_int_equal(backoff_wait(&b), 1);
	}
	assert_int_equal(dies_young(&b), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_dies_young_waits_longer_and_longer),
		cmocka_unit_test(who_lived_long_begins_anew),
		cmocka_unit_test(who_delivered_begins_anew_however_often_it_is_killed),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
