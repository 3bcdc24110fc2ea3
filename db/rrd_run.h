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

/* Does all jobs in the directory with this descriptor. `replies` is an array of `count` replies of the
 * tasks' kind, which hold whatever xenbw-rrd wrote there; died[i] is 0, or the signal that task i died of. If
 * the caller itself is killed xenbw-rrd stops after the task in hand. Returns -1 where xenbw-rrd does not
 * run; then the replies are not filled in. */
int rrd_run_jobs(int dir, enum rrd_tasks_kind kind, const struct rrd_job *jobs, size_t count, void *replies,
		  int *died, char **err);

#endif
