/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard: starts and ends the helpers of xenbwd, as another user.
 *
 * xenbwd has given up the rights that this takes when a helper must be started again. The guard keeps one of
 * them, to open packet sockets, and hands it on to xenbw-capture alone. It reads nothing but fixed messages
 * from xenbwd (ipc/guard.h) and, at its start, the system's table of users; never a packet or another file.
 */
#ifndef XENBW_GUARD_GUARD_H
#define XENBW_GUARD_GUARD_H

/* Becomes `user` (NULL: stays who it is) and runs until xenbwd closes its end of descriptor 3; the helpers
 * end with it. */
int guard_run(const char *user, char **err);

#endif
