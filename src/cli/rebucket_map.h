/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket_map: whose an address was, from when to when: a text file that an admin reads and changes.
 *
 * A line is FROM TO ADDRESS LABEL; '#' starts a comment anywhere. Times are hours of the table, as
 * 2026-11-26T04:00; FROM is in it, TO is not. Pure but for reading the file; errors name file and line, and
 * what to do.
 */
#ifndef XENBW_REBUCKET_MAP_H
#define XENBW_REBUCKET_MAP_H

#include <stddef.h>

#define REBUCKET_HOUR_SIZE 20 /* "2026-11-26 04:00:00" and NUL */

struct rebucket_line {
	size_t number; /* in the file */
	char from[REBUCKET_HOUR_SIZE], to[REBUCKET_HOUR_SIZE];
	char *address, *label;
};

struct rebucket_map {
	struct rebucket_line *lines;
	size_t count;
};

/* No two lines of an address have an hour in common, and no label is an address of the map. */
int rebucket_map_read(struct rebucket_map *map, const char *path, char **err);
void rebucket_map_free(struct rebucket_map *map); /* whatever rebucket_map_read returned */

/* ---- pieces of it ---- */

/* One word of a line, or why it is none; free(). */
int rebucket_read_address(const char *text, char **out, char **err);
int rebucket_read_label(const char *text, char **out, char **err);

#endif
