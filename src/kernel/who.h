/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * who: what xenbwd tells of devices, vifs and addresses, as the kernel's programs need it.
 *
 * Gives each device and address its slot in the book. Changes nothing in the kernel.
 */
#ifndef XENBW_KERNEL_WHO_H
#define XENBW_KERNEL_WHO_H

#include "ipc/capture.h"
#include "kernel/book.h"
#include "kernel/maps.h"

/* What xenbwd told last. */
struct who_told {
	struct capture_device *devices;
	struct capture_vif *vifs;
	size_t device_count, vif_count;
};

/* Free with who_free, also on failure. */
int who_make(struct maps_who *out, const struct who_told *told, struct book *book, char **err);
void who_free(struct maps_who *w);

#endif
