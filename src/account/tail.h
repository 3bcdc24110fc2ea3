/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tail: what a guest sent after the last reading of its counters, from a count that outlives them.
 *
 * Pure. netback throws its counters away with the guest; the kernel's programs count the same packets as they
 * come in from the device (attribution kernel), and go on. That count is read a moment after the counters, so
 * it may be ahead by what came in between, never behind. What it is ahead by at best is where the life began
 * in it: from there to its end is what the life's counters would have said at last, or less.
 */
#ifndef XENBW_TAIL_H
#define XENBW_TAIL_H

#include <stdbool.h>
#include <stdint.h>

/* What a guest sent: bytes of IP, and packets. */
struct sent {
	uint64_t bytes, packets;
};

/* All zero at first, and where nobody counts. */
struct tail {
	bool whole;           /* counted without a gap until now */
	bool settled;         /* `begin` is exact: nothing came in between the two readings */
	bool lent;            /* the life before ended where this one began, and was booked so */
	struct sent count;    /* since counting began here */
	struct sent begin;    /* of this life, in `count`; wraps where it began before. Not too small */
	struct sent counters; /* of this life, as read last */
	uint64_t grew;        /* bytes of `count`, when it was heard of last */
};

enum tail_verdict {
	TAIL_FITS,
	TAIL_MISSED, /* the counters had packets that the count has not */
	TAIL_MORE    /* the count had packets that the counters have not */
};

/* What is kept of it over a restart, to be gone on with from the count of the last hearing. */
struct tail_kept {
	struct sent ahead; /* of the counters, at that hearing, from the life's begin; wraps below 0 */
	bool settled, lent;
};

struct tail_kept tail_keep(const struct tail *t, struct sent counters);

/* Goes on from a ledger whose last reading of the counters was this; the count was read after it. */
void tail_resume(struct tail *t, struct sent counters, const struct tail_kept *kept);

/* The count has grown; NULL: that is not known. */
void tail_hear(struct tail *t, const struct sent *growth);

/* The counters, as read before the count was heard of. *later (bytes of this life that were taken for the
 * life's before; else 0) is to be taken off what is booked of this one. */
enum tail_verdict tail_read(struct tail *t, struct sent counters, struct sent *later);

/* What the count knows of the life that the counters do not: bytes that were sent, at the count's last
 * hearing. */
uint64_t tail_ahead(const struct tail *t, struct sent counters);

/* This life's last counters: what was sent in it by now, but for what the lives after it have sent since.
 * False: not known, or less than was read. */
bool tail_end(const struct tail *t, struct sent after, struct sent *end);

/* The life that follows, of which this was read. */
struct tail tail_next(const struct tail *before, struct sent counters);

#endif
