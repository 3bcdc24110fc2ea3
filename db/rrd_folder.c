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

#define SUFFIX ".rrd"

#define FOLDER_MODE 02775 /* of a new one */
#define FOLDER_BITS 02070 /* of one that there is */
#define FILE_BITS 0060

static bool is_rrd(const char *name)
{
	size_t length = strlen(name);

	return length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
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
	int fd, rc;

	if (!made && errno != EEXIST)
		return err_sys(err, "cannot make RRD directory %s; make it, or name another with `rrd_dir`",
			       path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot open RRD directory %s", path);
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
