/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_versions: the ledger's tables and views, in this version and those before.
 *
 * Makes a new ledger, and brings an older one up to date, each in one transaction: killed at any instant, it
 * is what it was. A reader gets an older one as if it were of this version. Nothing here opens a file or asks
 * whether it is a ledger.
 */
#ifndef XENBW_LEDGER_VERSIONS_H
#define XENBW_LEDGER_VERSIONS_H

#include <sqlite3.h>
#include <stdint.h>

#define LEDGER_SCHEMA 6
#define LEDGER_APPLICATION_ID 0x78656e62 /* "xenb" */

/* Into an empty database. */
int ledger_versions_create(sqlite3 *db, char **err);

/* Upgrades a ledger of this or an earlier version; also adds views that it lacks. */
int ledger_versions_upgrade(sqlite3 *db, int64_t version, char **err);

/* For a connection that may not write: what an earlier version lacks stands in its temporary schema. */
int ledger_versions_bridge(sqlite3 *db, int64_t version, char **err);

#endif
