/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * book: which slot is whose, and what was counted in it at the last few readings.
 *
 * Each reading has a position, a number that is never given out twice. The book is in memory that lives as
 * long as the counts do; a reading is whole or not there, whenever the process is killed. Two readings are
 * kept beside the one being made: that which the ledger holds, and the last.
 */
#ifndef XENBW_KERNEL_BOOK_H
#define XENBW_KERNEL_BOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/capture.h"
#include "kernel/layout.h"
#include "kernel/maps.h"

struct book;

struct book *book_new(struct maps *maps);
void book_free(struct book *b);

/* Is there a reading of that position? */
bool book_has(const struct book *b, uint64_t position);

/* Who is there from now on: first this, then book_slot for each of them, then book_settled. */
void book_begin(struct book *b);

/* The slot of a device, or of one address (16 bytes) behind it; it is made where there is none. 0: all are
 * taken. */
int book_slot(struct book *b, uint32_t ifindex, const uint8_t *address, int64_t vif, uint32_t *slot,
	      char **err);

/* Those that were not asked for are gone: their last growth is told by the next reading, and they are free
 * once the ledger has it. */
void book_settled(struct book *b);

/* Those that were made after this position are known by their devices alone: which vif they were told to be
 * is in no ledger. */
void book_back_to(struct book *b, uint64_t position);

/* A reading. Growth since `base` (0: none) as records, allocated; *position is the reading's own. `committed`
 * is the one that the ledger holds. */
struct capture_seen *book_read(struct book *b, uint64_t base, uint64_t committed, size_t *count,
			       uint64_t *position, char **err);

#endif
