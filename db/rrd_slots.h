/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_slots: what an RRD file has of each slot, as text, for who does not link librrd.
 *
 * Linked into xenbw-graph alone: librrd may die of a damaged file. Reads only.
 */
#ifndef XENBW_RRD_SLOTS_H
#define XENBW_RRD_SLOTS_H

#include <stdint.h>
#include <stdio.h>

/* "last TIME", then for each slot in [from, to), as far as there is an archive of them, "TIME INPUT OUTPUT":
 * its start, and bytes ("-" where they are not known). -1: librrd's error says why. */
int rrd_slots_print(const char *file, int64_t from, int64_t to, FILE *out);

#endif
