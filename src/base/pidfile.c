/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pidfile.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/text.h"

/* Is this the number of a living process of our trade? */
static bool is_counter(const char *pid)
{
	char *path = mem_printf("/proc/%s/comm", pid), name[32];
	FILE *in = fopen(path, "re");
	bool found;

	free(path);
	if (!in)
		return false;
	found = fgets(name, sizeof(name), in) &&
		(strcmp(name, "nacctd\n") == 0 || strcmp(name, "xenbwd\n") == 0);
	fclose(in);
	return found;
}

static int check_holder(const char *path, int fd, char **err)
{
	char text[32] = {0};
	bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	uint64_t pid;

	if (n < 0)
		return err_sys(err, "cannot read the pid file %s", path);
	text[strcspn(text, "\r\n \t")] = '\0';
	if (!text_u64(text, 1, INT32_MAX, &pid) || pid == (uint64_t)getpid())
		return locked ? 0 : err_set(err, "the pid file %s is held by another process", path);
	if (locked && !is_counter(text))
		return 0;
	return err_set(
		err,
		"process %s runs already, says the pid file %s; stop it first, or give this one another "
		"`pidfile`",
		text, path);
}

int pidfile_take(struct pidfile *p, const char *path, char **err)
{
	char *text;
	ssize_t n;

	*p = (struct pidfile){.fd = -1};
	if (!path)
		return 0;
	if (folder_of(path, 0755, err) < 0)
		return -1;
	p->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (p->fd < 0)
		return err_sys(err, "cannot open the pid file %s", path);
	if (check_holder(path, p->fd, err) < 0) {
		close(p->fd);
		p->fd = -1;
		return -1;
	}
	p->path = mem_strdup(path);
	text = mem_printf("%d\n", (int)getpid());
	n = ftruncate(p->fd, 0) == 0 ? pwrite(p->fd, text, strlen(text), 0) : -1;
	n = n == (ssize_t)strlen(text) ? 0 : -1;
	free(text);
	if (n < 0) {
		err_sys(err, "cannot write the pid file %s", path);
		pidfile_release(p);
	}
	return (int)n;
}

void pidfile_release(struct pidfile *p)
{
	if (p->fd >= 0) {
		(void)unlink(p->path); /* one that stays is found to be stale by the next */
		close(p->fd);
	}
	free(p->path);
	*p = (struct pidfile){.fd = -1};
}
