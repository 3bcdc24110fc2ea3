/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_guard: runs librrd where it may die.
 *
 * librrd maps files into memory and believes what it finds there. A bad disk sector or a full disk under a
 * file with holes ends in SIGBUS, a spoilt header in SIGSEGV or an endless loop. So the tasks run in a forked
 * child, one after the other; when it dies, the task in hand is marked and another child goes on with the
 * next. Owns nothing after it returns.
 */
#ifndef XENBW_RRD_GUARD_H
#define XENBW_RRD_GUARD_H

#include <stddef.h>

#define RRD_GUARD_SECONDS 60 /* a task that takes longer is killed by SIGALRM */

/* Does task `index` and writes its answer to `reply`, which is zeroed before. Nothing else that it changes in
 * memory is seen by the caller. */
typedef void rrd_guard_task(const void *context, size_t index, void *reply);

/* Runs tasks 0 .. count-1. `replies` is an array of `count` replies of `reply_size` bytes; died[i] is 0, or
 * the signal that task i died of. If the caller itself is killed the child stops after the task in hand.
 * Returns -1 where no child can be made; then the replies are not filled in. */
int rrd_guard_run(rrd_guard_task *task, const void *context, size_t count, size_t reply_size, void *replies,
		  int *died, char **err);

#endif
