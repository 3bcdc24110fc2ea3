/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * web: what is asked for, who asks, and what is answered, without a word of HTTP's own grammar.
 *
 * A question is a method, a path and fields; an answer a status, a type and a body. Who is not logged in gets
 * the login, and an owner only what view.h gives. server.h has the sockets. Nothing here writes to a ledger
 * or reads xenstore.
 */
#ifndef XENBW_WEB_H
#define XENBW_WEB_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/passwords.h"
#include "config/conf.h"
#include "web/fields.h"
#include "web/sessions.h"
#include "web/throttle.h"

struct web {
	struct conf conf;
	struct passwords users;
	struct timespec users_changed; /* of the file that they are from */
	ino_t users_inode;
	struct sessions sessions;
	struct throttle throttle;
	char *nobodys_hash; /* compared with where there is no such user */
};

/* Who asks. */
struct viewer {
	const char *name;
	const char *owner; /* NULL: an admin, who sees all */
	const char *token; /* for forms */
};

struct question {
	bool post;
	const char *path;
	const struct fields *query, *form;
	const char *cookies; /* header, NULL: none */
	const char *site;    /* header Sec-Fetch-Site, NULL: none */
	int64_t now;         /* UTC */
	int64_t mono;        /* seconds */
};

struct answer {
	int status;
	const char *type;
	FILE *out; /* writes the body */
	char *body;
	size_t length;
	const char *location; /* where to go on, or NULL */
	char *cookie;         /* to be set, or NULL */
	unsigned retry_after; /* seconds, or 0 */
};

/* `conf` is taken over. Release with web_free, whatever it returned. */
int web_init(struct web *w, const struct conf *conf, char **err);
void web_free(struct web *w);

/* Answers; release with answer_free. */
void web_answer(struct web *w, const struct question *q, struct answer *a);

/* An empty one, status 200, text/html. */
int answer_init(struct answer *a, char **err);
void answer_free(struct answer *a);

/* A page that only says what went wrong; JSON for a path of the API. `text` may be NULL. What was written
 * before is dropped. */
void answer_error(struct answer *a, int status, const char *path, const char *text);

#endif
