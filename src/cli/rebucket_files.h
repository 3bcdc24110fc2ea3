/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rebucket_files: which domain is to have the RRD file of which address: a text file that an admin reads and
 * changes.
 *
 * A line is ADDRESS DOMAIN; '#' starts a comment anywhere. A file has all the years of its address and cannot
 * be divided, so lines have no dates: what had two owners is left for the admin to decide. Errors name file
 * and line.
 */
#ifndef XENBW_REBUCKET_FILES_H
#define XENBW_REBUCKET_FILES_H

#include "cli/rebucket_spans.h"

struct rebucket_file {
	size_t number; /* of the line */
	char *address, *label;
};

struct rebucket_files {
	struct rebucket_file *list;
	size_t count;
};

/* No address and no domain is there twice, and no domain is one of the addresses. */
int rebucket_files_read(struct rebucket_files *f, const char *path, char **err);
void rebucket_files_free(struct rebucket_files *f); /* whatever rebucket_files_read returned */

/* Makes the file `path`, which must not be there, of the addresses that have an RRD file in the folder
 * `rrd_dir`. */
struct rebucket_files_planned {
	size_t lines, undecided;
};
int rebucket_files_plan(const struct rebucket_spans *spans, const char *rrd_dir, const char *path,
			struct rebucket_files_planned *out, char **err);

#endif
