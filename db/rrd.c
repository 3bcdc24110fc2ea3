/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/user.h"
#include "db/rrd_guard.h"

#define SUFFIX ".rrd"

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
		if (strncmp(entry->d_name, RRD_TEMPORARY, strlen(RRD_TEMPORARY)) == 0)
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
	if (folder_passable(dir->path, err) < 0) {
		err_add(err, "cannot write in RRD directory %s", dir->path);
		goto fail;
	}
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
		int reason = errno;
		char *user = user_own_name(), *group = user_own_group();

		errno = reason;
		if (errno == EROFS)
			err_sys(err,
				"cannot write in RRD directory %s; where systemd makes it read-only for "
				"xenbwd, "
				"`systemctl edit xenbwd` and add `ReadWritePaths=%s`",
				dir->path, dir->path);
		else
			err_sys(err,
				"the user %s cannot write in RRD directory %s; `chgrp %s` and `chmod g+rwx` "
				"it, or "
				"`chown %s` it",
				user, dir->path, group, user);
		free(group);
		free(user);
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

/* Looks through what came from a process that a damaged file may have had in its hands. */
static void check_outcome(struct rrd_outcome *o, int died)
{
	if (died == SIGKILL) {
		o->cause = RRD_KILLED;
		snprintf(o->reason, sizeof(o->reason), "%s",
			 "xenbw-rrd was killed while it worked on it; it is as it was before");
	} else if (died) {
		o->cause = RRD_DEADLY;
		snprintf(o->reason, sizeof(o->reason),
			 "librrd died of it (%s): it or its disk is damaged, or the disk is full; free some "
			 "space, else " RRD_MOVE_AWAY,
			 strsignal(died));
	}
	o->reason[sizeof(o->reason) - 1] = '\0';
	for (char *c = o->reason; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
}

static void check_state(struct rrd_state *s, int died)
{
	check_outcome(&s->outcome, died);
	s->columns &= RRD_ALL_COLUMNS;
	if (s->outcome.cause == RRD_FINE && s->tail.last_update <= 0) {
		s->outcome.cause = RRD_DAMAGED;
		snprintf(s->outcome.reason, sizeof(s->outcome.reason), "%s",
			 "xenbw-rrd did not find out what it is; " RRD_MOVE_AWAY);
	}
}

int rrd_dir_read(const struct rrd_dir *dir, const char *const *names, size_t count, struct rrd_state *states,
		 char **err)
{
	struct rrd_job *jobs = mem_array(count, sizeof(*jobs));
	int *died = mem_array(count, sizeof(*died)), rc;

	for (size_t i = 0; i < count; i++)
		jobs[i].name = names[i];
	rc = rrd_guard_run(dir->fd, RRD_TASKS_READ, jobs, count, states, died, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		check_state(&states[i], died[i]);
	free(died);
	free(jobs);
	return rc;
}

int rrd_dir_write(const struct rrd_dir *dir, const struct rrd_job *jobs, size_t count,
		  struct rrd_outcome *outcomes, char **err)
{
	int *died = mem_array(count, sizeof(*died));
	int rc = rrd_guard_run(dir->fd, RRD_TASKS_WRITE, jobs, count, outcomes, died, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		check_outcome(&outcomes[i], died[i]);
	free(died);
	return rc;
}
