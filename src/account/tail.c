/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/tail.h"

static struct sent minus(struct sent a, struct sent b)
{
	return (struct sent){a.bytes - b.bytes, a.packets - b.packets};
}

/* Numbers that wrap: is a behind b? */
static bool is_behind(uint64_t a, uint64_t b)
{
	return a - b > UINT64_MAX / 2;
}

struct tail_kept tail_keep(const struct tail *t, struct sent counters)
{
	if (!t->whole)
		return (struct tail_kept){0};
	return (struct tail_kept){minus(minus(t->count, counters), t->begin), t->settled,
				  t->lent && !t->settled};
}

void tail_resume(struct tail *t, struct sent counters, const struct tail_kept *kept)
{
	*t = (struct tail){.whole = true,
			   .settled = kept->settled,
			   .lent = kept->lent,
			   .begin = minus(minus((struct sent){0}, counters), kept->ahead),
			   .counters = counters};
}

void tail_hear(struct tail *t, const struct sent *growth)
{
	if (!growth) { /* it begins anew, at no more than this life has sent */
		*t = (struct tail){.counters = t->counters};
		return;
	}
	t->whole = true;
	t->count.bytes += growth->bytes;
	t->count.packets += growth->packets;
	t->grew = growth->bytes;
}

enum tail_verdict tail_read(struct tail *t, struct sent counters, struct sent *later)
{
	struct sent begin = minus(t->count, counters);
	bool quiet = t->grew == 0 && counters.bytes == t->counters.bytes;
	enum tail_verdict verdict = TAIL_FITS;

	*later = (struct sent){0};
	t->counters = counters;
	if (!t->whole)
		return TAIL_FITS;
	if (is_behind(begin.bytes, t->begin.bytes)) {
		if (t->settled)
			verdict = TAIL_MISSED;
		else if (t->lent)
			*later = minus(t->begin, begin);
		t->begin = begin;
	} else if (begin.bytes - t->begin.bytes > t->grew) { /* more than what came in between */
		verdict = TAIL_MORE;
		t->begin = begin;
	}
	t->settled = quiet || (t->settled && verdict == TAIL_FITS);
	return verdict;
}

uint64_t tail_ahead(const struct tail *t, struct sent counters)
{
	uint64_t begin = t->count.bytes - counters.bytes;

	return t->whole && !is_behind(begin, t->begin.bytes) ? begin - t->begin.bytes : 0;
}

bool tail_end(const struct tail *t, struct sent after, struct sent *end)
{
	*end = minus(minus(t->count, after), t->begin);
	if (is_behind(end->packets, t->counters.packets)) /* what came in between were many, small ones */
		end->packets = t->counters.packets;
	return t->whole && !is_behind(end->bytes, t->counters.bytes);
}

struct tail tail_next(const struct tail *before, struct sent counters)
{
	struct tail t = *before;

	t.begin = minus(t.count, counters);
	t.counters = counters;
	t.settled = false;
	t.lent = true;
	return t;
}
