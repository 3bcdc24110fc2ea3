/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * stats: the counters of all devices in one RTM_GETSTATS dump.
 *
 * The dump asks only for IFLA_STATS_LINK_64, which is about a tenth of the cost of a full link dump.
 */
#ifndef XENBW_STATS_H
#define XENBW_STATS_H

#include "net/counters.h"

struct stats;

typedef void stats_fn(void *ctx, unsigned ifindex, const struct counters *counters);

/* On failure *s is NULL. */
int stats_open(struct stats **out, char **err);
void stats_close(struct stats *s);

/* Calls fn for each device there is; more than once where devices came or went meanwhile. */
int stats_dump(struct stats *s, stats_fn *fn, void *ctx, char **err);

#endif
