/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_sink: brings the RRD files up to what the ledger holds, one pass after the other.
 *
 * Remembers between passes only what it has said about which file. All else comes from the ledger and from
 * the files: each file's own last update says where to go on, so a file that could not be written catches up
 * by itself. Never writes the ledger. No read of the ledger is open while librrd works. A file that fails is
 * named once, with the reason; the others go on.
 */
#ifndef XENBW_RRD_SINK_H
#define XENBW_RRD_SINK_H

#include <stdbool.h>
#include <stdint.h>

enum rrd_sink_level { RRD_SINK_DEBUG, RRD_SINK_INFO, RRD_SINK_WARNING };

/* The sink has no voice of its own. */
struct rrd_sink_host {
	void (*say)(void *arg, enum rrd_sink_level level, const char *line);
	bool (*must_stop)(void *arg); /* asked between two batches */
	void *arg;
};

struct rrd_sink;

struct rrd_sink *rrd_sink_new(const char *ledger, const char *rrd_dir, const struct rrd_sink_host *host);
void rrd_sink_free(struct rrd_sink *s);

/* One pass; `now` is UTC. Returns 0 when it is done: then *seq is the newest sequence that RRD needs no more,
 * or 0 where nothing is newer than what was acknowledged before. Returns 1 when there is no ledger yet, or
 * must_stop said so. -1 is trouble with the ledger or the directory as a whole: the next pass tries again. */
int rrd_sink_pass(struct rrd_sink *s, int64_t now, int64_t *seq, char **err);

#endif
