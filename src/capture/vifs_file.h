/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vifs_file: who is there, as a person writes it for --replay.
 *
 * One line each, `#` begins a comment:
 *
 *   ID MAC [ADDRESS…]          a vif; MAC `-`: not known
 *   ID MAC routed ADDRESS…     a vif whose frames bear dom0's MAC
 *   ID MAC host [ADDRESS…]     dom0 itself; ID 0: nobody counts it
 */
#ifndef XENBW_CAPTURE_VIFS_FILE_H
#define XENBW_CAPTURE_VIFS_FILE_H

#include <stddef.h>

#include "ipc/capture.h"

/* Records as CAPTURE_VIFS has them, allocated. Errors name file, line and what is meant. */
int vifs_file_read(const char *path, struct capture_vif **vifs, size_t *count, char **err);

#endif
