/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_closing: closed months: what each bucket, and each owner, was charged in one.
 *
 * xenbwd writes them, all rows of an edition in one transaction, and nothing ever changes a row: the ledger
 * itself refuses it. What is known later goes into the next edition, as differences. What the figures are is
 * worked out by who asks for it; here it is only checked that the month is over and that the edition is the
 * next one. Readers use db/closed.h.
 */
#ifndef XENBW_LEDGER_CLOSING_H
#define XENBW_LEDGER_CLOSING_H

#include "db/ledger.h"
#include "ipc/control.h"

struct closing {
	char month[8]; /* YYYY-MM */
	uint32_t edition;
	struct control_closed *rows;
	size_t count;
};

int ledger_closing_write(struct ledger *l, const struct closing *c, int64_t now, char **err);

#endif
