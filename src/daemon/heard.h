/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * heard: what xenbw-capture's worker said since the account was told last.
 *
 * The worker reads what strangers send, so that its word is checked before anything is kept: however many
 * answers come, what is kept stays small enough to be added up, and to be held in memory.
 */
#ifndef XENBW_HEARD_H
#define XENBW_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/capture.h"

#define HEARD_RECORDS (1u << 17)   /* more is nonsense */
#define HEARD_BYTES (1ULL << 56)   /* of all records; more is nonsense */
#define HEARD_DROPPED (1ULL << 32) /* packets of an answer; more is nonsense */

/* All zero at first. */
struct heard {
	struct capture_seen *list; /* sorted by vif after heard_sort */
	size_t count;
	uint64_t bytes; /* of all records: classes, late and spoofed ones */
	uint64_t stray_bytes[DIR_COUNT], stray_packets[DIR_COUNT], stray_late, dropped[DIR_COUNT];
	uint8_t stray_mac[6];
};

/* Adds an answer, whose table this is (the caller's); false where it is nonsense: then nothing is added. */
bool heard_add(struct heard *h, const struct capture_answer *a, int table);

/* Adds only what an answer says of packets that nobody saw; false as above. */
bool heard_add_dropped(struct heard *h, const struct capture_answer *a);

void heard_sort(struct heard *h);

/* The place of a vif's first record, or where it would be; sorted. */
size_t heard_first(const struct heard *h, int64_t vif);

/* By direction, the bytes that may have crossed an uplink under no vif's name or unseen: what the account has
 * to reckon with at this poll, and (*next) what of it may be in the counters only at the next one. When a
 * packet was dropped is not known: either may have it. */
void heard_missed(const struct heard *h, uint64_t missed[DIR_COUNT], uint64_t next[DIR_COUNT]);

/* Forgets all of it. */
void heard_clear(struct heard *h);

#endif
