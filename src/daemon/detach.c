/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* It says that it runs, or it ends, and then its exit status is the answer. */
static int wait_for(pid_t pid, int fd)
{
	uint8_t word;
	ssize_t n;
	int status;

	do
		n = read(fd, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return EX_OK;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			log_err("waiting for process %d: %s", (int)pid, strerror(errno));
			return EX_OSERR;
		}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	log_err("it was ended by signal %d while it started", WTERMSIG(status));
	return EX_SOFTWARE;
}

/* Both ends are above the numbers that children get. */
static int status_pipe(int ends[2], char **err)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "cannot make a pipe");
	for (int i = 0; i < 2; i++)
		ends[i] = child_fd(ends[i]);
	if (ends[0] >= 0 && ends[1] >= 0)
		return 0;
	err_sys(err, "cannot make a pipe");
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return -1;
}

int detach_start(const char *path)
{
	char option[] = "--" DETACH_OPTION, config[] = "-c", *number = mem_printf("%d", CHILD_FIRST_FD),
	     *file = mem_strdup(path);
	char *argv[] = {NULL, option, number, file ? config : NULL, file, NULL};
	int ends[2], status = EX_OSERR;
	char *err = NULL;
	pid_t pid;

	if (status_pipe(ends, &err) == 0) {
		int rc = child_start_session(&pid, "xenbwd", argv, &ends[1], 1, &err);

		close(ends[1]);
		if (rc == 0)
			status = wait_for(pid, ends[0]);
		close(ends[0]);
	}
	if (err)
		log_err("%s", err);
	free(err);
	free(file);
	free(number);
	return status;
}

int detach_begun(const char *value)
{
	struct stat st;
	uint64_t fd;

	if (!text_u64(value, CHILD_FIRST_FD, INT_MAX, &fd) || fstat((int)fd, &st) < 0 ||
	    !S_ISFIFO(st.st_mode) || (fcntl((int)fd, F_GETFL) & O_ACCMODE) != O_WRONLY ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	log_to_syslog_soon();
	return (int)fd;
}

void detach_done(int fd)
{
	uint8_t word = 0;
	int null;

	if (write(fd, &word, 1) != 1)
		log_debug("the process that started this one is gone");
	close(fd);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	log_to_syslog();
	for (int i = 0; i < 3; i++)
		(void)dup2(null, i);
	close(null);
}
