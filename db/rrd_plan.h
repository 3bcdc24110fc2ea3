/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_plan: which updates an RRD file still needs, worked out from the ledger's slots.
 *
 * Pure: no I/O, no clock. Values are cumulative and stand at a slot's end. Where nothing is known of a bucket
 * (no byte, no life) the file gets no update; before the first slot after such a gap it gets a base update,
 * the old values at the slot's start, so that the slot's bytes are spread over that slot alone. With that the
 * stored rate times 300 is the slot's bytes.
 *
 * What RRD makes of it: a gap longer than the heartbeat (two slots) is unknown, a shorter one is 0. The sums
 * are 64-bit and wrap after 18 exabytes: the wrap costs one slot in the file. librrd subtracts them as
 * decimal strings, so nothing is lost above 2^53 or 2^63; one slot alone is exact up to 2^50 bytes.
 */
#ifndef XENBW_RRD_PLAN_H
#define XENBW_RRD_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define RRD_STEP 300 /* seconds in a slot */

/* input, output, peer_input, peer_output, direct_input, direct_output, local_input, local_output */
#define RRD_COLUMNS 8

/* Bytes of a bucket in the slot that starts at `slot`. */
struct rrd_slot {
	int64_t slot;
	uint64_t bytes[RRD_COLUMNS];
};

/* A time in which a bucket was live and observed: [from, to). */
struct rrd_life {
	int64_t from, to;
};

/* What the ledger says of one bucket: slots ascending and unique, lives ascending and apart. */
struct rrd_usage {
	struct rrd_slot *slots;
	size_t slot_count;
	struct rrd_life *lives;
	size_t life_count;
};

/* Where a file stands: its last update (0: there is no file yet) and the values it had then. */
struct rrd_tail {
	int64_t last_update;
	uint64_t value[RRD_COLUMNS];
};

struct rrd_update {
	int64_t time;
	uint64_t value[RRD_COLUMNS];
};

struct rrd_updates {
	struct rrd_update *list; /* free() */
	size_t count;
};

/* The start of the slot that `time` lies in. */
int64_t rrd_slot_of(int64_t time);

/* The updates for the slots in [from, to), and moves `tail` on to the last of them. `from` and `to` are slot
 * edges. None is at or before the file's last update.
 *
 * Of a slot that the file already covers in part (another program wrote last at 10:03:27) the bytes are taken
 * to be spread evenly over the time in which the bucket was live; those after the last update are added at
 * the slot's end. So this slot is exact where xenbw began to count after that update, and an estimate where
 * both counted at the same time. */
void rrd_plan(struct rrd_tail *tail, int64_t from, int64_t to, const struct rrd_usage *usage,
	      struct rrd_updates *out);

void rrd_usage_free(struct rrd_usage *u);

#endif
