/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * memory_ledger: takes batches as db/ledger does, and gives them back as a state, without a disk.
 *
 * For simulations of long times. What the real ledger's schema would refuse, and takes that do
 * not agree with the epochs of their vif, fail the test at once.
 */
#ifndef XENBW_MEMORY_LEDGER_H
#define XENBW_MEMORY_LEDGER_H

#include "db/ledger.h"
#include "sim.h"

struct memory_ledger;

struct memory_ledger *memory_ledger_new(const struct sim *s);
void memory_ledger_free(struct memory_ledger *m);

/* `boot` is the boot of the run that commits. */
void memory_ledger_commit(struct memory_ledger *m, const char *boot, const struct ledger_batch *batch);

/* A copy; ledger_state_free. Base lines of other boots are left out. */
struct ledger_state memory_ledger_state(const struct memory_ledger *m, const char *boot);

/* Everything that was booked to the bucket of a domain. */
void memory_ledger_booked(const struct memory_ledger *m, const char *uuid, struct class_bytes *booked);

/* By how much takes were raised beyond the counters; what was cut from the classifier's. */
uint64_t memory_ledger_estimated(const struct memory_ledger *m, enum direction dir);
uint64_t memory_ledger_clipped(const struct memory_ledger *m);

/* Everything that was booked under an address. */
void memory_ledger_booked_at(struct memory_ledger *m, const char *address, struct class_bytes *booked);

uint64_t memory_ledger_spoofed(const struct memory_ledger *m);

/* How many there were of a kind. */
unsigned memory_ledger_events(struct memory_ledger *m, const char *kind);

/* How many doubts there were about ends of epochs. */
unsigned memory_ledger_doubts(const struct memory_ledger *m);

#endif
