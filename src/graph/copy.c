/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "graph/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <rrd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* Waits up to two seconds while xenbw-writer has the file locked. */
static int lock_for_reading(int fd, const char *path, char **err)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	for (int tries = 0; fcntl(fd, F_SETLK, &lock) < 0; tries++) {
		if ((errno != EACCES && errno != EAGAIN && errno != EINTR) || tries == 100)
			return err_sys(err, "cannot lock RRD file %s for reading", path);
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	return 0;
}

static int copy_all(int from, int to, const char *path, char **err)
{
	char buffer[65536];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		for (ssize_t done = 0, part; done < n; done += part) {
			part = write(to, buffer + done, (size_t)(n - done));
			if (part < 0)
				return err_sys(err, "cannot copy RRD file %s into memory", path);
		}
	return n < 0 ? err_sys(err, "cannot read RRD file %s", path) : 0;
}

int copy_open(const char *file, struct copy *c, char **err)
{
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	*c = (struct copy){.fd = -1};
	if (fd < 0)
		return err_sys(err, "cannot open RRD file %s", file);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(err, "RRD file %s is no regular file", file);
	} else if (st.st_size == 0) {
		err_set(err, "RRD file %s is empty", file);
	} else if (lock_for_reading(fd, file, err) == 0) {
		c->fd = memfd_create("rrd", MFD_CLOEXEC);
		if (c->fd < 0) {
			err_sys(err, "cannot copy RRD file %s into memory", file);
		} else if (copy_all(fd, c->fd, file, err) < 0) {
			close(c->fd);
			c->fd = -1;
		}
	}
	close(fd);
	if (c->fd < 0)
		return -1;
	c->path = mem_printf("/proc/self/fd/%d", c->fd);
	return 0;
}

void copy_close(struct copy *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->path);
	*c = (struct copy){.fd = -1};
}

int copy_failed(const struct copy *c, const char *file, char **err)
{
	const char *text = rrd_get_error(), *at = strstr(text, c->path);
	int before = at ? (int)(at - text) : (int)strlen(text);

	return err_set(err, "cannot draw %s: %.*s%s%s", file, before, text, at ? file : "",
		       at ? at + strlen(c->path) : "");
}
