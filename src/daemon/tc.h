/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tc: the process of xenbw-tc, which has the kernel count by class.
 *
 * Started once, while xenbwd has its capabilities; lives through reloads, but for one after which nobody
 * wants the kernel's counts. Without it, bytes are unattributed until xenbwd itself is started again, unless
 * xenbw-capture may look instead.
 */
#ifndef XENBW_TC_H
#define XENBW_TC_H

#include <stdbool.h>

struct tc;

/* Waits until the kernel has taken the programs, for some seconds at most. Never fails: what does not work is
 * logged, and there is no descriptor. `optional`: then somebody else looks, and it is no error. */
struct tc *tc_new(bool optional);

/* Waits for its end for some seconds at most; one that does not end is killed. */
void tc_free(struct tc *t);

/* Our end of its socket, not waiting; -1: it does not run. */
int tc_fd(const struct tc *t);

/* It has ended, or talks nonsense: let go. */
void tc_give_up(struct tc *t);

/* Nobody wants to know any more: it takes what it has in the kernel away, which costs the guests, and ends.
 * NULL, or one that does not run: nothing. */
void tc_leave(struct tc *t);

/* One that takes away what an earlier one has left there, for the kernel has to be asked while xenbwd has its
 * capabilities. */
struct tc *tc_new_leaving(void);

/* Whether it does that. */
bool tc_has_left(const struct tc *t);

/* To be called now and then: one that was let go may have ended meanwhile. */
void tc_reap(struct tc *t);

#endif
