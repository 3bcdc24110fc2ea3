/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tcx: a program at a device as a TCX link, which Linux has since 6.6: no qdisc, no chain of filters on the
 * way to it.
 *
 * A link is pinned in the folder of the maps, under the device's number, and lives until that name is removed
 * (and for a moment longer) or the device is gone. Filters of tc come after it and see every packet. A
 * program is put in the place of its predecessor without a gap.
 */
#ifndef XENBW_KERNEL_TCX_H
#define XENBW_KERNEL_TCX_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/layout.h"

/* Does the kernel have such links at this device? False as well where there is no device. */
bool tcx_is_known(uint32_t ifindex);

/* 1: the device is not there. */
int tcx_set(const char *folder, uint32_t ifindex, enum kernel_hook side, int program, char **err);
int tcx_clear(const char *folder, uint32_t ifindex, enum kernel_hook side, char **err);

/* True of a device that is gone. */
bool tcx_has(const char *folder, uint32_t ifindex, enum kernel_hook side);

#endif
