/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * owners: who is there, and whose a frame on an uplink is.
 *
 * Pure. A frame names its vif by its MAC. A MAC that is only dom0's says nothing yet: then the routed vifs'
 * addresses are asked, and what they do not know is dom0's own. Knows what xenbwd told, and nothing of what
 * was counted.
 */
#ifndef XENBW_CAPTURE_OWNERS_H
#define XENBW_CAPTURE_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/capture.h"

enum owners_place {
	OWNERS_VIF,
	OWNERS_NOBODY, /* dom0's, which nobody counts */
	OWNERS_FORGED, /* the same, but dom0 was not told to have the address: its sender may be a guest */
	OWNERS_STRAY,  /* it cannot be told whose, now or later */
	OWNERS_UNKNOWN /* nobody was told to have this MAC */
};

/* What bytes are counted under: a vif, or one of a vif's several addresses. */
struct owners_name {
	int64_t vif;
	bool has_address;
	uint8_t address[16];
	void *counter; /* the caller's; NULL until it sets it */
};

/* What the address at the side of the host is to the vif. Whoever sends chooses it: only one that was told is
 * believed to be its own. */
enum owners_address {
	OWNERS_TOLD,
	OWNERS_FOREIGN, /* none of those that were told, though some of its family were */
	OWNERS_UNTOLD   /* none of its family was told; also unspecified and link-local ones */
};

struct owners;

/* Nobody is there yet. */
struct owners *owners_new(void);
void owners_free(struct owners *o);

/* Who is there from now on. Names of before are no more. */
void owners_set(struct owners *o, const struct capture_vif *vifs, size_t count);

/* Makes every name's counter NULL. */
void owners_clear_counters(struct owners *o);

/* Whose a frame is that has this MAC (NULL: none) and this address at the side of the host. For OWNERS_VIF
 * *name is what it counts under, and *address what the address is to it. */
enum owners_place owners_of(const struct owners *all, const uint8_t *mac, bool tagged, const uint8_t own[16],
			    struct owners_name **name, enum owners_address *address);

#endif
