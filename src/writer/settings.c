/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "writer/settings.h"

#include <stdio.h>

#include "base/err.h"

int settings_read(int fd, struct conf *conf, char **err)
{
	FILE *in = fdopen(fd, "r");
	int rc;

	if (!in)
		return err_sys(
			err, "cannot read the settings from descriptor %d; this program is started by xenbwd",
			fd);
	rc = conf_parse(conf, in, "settings from xenbwd", err);
	fclose(in);
	return rc;
}
