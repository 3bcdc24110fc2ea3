/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * uplinks: the devices that lead out of the host.
 *
 * Pure: chooses from the table of links. `device` lines name them; without one (or with `auto`) they are what
 * a bridge has for ports besides vifs.
 */
#ifndef XENBW_UPLINKS_H
#define XENBW_UPLINKS_H

#include "config/conf.h"
#include "net/links.h"

struct uplinks {
	unsigned *list; /* ifindexes, ascending */
	size_t count;
};

/* Whether a device is a vif's; of a bridge that vifs are in: whether it is dom0's. */
typedef bool uplinks_is_vif_fn(void *ctx, unsigned ifindex);

/* `before` is the choice until now: a port once chosen stays while it is one. Of each bridge: its hardware
 * ports (bonds, VLANs and tunnels too); else its only other port. Taps are an HVM's, and
 * dummies lead nowhere. *why (allocated, or
 * NULL) says what is missing and what to write. Returns the new choice; free with uplinks_free. */
struct uplinks uplinks_choose(const struct links *links, const struct conf_texts *devices,
			      uplinks_is_vif_fn *is_vif, void *ctx, const struct uplinks *before, char **why);
void uplinks_free(struct uplinks *u);

bool uplinks_equal(const struct uplinks *a, const struct uplinks *b);
bool uplinks_have(const struct uplinks *u, unsigned ifindex);

/* A VLAN on an uplink: what leaves by it is seen there. */
bool uplinks_see_below(const struct uplinks *u, const struct link *link);

/* The bridges that an uplink, or a VLAN on it, is a port of: a set like that of the uplinks. */
struct uplinks uplinks_bridges(const struct uplinks *u, const struct links *links);

#endif
