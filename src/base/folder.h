/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * folder: the folder that a file is to lie in.
 */
#ifndef XENBW_FOLDER_H
#define XENBW_FOLDER_H

#include <stdbool.h>
#include <sys/types.h>

/* Makes the folder that `path` names a file in, where it is missing: that one level only, so that a mistyped
 * path does not grow a tree. */
int folder_of(const char *path, mode_t mode, char **err);

/* The first folder above `path` that this process may not enter, allocated; NULL where it may go through all
 * of them, as far as they exist. */
char *folder_closed(const char *path);

/* The same for a helper that has a user of its own: 0, or -1 with an error that says how its group is let in.
 * A person is told otherwise (cli/rights.h). */
int folder_passable(const char *path, char **err);

/* Whether the file that `path` names lies in `folder` or below it, by whatever links. Both are absolute; what
 * of them is not there yet counts as it is written. */
bool folder_holds(const char *folder, const char *path);

#endif
