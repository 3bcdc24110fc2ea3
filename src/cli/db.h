/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * db: the two halves of `xenbw db`.
 */
#ifndef XENBW_CLI_DB_H
#define XENBW_CLI_DB_H

#include "cli/cli.h"

/* Each returns an exit status; the configuration is read and its warnings are shown. */
int db_init(struct cli *cli, char **err);
int db_status(struct cli *cli, char **err);

#endif
