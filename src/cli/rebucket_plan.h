/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket_plan: the map of `xenbw rebucket --plan`: whose each address of the table was, as far as the
 * ledger knows.
 *
 * What the ledger saw becomes a line. An hour in which an address changed hands is nobody's, and so is all
 * that was before the ledger: such lines stand there with a # in front, for the admin to decide.
 */
#ifndef XENBW_REBUCKET_PLAN_H
#define XENBW_REBUCKET_PLAN_H

#include <sqlite3.h>

#include "cli/cli.h"
#include "db/rebucket.h"

struct rebucket_planned {
	size_t lines, undecided;
};

/* Makes the file `path`, which must not be there. */
int rebucket_plan(const struct cli *cli, const struct rebucket *r, sqlite3 *ledger, const char *path,
		  struct rebucket_planned *out, char **err);

#endif
