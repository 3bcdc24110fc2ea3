/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sessions: who is logged in, known by a cookie of 32 random bytes.
 *
 * In memory only: all are logged out when the program ends. Each ends an hour after it was last used, and
 * twelve hours after it began; where there is no room the one that was used least lately makes some. Reads no
 * clock: `now` is handed in, in seconds of a clock that is never stepped.
 */
#ifndef XENBW_WEB_SESSIONS_H
#define XENBW_WEB_SESSIONS_H

#include <stddef.h>
#include <stdint.h>

#define SESSIONS_MOST 256
#define SESSIONS_IDLE 3600
#define SESSIONS_LONGEST 43200
#define SESSIONS_TOKEN 32 /* bytes */

struct session {
	char *user;                         /* NULL: free */
	char *hash;                         /* of the password that let the user in */
	char token[2 * SESSIONS_TOKEN + 1]; /* what forms of this session hold (CSRF) */
	unsigned char id[SESSIONS_TOKEN];
	int64_t began, used;
};

struct sessions {
	struct session list[SESSIONS_MOST];
};

/* Random bytes in hexadecimal digits, allocated; NULL with an error. */
char *sessions_random(char **err);

/* Begins one; returns what its cookie is to be, allocated, or NULL with an error. */
char *sessions_begin(struct sessions *s, const char *user, const char *hash, int64_t now, char **err);

/* The one of this cookie, which is used hereby; NULL where there is none (any more). */
struct session *sessions_find(struct sessions *s, const char *cookie, int64_t now);
void sessions_end(struct session *session);
void sessions_free(struct sessions *s);

#endif
