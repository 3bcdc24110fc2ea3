/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * split: one vif's total in one direction, divided into classes.
 *
 * Pure. T is what the kernel's counters say, S what the classifier saw cross an uplink. Always, to the byte:
 * growth of T = sum of the growth of all classes. The rest (T - S) only ever grows, by the growth of its
 * running maximum, and is local but for what may have crossed unseen; classes book min(S, T - rest); a
 * surplus of S waits one poll for its bytes in T, then is cut and counted as clipped. Only where the kernel
 * has thrown counters away does S raise T instead (estimated): at a teardown, and where a life of counters
 * ended.
 */
#ifndef XENBW_SPLIT_H
#define XENBW_SPLIT_H

#include <stdint.h>

#include "base/classes.h"

/* All zero at first. Bytes since then. */
struct split {
	uint64_t total;               /* T */
	uint64_t rest;                /* running maximum of T - S */
	uint64_t seen[CLASS_COUNT];   /* S by class, without what was clipped */
	uint64_t booked[CLASS_COUNT]; /* the part of `seen` that is booked */
	uint64_t seen_before;         /* sum of S at the poll before this one */
	unsigned lost;   /* polls in which what waited in vain was thrown away with T's counters */
	uint64_t missed; /* so much of the rest that stands behind what was seen early may be no local traffic
			  */
};

/* What one poll adds to the books. */
struct split_growth {
	uint64_t classes[CLASS_COUNT];
	uint64_t seen[CLASS_COUNT]; /* the part of `classes` that is not the rest */
	uint64_t cut[CLASS_COUNT];  /* what was seen, but never had its bytes in T */
	uint64_t clipped;           /* all of `cut` */
	uint64_t estimated;         /* by how much S raised T; is part of `classes` */
};

/* Nobody looked: all of the rest may have crossed. */
#define SPLIT_BLIND UINT64_MAX

/* One poll: T grew by total_growth, S by seen_growth (its CLASS_UNATTRIBUTED must be 0), of which `late`
 * crossed after T was read. Of the growth of the rest, at most `missed` bytes are unattributed: so many may
 * have crossed an uplink unseen, or under another name. The remainder is local. S is ahead of T by what is
 * late: as much of what was missed shows in the rest only when it is no longer ahead, and is remembered until
 * then. */
void split_poll(struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		uint64_t late, uint64_t missed, struct split_growth *growth);

/* At the poll that follows T is not known whole: what waits for its bytes in T has not waited in vain. */
void split_not_read(struct split *s);

/* Before the poll that follows a life of T's counters ended, its last ones unknown, and another one goes on:
 * what was seen by this poll and has no bytes in T at the next one either was in the life that ended, and
 * raises T. Not sooner: what crossed after T was read comes with the new life. */
void split_lost(struct split *s);

/* The last poll of a vif whose final counters are lost: as split_poll, but nothing is cut; T is raised to
 * what was seen. */
void split_teardown(struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		    uint64_t late, uint64_t missed, struct split_growth *growth);

/* Goes on where a split of before ended: only what was waiting there matters. All zero until then. */
void split_resume(struct split *s, const uint64_t waiting[CLASS_COUNT]);

/* What was seen and is neither booked nor cut yet. */
uint64_t split_waiting(const struct split *s);

/* What a split_poll with these would find too much, where `late` of seen_growth crossed after T was read: it
 * crossed before, and yet T cannot hold it. */
uint64_t split_surplus(const struct split *s, uint64_t total_growth, const uint64_t seen_growth[CLASS_COUNT],
		       uint64_t late);

#endif
