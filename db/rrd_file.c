/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/user.h"

#define NEW_FILE_BYTES (512UL * 1024) /* what a new file takes, rounded up */

static const char *const column_name[RRD_COLUMNS] = {
	"input",        "output",        "peer_input",  "peer_output",
	"direct_input", "direct_output", "local_input", "local_output",
};

/* The data sources in the order of the columns, and the archives of the set-up that xenbw replaces. */
static const char *const definition[] = {
	"DS:input:DERIVE:600:0:U",
	"DS:output:DERIVE:600:0:U",
	"DS:peer_input:DERIVE:600:0:U",
	"DS:peer_output:DERIVE:600:0:U",
	"DS:direct_input:DERIVE:600:0:U",
	"DS:direct_output:DERIVE:600:0:U",
	"DS:local_input:DERIVE:600:0:U",
	"DS:local_output:DERIVE:600:0:U",
	"RRA:AVERAGE:0.5:1:600",
	"RRA:AVERAGE:0.5:6:700",
	"RRA:AVERAGE:0.5:24:775",
	"RRA:AVERAGE:0.5:288:797",
	"RRA:MAX:0.5:1:600",
	"RRA:MAX:0.5:6:700",
	"RRA:MAX:0.5:24:775",
	"RRA:MAX:0.5:288:797",
};

__attribute__((format(printf, 3, 4))) static void fail(struct rrd_outcome *o, int cause, const char *fmt, ...)
{
	va_list ap;

	o->cause = cause;
	va_start(ap, fmt);
	vsnprintf(o->reason, sizeof(o->reason), fmt, ap);
	va_end(ap);
}

/* xenbwd shares with us what is root's; who owns another's file knows why. */
static void fail_refused(struct rrd_outcome *o, int error)
{
	char *user = user_own_name(), *group = user_own_group();

	fail(o, error,
	     "%s for the user %s; `chgrp %s` and `chmod g+rw` it, or `chown %s` it, and `chmod u+rw`",
	     strerror(error), user, group, user);
	free(group);
	free(user);
}

static void fail_open(struct rrd_outcome *o, int error)
{
	switch (error) {
	case ENOENT:
		fail(o, RRD_MISSING, "it is not there");
		break;
	case ELOOP:
		fail(o, error, "it is a symbolic link, which is not followed; put the file itself there");
		break;
	case EISDIR:
		fail(o, RRD_NO_FILE, "it is a directory; move it away");
		break;
	case EACCES:
	case EPERM:
		fail_refused(o, error);
		break;
	case EROFS:
		fail(o, error, "%s; make it writable, or name another directory with `rrd_dir`",
		     strerror(error));
		break;
	default:
		fail(o, error, "cannot open it: %s", strerror(error));
		break;
	}
}

/* librrd's last error, with its /proc path put back to the file's name. */
static void fail_librrd(struct rrd_outcome *o, const char *proc, const char *name)
{
	const char *text = rrd_get_error(), *at = strstr(text, proc);
	int before = at ? (int)(at - text) : (int)strlen(text);
	char *printable = text_printable(name, strlen(name));

	fail(o, RRD_DAMAGED, "librrd says: %.*s%s%s; " RRD_MOVE_AWAY, before, text, at ? printable : "",
	     at ? at + strlen(proc) : "");
	free(printable);
	rrd_clear_error();
}

/* librrd has no words for a new file that it could not write in full. */
static void fail_create(struct rrd_outcome *o, int dir)
{
	struct statvfs fs;

	if (fstatvfs(dir, &fs) == 0 && (uint64_t)fs.f_bfree * fs.f_frsize < NEW_FILE_BYTES)
		fail(o, ENOSPC, "%s; free some", strerror(ENOSPC));
	else
		fail(o, EIO,
		     "librrd cannot make it (%s); look whether the directory can be written and has room",
		     rrd_test_error() ? rrd_get_error() : "it does not say why");
	rrd_clear_error();
}

/* librrd does not wait for a lock that rrdtool holds while it draws, so this does, for a second. librrd's own
 * lock is granted then, being the same process's; its close gives up both. */
static bool wait_for_lock(int fd, struct rrd_outcome *o)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	for (int tries = 0; fcntl(fd, F_SETLK, &lock) < 0; tries++) {
		if (errno != EACCES && errno != EAGAIN && errno != EINTR) {
			fail(o, errno, "cannot lock it: %s", strerror(errno));
			return false;
		}
		if (tries == 50) {
			fail(o, RRD_LOCKED, "another program has it locked; end that one");
			return false;
		}
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	return true;
}

/* Opens and locks a regular file; -1 where it is not to be used. */
static int open_file(int dir, const char *name, struct rrd_outcome *o)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		fail_open(o, errno);
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fail(o, RRD_NO_FILE, "it is no regular file; move it away");
	} else if (st.st_size == 0) {
		fail(o, RRD_DAMAGED, "it is empty; " RRD_MOVE_AWAY);
	} else if (wait_for_lock(fd, o)) {
		return fd;
	}
	close(fd);
	return -1;
}

