/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * worker: xenbw-tc's side of ipc/capture.h: has the kernel count, and tells xenbwd what it counted.
 *
 * Reads no packet. It keeps the rights to change traffic control and maps, and no other. What it cannot go on
 * with ends it; the kernel counts on, and whoever is started next finds all of it.
 */
#ifndef XENBW_KERNEL_WORKER_H
#define XENBW_KERNEL_WORKER_H

#include <stdbool.h>
#include <stdio.h>

/* Tells xenbwd that the kernel has taken the programs (*ready is true from then on), and serves it. Returns 0
 * when xenbwd has closed its end, -1 where it cannot go on. */
int worker_run(bool *ready, char **err);

/* Writes what of ours is in the kernel, as lines (kernel/show.h). */
int worker_show(FILE *out, char **err);

/* Takes away all that is ours: programs, qdiscs that nobody else uses, maps. None of it: nothing. */
int worker_detach(char **err);

#endif
