/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * roster: who has which MAC and which address, as xenbw-capture is told.
 *
 * Made from what the toolstack, the admin and the kernel say; nothing in it comes from a guest.
 */
#ifndef XENBW_ROSTER_H
#define XENBW_ROSTER_H

#include "account/account.h"
#include "ipc/capture.h"
#include "net/links.h"
#include "net/uplinks.h"

struct roster {
	struct capture_vif *list;
	size_t count;
	bool by_address;  /* some vif is routed, or some MAC of dom0's is nobody's: its addresses are told too
			   */
	int64_t *unknown; /* vifs of which neither serves: what they move cannot be told apart; ascending */
	size_t unknown_count;
};

struct roster roster_make(const struct account *a, const struct links *links, const struct uplinks *uplinks);
void roster_free(struct roster *r);

/* Is there nothing that its frames are known by? */
bool roster_is_unknown(const struct roster *r, int64_t vif);

bool roster_equal(const struct roster *a, const struct roster *b);

#endif
