/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * log_limit: keeps one kind of line from flooding the log.
 *
 * A kind is a place in the program, with the object that its lines are about where there is one. Of each,
 * LOG_LIMIT_LINES a minute are let through; the rest are counted, and the last of them kept, so that one line
 * can tell of them when the minute is over. No clock of its own, no I/O; cannot fail. Where more kinds come
 * than it has room for, the oldest without anything held back is forgotten, and a kind that finds no room is
 * let through.
 */
#ifndef XENBW_LOG_LIMIT_H
#define XENBW_LOG_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LIMIT_LINES = 50, LOG_LIMIT_MS = 60000, LOG_LIMIT_KINDS = 256 };

/* What was held back of one kind. */
struct log_held {
	int priority;
	unsigned lines;
	char *last; /* the last of them, allocated */
};

struct log_kind {
	const void *place; /* NULL: free */
	char *about;       /* the object; "": none */
	int64_t since_ms;  /* when its minute began */
	unsigned lines;    /* let through in it */
	struct log_held held;
};

/* Zeros make an empty one. */
struct log_limit {
	struct log_kind kinds[LOG_LIMIT_KINDS];
};

/* Is this line to be written? `about` is the object ("": none). Time never runs back. */
bool log_limit_admits(struct log_limit *l, const void *place, const char *about, int priority,
		      const char *line, int64_t now_ms);

/* The next kind whose minute is over (or, at the end of a program, any: `all`) and which held lines back;
 * false where there is none. `last` becomes the caller's. */
bool log_limit_next(struct log_limit *l, int64_t now_ms, bool all, struct log_held *held);

#endif
