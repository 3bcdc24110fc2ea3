/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard: keeps the right to open packet sockets for workers to come.
 *
 * xenbwd has given that right up when a worker must be started again. The guard reads nothing but fixed
 * messages from xenbwd, never a packet, and does nothing but start and end the worker.
 */
#ifndef XENBW_CAPTURE_GUARD_H
#define XENBW_CAPTURE_GUARD_H

#include <stdbool.h>

/* Runs until xenbwd closes its end of descriptor 3; the worker ends with it. */
int guard_run(bool debug, char **err);

#endif
