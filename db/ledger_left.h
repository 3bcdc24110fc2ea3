/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_left: how far a ledger has come, and whether another one went on from there (ledger.h).
 *
 * By the database's connection, so that the ledger itself and a file that is only looked at say it in one
 * way. Nothing here begins or ends a transaction.
 */
#ifndef XENBW_LEDGER_LEFT_H
#define XENBW_LEDGER_LEFT_H

#include <sqlite3.h>
#include <stdbool.h>

#include "db/ledger.h"

int ledger_left_tail(sqlite3 *db, struct ledger_tail *tail, char **err);
int ledger_left_put(sqlite3 *db, bool left, char **err);
int ledger_left_get(sqlite3 *db, bool *left, char **err);

#endif
