/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_state: what the files of the ledger's writer share, and nobody else sees.
 *
 * ledger.c opens, loads and commits; ledger_fold.c keeps the sinks and folds the takes that all have passed.
 */
#ifndef XENBW_LEDGER_STATE_H
#define XENBW_LEDGER_STATE_H

#include <sqlite3.h>

#include "db/ledger.h"
#include "db/ledger_file.h"
#include "db/ledger_witness.h"

enum statement {
	ADD_BUCKET,
	END_LABEL,
	ADD_LABEL,
	ADD_UUID,
	PUT_VIF,
	PUT_EPOCH,
	ADD_TAKE,
	ADD_EVENT,
	PUT_BASELINE,
	DROP_BASELINE,
	SET_OPEN_SLOT,
	DROP_WAITING,
	ADD_WAITING,
	DROP_POSITION,
	SET_POSITION,
	SET_RUN,
	PASS_SINK,
	STATEMENTS
};

struct ledger {
	struct ledger_file file;
	char *boot;
	int64_t run;                /* id of this run's row */
	struct ledger_witness come; /* uuid "": nothing is told */
	int64_t missing;
	sqlite3_stmt *stmt[STATEMENTS];
};

/* Runs fn between BEGIN and COMMIT; undoes everything where it or the commit fails. */
int ledger_transaction(struct ledger *l, int (*fn)(struct ledger *, const void *, char **), const void *arg,
		       char **err);

#endif
