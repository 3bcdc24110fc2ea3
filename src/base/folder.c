/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/user.h"

int folder_of(const char *path, mode_t mode, char **err)
{
	char *folder = mem_strdup(path), *slash = strrchr(folder, '/');
	int rc = 0;

	if (slash && slash != folder) {
		*slash = '\0';
		if (mkdir(folder, mode) < 0 && errno != EEXIST)
			rc = err_sys(err, "cannot make the folder %s for %s", folder, path);
	}
	free(folder);
	return rc;
}

static int refused(const char *folder, char **err)
{
	char *user = user_own_name(), *group = user_own_group();
	int rc = err_set(err,
			 "the user %s may not enter the folder %s; let its group: `chgrp %s %s && chmod g+x "
			 "%s`",
			 user, folder, group, folder, folder);

	free(group);
	free(user);
	return rc;
}

int folder_passable(const char *path, char **err)
{
	char *folder = mem_strdup(path);
	int rc = 0;

	for (char *slash = folder; rc == 0 && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) < 0 && errno == EACCES)
			rc = refused(folder, err);
		*slash = '/';
	}
	free(folder);
	return rc;
}
