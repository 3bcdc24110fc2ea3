/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket_done: which RRD files `xenbw rebucket --rrd --apply` renamed, so that --undo finds them again.
 *
 * A text file beside the one with the lines, NAME.done. What is to be renamed stands in it, on the disk,
 * before it is renamed: by device and inode, which a rename leaves as they are, and so does librrd's writing.
 */
#ifndef XENBW_REBUCKET_DONE_H
#define XENBW_REBUCKET_DONE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct rebucket_renamed {
	unsigned long long device, inode;
	char *address, *label;
};

struct rebucket_done {
	char *path;
	struct rebucket_renamed *list;
	size_t count;
};

/* Of the file with the lines; none is none. Free it, whatever it returned. */
int rebucket_done_read(struct rebucket_done *d, const char *map, char **err);
void rebucket_done_free(struct rebucket_done *d);

/* Was this file, which has this label's name now, the address's? */
bool rebucket_done_has(const struct rebucket_done *d, const char *address, const char *label,
		       const struct stat *st);

/* Returns when it is on the disk. */
int rebucket_done_add(const struct rebucket_done *d, const char *address, const char *label,
		      const struct stat *st, char **err);

#endif
