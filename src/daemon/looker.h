/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * looker: xenbwd's end of who looks at the uplinks: a worker of xenbw-capture, or xenbw-tc and the kernel.
 *
 * Has it started, tells it who has which device, MAC and address, and asks it at each poll. One that dies,
 * hangs or talks nonsense costs the split of those polls (unattributed), never a byte of a total; the loop
 * waits for it for some tenths of a second at most, and not again while it hangs. One that is only late (a
 * busy host) costs nothing: its answer is taken at the next poll.
 */
#ifndef XENBW_LOOKER_H
#define XENBW_LOOKER_H

#include "base/clock.h"
#include "daemon/heard.h"
#include "daemon/roster.h"

struct daemon;
struct looker;

/* `kernel`: xenbw-tc. Uplinks and roster are the caller's, who changes them and says so. NULL: no timer. */
struct looker *looker_new(struct daemon *d, bool kernel, const struct uplinks *uplinks,
			  const struct roster *roster);
void looker_free(struct looker *l);

/* The uplinks are others: on these from now on. */
void looker_start_anew(struct looker *l);

/* Who is there has changed. */
void looker_tell(struct looker *l);

/* The guard is gone: what it has started is let go, and no other is started. */
void looker_give_up(struct looker *l);

/* Waits until it looks, for a second or two at most. */
void looker_wait(struct looker *l);

/* Asks and listens; `counted`: when the reading of the counters began. False, if `patient`: it is late, but
 * so little that this reading should not be settled. */
bool looker_look(struct looker *l, struct mono counted, bool patient);

/* Since the last reading that was settled, not everything was seen. */
bool looker_is_blind(const struct looker *l);

bool looker_looks(const struct looker *l); /* and answered at the last poll */
bool looker_is_kernel(const struct looker *l);

/* What the kernel counted goes on, in what was heard since it was taken last, where it ended before; also
 * where the looker is blind for other reasons. Before looker_take. */
bool looker_goes_on(const struct looker *l);

/* Up to which position what was heard goes, for the ledger; 0: to none. */
uint64_t looker_position(const struct looker *l);

/* What was heard since this was called last; the caller's to clear. */
void looker_take(struct looker *l, struct heard *h);

#endif
