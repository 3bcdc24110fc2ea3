/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

int user_find(const char *name, struct user *u, char **err)
{
	const struct passwd *p;

	errno = 0;
	p = getpwnam(name);
	if (p) {
		*u = (struct user){p->pw_uid, p->pw_gid};
		return 1;
	}
	/* these, too, say that nothing was found: getpwnam(3) */
	if (errno == 0 || errno == ENOENT || errno == ESRCH || errno == EBADF || errno == EPERM)
		return 0;
	return err_sys(err, "cannot look for the user `%s`", name);
}

char *user_own_name(void)
{
	const struct passwd *p = getpwuid(geteuid());

	return p ? mem_strdup(p->pw_name) : mem_printf("%u", geteuid());
}

char *user_own_group(void)
{
	const struct group *g = getgrgid(getegid());

	return g ? mem_strdup(g->gr_name) : mem_printf("%u", getegid());
}
