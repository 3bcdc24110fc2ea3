/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * privileges: what guard and worker may still do.
 */
#ifndef XENBW_CAPTURE_PRIVILEGES_H
#define XENBW_CAPTURE_PRIVILEGES_H

/* Nothing but opening packet sockets, and handing that on to a program that is started. */
int privileges_keep_capture(char **err);

/* No capability, in no set (but for the bounding set, where the guard has given up the right to clear it),
 * and none to gain by an exec. */
int privileges_drop(char **err);

#endif
