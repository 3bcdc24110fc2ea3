/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * carry: what the daemon that ends with a reload hands to the next one, so that each byte is in one ledger.
 *
 * Where both write the same ledger there is nothing to do: it knows itself where it was left. Another one (a
 * new file, or one that was in use before) is told where the last one stopped, in its first commit. It is
 * told the ledgers apart by their uuid, not by their path.
 */
#ifndef XENBW_CARRY_H
#define XENBW_CARRY_H

#include "daemon/daemon.h"

struct carry {
	char *ledger; /* uuid; NULL: nothing is carried */
	struct ledger_baseline *last;
	size_t count;
};

/* Of a daemon that has committed all it has read (daemon_end). */
int carry_take(struct carry *c, const struct daemon *d, char **err);
void carry_free(struct carry *c);

/* Does the ledger that is open now go on from this? */
int carry_is_for(const struct carry *c, struct ledger *ledger, bool *is, char **err);

/* Tells the account, and commits. The ledger's devices are followed already. */
int carry_give(const struct carry *c, struct daemon *d, char **err);

#endif
