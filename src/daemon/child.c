/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/program.h"

#define LONGEST_BACKOFF 60 /* seconds between two starts */
#define STEADY_SECONDS 60  /* who lived that long begins again with a short back-off */
#define ABOVE_FD 16        /* no child gets so many */

extern char **environ;

static int set_files(posix_spawn_file_actions_t *files, const int *fds, size_t count)
{
	int rc = 0;

	for (int i = 0; log_helpers_to_syslog() && rc == 0 && i < CHILD_FIRST_FD; i++)
		rc = posix_spawn_file_actions_addopen(files, i, "/dev/null", O_RDWR, 0);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = posix_spawn_file_actions_adddup2(files, fds[i], CHILD_FIRST_FD + (int)i);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(files, CHILD_FIRST_FD + (int)count);
	return rc;
}

static int set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return rc;
}

int child_start(pid_t *pid, const char *program, char **argv, const int *fds, size_t count, char **err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	char *path = program_path(program);
	int rc;

	argv[0] = path;
	rc = posix_spawn_file_actions_init(&files);
	if (rc == 0) {
		rc = posix_spawnattr_init(&attr);
		if (rc == 0) {
			rc = set_files(&files, fds, count);
			if (rc == 0)
				rc = set_signals(&attr);
			if (rc == 0)
				rc = posix_spawn(pid, path, &files, &attr, argv, environ);
			posix_spawnattr_destroy(&attr);
		}
		posix_spawn_file_actions_destroy(&files);
	}
	if (rc != 0) {
		*pid = 0;
		errno = rc;
		rc = err_sys(err, "cannot start %s", path);
	}
	argv[0] = NULL;
	free(path);
	return rc;
}

/* The same open file under a high number; closes fd. */
static int move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_FD);

	close(fd);
	return high;
}

int child_settings(const struct conf *conf, bool with_secrets, char **err)
{
	int fd = memfd_create("xenbw settings", MFD_CLOEXEC);
	FILE *out = fd >= 0 ? fdopen(dup(fd), "w") : NULL;

	if (out) {
		conf_print(conf, out, with_secrets);
		if (fclose(out) == 0 && lseek(fd, 0, SEEK_SET) == 0 && (fd = move_up(fd)) >= 0)
			return fd;
	}
	err_sys(err, "cannot write the settings for a helper");
	if (fd >= 0)
		close(fd);
	return -1;
}

int child_socketpair(int pair[2], char **err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "cannot make a socket pair");
	pair[0] = move_up(pair[0]);
	pair[1] = move_up(pair[1]);
	if (pair[0] >= 0 && pair[1] >= 0)
		return 0;
	err_sys(err, "cannot make a socket pair");
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	return -1;
}

void child_started(struct child_backoff *b)
{
	b->started = clock_mono();
}

unsigned child_wait(struct child_backoff *b)
{
	if (clock_mono().ns - b->started.ns > (int64_t)STEADY_SECONDS * 1000000000)
		b->seconds = 0;
	b->seconds = b->seconds ? b->seconds * 2 : 1;
	if (b->seconds > LONGEST_BACKOFF)
		b->seconds = LONGEST_BACKOFF;
	return b->seconds;
}
