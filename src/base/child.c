/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/program.h"

#define ABOVE_FD 16 /* no child gets so many */

static int set_files(posix_spawn_file_actions_t *files, bool session, const int *fds, size_t count)
{
	int rc = session ? posix_spawn_file_actions_addchdir_np(files, "/") : 0;

	for (int i = 0; log_helpers_to_syslog() && rc == 0 && i < CHILD_FIRST_FD; i++)
		rc = posix_spawn_file_actions_addopen(files, i, "/dev/null", O_RDWR, 0);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = posix_spawn_file_actions_adddup2(files, fds[i], CHILD_FIRST_FD + (int)i);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(files, CHILD_FIRST_FD + (int)count);
	return rc;
}

static int set_attributes(posix_spawnattr_t *attr, bool session)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;

	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attr, session ? flags | POSIX_SPAWN_SETSID : flags);
	return rc;
}

static int start(pid_t *pid, bool session, const char *program, char **argv, const int *fds, size_t count,
		 char **err)
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
			rc = set_files(&files, session, fds, count);
			if (rc == 0)
				rc = set_attributes(&attr, session);
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

int child_start(pid_t *pid, const char *program, char **argv, const int *fds, size_t count, char **err)
{
	return start(pid, false, program, argv, fds, count, err);
}

int child_start_session(pid_t *pid, const char *program, char **argv, const int *fds, size_t count,
			char **err)
{
	return start(pid, true, program, argv, fds, count, err);
}

static int set_other_files(posix_spawn_file_actions_t *files, int output)
{
	int rc = posix_spawn_file_actions_addchdir_np(files, "/");

	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
	for (int i = 1; rc == 0 && i < CHILD_FIRST_FD; i++)
		rc = posix_spawn_file_actions_adddup2(files, output, i);
	return rc == 0 ? posix_spawn_file_actions_addclosefrom_np(files, CHILD_FIRST_FD) : rc;
}

int child_start_other(pid_t *pid, const char *path, char *const argv[], char *const envp[], int output,
		      char **err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc = posix_spawn_file_actions_init(&files);

	*pid = 0;
	if (rc == 0) {
		rc = posix_spawnattr_init(&attr);
		if (rc == 0) {
			rc = set_other_files(&files, output);
			if (rc == 0)
				rc = set_attributes(&attr, true);
			if (rc == 0)
				rc = posix_spawn(pid, path, &files, &attr, argv, envp);
			posix_spawnattr_destroy(&attr);
		}
		posix_spawn_file_actions_destroy(&files);
	}
	if (rc == 0)
		return 0;
	*pid = 0;
	errno = rc;
	return err_sys(err, "cannot start %s", path);
}

int child_fd(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_FD);

	close(fd);
	return high;
}

int child_socketpair(int pair[2], char **err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "cannot make a socket pair");
	pair[0] = child_fd(pair[0]);
	pair[1] = child_fd(pair[1]);
	if (pair[0] >= 0 && pair[1] >= 0)
		return 0;
	err_sys(err, "cannot make a socket pair");
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
	return -1;
}
