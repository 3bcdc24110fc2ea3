/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rrd_tasks: what xenbw-writer has xenbw-rrd do, and what became of it, flat in memory that both map.
 *
 * Two parts. The tasks come first: xenbw-rrd can only read them, so that a damaged file cannot spoil them for
 * the process that goes on after it. The replies begin at the next page, and with them how a file began
 * before the update that it is amid: RRD's format has no journal, so the process that goes on after a dead
 * one puts that back. Places in it are offsets from its start. Each side takes the other for broken:
 * xenbw-rrd checks every offset, length and name before the first task, and xenbw-writer what the replies
 * hold.
 */
#ifndef XENBW_RRD_TASKS_H
#define XENBW_RRD_TASKS_H

#include <stddef.h>
#include <stdint.h>

#include "db/rrd.h"

/* The descriptors that xenbw-rrd is started with. */
#define RRD_TASKS_DIR_FD 3
#define RRD_TASKS_FD 4

#define RRD_TASKS_MAGIC 0x33727278u /* of this layout; "xrr3" */

enum rrd_tasks_kind {
	RRD_TASKS_READ = 1, /* the reply is a struct rrd_state */
	RRD_TASKS_WRITE     /* the reply is a struct rrd_outcome */
};

/* Begins the memory; `count` of struct rrd_task follow. */
struct rrd_tasks_head {
	uint32_t magic, kind;
	uint64_t count;
	uint64_t
		replies; /* offset of struct rrd_progress, on a page's edge; undo and replies are behind it */
	int64_t parent;  /* the process that has them done */
	char temporary[RRD_TEMPORARY_ROOM]; /* the name of a file that is not whole yet */
};

/* A struct rrd_job. */
struct rrd_task {
	uint64_t name, name_length; /* a NUL follows */
	uint64_t updates, update_count;
	int64_t after;
	uint32_t mode, columns, place;
};

struct rrd_progress {
	uint64_t begun, done; /* how many */
};

/* Longer than any header that librrd reads and writes here; ours has 8 KiB. */
#define RRD_UNDO_BYTES 65536

struct rrd_undo {
	uint64_t length; /* 0: no update is under way */
	uint64_t task;
	uint64_t device, inode; /* which file it is, whatever has its name by then */
	int64_t newest;         /* the time of the last of the updates */
	char bytes[RRD_UNDO_BYTES];
};

/* One side's mapping. */
struct rrd_tasks {
	char *map;
	size_t size;         /* of all of it */
	size_t replies_from; /* where the second part begins */
	struct rrd_progress *progress;
	struct rrd_undo *undo;
	enum rrd_tasks_kind kind;
	size_t count;
};

/* xenbw-writer: a new memfd that holds these tasks, none of them begun; of a job that is only read the name
 * alone counts. Returns the descriptor, or -1. */
int rrd_tasks_make(struct rrd_tasks *t, enum rrd_tasks_kind kind, const char *temporary,
		   const struct rrd_job *jobs, size_t count, char **err);

/* xenbw-rrd: maps them and checks all. */
int rrd_tasks_open(struct rrd_tasks *t, int fd, char **err);

int64_t rrd_tasks_parent(const struct rrd_tasks *t);
const char *rrd_tasks_temporary(const struct rrd_tasks *t);
struct rrd_job rrd_tasks_job(const struct rrd_tasks *t, size_t index); /* points into the mapping */
size_t rrd_tasks_reply_size(enum rrd_tasks_kind kind);
void *rrd_tasks_reply(const struct rrd_tasks *t, size_t index);

void rrd_tasks_close(struct rrd_tasks *t);

#endif
