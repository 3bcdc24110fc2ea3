/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/check.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

static int check_one(const char *path, char **err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(err, "cannot look at %s", path);
	if (st.st_uid != 0)
		return err_set(err, "%s is not root's, and it is called with root's rights; `chown root %s`",
			       path, path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err,
			       "others than root can write to %s, and it is called with root's rights; "
			       "`chmod go-w %s`",
			       path, path);
	return 0;
}

/* The folders on the way, from the file's own up to the root. */
static int check_folders(char *path, char **err)
{
	for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		int rc;

		*slash = '\0';
		rc = check_one(*path ? path : "/", err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int check_file(const char *path, char **err)
{
	struct stat st;

	if (check_one(path, err) < 0)
		return -1;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return err_set(err, "%s is no program; `chmod +x %s` makes one of a script", path, path);
	return 0;
}

int check_program(const char *path, char **real, char **err)
{
	char resolved[PATH_MAX], *folders;
	int rc;

	*real = NULL;
	if (!realpath(path, resolved))
		return err_sys(err, "cannot find %s", path);
	folders = mem_strdup(resolved);
	rc = check_file(resolved, err);
	if (rc == 0)
		rc = check_folders(folders, err);
	free(folders);
	if (rc == 0)
		*real = mem_strdup(resolved);
	return rc;
}
