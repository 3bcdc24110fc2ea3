/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"

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
