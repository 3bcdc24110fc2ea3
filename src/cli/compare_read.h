/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * compare_read: both tables and the ledger, for cli/compare.
 *
 * Reads only. Hours are the server's; its tables are read for the hours that both have, and one more on each
 * side of the period, since what was written late is in the next one.
 */
#ifndef XENBW_COMPARE_READ_H
#define XENBW_COMPARE_READ_H

#include <sqlite3.h>

#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/naccttab.h"
#include "db/mysql.h"

struct compare_given {
	const struct cli *cli;
	struct mysql *m;
	sqlite3 *ledger;
	const struct naccttab *tab;
	struct period period;
};

struct compare_read {
	struct compare compare;
	char *nacctd, *xenbw; /* "netacct.traffic" */
	int64_t from, to;     /* hours to show: [from, to) */
};

/* Reads and explains. -1 also where there is nothing to compare, with the reason. Free it, whatever it
 * returned. */
int compare_read(struct compare_read *r, const struct compare_given *given, char **err);
void compare_read_free(struct compare_read *r);

/* "2026-11-26 14:00:00"; allocated. */
char *compare_hour_text(int64_t hour);

#endif
