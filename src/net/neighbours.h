/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * neighbours: which MAC this host last heard for an IPv4 address, and which addresses are its own.
 *
 * Asks the kernel once and keeps nothing open. What the kernel's table says is what some machine said of
 * itself: a hint.
 */
#ifndef XENBW_NEIGHBOURS_H
#define XENBW_NEIGHBOURS_H

#include <net/if.h>
#include <stdio.h>

#include "config/network.h"

struct neighbour {
	struct network address;
	char mac[18];          /* lower case; "" for an address of this host */
	char device[IFNAMSIZ]; /* by which it was heard, or which has it */
};

struct neighbours {
	struct neighbour *list;
	size_t count;
};

/* Adds what the kernel's ARP table has. */
int neighbours_heard(struct neighbours *n, char **err);

/* Adds this host's own addresses, but for loopback's. */
int neighbours_own(struct neighbours *n, char **err);

void neighbours_free(struct neighbours *n);

/* Adds what a text in the form of /proc/net/arp says; lines that are none of it are passed over. */
void neighbours_parse(struct neighbours *n, FILE *in);

#endif
