/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * complaints: values of xenstore that were left out, each told once for as long as it stays the same.
 *
 * Owns the last bad value of each node and a short queue of lines about them. Lines that find the queue full
 * are counted; one line tells how many. No I/O; cannot fail.
 */
#ifndef XENBW_COMPLAINTS_H
#define XENBW_COMPLAINTS_H

#include <stdbool.h>
#include <stddef.h>

enum { COMPLAINTS_QUEUED_MAX = 64 };

struct bad_value;

/* Zeros make an empty one. */
struct complaints {
	struct bad_value *known;
	struct complaint {
		char *line;
		char *guest; /* the number of the domain that it is about; "" where the path has none */
	} queue[COMPLAINTS_QUEUED_MAX];
	size_t first, count;
	size_t dropped;
};

/* The node's value is bad, for the reason `why` ("is not a MAC address"). */
void complaints_bad(struct complaints *c, const char *path, const void *bytes, size_t len, const char *why);

/* The node's value is good, or there is none. */
void complaints_good(struct complaints *c, const char *path);

/* The next one, whose texts (allocated) become the caller's; false when there is none. */
bool complaints_next(struct complaints *c, struct complaint *next);

void complaints_free(struct complaints *c);

#endif
