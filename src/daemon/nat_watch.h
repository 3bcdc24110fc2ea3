/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nat_watch: which routed vifs are behind this host's address translation.
 *
 * By evidence only: a connection of one of their addresses that the kernel translates. Costs nothing where no
 * vif is routed.
 */
#ifndef XENBW_NAT_WATCH_H
#define XENBW_NAT_WATCH_H

#include "base/clock.h"
#include "daemon/roster.h"

struct nat_watch;

/* `table`: the path of the kernel's connections (NAT_TABLE); the caller's. */
struct nat_watch *nat_watch_new(const char *table);
void nat_watch_free(struct nat_watch *w);

/* Who is there now; what is known of a vif stays while it has the address. */
void nat_watch_set(struct nat_watch *w, const struct roster *roster);

/* Looks at the kernel's connections, or at the next piece of a long table, where the last look was not too
 * costly for another one now: for some hundredths of a second at most. Returns a vif that was found to be
 * translated just now, 0 when there is no (further) one: to be called until then. *address is its. */
int64_t nat_watch_scan(struct nat_watch *w, struct mono now, const uint8_t **address);

bool nat_watch_has(const struct nat_watch *w, int64_t vif);

#endif
