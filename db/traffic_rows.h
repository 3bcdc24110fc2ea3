/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * traffic_rows: a batch of the ledger as rows of the table `traffic`.
 *
 * A row is a label and an hour; its bytes are added to those that are there. Which hour a slot lies in is the
 * server's word: every time zone's offset and every change of clocks is as it has it. Knows no transactions.
 */
#ifndef XENBW_TRAFFIC_ROWS_H
#define XENBW_TRAFFIC_ROWS_H

#include "db/traffic_source.h"

struct traffic_row {
	const char *label; /* the batch's */
	const char *hour;  /* "2026-11-25 14:00:00" */
	uint64_t bytes[TRAFFIC_COLUMNS];
};

struct traffic_rows {
	struct traffic_row *list; /* by label and hour, each pair once, none without bytes */
	size_t count;
	char (*hours)[20];
};

/* Asks the server for the hours. The batch must outlive the rows. On an error nothing is left to free. */
int traffic_rows_make(struct traffic_rows *rows, struct mysql *m, const struct traffic_batch *batch,
		      char **err);

/* Adds them to the table, in few statements of bounded size. */
int traffic_rows_write(const struct traffic_rows *rows, struct mysql *m, const char *table, char **err);

void traffic_rows_free(struct traffic_rows *rows);

#endif
