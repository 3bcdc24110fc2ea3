/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * live: the vifs that there are now, dom0's bridges, and what the kernel has counted for them.
 *
 * One look at xenstore, then one reading of all counters. Needs no daemon and writes nothing.
 */
#ifndef XENBW_LIVE_H
#define XENBW_LIVE_H

#include <net/if.h>

#include "net/counters.h"
#include "xen/directory.h"

struct live_device {
	unsigned ifindex;
	enum device_kind kind;
	struct counters counters;
};

struct live_vif {
	const struct xen_vif *xen;
	char netdev[IFNAMSIZ];         /* "" while it has none */
	struct live_device devices[2]; /* its own, and an HVM's emulated card */
	size_t device_count;
};

struct live {
	struct directory *directory;
	struct live_vif *vifs; /* sorted by domid, devid; first dom0's own devices in the vifs' bridges */
	size_t count;
	struct xen_vif *bridges; /* what xenstore would say of those */
	size_t bridge_count;
};

/* `known`: ifindexes of bridges that are dom0's too, should they still be there. Returns 0; or 1 where
 * xenstore cannot be reached (why is in *err); or -1. */
int live_read(struct live *l, const unsigned *known, size_t known_count, char **err);
void live_free(struct live *l);

/* What xenbw-xl says of each domain, as it printed it; NULL where it cannot be had. Allocated. */
char *live_states(void);

/* The word for a domain in that text; NULL where there is none. Allocated. */
char *live_state_of(const char *states, unsigned domid);

#endif