static char *proc_path(int fd)
{
	return mem_printf("/proc/self/fd/%d", fd);
}

static const rrd_info_t *find_key(const rrd_info_t *info, const char *key)
{
	while (info && strcmp(info->key, key) != 0)
		info = info->next;
	return info;
}

static const char *find_text(const rrd_info_t *info, const char *column, const char *what)
{
	char *key = mem_printf("ds[%s].%s", column, what);
	const rrd_info_t *found = find_key(info, key);

	free(key);
	return found && found->type == RD_I_STR ? found->value.u_str : "";
}

static int64_t find_count(const rrd_info_t *info, const char *key)
{
	const rrd_info_t *found = find_key(info, key);

	return found && found->type == RD_I_CNT ? (int64_t)found->value.u_cnt : -1;
}

static void fill_state(const rrd_info_t *info, struct rrd_state *s)
{
	int64_t step = find_count(info, "step");

	s->tail.last_update = find_count(info, "last_update");
	if (s->tail.last_update <= 0) {
		fail(&s->outcome, RRD_DAMAGED, "the time of its last update is no time; " RRD_MOVE_AWAY);
		return;
	}
	if (step != RRD_STEP) {
		fail(&s->outcome, RRD_SHAPE,
		     "its step is %" PRId64 " seconds, and must be %d; " RRD_MOVE_AWAY, step, RRD_STEP);
		return;
	}
	for (int c = 0; c < RRD_COLUMNS; c++) {
		const char *type = find_text(info, column_name[c], "type");

		if (strcmp(type, "DERIVE") != 0 && strcmp(type, "COUNTER") != 0)
			continue;
		s->columns |= 1u << c;
		/* unknown is "U" or, after rrdtool's `N::`, nothing at all */
		if (!text_u64(find_text(info, column_name[c], "last_ds"), 0, UINT64_MAX, &s->tail.value[c]))
			s->tail.value[c] = 0;
	}
	if ((s->columns & 3) != 3)
		fail(&s->outcome, RRD_SHAPE,
		     "it has no data sources `input` and `output` of type COUNTER or DERIVE; " RRD_MOVE_AWAY);
}

void rrd_file_read(const struct rrd_place *p, const char *name, struct rrd_state *s)
{
	int fd = open_file(p->dir, name, &s->outcome);
	rrd_info_t *info;
	char *proc;

	if (fd < 0)
		return;
	proc = proc_path(fd);
	rrd_clear_error();
	info = rrd_info_r(proc);
	if (info) {
		fill_state(info, s);
		rrd_info_free(info);
	} else {
		fail_librrd(&s->outcome, proc, name);
	}
	free(proc);
	close(fd);
}

/* The names of the file's columns, as librrd's template wants them. */
static char *column_template(unsigned columns)
{
	char *out = mem_strdup("");

	for (int c = 0; c < RRD_COLUMNS; c++) {
		char *longer;

		if (!(columns >> c & 1))
			continue;
		longer = mem_printf("%s%s%s", out, *out ? ":" : "", column_name[c]);
		free(out);
		out = longer;
	}
	return out;
}

/* One update as librrd reads it: time and the values of the file's columns. */
static char *update_text(const struct rrd_update *u, unsigned columns)
{
	/* a number of 64 bits has at most 20 digits */
	size_t room = (RRD_COLUMNS + 1) * 21 + 1;
	char *text = mem_alloc(room);
	size_t used = (size_t)snprintf(text, room, "%" PRId64, u->time);

	for (int c = 0; c < RRD_COLUMNS; c++)
		if (columns >> c & 1)
			used += (size_t)snprintf(text + used, room - used, ":%" PRIu64, u->value[c]);
	return text;
}

static int update_file(int fd, const char *name, const struct rrd_updates *updates, unsigned columns,
		       struct rrd_outcome *o)
{
	char *proc, *template, **texts;
	int rc;

	if (updates->count == 0)
		return 0;
	proc = proc_path(fd);
	template = column_template(columns);
	texts = mem_array(updates->count, sizeof(*texts));
	for (size_t i = 0; i < updates->count; i++)
		texts[i] = update_text(&updates->list[i], columns);
	rrd_clear_error();
	rc = rrd_update_r(proc, template, (int)updates->count, (const char **)texts);
	if (rc != 0)
		fail_librrd(o, proc, name);
	for (size_t i = 0; i < updates->count; i++)
		free(texts[i]);
	free(texts);
	free(template);
	free(proc);
	return rc == 0 ? 0 : -1;
}

/* Makes the temporary file, with the time before its first update; its descriptor, or -1. */
static int create_temporary(const struct rrd_place *p, int64_t first, struct rrd_outcome *o)
{
	char *proc = mem_printf("/proc/self/fd/%d/%s", p->dir, p->temporary);
	int fd = -1;

	rrd_clear_error();
	if (rrd_create_r2(proc, RRD_STEP, first - 1, 0, NULL, NULL, sizeof(definition) / sizeof(*definition),
			  (const char **)definition) != 0)
		fail_create(o, p->dir);
	else
		fd = open_file(p->dir, p->temporary, o);
	free(proc);
	return fd;
}

