/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hook: the fixed messages between xenbwd and xenbw-hook (SOCK_SEQPACKET pair, descriptor 3 of xenbw-hook).
 *
 * xenbwd sends one order and waits for its answer before it sends the next. Which program is called is no
 * part of an order. End of file ends xenbw-hook, once what it has called has ended. Same host, same build:
 * native byte order.
 */
#ifndef XENBW_IPC_HOOK_H
#define XENBW_IPC_HOOK_H

#include <stdint.h>

#include "ipc/crossing.h"

#define HOOK_MAGIC 0x78656e71 /* changes with the layout */
#define HOOK_FD 3

struct hook_order {
	uint32_t magic;
	uint32_t seconds; /* that it may take */
	int64_t id;       /* of the crossing, in the ledger */
	struct crossing crossing;
};

enum hook_kind {
	HOOK_ENDED = 1,  /* it was called; `status` as of waitpid(2) */
	HOOK_TIMED_OUT,  /* it was called, and killed */
	HOOK_NOT_CALLED, /* and nothing of it ran: `why` */
};

struct hook_answer {
	uint32_t magic;
	uint32_t kind;
	int64_t id;
	int32_t status;
	char why[500];
};

#endif
