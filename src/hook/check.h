/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * check: whether a program may be called with root's rights.
 *
 * It may where nobody but root can change what is called: the file and each folder on its way are root's, and
 * no group or other may write to them.
 */
#ifndef XENBW_HOOK_CHECK_H
#define XENBW_HOOK_CHECK_H

/* Returns 0, and in *real (allocated) the path without links, which stays what it is. */
int check_program(const char *path, char **real, char **err);

#endif
