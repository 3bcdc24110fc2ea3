/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * percentile: the 95th percentile of a period's slots, as burstable lines are billed.
 *
 * Pure arithmetic. Of all slots that were observed the busiest twentieth is dropped (rounded down), for each
 * direction by itself; the busiest that is left is the percentile. A slot in which nothing could be observed
 * is no zero: it is left out. One that was observed and has no bytes is a zero.
 */
#ifndef XENBW_PERCENTILE_H
#define XENBW_PERCENTILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/classes.h"
#include "db/usage_slots.h"

struct percentile {
	uint64_t bytes[DIR_COUNT]; /* in a slot */
	size_t slots, observed;
	size_t over; /* slots with more than was asked about, in either direction */
};

/* Of `count` values, which it sorts; 0 of none. */
uint64_t percentile_95(uint64_t *values, size_t count);

/* `most` bits per second, in either direction: slots above are counted as `over`. */
struct percentile percentile_of(const struct usage_slots *s, uint64_t most);

/* Of input and output the one that is larger. */
uint64_t percentile_larger(const struct percentile *p);

/* Bytes in a slot as bytes per second, to the nearest. */
uint64_t percentile_rate(uint64_t bytes);

/* What a period will have had at its end, if it goes on as it was from `from` to `seen`. */
uint64_t percentile_projected(uint64_t bytes, int64_t from, int64_t seen, int64_t to);

#endif
