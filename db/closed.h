/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * closed: closed months, for readers of the ledger.
 *
 * Reads only, and leaves no statement open.
 */
#ifndef XENBW_CLOSED_H
#define XENBW_CLOSED_H

#include <sqlite3.h>

#include "ipc/control.h"

struct closed_row {
	struct control_closed row;
	char place[CONTROL_NAME]; /* its label in its first edition: where all of them stand */
	uint32_t edition;
	int64_t time;
};

struct closed_rows {
	struct closed_row *list; /* by owner, the owner's own row first, then by place, bucket, edition */
	size_t count;
	uint32_t editions; /* 0: the month is not closed */
};

int closed_read(sqlite3 *db, const char *month, struct closed_rows *out, char **err);
void closed_rows_free(struct closed_rows *c);

#endif
