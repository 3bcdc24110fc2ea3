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

#include <sys/types.h>

#include "db/rrd.h"
#include "db/rrd_tasks.h"

/* Where and for whom. */
struct rrd_place {
	int dir;               /* the directory's descriptor */
	const char *temporary; /* the name of the file that is made */
	pid_t parent;          /* who has it done; for one who is gone nothing is put in place or put back */
};

/* Both expect a zeroed answer. */
void rrd_file_read(const struct rrd_place *p, const char *name, struct rrd_state *s);

/* Does one job with one call of librrd; a new file takes two. A file that was written since it was read is
 * left as it is. While a file is updated in place, `undo` holds how it began before. */
void rrd_file_write(const struct rrd_place *p, const struct rrd_job *job, struct rrd_undo *undo,
		    struct rrd_outcome *o);

/* Puts that back where an update was cut off, and empties it: what the update has stored behind it is
 * overwritten by the next one. Where the file is another one now, or locked, or was written since, it is left
 * as it is, and `undo` too. */
void rrd_file_undo(const struct rrd_place *p, const char *name, struct rrd_undo *undo);

#endif
