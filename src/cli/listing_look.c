/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * listing_look: what the table asks a listing that is gathered already (cli/listing.h).
 */
#include "cli/listing.h"

const struct control_vif *listing_said_of(const struct listing *l, const struct xen_vif *xen)
{
	for (size_t i = 0; i < l->daemon.count; i++)
		if (l->daemon.vifs[i].domid == xen->domid && l->daemon.vifs[i].devid == xen->devid)
			return &l->daemon.vifs[i];
	return NULL;
}

bool listing_is_blind(const struct listing *l, const struct present_row *row)
{
	const struct control_vif *v = row->live ? listing_said_of(l, row->live->xen) : NULL;

	return v && (v->flags & CONTROL_VIF_BLIND);
}

uint64_t listing_booked_as(const struct listing *l, enum byte_class c)
{
	return l->classes.bytes[DIR_INPUT][c] + l->classes.bytes[DIR_OUTPUT][c];
}

bool listing_is_split(const struct listing *l)
{
	for (int c = 0; c < CLASS_COUNT; c++)
		if (c != CLASS_UNATTRIBUTED && listing_booked_as(l, (enum byte_class)c))
			return true;
	return false;
}
