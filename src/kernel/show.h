/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show: what of ours is in the kernel, and what it counted, as lines of tab-separated fields.
 *
 * Reads the pinned maps as they are, beside a xenbw-tc that works with them or without one; changes nothing,
 * and waits for nobody. Lines, in this order:
 *
 *   program IFINDEX DEVICE ingress|egress there|missing
 *   count VIF IFINDEX DEVICE ADDRESS input|output CLASS BYTES PACKETS SEGMENTS
 *   sent VIF IFINDEX DEVICE BYTES PACKETS
 *
 * DEVICE, and ADDRESS where the count is of all of a vif's, are `-` where there is none (any more). VIF is
 * the ledger's id, 0 where no xenbwd has told it. Segments are packets as they are on a wire. A place in the
 * map that another vif had before goes on from that one's numbers, so it is their growth that tells
 * something.
 */
#ifndef XENBW_KERNEL_SHOW_H
#define XENBW_KERNEL_SHOW_H

#include <stdio.h>

/* 1: nothing of ours is in the kernel. Maps of another version's layout are an error. */
int show_write(FILE *out, const char *folder, char **err);

#endif
