/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * devices: by which devices the kernel tells whose a packet is, as xenbw-tc is told.
 */
#ifndef XENBW_DEVICES_H
#define XENBW_DEVICES_H

#include "account/account.h"
#include "ipc/capture.h"
#include "net/links.h"
#include "net/uplinks.h"

/* Allocated; at least room for one. */
struct capture_device *devices_make(const struct account *a, const struct links *links,
				    const struct uplinks *uplinks, size_t *count);

#endif
