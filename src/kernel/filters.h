/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * filters: a program at a device as a clsact filter of tc, under a priority and a handle of our own.
 *
 * Other filters of the device stay as they are. A program is put in the place of its predecessor without a
 * gap. A device that is gone is no error.
 */
#ifndef XENBW_KERNEL_FILTERS_H
#define XENBW_KERNEL_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/layout.h"

enum filters_qdisc { FILTERS_THERE, FILTERS_MADE, FILTERS_GONE };

/* What filters need: FILTERS_THERE (it was), FILTERS_MADE, FILTERS_GONE (the device is not there); or -1. */
int filters_make_qdisc(uint32_t ifindex, char **err);

/* Takes it away if nobody uses it. */
int filters_drop_qdisc(uint32_t ifindex, char **err);

int filters_set(uint32_t ifindex, enum kernel_hook side, int program, char **err);
int filters_clear(uint32_t ifindex, enum kernel_hook side, char **err);

/* True of a device that is gone. */
bool filters_has(uint32_t ifindex, enum kernel_hook side);

#endif
