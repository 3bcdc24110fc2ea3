/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/text.h"

/* Is this the number of a living process of our trade? Where /proc hides whose it is, any that lives counts.
 */
static bool is_counter(pid_t pid)
{
	char *path, name[32];
	bool found = true;
	FILE *in;

	if (kill(pid, 0) < 0 && errno == ESRCH)
		return false;
	path = mem_printf("/proc/%d/comm", (int)pid);
	in = fopen(path, "re");
	free(path);
	if (!in) /* or it has just ended */
		return kill(pid, 0) == 0 || errno != ESRCH;
	if (fgets(name, sizeof(name), in))
		found = strcmp(name, "nacctd\n") == 0 || strcmp(name, "xenbwd\n") == 0;
	fclose(in);
	return found;
}

/* The number in a pid file; 0: it is empty. -1: it is anything else, and so no pid file. */
static int read_pid(const char *path, int fd, pid_t *pid, char **err)
{
	char text[32] = {0};
	uint64_t number = 0;
	struct stat st;
	ssize_t n = 0;
	size_t digits;
	bool good;

	if (fstat(fd, &st) < 0 || (S_ISREG(st.st_mode) && (n = pread(fd, text, sizeof(text) - 1, 0)) < 0))
		return err_sys(err, "cannot read the pid file %s", path);
	digits = strcspn(text, "\r\n \t");
	good = S_ISREG(st.st_mode) && st.st_size == n &&
	       digits + strspn(text + digits, "\r\n \t") == (size_t)n;
	text[digits] = '\0';
	if (!good || (n > 0 && !text_u64(text, 1, INT32_MAX, &number)))
		return err_set(err,
			       "%s is no pid file, and is left as it is; name another one with `pidfile`, or "
			       "remove it",
			       path);
	*pid = (pid_t)number;
	return 0;
}

/* False: another process that may write the file has locked it. The lock of a reader is nobody's word. */
static bool lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return true;
	return fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_WRLCK;
}

static int check_holder(const char *path, int fd, char **err)
{
	pid_t pid = 0;

	if (read_pid(path, fd, &pid, err) < 0)
		return -1;
	if (pid != 0 && pid != getpid() && is_counter(pid))
		return err_set(
			err,
			"process %d runs already, says the pid file %s; stop it first, or give this one "
			"another `pidfile`",
			(int)pid, path);
	return lock(fd) ? 0 : err_set(err, "the pid file %s is held by another process", path);
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
	p->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
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
