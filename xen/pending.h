/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pending: what must be read again, by what xenstore's events say.
 *
 * An event is a path: something there or below it changed, came or went. Owns the set of what became pending,
 * each once, in the order in which it did. Pure: no I/O, cannot fail.
 */
#ifndef XENBW_PENDING_H
#define XENBW_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "xen/snapshot.h"
#include "xen/value.h"

#define PENDING_DOMAINS "/local/domain"
#define PENDING_BACKENDS PENDING_DOMAINS "/0/backend/vif"

/* In place of a devid: the list of a domain's vifs; a domain's own nodes. */
enum { DEVID_FOLDER = VALUE_DEVID_MAX + 1, DEVID_DOMAIN };

struct pending_key {
	unsigned domid, devid;
	unsigned state_events; /* for the state node of this vif, since they were last set to 0 */
};

struct pending_item;

/* Zeros make an empty one. */
struct pending {
	struct pending_item *items;
	bool domains;  /* the list of domains is pending */
	bool backends; /* the list of domains that have vifs is pending */
};

/* Takes in one event. Nodes that nobody reads are ignored for vifs that are in `known`. */
void pending_event(struct pending *p, const struct snapshot *known, const char *path);

void pending_add(struct pending *p, unsigned domid, unsigned devid);
void pending_remove(struct pending *p, unsigned domid, unsigned devid);

/* Sets the count of state events of a vif to 0 and returns what it was; 0 where the vif is not pending. */
unsigned pending_state_events(struct pending *p, unsigned domid, unsigned devid);

size_t pending_count(const struct pending *p);

/* Removes and returns the oldest; there must be one. */
struct pending_key pending_take(struct pending *p);

void pending_clear(struct pending *p);

#endif
