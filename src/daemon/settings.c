/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"

int settings_fd(const struct conf *conf, bool with_secrets, char **err)
{
	int fd = memfd_create("xenbw settings", MFD_CLOEXEC);
	FILE *out = fd >= 0 ? fdopen(dup(fd), "w") : NULL;

	if (out) {
		conf_print(conf, out, with_secrets);
		if (fclose(out) == 0 && lseek(fd, 0, SEEK_SET) == 0 && (fd = child_fd(fd)) >= 0)
			return fd;
	}
	err_sys(err, "cannot write the settings for a helper");
	if (fd >= 0)
		close(fd);
	return -1;
}
