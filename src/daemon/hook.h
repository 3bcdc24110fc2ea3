/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hook: the process of xenbw-hook, which calls quota_hook.
 *
 * Started once, while xenbwd has its rights, which it keeps; lives through reloads. Without it no hook is
 * called until xenbwd itself is started again, and what is reached of quotas waits in the ledger's sums.
 */
#ifndef XENBW_DAEMON_HOOK_H
#define XENBW_DAEMON_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "config/conf.h"
#include "ipc/hook.h"

struct hook;

/* Never fails: what does not work is logged, and there is no descriptor. `config`: path of the configuration.
 * conf->quota_hook is there. */
struct hook *hook_new(const struct conf *conf, const char *config);

/* A call that goes on is left to itself: it ends by its own time limit. */
void hook_free(struct hook *h);

/* After a reload: says what takes effect with the next start only. h may be NULL. */
void hook_follow(const struct hook *h, const struct conf *conf);

/* Our end of its socket, not waiting; -1: it does not run. */
int hook_fd(const struct hook *h);

/* The crossing that it was told to call for, and has not answered; 0: none. */
int64_t hook_busy(const struct hook *h);

/* From now on that crossing is none of this ledger's. */
void hook_forget(struct hook *h);
bool hook_is_idle(const struct hook *h);

/* -1: nothing was sent. */
int hook_send(struct hook *h, const struct hook_order *order, char **err);

/* 1: an answer; 0: none is there, or one of what was forgotten; -1: it has ended, and does not run from now
 * on. */
int hook_receive(struct hook *h, struct hook_answer *answer);

#endif
