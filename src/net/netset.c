/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "net/netset.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAPPED 96 /* bits in front of a mapped IPv4 address */
#define INDEX_BITS 16

/* An address as numbers: IPv6 as it is, IPv4 in the upper 32 bits, so that both are flattened alike. */
struct key {
	uint64_t high, low;
};

/* A network that was added; its addresses are first..last. */
struct entry {
	struct key first, last;
	unsigned bits;
	uint8_t flag;
};

struct entries {
	struct entry *list;
	size_t count, room;
};

/* From `start` up to the next range's, addresses have these flags. The first range starts at 0. */
struct range {
	struct key start;
	uint8_t flags;
};

struct range4 {
	uint32_t start;
	uint8_t flags;
};

struct ranges {
	struct range *list;
	size_t count;
};

struct netset {
	struct entries ipv4, ipv6; /* empty once it is built */
	struct ranges ranges;      /* IPv6 */
	struct range4 *ranges4;
	size_t count4;
	/* by an IPv4 address's upper bits: the last range that starts at or before the first such address;
	 * behind them one more entry, the last range of all */
	uint32_t *index;
	unsigned index_shift;
};

static int compare(struct key a, struct key b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

static struct key key_of(const uint8_t address[16])
{
	uint64_t half[2];

	memcpy(half, address, sizeof(half));
	return (struct key){be64toh(half[0]), be64toh(half[1])};
}

static bool is_mapped(struct key k)
{
	return k.high == 0 && k.low >> 32 == 0xffff;
}

/* ---- adding ---- */

/* All bits set but the first n of 64. */
static uint64_t behind(unsigned n)
{
	return n < 64 ? UINT64_MAX >> n : 0;
}

static void add(struct netset *s, const struct network *n, uint8_t flag)
{
	bool ipv4 = network_is_ipv4(n);
	struct entries *to = ipv4 ? &s->ipv4 : &s->ipv6;
	struct entry e = {.first = key_of(n->address), .bits = n->bits, .flag = flag};

	if (ipv4) {
		e.first = (struct key){e.first.low << 32, 0};
		e.bits -= MAPPED;
	}
	e.last.high = e.first.high | behind(e.bits);
	e.last.low = e.first.low | behind(e.bits > 64 ? e.bits - 64 : 0);
	if (to->count == to->room) {
		to->room = to->room ? to->room * 2 : 16;
		to->list = mem_resize(to->list, to->room, sizeof(*to->list));
	}
	to->list[to->count++] = e;
}

struct netset *netset_new(void)
{
	return mem_alloc(sizeof(struct netset));
}

void netset_free(struct netset *s)
{
	if (!s)
		return;
	free(s->ipv4.list);
	free(s->ipv6.list);
	free(s->ranges.list);
	free(s->ranges4);
	free(s->index);
	free(s);
}

void netset_add(struct netset *s, const struct networks *list, uint8_t flag)
{
	for (size_t i = 0; i < list->count; i++)
		add(s, &list->list[i], flag);
}

/* ---- flattening ---- */

/* A network stands before those that are inside it. */
static int by_start(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare(x->first, y->first);

	return order ? order : (x->bits > y->bits) - (x->bits < y->bits);
}

/* From `start` on it is `flags`: replaces what was said for the same start; says nothing twice. */
static void begin_range(struct ranges *r, struct key start, uint8_t flags)
{
	if (r->count && compare(r->list[r->count - 1].start, start) == 0)
		r->count--;
	if (r->count && r->list[r->count - 1].flags == flags)
		return;
	r->list[r->count++] = (struct range){start, flags};
}

/* The networks around the place that the sweep has reached, from the outermost to the innermost, each with
 * the flags of those around it. Several of one length may lie on one another. */
struct around {
	struct {
		struct key last;
		uint8_t flags;
	} * list;
	size_t depth;
};

static uint8_t flags_around(const struct around *a)
{
	return a->depth ? a->list[a->depth - 1].flags : 0;
}

/* Leaves the networks that end before `place`, or all where it is NULL. */
static void leave(struct around *a, const struct key *place, struct ranges *out)
{
	while (a->depth && (!place || compare(a->list[a->depth - 1].last, *place) < 0)) {
		struct key next = a->list[--a->depth].last;

		if (++next.low == 0)
			next.high++;
		if (next.high || next.low) /* else it was the last address there is */
			begin_range(out, next, flags_around(a));
	}
}

/* Networks are either nested or apart, so that one sweep over them in order does it. Frees the entries. */
static struct ranges flatten(struct entries *e)
{
	struct ranges out = {.list = mem_array(2 * e->count + 1, sizeof(*out.list))};
	struct around a = {.list = mem_array(e->count + 1, sizeof(*a.list))};

	if (e->count)
		qsort(e->list, e->count, sizeof(*e->list), by_start);
	begin_range(&out, (struct key){0, 0}, 0);
	for (size_t i = 0; i < e->count; i++) {
		uint8_t flags;

		leave(&a, &e->list[i].first, &out);
		flags = flags_around(&a) | e->list[i].flag;
		a.list[a.depth].last = e->list[i].last;
		a.list[a.depth++].flags = flags;
		begin_range(&out, e->list[i].first, flags);
	}
	leave(&a, NULL, &out);
	free(a.list);
	free(e->list);
	*e = (struct entries){0};
	return out;
}

/* No larger than the ranges are many: a small set stays in the cache. */
static void build_index(struct netset *s)
{
	unsigned bits = 1;
	uint32_t at = 0;

	while (bits < INDEX_BITS && (size_t)1 << bits < s->count4)
		bits++;
	s->index_shift = 32 - bits;
	s->index = mem_array(((size_t)1 << bits) + 1, sizeof(*s->index));
	for (uint32_t i = 0; i >> bits == 0; i++) {
		while (at + 1 < s->count4 && s->ranges4[at + 1].start <= i << s->index_shift)
			at++;
		s->index[i] = at;
	}
	s->index[(size_t)1 << bits] = (uint32_t)s->count4 - 1;
}

void netset_build(struct netset *s)
{
	struct ranges wide = flatten(&s->ipv4);

	s->ranges = flatten(&s->ipv6);
	s->count4 = wide.count;
	s->ranges4 = mem_array(wide.count, sizeof(*s->ranges4));
	for (size_t i = 0; i < wide.count; i++)
		s->ranges4[i] =
			(struct range4){(uint32_t)(wide.list[i].start.high >> 32), wide.list[i].flags};
	free(wide.list);
	build_index(s);
}

/* ---- looking ---- */

static uint8_t flags_ipv4(const struct netset *s, uint32_t address)
{
	const uint32_t *index = s->index + (address >> s->index_shift);
	const struct range4 *at = s->ranges4 + index[0];
	uint32_t count = index[1] - index[0] + 1;

	/* the half is added by arithmetic: a branch here is a coin toss, twice as dear */
	while (count > 1) {
		uint32_t half = count / 2;

		/* NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result): it is 0 or half */
		at += (at[half].start <= address) * half;
		count -= half;
	}
	return at->flags;
}

static uint8_t flags_ipv6(const struct netset *s, struct key address)
{
	const struct range *at = s->ranges.list;
	size_t count = s->ranges.count;

	while (count > 1) {
		size_t half = count / 2;

		if (compare(at[half].start, address) <= 0)
			at += half;
		count -= half;
	}
	return at->flags;
}

uint8_t netset_flags(const struct netset *s, const uint8_t address[16])
{
	struct key k = key_of(address);

	return is_mapped(k) ? flags_ipv4(s, (uint32_t)k.low) : flags_ipv6(s, k);
}
