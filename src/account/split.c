/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/split.h"

#include <string.h>

#include "account/portion.h"

static uint64_t sum(const uint64_t v[CLASS_COUNT])
{
	uint64_t all = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		all += v[c];
	return all;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The running maximum of T - S, once T and S are these. */
static uint64_t rest_of(const struct split *s, uint64_t total, uint64_t seen)
{
	return total > seen && total - seen > s->rest ? total - seen : s->rest;
}

uint64_t split_waiting(const struct split *s)
{
	return sum(s->seen) - sum(s->booked);
}

/* T, S and the rest count from here: T is behind S + rest by what waits, as it was. */
void split_resume(struct split *s, const uint64_t waiting[CLASS_COUNT])
{
	memcpy(s->seen, waiting, sizeof(s->seen));
	s->seen_before = sum(s->seen);
}

uint64_t split_surplus(const struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		       uint64_t late)
{
	uint64_t grew = sum(seen_growth), seen = sum(s->seen) + grew, total = s->total + total_growth;
	uint64_t available = total - rest_of(s, total, seen), early = seen - smaller(late, grew);

	return early > available ? early - available : 0;
}

/* Shares `amount` among the classes in proportion to what each has waiting. */
static void share(const struct split *s, uint64_t amount, uint64_t shares[CLASS_COUNT])
{
	struct portion p = portion_of(amount, split_waiting(s));

	for (int c = 0; c < CLASS_COUNT; c++)
		shares[c] = portion_next(&p, s->seen[c] - s->booked[c]);
}

/* Books the classes up to `available` bytes in all. */
static void book(struct split *s, uint64_t available, struct split_growth *growth)
{
	uint64_t shares[CLASS_COUNT];

	share(s, available - sum(s->booked), shares);
	for (int c = 0; c < CLASS_COUNT; c++) {
		s->booked[c] += shares[c];
		growth->seen[c] += shares[c];
		growth->classes[c] += shares[c];
	}
}

static void cut(struct split *s, uint64_t amount, struct split_growth *growth)
{
	share(s, amount, growth->cut);
	for (int c = 0; c < CLASS_COUNT; c++)
		s->seen[c] -= growth->cut[c];
	growth->clipped = amount;
}

/* The rest has grown: at most `missed` of it, and what the polls before left open, was no local traffic. */
static void book_rest(struct split *s, uint64_t grew, uint64_t missed, struct split_growth *growth)
{
	uint64_t bound = missed > UINT64_MAX - s->missed ? UINT64_MAX : missed + s->missed;
	uint64_t unattributed = smaller(grew, bound);

	growth->classes[CLASS_UNATTRIBUTED] += unattributed;
	growth->classes[CLASS_LOCAL] += grew - unattributed;
	s->missed = bound - unattributed;
}

static void raise_total(struct split *s, uint64_t amount, struct split_growth *growth)
{
	s->total += amount;
	growth->estimated = amount;
	book(s, s->total - s->rest, growth);
}

void split_poll(struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		uint64_t late, uint64_t missed, struct split_growth *growth)
{
	uint64_t rest, available;

	memset(growth, 0, sizeof(*growth));
	s->total += total_growth;
	for (int c = 0; c < CLASS_COUNT; c++)
		s->seen[c] += seen_growth[c];
	rest = rest_of(s, s->total, sum(s->seen));
	book_rest(s, rest - s->rest, missed, growth);
	s->rest = rest;
	available = s->total - s->rest;
	book(s, available, growth);
	/* what was seen by the poll before and still has no bytes in T has waited long enough */
	if (s->seen_before > available && s->lost > 0)
		raise_total(s, s->seen_before - available, growth);
	else if (s->seen_before > available)
		cut(s, s->seen_before - available, growth);
	if (s->lost > 0)
		s->lost--;
	s->seen_before = sum(s->seen);
	/* No more of the rest than that can stand behind what was seen early. What waits tells it only where
	 * nothing was missed: bytes that were not seen leave room in T for those seen early. */
	s->missed = smaller(s->missed, larger(split_waiting(s), smaller(late, sum(seen_growth))));
}

void split_not_read(struct split *s)
{
	s->seen_before = 0;
	if (s->lost > 0)
		s->lost++;
}

void split_lost(struct split *s)
{
	s->lost = 2; /* what waits since the poll before, and what begins to wait now */
}

void split_teardown(struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		    uint64_t late, uint64_t missed, struct split_growth *growth)
{
	split_not_read(s); /* the bytes that a surplus waited for were thrown away: it is not cut */
	split_poll(s, total_growth, seen_growth, late, missed, growth);
	s->missed = s->lost = 0;
	raise_total(s, split_waiting(s), growth);
}
