/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_BITS 07777

static bool is_own_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 && st->st_uid == geteuid();
}

int share_fd(int fd, mode_t bits)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!is_own_file(&st) && !(S_ISDIR(st.st_mode) && st.st_uid == geteuid()))
		return 0;
	if (st.st_gid != getegid() && fchown(fd, (uid_t)-1, getegid()) < 0)
		return -1;
	if ((st.st_mode & bits) == bits)
		return 0;
	if (fchmod(fd, (st.st_mode & MODE_BITS) | bits) == 0)
		return 0;
	/* a service may be forbidden to set S_ISGID; without, files of others in the folder have their group
	 */
	return errno == EPERM && (bits & S_ISGID) ? fchmod(fd, (st.st_mode & 0777) | (bits & 0777)) : -1;
}

int share_file(int at, const char *name, mode_t bits)
{
	struct stat st;
	int fd, rc;

	/* looked at before: to open a device may do something */
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!is_own_file(&st) || (st.st_gid == getegid() && (st.st_mode & bits) == bits))
		return 0;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	rc = share_fd(fd, bits);
	close(fd);
	return rc;
}
