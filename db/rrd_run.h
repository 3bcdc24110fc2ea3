/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_run: has xenbw-rrd do tasks with RRD files, of which it may die.
 *
 * A bad disk sector or a full disk under a file with holes ends in SIGBUS, a spoilt header in SIGSEGV or an
 * endless loop. So one xenbw-rrd does the tasks one after the other; when it dies, the task in hand is marked
 * and another one goes on with the next. One that ends without a task in hand and without having done any is
 * not started again. Owns nothing after it returns: no process, no descriptor, no memory.
 */
#ifndef XENBW_RRD_RUN_H
#define XENBW_RRD_RUN_H

#include "db/rrd_tasks.h"

/* What became of a task that xenbw-rrd died of. */
struct rrd_death {
	int signal; /* 0: it did not */
	bool torn;  /* the update that it was amid could not be put back */
};

/* Does all jobs in the directory. `replies` is an array of `count` replies of the tasks' kind, which hold
 * whatever xenbw-rrd wrote there; deaths[i] is task i's. If the caller itself is killed xenbw-rrd stops after
 * the task in hand. Returns -1 where xenbw-rrd does not run; then the replies are not filled in. */
int rrd_run_jobs(const struct rrd_dir *dir, enum rrd_tasks_kind kind, const struct rrd_job *jobs,
		 size_t count, void *replies, struct rrd_death *deaths, char **err);

#endif
