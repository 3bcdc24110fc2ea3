/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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

char *folder_closed(const char *path)
{
	char *folder = mem_strdup(path);

	for (char *slash = folder; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) < 0 && errno == EACCES)
			return folder;
		*slash = '/';
	}
	free(folder);
	return NULL;
}

int folder_passable(const char *path, char **err)
{
	char *folder = folder_closed(path);
	int rc = folder ? refused(folder, err) : 0;

	free(folder);
	return rc;
}

/* An absolute path without links and dots, as far as it is there. */
static char *resolved(const char *path)
{
	char *text = mem_strdup(path), real[PATH_MAX], *all;
	size_t end = strlen(text);

	while (end > 1 && !realpath(text, real)) {
		while (end > 1 && text[end - 1] == '/')
			end--;
		while (end > 1 && text[end - 1] != '/')
			end--;
		text[end] = '\0';
	}
	if (end <= 1)
		snprintf(real, sizeof(real), "/");
	path += end;
	path += strspn(path, "/");
	all = mem_printf("%s%s%s", real, strcmp(real, "/") == 0 || !*path ? "" : "/", path);
	free(text);
	for (end = strlen(all); end > 1 && all[end - 1] == '/';)
		all[--end] = '\0';
	return all;
}

bool folder_holds(const char *folder, const char *path)
{
	char *above = resolved(folder), *file = resolved(path);
	size_t length = strlen(above);
	bool holds;

	if (length == 1)
		length = 0; /* all are below "/" */
	holds = strncmp(file, above, length) == 0 && file[length] == '/';
	free(file);
	free(above);
	return holds;
}
