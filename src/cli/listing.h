/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * listing: all that one `xenbw list-domains` is made of.
 *
 * What is there comes from xenstore and the kernel's counters, what was before from the ledger, rates from
 * xenbwd. Each of them may be missing: then a note says so, and how to get it. Only where neither xenstore
 * nor a ledger can be had is that an error. Nothing here writes to standard output.
 */
#ifndef XENBW_LISTING_H
#define XENBW_LISTING_H

#include "cli/cli.h"
#include "cli/live.h"
#include "cli/period.h"
#include "cli/present.h"
#include "ipc/control.h"

struct listing {
	struct cli *cli;
	struct period month;
	char *boot;
	bool has_ledger, has_live, has_rates;
	char *no_live; /* why xenstore cannot be asked */
	struct usage_vifs known;
	struct live live;
	struct present present;
	struct control_status daemon;
	char *states;
	uint64_t rates[DIR_COUNT], bytes[DIR_COUNT]; /* totals, which the table fills in */
	struct class_bytes classes;                  /* booked */
	bool any_rate, any_bytes;
};

/* With only `cli` set. Release with listing_free, whatever it returned. */
int listing_gather(struct listing *l, char **err);
void listing_free(struct listing *l);

/* What xenbwd says of a vif; NULL where it says nothing. */
const struct control_vif *listing_said_of(const struct listing *l, const struct xen_vif *xen);

/* Is this a vif that nobody can split? */
bool listing_is_blind(const struct listing *l, const struct present_row *row);

/* Bytes of this class, in and out, of all that is in the table; and whether any have another one than
 * unattributed. */
uint64_t listing_booked_as(const struct listing *l, enum byte_class c);
bool listing_is_split(const struct listing *l);

#endif
