/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * portion: divides an amount among parts, in proportion to them and exactly.
 *
 * Pure. One part after the other is asked for its share: the shares add up to the amount, and none is larger
 * than its part.
 */
#ifndef XENBW_PORTION_H
#define XENBW_PORTION_H

#include <stdint.h>

struct portion {
	uint64_t amount, parts; /* to be divided; all parts together */
	uint64_t so_far, given; /* parts that had their turn, and what they got */
};

/* amount <= parts. */
struct portion portion_of(uint64_t amount, uint64_t parts);

/* The next part's share. The parts must add up to what portion_of was told. */
uint64_t portion_next(struct portion *p, uint64_t part);

#endif
