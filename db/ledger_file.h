/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ledger_file: opening the ledger, and refusing what is not a sound ledger of a version we know.
 *
 * xenbwd alone opens for writing and holds a lock beside the file (PATH.lock) while it does. Readers open
 * read-only and keep no statement open longer than they need. Nothing here reads or writes takes.
 */
#ifndef XENBW_LEDGER_FILE_H
#define XENBW_LEDGER_FILE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "db/ledger.h"
#include "db/ledger_versions.h"

struct ledger_file {
	sqlite3 *db;
	int lock_fd;  /* -1 for a reader */
	dev_t device; /* the writer's: what was opened and found to be sound */
	ino_t inode;
};

/* Opens or creates the ledger (and its folder, where only that is missing) for the one writer: WAL,
 * synchronous=FULL, mode 0640 (group may read). An older one is brought up to date. Errors say whether
 * it is in use, torn, read-only, newer than this program, or something else's, and how to go on; nothing is
 * changed then. */
int ledger_file_open_writer(struct ledger_file *f, const char *path, char **err);

/* The two halves of that: its lock (shared with `held`, of this process, where that is the same file; or -1),
 * and, once no other connection of this process is in the way, the rest. */
int ledger_file_lock(struct ledger_file *f, const char *path, int held, char **err);
int ledger_file_open_locked(struct ledger_file *f, const char *path, const struct ledger_opening *how,
			    char **err);

/* What `path` is to the ledger that is open. */
enum ledger_place ledger_file_place(const struct ledger_file *f, const char *path);

/* Opens an existing ledger read-only; one of an older version reads as one of this. A copy that is whole
 * without a write-ahead log is also read where nothing can be made beside it. Returns 1 (and no error) where
 * there is none at `path`. */
int ledger_file_open_reader(struct ledger_file *f, const char *path, char **err);

void ledger_file_close(struct ledger_file *f);

#endif
