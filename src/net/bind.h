/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bind: which network devices belong to which vif.
 *
 * Pure. By netback's xenstore node where sysfs tells it, else by `vifname`, else by the name that the
 * toolstack gives (vif<domid>.<devid>, made from what xenstore says, never read out of a device's name); the
 * device of an HVM's emulated card (…-emu) belongs to the same vif. A device that was bound stays bound
 * through later renames.
 */
#ifndef XENBW_BIND_H
#define XENBW_BIND_H

#include "net/links.h"

struct binding {
	unsigned main; /* ifindex, 0 = none yet */
	unsigned emu;
};

/* Finds the devices of one vif; vifname is the admin's name for it, or NULL. `before` is its binding until
 * now (zeros at first): a device in it stays, for as long as it is in the table and no netback node speaks
 * against it. */
struct binding bind_vif(const struct links *links, unsigned domid, unsigned devid, const char *vifname,
			struct binding before);

#endif
