/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * user: the user and group that helpers run as, and names for messages.
 *
 * Asks the system's tables of users and groups; keeps nothing. Changes no id (base/privileges.h does).
 */
#ifndef XENBW_USER_H
#define XENBW_USER_H

#include <sys/types.h>

struct user {
	uid_t uid;
	gid_t gid; /* the primary group */
};

/* 1: found; 0: there is no such user; -1: the table cannot be read. */
int user_find(const char *name, struct user *u, char **err);

/* Names of this process's own effective user and group (their numbers where they have none), for a message
 * that tells what to do; allocated. */
char *user_own_name(void);
char *user_own_group(void);

#endif
