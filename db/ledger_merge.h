/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_merge: lives of one device's counters that followed each other in one slot become one epoch.
 *
 * A guest can end such a life whenever it likes, many times a second, and the ledger must not grow with that.
 * What is merged are lives that began at 0 and whose readings nobody doubts to have grown; sums, and what the
 * counters said, stay to the byte. Rows that do not look like that stay as they are.
 */
#ifndef XENBW_LEDGER_MERGE_H
#define XENBW_LEDGER_MERGE_H

#include "db/ledger.h"

/* Follows the number of lives, in the reason of an epoch that was made of them. */
#define LEDGER_LIVES " lives in five minutes; the last one: "

/* Looks at the next `limit` epochs, after those of the last time, which belong to slots before open_slot; in
 * one transaction. */
int ledger_merge(struct ledger *l, int64_t open_slot, unsigned limit, char **err);

#endif
