/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * links: the table of network devices, kept up to date by rtnetlink events.
 *
 * Owns two sockets: one for events, one for questions. When events were lost (ENOBUFS) it dumps the table
 * again and reports the differences as events. Knows nothing of domains. Reads sysfs only to tell netback's
 * devices and their xenstore node. All functions return -1 with an error text when the kernel refuses.
 */
#ifndef XENBW_LINKS_H
#define XENBW_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "net/counters.h"

struct link {
	unsigned ifindex;
	unsigned master; /* ifindex of its bridge, 0 = none */
	unsigned lower;  /* of a VLAN: ifindex of the device that it is on; of a veth: of its other end */
	uint32_t carrier_down; /* how often the carrier went down (IFLA_CARRIER_DOWN_COUNT) */
	bool carrier;
	enum device_kind kind;
	char name[IFNAMSIZ];
	char type[16]; /* of a virtual device: "bridge", "veth", "tun", "bond"; "" for hardware and netback */
	bool has_mac;
	uint8_t mac[6];
	struct mono appeared; /* when that was told; 0: it was there before, or a refresh found it */
	char *nodename;       /* netback only: "backend/vif/2/0", whatever the device is called; or NULL */
};

/* What happened to one device; LINK_ADDRESSES: it has other IP addresses (which are not in the table), or may
 * have, where events were lost. `counters` are those that the kernel put into the message, NULL where it had
 * none: as old as the message is, so not comparable with a later dump. */
enum link_event { LINK_APPEARED, LINK_RENAMED, LINK_CHANGED, LINK_GONE, LINK_ADDRESSES };
typedef void links_fn(void *ctx, enum link_event event, const struct link *link,
		      const struct counters *counters);

struct links;

/* Subscribes, then reads the whole table (no events are reported for it). On failure *l is NULL. */
int links_open(struct links **out, char **err);
void links_close(struct links *l);

/* Descriptor that becomes readable when there are events. */
int links_fd(const struct links *l);

/* Handles all waiting events. A link passed to fn is valid during the call. */
int links_drain(struct links *l, links_fn *fn, void *ctx, char **err);

/* Asks the kernel for one device now; updates the table without reporting an event. 1 = it is gone. */
int links_refresh(struct links *l, unsigned ifindex, char **err);

/* By ifindex, by name, by netback's xenstore node; NULL when there is none. Valid until the next drain or
 * refresh. */
const struct link *links_find(const struct links *l, unsigned ifindex);
const struct link *links_named(const struct links *l, const char *name);
const struct link *links_of_node(const struct links *l, const char *nodename);

/* All of them: the first after `before`, which is NULL at the start; NULL at the end. */
const struct link *links_next(const struct links *l, const struct link *before);

#endif
