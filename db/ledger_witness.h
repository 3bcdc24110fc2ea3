/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_witness: how far the ledger beside it had come, in the ledger's lock (PATH.lock).
 *
 * It is written after each commit of takes, so it is never ahead of what was committed, and shows when the
 * ledger is not what it was: an older copy, or one whose log is torn or missing. Not waited for until it is
 * on the disk, and where it cannot be written it only tells less. Decides nothing by itself.
 */
#ifndef XENBW_LEDGER_WITNESS_H
#define XENBW_LEDGER_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

struct ledger_witness {
	char uuid[65];
	int64_t seq; /* newest take */
};

/* False where it knows nothing. */
bool ledger_witness_read(int lock_fd, struct ledger_witness *w);

void ledger_witness_write(int lock_fd, const struct ledger_witness *w);

#endif
