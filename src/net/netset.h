/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * netset: which of several lists of networks an address is in, in one look.
 *
 * Pure; cannot fail. Lists may overlap, nest and repeat; an address is in a list if any network of the list
 * holds it, as network_contains has it: ::/0 is every IPv6 address and no IPv4 one, 0.0.0.0/0 the reverse.
 *
 * Built once, then only asked. The networks are flattened into ranges that do not overlap. With 100,000
 * networks a look at an IPv4 address is one step by its upper bits and two or three more; at an IPv6 one it
 * is a binary search of some 18 steps.
 */
#ifndef XENBW_NETSET_H
#define XENBW_NETSET_H

#include <stdint.h>

#include "config/network.h"

struct netset;

/* An empty set; to be built as well before it is asked. */
struct netset *netset_new(void);
void netset_free(struct netset *s);

/* Adds a copy of a list under a flag (one bit). To be called before netset_build. */
void netset_add(struct netset *s, const struct networks *list, uint8_t flag);

void netset_build(struct netset *s);

/* The flags of all lists that the address (IPv4 mapped) is in. */
uint8_t netset_flags(const struct netset *s, const uint8_t address[16]);

#endif
