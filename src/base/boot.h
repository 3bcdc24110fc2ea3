/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * boot: which boot of this machine it is.
 *
 * Network device numbers and domids mean something only together with it.
 */
#ifndef XENBW_BOOT_H
#define XENBW_BOOT_H

/* The kernel's boot id, allocated; NULL with an error. */
char *boot_id(char **err);

#endif
