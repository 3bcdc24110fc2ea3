/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hooks: our programs at devices: by links where the kernel has them, else by filters.
 *
 * A device that has filters keeps them, for a change would leave a gap. Which devices have what is kept in a
 * map (maps_hooks), so that whoever comes later can take it away.
 */
#ifndef XENBW_KERNEL_HOOKS_H
#define XENBW_KERNEL_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/layout.h"

struct hooks {
	int map;            /* of maps_hooks */
	const char *folder; /* where the links are pinned */
};

/* Programs at the device from now on; -1: none there. *missing: one that the map says of was not there, so
 * what crossed meanwhile was not counted. 1: the device is not there. */
int hooks_set(const struct hooks *h, uint32_t ifindex, int ingress, int egress, bool *missing, char **err);

/* Is anything said of the device in the map? */
bool hooks_are_noted(const struct hooks *h, uint32_t ifindex);

/* Is what the map says of a device still there? Somebody may have taken it away. */
bool hooks_are_there(const struct hooks *h, uint32_t ifindex);

/* Is our program there, on this side? True of a device that is gone, for its end is told by other ways. */
bool hooks_has(const struct hooks *h, uint32_t ifindex, enum kernel_hook side);

/* Takes ours away; the qdisc only if it is ours and nobody else uses it. No device: nothing. */
int hooks_clear(const struct hooks *h, uint32_t ifindex, char **err);

/* Of all devices in the map but these. */
int hooks_clear_others(const struct hooks *h, const uint32_t *kept, size_t count, char **err);

#endif
