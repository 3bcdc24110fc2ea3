/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd: the RRD files of one directory, by librrd.
 *
 * Owns the directory's descriptor. Every file is opened below it without following a symbolic link, and
 * librrd gets the descriptor's path under /proc/self/fd. New files are made whole under a temporary name and
 * then renamed. An existing file is gone on with as it is: never made anew, tuned or replaced. librrd runs in
 * rrd_guard's child, so no file can end this process.
 *
 * A kill amid an update in place may leave one row of that file twice or wrong, since the format has no
 * journal; a kill between two updates leaves nothing wrong.
 */
#ifndef XENBW_RRD_H
#define XENBW_RRD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/rrd_plan.h"

#define RRD_SPAN (797 * 86400L)                   /* seconds that the longest archive holds */
#define RRD_ALL_COLUMNS ((1u << RRD_COLUMNS) - 1) /* what a new file has */

struct rrd_dir {
	int fd;
	char *path;
};

/* librrd exports rrd_read, rrd_write and the like, and would call a function of ours that had such a name:
 * hence the prefix. */

/* Opens the directory, makes it (0755) where only its last part is missing, and removes what a killed writer
 * left half made. */
int rrd_dir_open(struct rrd_dir *dir, const char *path, char **err);
void rrd_dir_close(struct rrd_dir *dir);

/* The name of a bucket's file; free(). */
char *rrd_file_name(const char *label);

/* Why a file cannot be read or written. Positive numbers are errno's. */
enum rrd_cause {
	RRD_FINE = 0,
	RRD_MISSING = -1,
	RRD_NO_FILE = -2, /* something that is no regular file */
	RRD_LOCKED = -3,
	RRD_DAMAGED = -4,  /* librrd refuses it */
	RRD_SHAPE = -5,    /* other step, or other data sources */
	RRD_DEADLY = -6,   /* librrd died of it */
	RRD_FUTURE = -7,   /* its last update is still to come */
	RRD_NOT_MOVED = -8 /* it should have another label's file, which cannot be renamed */
};

#define RRD_REASON 512

/* The outcome for one file; `reason` says what is wrong and what to do, where cause is not RRD_FINE. */
struct rrd_outcome {
	int cause;
	char reason[RRD_REASON];
};

/* What a file is: where it stands, and which of the columns it has. */
struct rrd_state {
	struct rrd_outcome outcome;
	struct rrd_tail tail; /* a last value that is unknown is 0 */
	unsigned columns;     /* bit c: column c */
};

enum rrd_mode {
	RRD_GO_ON, /* the file is there */
	RRD_BEGIN, /* it is not: begin it, under a temporary name; it gets all columns */
	RRD_BUILD  /* go on with the one that was begun last */
};

/* Updates for one file. Without any it is not touched, or not begun. */
struct rrd_job {
	const char *name;
	enum rrd_mode mode;
	bool place; /* RRD_BEGIN, RRD_BUILD: it is whole now, put it in its place */
	unsigned columns;
	struct rrd_updates updates;
};

/* Reads what each file is. A file's own trouble is in its state; -1 is trouble with all of them. */
int rrd_dir_read(const struct rrd_dir *dir, const char *const *names, size_t count, struct rrd_state *states,
		 char **err);

/* Does the jobs one after the other, each with one call of librrd. */
int rrd_dir_write(const struct rrd_dir *dir, const struct rrd_job *jobs, size_t count,
		  struct rrd_outcome *outcomes, char **err);

/* Renames a file, never over another one. */
int rrd_dir_rename(const struct rrd_dir *dir, const char *from, const char *to, char **err);

#endif
