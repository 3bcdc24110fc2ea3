/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/split.h"

#include <string.h>

static uint64_t sum(const uint64_t v[CLASS_COUNT])
{
	uint64_t all = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		all += v[c];
	return all;
}

/* Shares `amount` among the classes in proportion to what each has pending (seen - booked), exactly: the
 * shares add up to amount, none exceeds its pending part. amount <= pending in all. */
static void share(const struct split *s, uint64_t amount, uint64_t shares[CLASS_COUNT])
{
	uint64_t all = sum(s->seen) - sum(s->booked), so_far = 0, given = 0;

	for (int c = 0; c < CLASS_COUNT; c++) {
		uint64_t upto;

		so_far += s->seen[c] - s->booked[c];
		upto = all ? (uint64_t)((unsigned __int128)amount * so_far / all) : 0;
		shares[c] = upto - given;
		given = upto;
	}
}

/* Books the classes up to `available` bytes in all. */
static void book(struct split *s, uint64_t available, struct split_growth *growth)
{
	uint64_t shares[CLASS_COUNT];

	share(s, available - sum(s->booked), shares);
	for (int c = 0; c < CLASS_COUNT; c++) {
		s->booked[c] += shares[c];
		growth->classes[c] += shares[c];
	}
}

static void cut(struct split *s, uint64_t amount, struct split_growth *growth)
{
	uint64_t shares[CLASS_COUNT];

	share(s, amount, shares);
	for (int c = 0; c < CLASS_COUNT; c++)
		s->seen[c] -= shares[c];
	growth->clipped += amount;
}

void split_poll(struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		enum byte_class rest_class, struct split_growth *growth)
{
	uint64_t seen, available;

	memset(growth, 0, sizeof(*growth));
	s->total += total_growth;
	for (int c = 0; c < CLASS_COUNT; c++)
		s->seen[c] += seen_growth[c];
	seen = sum(s->seen);
	if (s->total > seen && s->total - seen > s->rest) {
		growth->classes[rest_class] += s->total - seen - s->rest;
		s->rest = s->total - seen;
	}
	available = s->total - s->rest;
	book(s, available, growth);
	/* what was seen by the poll before and still has no bytes in T has waited long enough */
	if (s->seen_before > available)
		cut(s, s->seen_before - available, growth);
	s->seen_before = sum(s->seen);
}

void split_teardown(struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		    enum byte_class rest_class, struct split_growth *growth)
{
	uint64_t missing;

	s->seen_before = 0; /* the bytes that a surplus waited for were thrown away: it is not cut */
	split_poll(s, total_growth, seen_growth, rest_class, growth);
	missing = sum(s->seen) - (s->total - s->rest);
	s->total += missing;
	growth->estimated = missing;
	book(s, s->total - s->rest, growth);
}
