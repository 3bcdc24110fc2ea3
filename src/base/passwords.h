/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * passwords: the file of who may log in at `xenbw web`: a line NAME:OWNER:HASH for each, OWNER `*` an admin.
 *
 * Hashes are yescrypt's (crypt(5)). The file is read only where nobody but its owner, root or this user, can
 * write to it, and only a group can read it beside; it is replaced as a whole or not at all. Comparing takes
 * as long for a wrong password as for the right one.
 */
#ifndef XENBW_PASSWORDS_H
#define XENBW_PASSWORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PASSWORDS_ADMIN "*"
#define PASSWORDS_LONGEST 512 /* a password; what is longer costs time */

struct passwords_user {
	char *name, *owner, *hash;
};

struct passwords {
	struct passwords_user *list;
	size_t count;
};

/* 0; 1 where there is no such file, and none in the list; -1. Release with passwords_free. */
int passwords_read(struct passwords *p, const char *path, char **err);

/* Beside the file, mode 0640 with this group, and in its place once all of it is there. */
int passwords_write(const struct passwords *p, const char *path, gid_t group, char **err);
void passwords_free(struct passwords *p);

/* NULL: nobody is called so. */
const struct passwords_user *passwords_find(const struct passwords *p, const char *name);

/* May a user or an owner be called so? Without ':', control characters, and at most 64 bytes. */
bool passwords_is_name(const char *name);

/* A new user, or the new owner and hash of one. */
void passwords_set(struct passwords *p, const char *name, const char *owner, const char *hash);

/* Whether there was such a user. */
bool passwords_remove(struct passwords *p, const char *name);

/* With a new salt; allocated, NULL with an error. */
char *passwords_hash(const char *password, char **err);

/* A hash that is no valid one matches nothing. */
bool passwords_match(const char *hash, const char *password);

/* The same bytes? In a time that only depends on the length. */
bool passwords_same(const void *a, const void *b, size_t length);

#endif
