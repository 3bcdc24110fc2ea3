/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * report_table: a report as a table: its columns, and which of them belong to the question.
 */
#ifndef XENBW_REPORT_TABLE_H
#define XENBW_REPORT_TABLE_H

#include "cli/cli.h"
#include "cli/report_rows.h"

/* The question that the options ask, and how many rows are shown: a usage error. */
int report_question(const struct cli *cli, struct report_rows *r, size_t *most, char **err);

/* Sums by direction: a pair of columns for each. */
enum report_sum {
	SUM_CHARGED, /* external, and unattributed where the ledger says so */
	SUM_EXTERNAL,
	SUM_UNATTRIBUTED,
	SUM_PEER,
	SUM_DIRECT,
	SUM_LOCAL,
	SUM_IGNORED,
	SUM_CLIPPED,
	SUM_ESTIMATED,
	SUM_SPOOFED, /* of output only */
	SUM_COUNT
};

struct report_sums {
	uint64_t bytes[SUM_COUNT][DIR_COUNT];
};

struct report_sums report_sums_of(const struct usage_sums *u, bool unattributed_charged);

/* In and out. */
uint64_t report_sums_both(const struct report_sums *s, enum report_sum sum);

/* All bytes are unattributed: nobody looked where they went. */
bool report_sums_unsplit(const struct report_sums *s);

/* Writes the first `shown` rows, and for people a line for the others and one of totals. An exit status. */
int report_table_write(const struct cli *cli, const struct report_rows *r, size_t shown, char **err);

#endif
