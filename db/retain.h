/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * retain: up to when a ledger's slots were retired, for its readers and for its writer.
 *
 * What is retired is kept as sums: one row for each bucket and vif, whose slot is RETIRED_SLOT. Identities
 * and totals hold with it; it belongs to no period. Reads only.
 */
#ifndef XENBW_RETAIN_H
#define XENBW_RETAIN_H

#include <sqlite3.h>
#include <stdint.h>

#define RETIRED_SLOT 0

/* Slots from here on are kept, at `now`, where so many months are (conf_kept_months): those of the present
 * calendar month, in any time zone, and of so many before it. */
int64_t retain_begin(int64_t now, unsigned months);

/* Slots before this one were retired; 0: none. */
int retain_read(sqlite3 *db, int64_t *until, char **err);

/* The oldest slot that not every sink has all takes of; INT64_MAX: none. */
int retain_held(sqlite3 *db, int64_t *slot, char **err);

#endif
