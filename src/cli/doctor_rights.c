/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor_rights: who may read and write what (cli/doctor.h)?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/user.h"
#include "cli/doctor.h"

/* One file or folder: `never` are bits of its mode that are an error, `rather_not` a warning. */
static void check_mode(struct doctor *d, const char *check, const char *path, mode_t never, mode_t rather_not)
{
	char todo[64];
	struct stat st;

	if (stat(path, &st) < 0) {
		doctor_say(d, DOCTOR_UNCHECKED, check, NULL, "%s: %s", path, strerror(errno));
		return;
	}
	snprintf(todo, sizeof(todo), "`chmod %o` it", (unsigned)(st.st_mode & 07777 & ~(never | rather_not)));
	if (st.st_mode & never)
		doctor_say(d, DOCTOR_ERROR, check, todo, "%s has mode %o: others may %s it", path,
			   (unsigned)(st.st_mode & 07777), st.st_mode & never & 0022 ? "write" : "read");
	else if (st.st_mode & rather_not)
		doctor_say(d, DOCTOR_WARNING, check, todo, "%s has mode %o: everybody may read it", path,
			   (unsigned)(st.st_mode & 07777));
	else
		doctor_say(d, DOCTOR_OK, check, NULL, "%s has mode %o", path, (unsigned)(st.st_mode & 07777));
}

/* May this user write in the folder, as its owner or by its primary group? */
static bool may_write(const struct stat *st, const struct user *u)
{
	if (st->st_uid == u->uid)
		return (st->st_mode & 0300) == 0300;
	if (st->st_gid == u->gid)
		return (st->st_mode & 0030) == 0030;
	return (st->st_mode & 0003) == 0003;
}

static void check_user(struct doctor *d)
{
	const char *name = d->cli->conf.user, *rrd = d->cli->conf.rrd_dir;
	struct user u;
	char *err = NULL;
	struct stat st;
	int rc = user_find(name, &u, &err);

	if (rc < 0) {
		doctor_failed(d, "user", err);
		return;
	}
	if (rc == 0) {
		doctor_say(d, DOCTOR_ERROR, "user",
			   "`systemd-sysusers` makes it, or name another with `user`",
			   "there is no user %s, as whom the helpers run", name);
		return;
	}
	doctor_say(d, DOCTOR_OK, "user", NULL, "the helpers run as %s", name);
	if (!rrd)
		return;
	if (stat(rrd, &st) < 0)
		doctor_say(d, DOCTOR_UNCHECKED, "RRD folder", NULL, "%s: %s", rrd, strerror(errno));
	else if (!may_write(&st, &u))
		doctor_say(d, DOCTOR_ERROR, "RRD folder", "give it to that user's group, with `chmod g+rwx`",
			   "the user %s may not write in %s", name, rrd);
	else
		doctor_say(d, DOCTOR_OK, "RRD folder", NULL, "the user %s may write in %s", name, rrd);
}

void doctor_rights(struct doctor *d)
{
	const struct conf *c = &d->cli->conf;

	check_user(d);
	check_mode(d, "ledger's mode", c->ledger, 0022, 0004);
	if (c->mysql.password_file)
		check_mode(d, "password's mode", c->mysql.password_file, 0026, 0004);
	check_mode(d, "socket's mode", c->control, 0022, 0);
}
