/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/percentile.h"

#include <stdlib.h>

#include "base/mem.h"
#include "db/ledger.h"

#define DROPPED_OF 20 /* one of so many */

static int downwards(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

uint64_t percentile_95(uint64_t *values, size_t count)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), downwards);
	return values[count / DROPPED_OF];
}

/* Without a product that could be too large. */
static bool is_over(uint64_t bytes, uint64_t bits_per_second)
{
	uint64_t whole = bits_per_second / 8, rest = bits_per_second % 8; /* bytes, and bits, per second */

	return whole < UINT64_MAX / SLOT_SECONDS - 1 &&
	       bytes > whole * SLOT_SECONDS + rest * SLOT_SECONDS / 8;
}

struct percentile percentile_of(const struct usage_slots *s, uint64_t most)
{
	struct percentile p = {.slots = s->earlier + s->count};
	uint64_t *values = mem_array(s->count, sizeof(*values));

	for (int d = 0; d < DIR_COUNT; d++) {
		size_t n = 0;

		for (size_t i = 0; i < s->count; i++)
			if (s->observed[i])
				values[n++] = s->bytes[d][i];
		p.observed = n;
		p.bytes[d] = percentile_95(values, n);
	}
	for (size_t i = 0; i < s->count; i++)
		p.over += s->observed[i] &&
			  (is_over(s->bytes[DIR_INPUT][i], most) || is_over(s->bytes[DIR_OUTPUT][i], most));
	free(values);
	return p;
}

uint64_t percentile_larger(const struct percentile *p)
{
	return p->bytes[DIR_INPUT] > p->bytes[DIR_OUTPUT] ? p->bytes[DIR_INPUT] : p->bytes[DIR_OUTPUT];
}

uint64_t percentile_rate(uint64_t bytes)
{
	return bytes / SLOT_SECONDS + (bytes % SLOT_SECONDS >= SLOT_SECONDS / 2);
}

uint64_t percentile_projected(uint64_t bytes, int64_t from, int64_t seen, int64_t to)
{
	double more;

	if (seen >= to || seen <= from)
		return bytes;
	more = (double)bytes * (double)(to - seen) / (double)(seen - from);
	return more < 9e18 - (double)bytes ? bytes + (uint64_t)(more + 0.5) : UINT64_MAX;
}
