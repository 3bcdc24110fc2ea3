/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_state: what the files of the ledger's writer share, and nobody else sees.
 *
 * ledger.c opens, loads and commits; ledger_fold.c keeps the sinks and folds the takes that all have passed;
 * ledger_merge.c makes one epoch of many short ones; ledger_retain.c retires old slots, ledger_forget.c what
 * is left of domains.
 */
#ifndef XENBW_LEDGER_STATE_H
#define XENBW_LEDGER_STATE_H

#include <sqlite3.h>

#include "db/ledger.h"
#include "db/ledger_file.h"
#include "db/ledger_witness.h"

/* clang-format off */
#define LEDGER_CLASSES \
	"external_input, external_output, peer_input, peer_output, direct_input, direct_output," \
	" local_input, local_output, ignored_input, ignored_output, unattributed_input, unattributed_output," \
	" clipped_input, clipped_output, estimated_input, estimated_output, spoofed_output"

#define LEDGER_GROW(column) column " = " column " + excluded." column
#define LEDGER_GROW_BOTH(class) LEDGER_GROW(class "_input") ", " LEDGER_GROW(class "_output")

/* Ends an insertion of rows into `slot`: to one that is there they are added. */
#define LEDGER_ADD_TO_SLOT \
	" ON CONFLICT(bucket, slot, vif, address) DO UPDATE SET " \
	LEDGER_GROW_BOTH("external") ", " LEDGER_GROW_BOTH("peer") ", " LEDGER_GROW_BOTH("direct") ", " \
	LEDGER_GROW_BOTH("local") ", " LEDGER_GROW_BOTH("ignored") ", " LEDGER_GROW_BOTH("unattributed") ", " \
	LEDGER_GROW_BOTH("clipped") ", " LEDGER_GROW_BOTH("estimated") ", " LEDGER_GROW("spoofed_output")
/* clang-format on */

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
	SET_STEADY,
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
	int64_t looked_up_to; /* the last bucket that ledger_forget looked at */
	int64_t merged_up_to; /* the last epoch that ledger_merge looked at */
	sqlite3_stmt *stmt[STATEMENTS];
};

/* Runs fn between BEGIN and COMMIT; undoes everything where it or the commit fails. */
int ledger_transaction(struct ledger *l, int (*fn)(struct ledger *, const void *, char **), const void *arg,
		       char **err);

#endif
