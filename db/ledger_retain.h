/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_retain: old slots leave the ledger, a few at a time (db/retain.h says what stays of them).
 *
 * Only what every sink has passed is in slots; where a sink lags so far that takes of an old slot are there,
 * that slot and all later ones stay.
 */
#ifndef XENBW_LEDGER_RETAIN_H
#define XENBW_LEDGER_RETAIN_H

#include "db/ledger.h"

/* Retires slots before `begin`, the oldest first, in one transaction: about `limit` rows at most, and whole
 * slots. Sums do not change. *held: a sink holds such slots back. */
int ledger_retire(struct ledger *l, int64_t begin, unsigned limit, bool *held, char **err);

#endif
