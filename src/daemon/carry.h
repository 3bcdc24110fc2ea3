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

/* Where a ledger goes on. */
enum carry_way {
	CARRY_NOTHING, /* where it was left: no other one was written since */
	CARRY_LAST,    /* where the daemon before has left another one */
	CARRY_PRESENT /* with the present counters: it was left for another one, which nobody can ask any more
		       */
};

int carry_way(const struct carry *c, struct ledger *ledger, enum carry_way *way, char **err);

/* Refuses the file `path` where it is a copy of the ledger in use that lacks a commit of it: what it lacks
 * would be booked in both. */
int carry_check_copy(const struct ledger_tail *used, const struct ledger_tail *next, const char *path,
		     char **err);

/* Tells the account, and commits. The ledger's devices are followed already. */
int carry_give(const struct carry *c, struct daemon *d, char **err);

/* The same with the counters as they are now; an event says so. */
int carry_give_present(struct daemon *d, char **err);

#endif
