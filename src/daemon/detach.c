/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

/* The parent: what the child says becomes its exit status. */
__attribute__((noreturn)) static void wait_for_child(int fd)
{
	uint8_t status;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? status : EX_SOFTWARE); /* nothing said: it died; its last words are on the terminal */
}

int detach_begin(char **err)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "cannot make a pipe");
	child = fork();
	if (child < 0) {
		close(ends[0]);
		close(ends[1]);
		return err_sys(err, "cannot fork");
	}
	if (child > 0) {
		close(ends[1]);
		wait_for_child(ends[0]);
	}
	close(ends[0]);
	if (setsid() < 0 || chdir("/") < 0) {
		close(ends[1]);
		return err_sys(err, "cannot leave the terminal");
	}
	log_to_syslog_soon();
	return ends[1];
}

void detach_done(int fd, int status)
{
	uint8_t byte = (uint8_t)status;
	int null;

	if (write(fd, &byte, 1) != 1)
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
