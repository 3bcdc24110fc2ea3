/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_life: what a ledger goes through in xenbwd and in those who read it, whatever is in it.
 *
 * For fuzzing targets: what is no defined outcome aborts. A function that fails must say why, in one line.
 */
#ifndef XENBW_FUZZ_LEDGER_LIFE_H
#define XENBW_FUZZ_LEDGER_LIFE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the ledger of this process lies: a folder of its own, in TMPDIR or else in memory. Whoever made
 * TMPDIR takes it away; a folder in memory goes with the process. */
const char *ledger_life_path(void);

/* The file is these bytes; what was beside the one before is gone. */
void ledger_life_put(const void *bytes, size_t size);

/* As the command line tool, the RRD files and the table `traffic` read it. */
void ledger_life_read(sqlite3 *db);

/* Opens the file as such a reader does, reads it if it can be, and closes it. */
void ledger_life_visit(void);

/* A life of xenbwd with the file: it loads what is there, polls, commits, folds and closes. Each byte that a
 * vif moved must be in one of the takes that were committed; folding changes no sum. */
void ledger_life_run(bool by_ip);

#endif
