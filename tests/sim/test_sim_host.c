/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Three simulated months of one host below the real daemon/follow.c and daemon/poll.c, at a reading a minute
 * and at many a moment between: guests with two vifs and emulated taps that boot, reboot, save, restore,
 * migrate, reconnect, stall, plug and unplug, under names that change, are swapped and are not theirs alone;
 * xenstore away, empty and late; netlink that fails, events that are lost; a ledger that refuses for hours; a
 * daemon that is stopped and killed over reboots of the host; clocks that are wrong. At each commit each
 * guest was charged all that was read, and no byte that did not flow; what may be missing is what nothing
 * proved, and is flagged.
 *
 * What is repeated, shortened and left out: see sim.h. The checks run fixed seeds; SEEDS=a-b tries others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "host.h"

#define MINUTES 130000       /* three months: a second or two */
#define FIRST_DAY 1767225600 /* 2026-01-01 UTC */

static void less(unsigned *minutes)
{
	if (*minutes)
		--*minutes;
}

static void run(struct host *h)
{
	struct sim *s = h->sim;

	h->ledger = memory_ledger_new(s);
	h->now = FIRST_DAY;
	for (int i = 0; i < GUESTS; i++) {
		h->guests[i] = (struct guest){.uuid = mem_printf("00000000-0000-4000-8000-%012d", i),
					      .name = mem_printf("guest-%u", ++h->names),
					      .hvm = i % 2,
					      .two = i % 3 == 0,
					      .address = 1};
	}
	host_power_on(h);
	host_minute(h); /* before there was a ledger */
	host_start(h);
	while (++s->minute <= s->minutes) {
		host_minute(h);
		while (sim_chance(s, 20))
			host_something_happens(h);
		host_poll(h);
		less(&h->store_away);
		less(&h->store_empty);
		less(&h->netlink_fails);
		less(&h->refuses);
	}
	h->refuses = h->netlink_fails = 0;
	if (!h->d)
		host_start(h);
	host_stop(h);
	host_power_off(h);
}

static void scenario(struct sim *s, const void *arg)
{
	struct host h = {.sim = s};

	(void)arg;
	run(&h);
	print_message(
		"# %u runs (%u killed), %u resets (%u hidden, %u without proof), %u boots, %u commits, %u "
		"doubts; xenstore brought changes %u times, states alone %u times\n",
		h.starts, h.kills, h.resets, h.hidden, h.lost, h.boots, h.commits, h.doubts,
		h.drains[DIRECTORY_CHANGED], h.drains[DIRECTORY_STATES]);
	for (int i = 0; i < GUESTS; i++) {
		free(h.guests[i].uuid);
		free(h.guests[i].name);
	}
	memory_ledger_free(h.ledger);
	free(h.boot);
}

static void each_guest_is_charged_what_was_read(void **state)
{
	(void)state;
	sim_run("host", MINUTES, false, scenario, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_guest_is_charged_what_was_read),
	};

	return cmocka_run_group_tests_name("sim_host", tests, NULL, NULL);
}
