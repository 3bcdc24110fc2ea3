/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_crossing: what was reached of quotas, so that each is told once in a period, whatever ends
 * meanwhile.
 *
 * A crossing is written, and durable, before its hook is called: who finds it here calls nothing. xenbwd
 * writes them; readers use db/quota_usage.h.
 */
#ifndef XENBW_LEDGER_CROSSING_H
#define XENBW_LEDGER_CROSSING_H

#include "db/ledger.h"
#include "ipc/crossing.h"

/* Writes it, and an event beside it. `outcome`: of a hook; NULL: not known yet. Returns 1 and its id; 0: it
 * is there already. */
int ledger_crossing_add(struct ledger *l, const struct crossing *c, const char *outcome, int64_t *id,
			char **err);

/* What became of its hook. */
int ledger_crossing_ended(struct ledger *l, int64_t id, int64_t now, const char *outcome, char **err);

/* Takes one back whose hook was certainly not called. */
int ledger_crossing_drop(struct ledger *l, int64_t id, char **err);

/* One whose hook's end is not known, but for `busy` (0: none), gets `outcome`: then 1, and *told (allocated)
 * says which it was. 0: there is none any more. */
int ledger_crossing_lost(struct ledger *l, int64_t busy, int64_t now, const char *outcome, char **told,
			 char **err);

#endif
