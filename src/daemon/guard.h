/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard: xenbwd's end of xenbw-capture's guard, the process that may open packet sockets.
 *
 * Started once, while xenbwd has its capabilities; lives through reloads. Without it there is no split until
 * xenbwd is started again, and counting goes on.
 */
#ifndef XENBW_GUARD_H
#define XENBW_GUARD_H

#include "config/conf.h"

struct guard;

/* Never fails: what does not work is logged, and guard_start_worker says so again. */
struct guard *guard_new(void);
void guard_free(struct guard *g);

/* Starts a worker that opens conf->devices; one that there was is ended first. Returns our end of its socket.
 */
int guard_start_worker(struct guard *g, const struct conf *conf, char **err);

#endif
