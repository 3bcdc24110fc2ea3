/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/user.h"
#include "db/rrd_run.h"

#define SUFFIX ".rrd"

#define LOCK_TRIES 250 /* one each 20 ms; who waits in vain is asked again some seconds later */

/* Some file systems have no such locks, or none for directories: what protects there is that every temporary
 * name is its process's own. */
static int lock_dir(const struct rrd_dir *dir, char **err)
{
	for (int tries = 0; flock(dir->fd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0;
		if (tries == LOCK_TRIES)
			return err_set(
				err,
				"RRD directory %s is locked: another xenbw-writer, or the xenbw-rrd that "
				"a killed one left, works in it; it is tried again",
				dir->path);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	return 0;
}

static int choose_temporary(struct rrd_dir *dir, char **err)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return err_sys(err, "cannot get a random number");
	snprintf(dir->temporary, sizeof(dir->temporary), RRD_TEMPORARY ".%016" PRIx64, number);
	return 0;
}

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
	if (lock_dir(dir, err) < 0 || choose_temporary(dir, err) < 0 || remove_leftovers(dir, err) < 0)
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
static void check_outcome(struct rrd_outcome *o, const struct rrd_death *death)
{
	int died = death->signal;

	if (died == SIGKILL && death->torn) {
		o->cause = RRD_TORN;
		snprintf(o->reason, sizeof(o->reason), "%s",
			 "xenbw-rrd was killed while it worked on it, and what it had begun could not be put "
			 "back: it may have a row twice; " RRD_MOVE_AWAY);
	} else if (died == SIGKILL) {
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

static void check_state(struct rrd_state *s, const struct rrd_death *death)
{
	check_outcome(&s->outcome, death);
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
	struct rrd_death *deaths = mem_array(count, sizeof(*deaths));
	int rc;

	for (size_t i = 0; i < count; i++)
		jobs[i].name = names[i];
	rc = rrd_run_jobs(dir, RRD_TASKS_READ, jobs, count, states, deaths, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		check_state(&states[i], &deaths[i]);
	free(deaths);
	free(jobs);
	return rc;
}

int rrd_dir_write(const struct rrd_dir *dir, const struct rrd_job *jobs, size_t count,
		  struct rrd_outcome *outcomes, char **err)
{
	struct rrd_death *deaths = mem_array(count, sizeof(*deaths));
	int rc = rrd_run_jobs(dir, RRD_TASKS_WRITE, jobs, count, outcomes, deaths, err);

	for (size_t i = 0; rc == 0 && i < count; i++)
		check_outcome(&outcomes[i], &deaths[i]);
	free(deaths);
	return rc;
}
