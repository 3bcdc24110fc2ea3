/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * message: what we read out of single rtnetlink messages.
 *
 * Pure: bytes in, values out; nothing outside the message's length is touched, malformed ones give false.
 */
#ifndef XENBW_MESSAGE_H
#define XENBW_MESSAGE_H

#include <linux/netlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/counters.h"

struct link_message {
	unsigned ifindex;
	unsigned master, lower; /* lower: the device that this one is made on (IFLA_LINK); 0 = none */
	char name[IFNAMSIZ];
	char type[16]; /* the kernel's name for the kind of a virtual device ("bridge", "veth"); "" for
			  hardware */
	bool has_mac;  /* an Ethernet address */
	uint8_t mac[6];
	bool has_carrier, carrier;
	bool has_carrier_down;
	uint32_t carrier_down;
	bool has_counters;
	struct counters counters;
};

/* RTM_NEWSTATS with IFLA_STATS_LINK_64. */
bool message_stats(const struct nlmsghdr *h, unsigned *ifindex, struct counters *c);

/* RTM_NEWLINK and RTM_DELLINK. */
bool message_link(const struct nlmsghdr *h, struct link_message *m);

/* RTM_NEWADDR and RTM_DELADDR: the device whose addresses changed. */
bool message_address(const struct nlmsghdr *h, unsigned *ifindex);

#endif
