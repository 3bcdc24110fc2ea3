/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/program.h"

#define MOST_OUTPUT (16UL * 1024 * 1024)

struct patience {
	struct mono since;
	int limit_ms;
};

static bool wait_readable(int fd, const struct patience *p)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int64_t left = p->limit_ms - (clock_mono().ns - p->since.ns) / 1000000;
	int rc;

	do {
		rc = poll(&wait, 1, p->limit_ms < 0 ? -1 : left > 0 ? (int)left : 0);
	} while (rc < 0 && errno == EINTR);
	return rc > 0;
}

/* Until the end of the stream, or of our patience, or of what may sensibly come. */
static char *read_all(int fd, const struct patience *p)
{
	size_t used = 0, room = 4096;
	char *text = mem_array(room, 1);

	while (used < MOST_OUTPUT && wait_readable(fd, p)) {
		ssize_t n = read(fd, text + used, room - used - 1);

		if (n <= 0)
			break;
		used += (size_t)n;
		if (room - used < 2) {
			room *= 2;
			text = mem_resize(text, room, 1);
		}
	}
	text[used] = '\0';
	return text;
}

static int start(pid_t *pid, const char *path, const char *const argv[], const int pipe_fds[2], char **err)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return err_set(err, "cannot start %s: %s", path, strerror(rc));
	if (pipe_fds) {
		rc = posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
		if (rc == 0)
			rc = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY,
							      0);
	}
	if (rc == 0) /* which changes none of argv, but does not say so */
		rc = posix_spawn(pid, path, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc == 0 ? 0 : err_set(err, "cannot start %s: %s", path, strerror(rc));
}

/* The exit status; a helper that is still there when our patience ends is killed. */
static int finish(pid_t pid, const char *path, const struct patience *p, char **err)
{
	int fd = pidfd_open(pid, 0), status = 0;
	bool late = fd < 0 || !wait_readable(fd, p);

	if (fd >= 0)
		close(fd);
	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "waiting for %s", path);
	if (late)
		return err_set(err, "%s did not end in time", path);
	if (!WIFEXITED(status))
		return err_set(err, "%s was ended by signal %d", path, WTERMSIG(status));
	return WEXITSTATUS(status);
}

int spawn_run(const char *name, const char *const argv[], int limit_ms, char **output, char **err)
{
	struct patience p = {clock_mono(), limit_ms};
	char *path = program_path(name);
	int fds[2] = {-1, -1}, rc;
	char *text = NULL;
	pid_t pid = 0;

	if (output && pipe2(fds, O_CLOEXEC) < 0)
		rc = err_sys(err, "cannot make a pipe for %s", path);
	else
		rc = start(&pid, path, argv, output ? fds : NULL, err);
	if (fds[1] >= 0)
		close(fds[1]);
	if (rc == 0 && output)
		text = read_all(fds[0], &p);
	if (rc == 0)
		rc = finish(pid, path, &p, err);
	if (fds[0] >= 0)
		close(fds[0]);
	if (rc >= 0 && output)
		*output = text;
	else
		free(text);
	free(path);
	return rc;
}
