/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * guard: the fixed orders of xenbwd to xenbw-guard (SOCK_SEQPACKET pair, descriptor 3 of the guard).
 *
 * The guard starts and ends the helpers of xenbwd, at most one of each kind; it never answers: xenbwd sees a
 * helper's end at the helper's own socket. End of file ends the guard and both helpers. Same host, same
 * build: native byte order.
 */
#ifndef XENBW_IPC_GUARD_H
#define XENBW_IPC_GUARD_H

#include <stdint.h>

#define GUARD_MAGIC 0x78656e68 /* changes with the layout */
#define GUARD_FD 3

enum guard_kind {
	GUARD_START = 1, /* with [helper's socket, settings]: its descriptors 3 and 4; one that there is of
			    the same kind is ended first */
	GUARD_END = 2    /* by KILL */
};

enum guard_helper { GUARD_CAPTURE, GUARD_WRITER, GUARD_HELPERS };

enum guard_flags {
	GUARD_NACCTTAB = 1 /* the settings are a naccttab's, and mean what they mean there */
};

struct guard_order {
	uint32_t magic;
	uint32_t kind;
	uint32_t helper;
	uint32_t flags; /* GUARD_START */
};

#endif
