/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/started.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"

int started_misused(const struct started_arguments *a)
{
	fputs(a->usage, stderr);
	return 1 + 2;
}

int started_read(const struct started_arguments *a, int argc, char **argv, void *ctx)
{
	int c;

	while ((c = getopt_long(argc, argv, a->letters, a->options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(a->usage, stdout);
			return 1;
		case 'V':
			printf("%s " XENBW_VERSION "\n", a->name);
			return 1;
		case '?':
			return started_misused(a);
		default:
			a->take(ctx, c);
		}
	}
	return optind < argc ? started_misused(a) : 0;
}

int started_check_socket(int fd, char **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_set(err, "descriptor %d is no socket; this program is started by xenbwd", fd);
	return 0;
}

int started_ignore_signals(char **err)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (signal(signals[i], SIG_IGN) == SIG_ERR)
			return err_sys(err, "cannot ignore signal %d", signals[i]);
	return 0;
}
