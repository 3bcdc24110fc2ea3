/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bill: a closed month as a table.
 */
#ifndef XENBW_BILL_H
#define XENBW_BILL_H

#include "cli/cli.h"
#include "db/closed.h"

/* Its rows, of one owner or (NULL) of all; of one edition, or (-1) of all. An exit status. */
int bill_write(const struct cli *cli, const char *command, const char *month, const struct closed_rows *rows,
	       const char *owner, int64_t edition, char **err);

#endif
