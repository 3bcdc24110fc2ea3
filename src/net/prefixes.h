/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * prefixes: the networks of several lists, each with all lists that it lies in: what a longest match needs.
 *
 * Pure; cannot fail. The longest prefix that holds an address has the flags that netset_flags gives for it.
 * 0.0.0.0/0 is always among them, so that an IPv4 address (mapped) never finds an IPv6 network around it.
 */
#ifndef XENBW_PREFIXES_H
#define XENBW_PREFIXES_H

#include <stdint.h>

#include "config/network.h"

struct prefix {
	struct network network;
	uint8_t flags;
};

/* All zero at first. */
struct prefixes {
	struct prefix *list;
	size_t count, room;
};

void prefixes_free(struct prefixes *p);

/* Adds a copy of a list under a flag (one bit). */
void prefixes_add(struct prefixes *p, const struct networks *list, uint8_t flag);

/* After the last list: gives each network the flags of those around it. None is there twice. */
void prefixes_build(struct prefixes *p);

#endif
