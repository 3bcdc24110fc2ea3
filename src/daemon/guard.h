/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard: xenbwd's end of xenbw-guard, the process that starts the helpers.
 *
 * Started once, while xenbwd has its capabilities; lives through reloads. Without it no helper is started
 * until xenbwd itself is started again, and counting goes on.
 */
#ifndef XENBW_GUARD_H
#define XENBW_GUARD_H

#include <stdbool.h>
#include <sys/uio.h>

#include "config/conf.h"
#include "ipc/guard.h"

struct guard;

/* What it means, for the log, that there is none. */
#define GUARD_MISSING \
	"bytes are unattributed, and RRD files and MySQL wait, until xenbwd is restarted; counting goes on"

/* Takes the group of conf->user for this process, so that what it makes is readable to the helpers, and
 * starts the guard, which becomes that user. Never fails: what does not work is logged, and guard_start says
 * so again. */
struct guard *guard_new(const struct conf *conf);

/* Waits for its end for some seconds at most; one that does not end is killed, or left with a line. */
void guard_free(struct guard *g);

/* After a reload: says what is not as it should be: there is no guard, or `user` is another one by now. */
void guard_follow(const struct guard *g, const struct conf *conf);

/* Readable when it has ended, for it never says anything; -1 where it does not run. */
int guard_fd(const struct guard *g);

/* Looks whether it has ended; true, once, when it has: *how (allocated) tells of its end, and from now on it
 * does not run. */
bool guard_has_ended(struct guard *g, char **how);

/* Starts a helper; one that there was is ended first. Returns our end of its socket: its end of file is the
 * helper's end. `with_secrets`: its settings have MySQL's password. `first` (NULL: none) is a message that it
 * finds waiting, however soon it begins. */
int guard_start(struct guard *g, enum guard_helper helper, const struct conf *conf, bool with_secrets,
		const struct iovec *first, char **err);

/* Ends a helper by KILL, if there is one. Does not wait until it has ended. */
void guard_end(struct guard *g, enum guard_helper helper);

#endif
