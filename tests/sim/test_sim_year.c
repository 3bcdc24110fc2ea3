/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A simulated year of one host, at a reading a minute, through the real account: guests that boot, reboot,
 * migrate, are renamed and reconnect between two readings; a daemon that is stopped and killed; a ledger that
 * refuses; a clock that is stepped. With a classifier also: guests with two addresses, bytes that cross after
 * the counters were read, under nobody's name, under another guest's MAC, from addresses that are not the
 * guest's. At each commit each guest's bucket holds exactly the bytes that the host's kernel ever showed.
 *
 * What is repeated, shortened and left out: see sim.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "year.h"

#define MINUTES_A_YEAR (365 * 24 * 60)

/* Enough must have happened. */
static void say(const struct host *h)
{
	print_message("# %u runs (%u killed), %u resets (%u hidden), %u reboots of guests, %u migrations, "
		      "%u clock steps, %u refused commits, %u boots\n",
		      h->restarts, h->kills, h->resets, h->hidden_resets, h->reboots, h->migrations, h->steps,
		      h->refusals, h->boots);
	if (h->sim->events || h->sim->minutes < MINUTES_A_YEAR)
		return;
	assert_true(h->kills > 10 && h->hidden_resets > 10 && h->migrations > 10 && h->refusals > 100);
	if (!h->classify)
		return;
	assert_true(memory_ledger_estimated(h->ledger, DIR_INPUT) > 0);
	assert_true(h->lates > 1000 && h->strays > 1000 && h->thefts > 10 && h->spoofed > 1000000);
	assert_true(memory_ledger_events(h->ledger, "spoofed") > 10);
	for (int i = 0; i < TWO_ADDRESSES; i++)
		for (int k = 1; k < 3; k++)
			assert_true(h->guests[i].expected_at[k][DIR_INPUT] > 100000000);
}

static void run_year(struct sim *s, const void *arg)
{
	struct host h = {.sim = s, .classify = *(const bool *)arg};

	year_run(&h);
	year_check_all(&h);
	say(&h);
	for (int i = 0; i < GUESTS; i++) {
		free(h.guests[i].uuid);
		free(h.guests[i].name);
	}
	memory_ledger_free(h.ledger);
	free(h.boot);
}

static void each_guest_is_charged_exactly_what_flowed(void **state)
{
	static const bool classify = false;

	(void)state;
	sim_run("year", MINUTES_A_YEAR, true, run_year, &classify);
}

static void with_a_classifier_each_class_is_exact(void **state)
{
	static const bool classify = true;

	(void)state;
	sim_run("classified year", MINUTES_A_YEAR, true, run_year, &classify);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_guest_is_charged_exactly_what_flowed),
		cmocka_unit_test(with_a_classifier_each_class_is_exact),
	};

	return cmocka_run_group_tests_name("sim_year", tests, NULL, NULL);
}
