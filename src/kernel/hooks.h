/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hooks: our programs at devices: clsact filters of tc, under a priority and a handle of our own.
 *
 * Other filters of a device stay as they are. A program is put in the place of its predecessor without a gap.
 * Which devices have one is kept in a map (maps_hooks), so that whoever comes later can take them away.
 */
#ifndef XENBW_KERNEL_HOOKS_H
#define XENBW_KERNEL_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/layout.h"

/* Programs at the device from now on; -1: none there. map: of maps_hooks. 1: the device is not there. */
int hooks_set(int map, uint32_t ifindex, int ingress, int egress, char **err);

/* Is what the map says of a device still there? Somebody may have taken it away. */
bool hooks_are_there(int map, uint32_t ifindex);

/* Is our program there, on this side? True of a device that is gone, for its end is told by other ways. */
bool hooks_has(uint32_t ifindex, enum kernel_hook side);

/* Takes ours away; the qdisc only if it is ours and nobody else uses it. No device: nothing. */
int hooks_clear(int map, uint32_t ifindex, char **err);

/* Of all devices in the map but these. */
int hooks_clear_others(int map, const uint32_t *kept, size_t count, char **err);

#endif
