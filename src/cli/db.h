/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * db: the parts of `xenbw db`.
 */
#ifndef XENBW_CLI_DB_H
#define XENBW_CLI_DB_H

#include "cli/cli.h"
#include "db/mysql.h"

/* Each returns an exit status; the configuration is read and its warnings are shown. */
int db_init(struct cli *cli, char **err);
int db_status(struct cli *cli, char **err);
int db_upgrade(struct cli *cli, char **err);

/* Connects as --defaults-file says, else with the account of the configuration; no database is chosen. The
 * advice where that fails: WHAT ("db init") needs an account that may NEEDS ("make databases and accounts").
 */
int db_open_admin(struct mysql **m, const struct cli *cli, const char *what, const char *needs, char **err);

#endif
