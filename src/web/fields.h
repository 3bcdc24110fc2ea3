/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fields: the names and values that a browser sends: of a query, of a form, of cookies.
 *
 * Strict: what is not well formed, too much, or there twice is refused as a whole. A value may hold any
 * character but NUL and control characters, in UTF-8.
 */
#ifndef XENBW_WEB_FIELDS_H
#define XENBW_WEB_FIELDS_H

#include <stddef.h>

#define FIELDS_MOST 16

struct fields {
	struct {
		char *name, *value;
	} list[FIELDS_MOST];
	size_t count;
};

/* name=value&…, percent-encoded, of `length` bytes. Release with fields_free, whatever it returned. */
int fields_parse(struct fields *f, const char *text, size_t length, char **err);
void fields_free(struct fields *f);

/* NULL: it is not there, or empty, as a form sends what was left out. */
const char *fields_get(const struct fields *f, const char *name);

/* Are all names among these (NULL ends them)? */
int fields_check(const struct fields *f, const char *const *names, char **err);

/* The value of a cookie in the header's text, allocated; NULL where it is not there, or twice. */
char *fields_cookie(const char *header, const char *name);

#endif
