/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_tasks.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define REPLIES (sizeof(struct rrd_progress) + sizeof(struct rrd_undo)) /* what is before them */

size_t rrd_tasks_reply_size(enum rrd_tasks_kind kind)
{
	return kind == RRD_TASKS_READ ? sizeof(struct rrd_state) : sizeof(struct rrd_outcome);
}

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static struct rrd_task *task_at(const struct rrd_tasks *t, size_t index)
{
	return (struct rrd_task *)(t->map + sizeof(struct rrd_tasks_head)) + index;
}

static void set_replies(struct rrd_tasks *t)
{
	t->progress = (struct rrd_progress *)(t->map + t->replies_from);
	t->undo = (struct rrd_undo *)(t->progress + 1);
}

/* ---- xenbw-writer ---- */

/* Updates come before the names, which need no alignment. */
static void set_sizes(struct rrd_tasks *t, const struct rrd_job *jobs)
{
	size_t size = sizeof(struct rrd_tasks_head) + t->count * sizeof(struct rrd_task);

	for (size_t i = 0; i < t->count; i++)
		size += jobs[i].updates.count * sizeof(struct rrd_update) + strlen(jobs[i].name) + 1;
	t->replies_from = round_up(size, page_size());
	t->size = t->replies_from + REPLIES + t->count * rrd_tasks_reply_size(t->kind);
}

static void fill(struct rrd_tasks *t, const char *temporary, const struct rrd_job *jobs)
{
	struct rrd_tasks_head *head = (struct rrd_tasks_head *)t->map;
	size_t at = sizeof(*head) + t->count * sizeof(struct rrd_task);

	*head = (struct rrd_tasks_head){.magic = RRD_TASKS_MAGIC,
					.kind = t->kind,
					.count = t->count,
					.replies = t->replies_from,
					.parent = getpid()};
	snprintf(head->temporary, sizeof(head->temporary), "%s", temporary);
	for (size_t i = 0; i < t->count; i++) {
		const struct rrd_updates *updates = &jobs[i].updates;

		*task_at(t, i) = (struct rrd_task){.updates = at,
						   .update_count = updates->count,
						   .after = jobs[i].after,
						   .mode = jobs[i].mode,
						   .columns = jobs[i].columns,
						   .place = jobs[i].place};
		if (updates->count)
			memcpy(t->map + at, updates->list, updates->count * sizeof(*updates->list));
		at += updates->count * sizeof(*updates->list);
	}
	for (size_t i = 0; i < t->count; i++) {
		struct rrd_task *task = task_at(t, i);

		task->name = at;
		task->name_length = strlen(jobs[i].name);
		memcpy(t->map + at, jobs[i].name, task->name_length + 1);
		at += task->name_length + 1;
	}
}

