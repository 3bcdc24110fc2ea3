/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/folder.h"
#include "base/mem.h"
#include "base/user.h"

/* How to join the group that has this right to the file or folder; root's is not for anybody. */
static char *way_in(const char *path, mode_t right, const char *user)
{
	const struct group *g;
	struct stat st;

	if (stat(path, &st) < 0 || st.st_gid == 0 || !(st.st_mode & right) || !(g = getgrgid(st.st_gid)))
		return mem_strdup("");
	return mem_printf(", or join its group (as root: `usermod -aG %s %s`, then log in anew)", g->gr_name,
			  user);
}

int rights_to_read(const char *path, const char *what, bool join, char **err)
{
	char *folder = folder_closed(path), *user, *way;

	if (!folder && (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 || errno != EACCES))
		return 0;
	user = user_own_name();
	way = join ? way_in(folder ? folder : path, folder ? S_IXGRP : S_IRGRP, user) : mem_strdup("");
	err_set(err, "cannot read %s %s: the user %s may not %s%s; run xenbw as root%s", what, path, user,
		folder ? "enter the folder " : "read it", folder ? folder : "", way);
	free(way);
	free(user);
	free(folder);
	return -1;
}
