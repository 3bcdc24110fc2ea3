/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

char *program_path(const char *name)
{
	char self[PATH_MAX] = "", *path = NULL, *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	slash = n > 0 ? strrchr(self, '/') : NULL;
	if (slash) {
		*slash = '\0';
		path = mem_printf("%s/%s", self, name);
	}
	if (path && (access(path, X_OK) == 0 ||
		     errno == EACCES)) /* there, but not for this user: its start says so */
		return path;
	free(path);
	return mem_printf("%s/%s", XENBW_LIBEXECDIR, name);
}
