/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rights: what the person who types may not read, and what to do about it.
 *
 * xenbwd's helpers have a user of their own, whose group is to be let in; a person joins the group that may
 * read already, or becomes root. Looks at files, changes nothing.
 */
#ifndef XENBW_RIGHTS_H
#define XENBW_RIGHTS_H

#include <stdbool.h>

/* May this process read the file `path` ("the ledger" or the like is what)? 0 also where it is not there or
 * something else is in the way. With `join` a group that may is named, where there is one; without, only root
 * is. */
int rights_to_read(const char *path, const char *what, bool join, char **err);

#endif
