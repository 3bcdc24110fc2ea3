/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/helper.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"

#define LONGEST_BACKOFF 60 /* seconds between two starts */
#define STEADY_SECONDS 60  /* who lived that long begins again with a short back-off */

int helper_settings(const struct conf *conf, bool with_secrets, char **err)
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

void helper_started(struct helper_backoff *b)
{
	b->started = clock_mono();
}

void helper_delivered(struct helper_backoff *b)
{
	b->seconds = 0;
}

unsigned helper_wait(struct helper_backoff *b)
{
	if (clock_mono().ns - b->started.ns > (int64_t)STEADY_SECONDS * 1000000000)
		b->seconds = 0;
	b->seconds = b->seconds ? b->seconds * 2 : 1;
	if (b->seconds > LONGEST_BACKOFF)
		b->seconds = LONGEST_BACKOFF;
	return b->seconds;
}
