/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nat: which addresses the kernel translates, by its table of connections.
 *
 * What a translated guest sends leaves with dom0's address, so looking at the uplink cannot tell whose it
 * was. Reads the text of /proc/net/nf_conntrack; a line that is none is passed over.
 */
#ifndef XENBW_NAT_H
#define XENBW_NAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define NAT_TABLE "/proc/net/nf_conntrack"

/* An address that a connection is translated from (source) or to (target); IPv4 mapped. */
typedef void nat_fn(void *ctx, const uint8_t address[16]);

/* Reads at most `lines` lines from where `in` stands; true: there may be more. */
bool nat_scan(FILE *in, size_t lines, nat_fn *fn, void *ctx);

#endif
