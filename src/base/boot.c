/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

char *boot_id(char **err)
{
	FILE *in = fopen("/proc/sys/kernel/random/boot_id", "re");
	char *line = NULL;
	size_t room = 0;

	if (!in || getline(&line, &room, in) < 36) {
		err_sys(err, "cannot read the kernel's boot id from /proc/sys/kernel/random/boot_id");
		free(line);
		line = NULL;
	}
	if (in)
		fclose(in);
	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}
