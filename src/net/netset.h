/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * netset: which of several lists of networks an address is in, in one look.
 *
 * Pure. Lists may overlap, nest and repeat; an address is in a list if any network of the list holds it.
 * Built once, then only asked; 100,000 networks cost some 20 steps a look.
 */
#ifndef XENBW_NETSET_H
#define XENBW_NETSET_H

#include <stdint.h>

#include "config/network.h"

struct netset;

/* An empty set. */
struct netset *netset_new(void);
void netset_free(struct netset *s);

/* Adds a list under a flag (one bit). To be called before netset_build. */
void netset_add(struct netset *s, const struct networks *list, uint8_t flag);

void netset_build(struct netset *s);

/* The flags of all lists that the address (IPv4 mapped) is in. */
uint8_t netset_flags(const struct netset *s, const uint8_t address[16]);

#endif
