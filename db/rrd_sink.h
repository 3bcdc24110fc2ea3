/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_sink: brings the RRD files up to what the ledger holds, one pass after the other.
 *
 * Remembers between passes only what it has said about which file, and which files have all of their buckets:
 * those are not opened again until their buckets go on, nor made anew where somebody removes them. All else
 * comes from the ledger and from the files: each file's own last update says where to go on, so a file that
 * could not be written catches up by itself. The first pass knows nothing: it looks at the files of all
 * buckets that ever were, and makes those that are missing. Never writes the ledger. No read of the ledger is
 * open while librrd works. A file that fails is named once, with the reason; the others go on.
 */
#ifndef XENBW_RRD_SINK_H
#define XENBW_RRD_SINK_H

#include <stdint.h>

#include "db/sink.h"

struct rrd_sink;

struct rrd_sink *rrd_sink_new(const char *ledger, const char *rrd_dir, const struct sink_host *host);
void rrd_sink_free(struct rrd_sink *s);

/* One pass; `now` is UTC. Returns 0 when it is done: then *seq is the newest sequence that RRD needs no more,
 * or 0 where nothing is newer than what was acknowledged before. Returns 1 when there is no ledger yet, or
 * must_stop said so. -1 is trouble with the ledger or the directory as a whole: the next pass tries again. */
int rrd_sink_pass(struct rrd_sink *s, int64_t now, int64_t *seq, char **err);

#endif
