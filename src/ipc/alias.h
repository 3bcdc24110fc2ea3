/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * alias: the fixed message of xenbwd to xenbw-alias (SOCK_SEQPACKET pair, descriptor 3 of xenbw-alias): whose
 * a device is.
 *
 * It is never answered; end of file ends xenbw-alias. Same host, same build: native byte order.
 */
#ifndef XENBW_IPC_ALIAS_H
#define XENBW_IPC_ALIAS_H

#include <stdint.h>

#define ALIAS_MAGIC 0x78656e61 /* changes with the layout */
#define ALIAS_FD 3
#define ALIAS_NAME 248 /* bytes of a name, with its NUL; the kernel takes 255 with what is in front of it */

struct alias_order {
	uint32_t magic;
	uint32_t ifindex;
	char name[ALIAS_NAME]; /* text, NUL-terminated */
};

#endif
