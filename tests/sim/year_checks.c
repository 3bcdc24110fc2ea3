/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "year.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"

static const char *const dirs[] = {"input", "output"};

/* What was read is booked, all of it and no more. */
void year_check_commit(const struct host *h)
{
	for (int i = 0; i < GUESTS; i++) {
		const struct guest *g = &h->guests[i];
		const struct device *v[] = {&g->device, &g->incoming};
		struct class_bytes booked;

		memory_ledger_booked(h->ledger, g->uuid, &booked);
		for (int d = 0; d < DIR_COUNT; d++) {
			uint64_t is = class_bytes_total(&booked, d),
				 expected = class_bytes_total(&g->expected, d);

			for (int k = 0; k < 2; k++)
				expected -= v[k]->flowed[d] - v[k]->read[d];
			if (is != expected)
				sim_fail(h->sim, "guest %d %s: %" PRIu64 " booked, %" PRIu64 " expected", i,
					 dirs[d], is, expected);
		}
	}
	if (memory_ledger_clipped(h->ledger) > h->under_others)
		sim_fail(h->sim, "%" PRIu64 " clipped, %" PRIu64 " were under others' MACs",
			 memory_ledger_clipped(h->ledger), h->under_others);
	if (!h->classify &&
	    (memory_ledger_estimated(h->ledger, DIR_INPUT) || memory_ledger_estimated(h->ledger, DIR_OUTPUT)))
		sim_fail(h->sim, "estimated without a classifier");
}

/* What crossed an uplink is exact by class. What did not is exact in sum: what was missed may have been any
 * guest's, so it is unattributed of each that it may have been, and never of more bytes. */
static void check_classes(const struct host *h, const struct guest *g, const struct class_bytes *booked)
{
	for (int d = 0; d < DIR_COUNT; d++) {
		const uint64_t *is = booked->bytes[d], *expected = g->expected.bytes[d];

		for (int c = 0; c < CLASS_COUNT; c++)
			if ((!h->classify || (c != CLASS_LOCAL && c != CLASS_UNATTRIBUTED)) &&
			    is[c] != expected[c])
				sim_fail(h->sim, "guest %d %s class %d: %" PRIu64 ", expected %" PRIu64,
					 (int)(g - h->guests), dirs[d], c, is[c], expected[c]);
		if (is[CLASS_LOCAL] + is[CLASS_UNATTRIBUTED] !=
		    expected[CLASS_LOCAL] + expected[CLASS_UNATTRIBUTED])
			sim_fail(h->sim, "guest %d %s: what crossed no uplink", (int)(g - h->guests),
				 dirs[d]);
		if (is[CLASS_UNATTRIBUTED] < expected[CLASS_UNATTRIBUTED] + g->missed[d] ||
		    is[CLASS_UNATTRIBUTED] > expected[CLASS_UNATTRIBUTED] + h->missed_all[d])
			sim_fail(h->sim, "guest %d %s: %" PRIu64 " unattributed", (int)(g - h->guests),
				 dirs[d], is[CLASS_UNATTRIBUTED]);
	}
}

static void check_addresses(const struct host *h, const struct guest *g)
{
	for (unsigned i = 1; i < 3 && g->addresses; i++) {
		char *address = mem_printf("10.0.%d.%u", (int)(g - h->guests), i);
		struct class_bytes booked;

		memory_ledger_booked_at(h->ledger, address, &booked);
		for (int d = 0; d < DIR_COUNT; d++)
			if (booked.bytes[d][CLASS_EXTERNAL] != g->expected_at[i][d])
				sim_fail(h->sim, "%s %s: %" PRIu64 ", expected %" PRIu64, address, dirs[d],
					 booked.bytes[d][CLASS_EXTERNAL], g->expected_at[i][d]);
		free(address);
	}
}

void year_check_all(const struct host *h)
{
	for (int i = 0; i < GUESTS; i++) {
		struct class_bytes booked;

		memory_ledger_booked(h->ledger, h->guests[i].uuid, &booked);
		check_classes(h, &h->guests[i], &booked);
		check_addresses(h, &h->guests[i]);
	}
	if (memory_ledger_clipped(h->ledger) != h->under_others)
		sim_fail(h->sim, "%" PRIu64 " clipped, %" PRIu64 " were under others' MACs",
			 memory_ledger_clipped(h->ledger), h->under_others);
	if (memory_ledger_spoofed(h->ledger) != h->spoofed)
		sim_fail(h->sim, "%" PRIu64 " spoofed, %" PRIu64 " were", memory_ledger_spoofed(h->ledger),
			 h->spoofed);
	/* at most one for each guest and slot */
	if (memory_ledger_events(h->ledger, "spoofed") > h->thefts)
		sim_fail(h->sim, "more events about strangers' MACs than there were");
}
