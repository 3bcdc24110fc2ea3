/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_file: reads or writes one RRD file by librrd.
 *
 * Linked into xenbw-rrd alone: librrd maps files into memory and believes what it finds there, so any of this
 * may end the process or never return. Every file is opened below the directory without following a symbolic
 * link, and librrd gets the descriptor's path under /proc/self/fd. Nothing stays open.
 */
#ifndef XENBW_RRD_FILE_H
#define XENBW_RRD_FILE_H

#include "db/rrd.h"
#include "db/rrd_tasks.h"

/* Both expect a zeroed answer. `dir` is the directory's descriptor. */
void rrd_file_read(int dir, const char *name, struct rrd_state *s);

/* Does one job with one call of librrd; a new file takes two. While a file is updated in place, `undo` holds
 * how it began before. */
void rrd_file_write(int dir, const struct rrd_job *job, struct rrd_undo *undo, struct rrd_outcome *o);

/* Puts that back where an update was cut off, and empties it: what the update has stored behind it is
 * overwritten by the next one. */
void rrd_file_undo(int dir, const char *name, struct rrd_undo *undo);

#endif