int rrd_tasks_make(struct rrd_tasks *t, enum rrd_tasks_kind kind, const char *temporary,
		   const struct rrd_job *jobs, size_t count, char **err)
{
	int fd = memfd_create("xenbw-rrd", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*t = (struct rrd_tasks){.kind = kind, .count = count};
	set_sizes(t, jobs);
	/* its room is taken now, so that no write into it can fail; nor does it become shorter under us */
	if (fd < 0 || fallocate(fd, 0, 0, (off_t)t->size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	t->map = mmap(NULL, t->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t->map == MAP_FAILED)
		goto fail;
	set_replies(t);
	fill(t, temporary, jobs);
	return fd;
fail:
	err_sys(err, "cannot make %zu bytes of memory to share with xenbw-rrd", t->size);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ---- xenbw-rrd ---- */

/* Whether `count` pieces of `size` bytes at `from` lie in [0, end). */
static bool inside(uint64_t from, uint64_t count, size_t size, size_t end)
{
	return from <= end && count <= (end - from) / size;
}

static int check_head(const struct rrd_tasks_head *head, size_t size, char **err)
{
	if (head->magic != RRD_TASKS_MAGIC)
		return err_set(err, "the tasks are none of this version's; reinstall xenbw");
	if (head->kind != RRD_TASKS_READ && head->kind != RRD_TASKS_WRITE)
		return err_set(err, "the tasks are of an unknown kind %u", head->kind);
	if (strncmp(head->temporary, RRD_TEMPORARY, strlen(RRD_TEMPORARY)) != 0 ||
	    strnlen(head->temporary, RRD_TEMPORARY_ROOM) == RRD_TEMPORARY_ROOM ||
	    strchr(head->temporary, '/'))
		return err_set(err, "the temporary name is none");
	if (head->replies % page_size() != 0 || head->replies < sizeof(*head) ||
	    !inside(head->replies, 1, REPLIES, size))
		return err_set(err, "the replies do not begin within the memory");
	if (!inside(sizeof(*head), head->count, sizeof(struct rrd_task), head->replies) ||
	    !inside(head->replies + REPLIES, head->count, rrd_tasks_reply_size(head->kind), size))
		return err_set(err, "the memory is too small for its tasks");
	return 0;
}

static int check_task(const struct rrd_tasks *t, size_t index, char **err)
{
	const struct rrd_task *task = task_at(t, index);
	const char *name;

	/* the NUL is inside too */
	if (!inside(task->name, 1, 1, t->replies_from) ||
	    !inside(task->name + 1, task->name_length, 1, t->replies_from))
		return err_set(err, "the name of task %zu does not lie within the memory", index);
	name = t->map + task->name;
	if (task->name_length == 0 || strnlen(name, task->name_length + 1) != task->name_length ||
	    strchr(name, '/'))
		return err_set(err, "the name of task %zu is no file's", index);
	if (task->updates % _Alignof(struct rrd_update) != 0 ||
	    !inside(task->updates, task->update_count, sizeof(struct rrd_update), t->replies_from))
		return err_set(err, "the updates of task %zu do not lie within the memory", index);
	if (task->mode > RRD_BUILD || task->columns > RRD_ALL_COLUMNS || task->place > 1)
		return err_set(err, "task %zu is none", index);
	return 0;
}

int rrd_tasks_open(struct rrd_tasks *t, int fd, char **err)
{
	struct rrd_tasks_head head;
	struct stat st;
	char *replies;

	*t = (struct rrd_tasks){0};
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return err_set(err, "descriptor %d has no tasks", fd);
	if (check_head(&head, (size_t)st.st_size, err) < 0)
		return -1;
	t->kind = head.kind;
	t->count = head.count;
	t->replies_from = head.replies;
	t->size = (size_t)st.st_size;
	t->map = mmap(NULL, t->size, PROT_READ, MAP_SHARED, fd, 0);
	if (t->map == MAP_FAILED) {
		t->map = NULL;
		return err_sys(err, "cannot map the tasks");
	}
	replies = mmap(t->map + t->replies_from, t->size - t->replies_from, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd, (off_t)t->replies_from);
	if (replies == MAP_FAILED) {
		err_sys(err, "cannot map the replies");
		goto fail;
	}
	set_replies(t);
	if (t->progress->done > t->count) {
		err_set(err, "more tasks are done than there are");
		goto fail;
	}
	if (t->undo->length > RRD_UNDO_BYTES || (t->undo->length && t->undo->task >= t->count)) {
		err_set(err, "what is to be put back is of no task, or too long");
		goto fail;
	}
	for (size_t i = 0; i < t->count; i++)
		if (check_task(t, i, err) < 0)
			goto fail;
	return 0;
fail:
	rrd_tasks_close(t);
	return -1;
}

int64_t rrd_tasks_parent(const struct rrd_tasks *t)
{
	return ((const struct rrd_tasks_head *)t->map)->parent;
}

const char *rrd_tasks_temporary(const struct rrd_tasks *t)
{
	return ((const struct rrd_tasks_head *)t->map)->temporary;
}

struct rrd_job rrd_tasks_job(const struct rrd_tasks *t, size_t index)
{
	const struct rrd_task *task = task_at(t, index);

	return (struct rrd_job){.name = t->map + task->name,
				.mode = (enum rrd_mode)task->mode,
				.after = task->after,
				.place = task->place != 0,
				.columns = task->columns,
				.updates = {.list = (struct rrd_update *)(t->map + task->updates),
					    .count = task->update_count}};
}

void *rrd_tasks_reply(const struct rrd_tasks *t, size_t index)
{
	return t->map + t->replies_from + REPLIES + index * rrd_tasks_reply_size(t->kind);
}

void rrd_tasks_close(struct rrd_tasks *t)
{
	if (t->map)
		munmap(t->map, t->size);
	*t = (struct rrd_tasks){0};
}
