/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * copy: an RRD file, copied into memory, so that reading it neither waits for xenbw-writer nor hinders it,
 * and no name of a file can be mistaken for a part of librrd's own language.
 */
#ifndef XENBW_COPY_H
#define XENBW_COPY_H

#include <stdint.h>
#include <time.h>

struct copy {
	int fd;
	char *path; /* for librrd */
};

/* Waits up to two seconds while somebody writes the file. Nothing is left to close on an error. */
int copy_open(const char *file, struct copy *c, char **err);
void copy_close(struct copy *c);

/* librrd's last error about the copy, told of the file. Returns -1. */
int copy_failed(const struct copy *c, const char *file, char **err);

#endif
