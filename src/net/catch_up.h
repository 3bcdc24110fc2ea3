/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * catch_up: waits until what vifs' counters have by now has come to the uplinks.
 *
 * A packet is counted at its vif before it crosses the bridge. Mostly that takes microseconds; on a busy host
 * it may lie in a processor's backlog meanwhile, which /proc/net/softnet_stat tells. What waits in an
 * uplink's queue for longer is beyond this.
 */
#ifndef XENBW_CATCH_UP_H
#define XENBW_CATCH_UP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CATCH_UP_LEAST_MS 20
#define CATCH_UP_MOST_MS 200

/* Called some hundred times a second during the wait, so that no ring overflows, and last when it ends; -1
 * ends it. */
typedef int catch_up_fn(void *ctx, char **err);

/* What catch_up_wait looks at; to be opened while files can be, closed by fclose. NULL: the kernel has none.
 */
FILE *catch_up_open(void);

/* Waits for at least CATCH_UP_LEAST_MS, then until each processor's backlog was seen empty once since the
 * call (NULL: no longer), but no longer than CATCH_UP_MOST_MS in all. Returns 0, or fn's -1. */
int catch_up_wait(FILE *backlogs, catch_up_fn *fn, void *ctx, char **err);

/* One look at the backlogs: takes those processors out of `busy` (a bit each, for the first 64) whose backlog
 * is empty. Of a text that is none all are taken out. */
void catch_up_look(FILE *in, uint64_t *busy);

#endif
