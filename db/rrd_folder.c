/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/rrd_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/share.h"
#include "db/rrd.h"

#define SUFFIX ".rrd"

#define FOLDER_MODE 02775 /* of a new one */
#define FOLDER_BITS 02070 /* of one that there is */
#define FILE_BITS 0060

static bool is_rrd(const char *name)
{
	size_t length = strlen(name);

	return length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* One that holds anything else is not given away: whoever may write a folder may replace all that is in it.
 */
static bool is_for_rrds_only(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;
	bool only = list != NULL;

	if (!list) {
		if (own >= 0)
			close(own);
		return false;
	}
	while (only && (entry = readdir(list)))
		only = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		       is_rrd(entry->d_name) ||
		       strncmp(entry->d_name, RRD_TEMPORARY, strlen(RRD_TEMPORARY)) == 0;
	closedir(list);
	return only;
}

/* The group of root is everything's. */
static bool has_our_group(int fd)
{
	struct stat st;

	return getegid() != 0 && fstat(fd, &st) == 0 && st.st_gid == getegid();
}

/* The first file that cannot be changed is named; there may be thousands. */
static int share_files(int fd, const char *path, char **err)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *list = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;

	if (!list) {
		rc = err_sys(err, "cannot list RRD directory %s", path);
		if (own >= 0)
			close(own);
		return rc;
	}
	while ((entry = readdir(list)))
		if (is_rrd(entry->d_name) && share_file(fd, entry->d_name, FILE_BITS) < 0 && rc == 0)
			rc = err_sys(err, "cannot give RRD file %s/%s to the group of xenbw-writer", path,
				     entry->d_name);
	closedir(list);
	return rc;
}

static int prepare(const char *path, char **err)
{
	bool made = mkdir(path, 0700) == 0;
	int fd, rc = 0;

	if (!made && errno == EROFS)
		return err_sys(
			err,
			"cannot make RRD directory %s; where systemd makes the file system read-only for "
			"xenbwd, `systemctl edit xenbwd` and add `ReadWritePaths=`",
			path);
	if (!made && errno != EEXIST)
		return err_sys(err, "cannot make RRD directory %s; make it, or name another with `rrd_dir`",
			       path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open RRD directory %s", path);
	if (made || has_our_group(fd) || is_for_rrds_only(fd))
		rc = share_fd(fd, made ? FOLDER_MODE : FOLDER_BITS);
	if (rc < 0)
		err_sys(err, "cannot give RRD directory %s to the group of xenbw-writer", path);
	else
		rc = share_files(fd, path, err);
	close(fd);
	return rc;
}

int rrd_folder_prepare(const char *path, char **err)
{
	size_t length = strlen(path);
	char *folder;
	int rc;

	/* "link/" would follow the link */
	while (length > 1 && path[length - 1] == '/')
		length--;
	folder = mem_strndup(path, length);
	rc = prepare(folder, err);
	free(folder);
	return rc;
}
