/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <rrd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/rrd_guard.h"

#define TEMPORARY ".xenbw-new" /* no bucket's file begins with a dot */

#define SUFFIX ".rrd"

#define NEW_FILE_BYTES (512UL * 1024) /* what a new file takes, rounded up */

#define MOVE_AWAY "move it away, and it is made anew from the ledger"

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

static int remove_leftovers(const struct rrd_dir *dir, char **err)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!list) {
		err_sys(err, "cannot list RRD directory %s", dir->path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((entry = readdir(list)))
		if (strncmp(entry->d_name, TEMPORARY, strlen(TEMPORARY)) == 0)
			unlinkat(dir->fd, entry->d_name, 0);
	closedir(list);
	return 0;
}

int rrd_dir_open(struct rrd_dir *dir, const char *path, char **err)
{
	size_t length = strlen(path);
	bool made;

	/* "link/" would follow the link */
	while (length > 1 && path[length - 1] == '/')
		length--;
	*dir = (struct rrd_dir){.fd = -1, .path = mem_strndup(path, length)};
	made = mkdir(dir->path, 0755) == 0;
	if (!made && errno != EEXIST) {
		err_sys(err, "cannot make RRD directory %s; make it, or name another with `rrd_dir`",
			dir->path);
		goto fail;
	}
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir->fd < 0) {
		if (errno == ENOTDIR || errno == ELOOP)
			err_set(err,
				"RRD directory %s is no directory, or a symbolic link, which is not "
				"followed; name the "
				"directory itself with `rrd_dir`",
				dir->path);
		else
			err_sys(err, "cannot open RRD directory %s", dir->path);
		goto fail;
	}
	if (made && fchmod(dir->fd, 0755) < 0) { /* whatever the umask was */
		err_sys(err, "cannot set the mode of RRD directory %s", dir->path);
		goto fail;
	}
	if (faccessat(dir->fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		err_sys(err, "cannot write in RRD directory %s; give it to the user that xenbwd runs as",
			dir->path);
		goto fail;
	}
	if (remove_leftovers(dir, err) < 0)
		goto fail;
	return 0;
fail:
	rrd_dir_close(dir);
	return -1;
}

void rrd_dir_close(struct rrd_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	*dir = (struct rrd_dir){.fd = -1};
}

char *rrd_file_name(const char *label)
{
	char *stem = text_filename(label, strlen(SUFFIX)), *name = mem_printf("%s" SUFFIX, stem);

	free(stem);
	return name;
}

int rrd_dir_rename(const struct rrd_dir *dir, const char *from, const char *to, char **err)
{
	if (renameat2(dir->fd, from, dir->fd, to, RENAME_NOREPLACE) < 0)
		return err_sys(err, "cannot rename RRD file %s/%s to %s", dir->path, from, to);
	return 0;
}

__attribute__((format(printf, 3, 4))) static void fail(struct rrd_outcome *o, int cause, const char *fmt, ...)
{
	va_list ap;

	o->cause = cause;
	va_start(ap, fmt);
	vsnprintf(o->reason, sizeof(o->reason), fmt, ap);
	va_end(ap);
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
		fail(o, error,
		     "%s; it must be writable for its owner, and belong to the user that xenbwd runs as",
		     strerror(error));
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

	fail(o, RRD_DAMAGED, "librrd says: %.*s%s%s; " MOVE_AWAY, before, text, at ? printable : "",
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
		fail(o, RRD_DAMAGED, "it is empty; " MOVE_AWAY);
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
		fail(&s->outcome, RRD_DAMAGED, "the time of its last update is no time; " MOVE_AWAY);
		return;
	}
	if (step != RRD_STEP) {
		fail(&s->outcome, RRD_SHAPE, "its step is %" PRId64 " seconds, and must be %d; " MOVE_AWAY,
		     step, RRD_STEP);
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
		     "it has no data sources `input` and `output` of type COUNTER or DERIVE; " MOVE_AWAY);
}

struct read_context {
	int dir;
	const char *const *names;
};

static void read_one(const void *context, size_t index, void *reply)
{
	const struct read_context *x = context;
	struct rrd_state *s = reply;
	int fd = open_file(x->dir, x->names[index], &s->outcome);
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
		fail_librrd(&s->outcome, proc, x->names[index]);
	}
	free(proc);
	close(fd);
}

static void mark_deadly(struct rrd_outcome *o, int sig)
{
	fail(o, RRD_DEADLY,
	     "librrd died of it (%s): it or its disk is damaged, or the disk is full; free some space, "
	     "else " MOVE_AWAY,
	     strsignal(sig));
}

int rrd_dir_read(const struct rrd_dir *dir, const char *const *names, size_t count, struct rrd_state *states,
		 char **err)
{
	struct read_context context = {dir->fd, names};
	int *died = mem_array(count, sizeof(*died));
	int rc = rrd_guard_run(read_one, &context, count, sizeof(*states), states, died, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (died[i])
			mark_deadly(&states[i].outcome, died[i]);
	free(died);
	return rc;
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
static int create_temporary(int dir, int64_t first, struct rrd_outcome *o)
{
	char *proc = mem_printf("/proc/self/fd/%d/" TEMPORARY, dir);
	int fd = -1;

	rrd_clear_error();
	if (rrd_create_r2(proc, RRD_STEP, first - 1, 0, NULL, NULL, sizeof(definition) / sizeof(*definition),
			  (const char **)definition) != 0)
		fail_create(o, dir);
	else
		fd = open_file(dir, TEMPORARY, o);
	free(proc);
	return fd;
}

static int put_in_place(int dir, int fd, const char *name, struct rrd_outcome *o)
{
	if (fsync(fd) == 0 && renameat2(dir, TEMPORARY, dir, name, RENAME_NOREPLACE) == 0)
		return 0;
	fail(o, errno, "cannot put it in its place: %s", strerror(errno));
	return -1;
}

static void build_file(int dir, const struct rrd_job *job, struct rrd_outcome *o)
{
	int fd = job->mode == RRD_BEGIN ? create_temporary(dir, job->updates.list[0].time, o)
					: open_file(dir, TEMPORARY, o);

	if (fd >= 0) {
		/* a file that was cut short shows here at the latest */
		if (update_file(fd, job->name, &job->updates, RRD_ALL_COLUMNS, o) == 0 && job->place)
			put_in_place(dir, fd, job->name, o);
		close(fd);
	}
	if (o->cause != RRD_FINE)
		unlinkat(dir, TEMPORARY, 0);
}

struct write_context {
	int dir;
	const struct rrd_job *jobs;
};

static void write_one(const void *context, size_t index, void *reply)
{
	const struct write_context *x = context;
	const struct rrd_job *job = &x->jobs[index];
	struct rrd_outcome *o = reply;
	int fd;

	if (job->updates.count == 0 && !(job->mode == RRD_BUILD && job->place))
		return;
	if (job->mode != RRD_GO_ON) {
		build_file(x->dir, job, o);
		return;
	}
	fd = open_file(x->dir, job->name, o);
	if (fd < 0)
		return;
	update_file(fd, job->name, &job->updates, job->columns, o);
	close(fd);
}

int rrd_dir_write(const struct rrd_dir *dir, const struct rrd_job *jobs, size_t count,
		  struct rrd_outcome *outcomes, char **err)
{
	struct write_context context = {dir->fd, jobs};
	int *died = mem_array(count, sizeof(*died));
	int rc = rrd_guard_run(write_one, &context, count, sizeof(*outcomes), outcomes, died, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (died[i])
			mark_deadly(&outcomes[i], died[i]);
	free(died);
	return rc;
}
