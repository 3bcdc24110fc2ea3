/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd: the RRD files of one directory, for a process that does not link librrd.
 *
 * Owns the directory's descriptor and lock, makes names and renames. Files are read and written by xenbw-rrd
 * (db/rrd_run.h starts it, db/rrd_file.h is what it does), so no file can end this process or see what it
 * holds. That xenbw-rrd cannot be started is trouble with all files. New files are made whole under a
 * temporary name and then renamed. An existing file is gone on with as it is: never made anew, tuned or
 * replaced.
 *
 * The lock (flock) belongs to the directory's descriptor, which xenbw-rrd has too: it is held until both have
 * ended. So when this process is killed its successor waits until the xenbw-rrd that was left has ended, and
 * never works beside it. A file system without such locks is used without.
 *
 * The format has no journal. When xenbw-rrd is killed amid an update in place, the next one puts back how the
 * file began before it; where that cannot be done the outcome is RRD_TORN. Only when this process is killed
 * with it, or the machine stops, may a file have a row twice or lack it without a word. A kill between two
 * updates leaves nothing wrong.
 */
#ifndef XENBW_RRD_H
#define XENBW_RRD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/rrd_plan.h"

#define RRD_SPAN (797 * 86400L)                   /* seconds that the longest archive holds */
#define RRD_ALL_COLUMNS ((1u << RRD_COLUMNS) - 1) /* what a new file has */

#define RRD_TEMPORARY ".xenbw-new" /* so these names begin; no bucket's file begins with a dot */
#define RRD_TEMPORARY_ROOM 32

struct rrd_dir {
	int fd;
	char *path;
	char temporary[RRD_TEMPORARY_ROOM]; /* the name of the file that is made; no other one's is the same
					     */
};

/* librrd exports rrd_read, rrd_write and the like, and would call a function of ours that had such a name:
 * hence the prefix. */

/* Opens the directory, makes it (0755) where only its last part is missing, waits some seconds for its lock,
 * and removes what a killed writer left half made. */
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
	RRD_DAMAGED = -4,   /* librrd refuses it */
	RRD_SHAPE = -5,     /* other step, or other data sources */
	RRD_DEADLY = -6,    /* librrd died of it */
	RRD_KILLED = -9,    /* somebody killed librrd's process amid it */
	RRD_FUTURE = -7,    /* its last update is still to come */
	RRD_NOT_MOVED = -8, /* it should have another label's file, which cannot be renamed */
	RRD_TORN = -10,     /* like RRD_KILLED, and it could not be put back as it was */
	RRD_MEANWHILE = -11 /* another program wrote it between our read and our write */
};

#define RRD_REASON 512
#define RRD_MOVE_AWAY "move it away, and it is made anew from the ledger"

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
	int64_t after; /* RRD_GO_ON: the file's last update, to which `updates` belong */
	bool place;    /* RRD_BEGIN, RRD_BUILD: it is whole now, put it in its place */
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