static bool parent_lives(const struct rrd_place *p)
{
	return getppid() == p->parent;
}

static void put_in_place(const struct rrd_place *p, int fd, const char *name, struct rrd_outcome *o)
{
	int rc = fsync(fd);

	if (!parent_lives(p)) /* fsync takes its time; the next xenbw-writer may have other plans by now */
		fail(o, RRD_KILLED, "xenbw-writer is gone");
	else if (rc < 0 || renameat2(p->dir, p->temporary, p->dir, name, RENAME_NOREPLACE) < 0)
		fail(o, errno, "cannot put it in its place: %s", strerror(errno));
}

static void build_file(const struct rrd_place *p, const struct rrd_job *job, struct rrd_outcome *o)
{
	int fd = job->mode == RRD_BEGIN ? create_temporary(p, job->updates.list[0].time, o)
					: open_file(p->dir, p->temporary, o);

	if (fd >= 0) {
		/* a file that was cut short shows here at the latest */
		if (update_file(fd, job->name, &job->updates, RRD_ALL_COLUMNS, o) == 0 && job->place)
			put_in_place(p, fd, job->name, o);
		close(fd);
	}
	if (o->cause != RRD_FINE)
		unlinkat(p->dir, p->temporary, 0);
}

/* Whoever reads it after this process's end finds it whole or not at all. */
static void keep_beginning(int fd, const struct stat *st, int64_t newest, struct rrd_undo *undo)
{
	ssize_t n = pread(fd, undo->bytes, sizeof(undo->bytes), 0);

	undo->device = st->st_dev;
	undo->inode = st->st_ino;
	undo->newest = newest;
	if (n > 0)
		__atomic_store_n(&undo->length, (uint64_t)n, __ATOMIC_SEQ_CST);
}

static void forget_beginning(struct rrd_undo *undo)
{
	__atomic_store_n(&undo->length, 0, __ATOMIC_SEQ_CST);
}

/* The last update of a file that begins so; 0 or less where librrd does not know. It looks at a copy, for its
 * close of the file itself would give up our lock. */
static int64_t last_update(const char *bytes, size_t length, off_t size)
{
	int copy = memfd_create("xenbw-rrd", MFD_CLOEXEC);
	int64_t last = -1;
	char *proc;

	if (copy < 0)
		return -1;
	if (ftruncate(copy, size) == 0 && pwrite(copy, bytes, length, 0) == (ssize_t)length) {
		proc = proc_path(copy);
		last = rrd_last_r(proc);
		rrd_clear_error();
		free(proc);
	}
	close(copy);
	return last;
}

static int64_t last_update_now(int fd, off_t size)
{
	char *bytes = mem_alloc(RRD_UNDO_BYTES);
	ssize_t n = pread(fd, bytes, RRD_UNDO_BYTES, 0);
	int64_t last = n > 0 ? last_update(bytes, (size_t)n, size) : -1;

	free(bytes);
	return last;
}

void rrd_file_undo(const struct rrd_place *p, const char *name, struct rrd_undo *undo)
{
	struct rrd_outcome o = {0};
	int fd = open_file(p->dir, name, &o);
	struct stat st;

	if (fd < 0)
		return;
	/* a half-stored header has the time from before the update, or that of it */
	if (parent_lives(p) && fstat(fd, &st) == 0 && st.st_dev == undo->device && st.st_ino == undo->inode &&
	    last_update_now(fd, st.st_size) <= undo->newest &&
	    pwrite(fd, undo->bytes, undo->length, 0) == (ssize_t)undo->length)
		forget_beginning(undo);
	close(fd);
}

static void update_in_place(int fd, const struct rrd_job *job, struct rrd_undo *undo, struct rrd_outcome *o)
{
	struct stat st;
	int64_t last;

	if (fstat(fd, &st) < 0) {
		fail(o, errno, "cannot look at it: %s", strerror(errno));
		return;
	}
	last = last_update_now(fd, st.st_size);
	if (last > 0 && last != job->after) {
		fail(o, RRD_MEANWHILE,
		     "another program has written it since it was read; the next slot goes on from there");
		return;
	}
	keep_beginning(fd, &st, job->updates.list[job->updates.count - 1].time, undo);
	update_file(fd, job->name, &job->updates, job->columns, o);
	forget_beginning(undo);
}

void rrd_file_write(const struct rrd_place *p, const struct rrd_job *job, struct rrd_undo *undo,
		    struct rrd_outcome *o)
{
	int fd;

	if (job->updates.count == 0 && !(job->mode == RRD_BUILD && job->place))
		return;
	if (job->mode != RRD_GO_ON) {
		build_file(p, job, o);
		return;
	}
	fd = open_file(p->dir, job->name, o);
	if (fd < 0)
		return;
	update_in_place(fd, job, undo, o);
	close(fd);
}
