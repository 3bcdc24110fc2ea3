/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * feed: the fixed messages between xenbwd and xenbw-writer (a SOCK_SEQPACKET pair, descriptor 3 of the
 * writer).
 *
 * xenbwd tells that something was committed; the writer reads the ledger, feeds its sinks, and acknowledges
 * for each the newest sequence it has passed. It also tells which quotas were reached. xenbwd alone writes
 * that into the ledger. End of file at the writer's side means: finish the batch in hand and exit.
 */
#ifndef XENBW_FEED_H
#define XENBW_FEED_H

#include <stdint.h>

#include "ipc/crossing.h"

#define FEED_FD 3
#define FEED_SETTINGS_FD 4 /* the effective configuration as text, with MySQL's password in it */
#define FEED_MAGIC 0x78656e66

enum feed_kind {
	FEED_COMMITTED = 1, /* to the writer: seq is in the ledger */
	FEED_PASSED = 2,    /* to xenbwd: `sink` needs nothing up to seq any more */
	FEED_HOLD = 3,      /* to the writer: nothing to MySQL until FEED_RESUME; the ledger keeps it */
	FEED_RESUME = 4,
	FEED_CROSSED = 5 /* to xenbwd, as a feed_crossing: the ledger does not have it yet */
};

struct feed_message {
	uint32_t magic;
	uint32_t kind;
	int64_t seq;
	char sink[16]; /* FEED_PASSED: NUL-terminated name, as in db/sink.h */
};

struct feed_crossing {
	uint32_t magic;
	uint32_t kind;
	struct crossing crossing;
};

#endif
