/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * share: files and folders of ours for the group that the helpers have.
 *
 * An owner may give its files to a group that it has itself, without any capability. Nothing here follows a
 * link, opens what is no regular file, or touches what belongs to somebody else or has a second name.
 */
#ifndef XENBW_SHARE_H
#define XENBW_SHARE_H

#include <sys/types.h>

/* Gives the open file or folder, where it is ours, this process's group and these bits of a mode beside those
 * that it has. Returns 0, also where it is not ours; -1 with errno. */
int share_fd(int fd, mode_t bits);

/* The same with a regular file `name` in the open folder `at` (or AT_FDCWD); a missing one is none. */
int share_file(int at, const char *name, mode_t bits);

#endif
