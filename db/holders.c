/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/holders.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

#define MOST 8 /* as many as a message names */

struct found {
	long pids[MOST];
	size_t count;
};

static void add(struct found *f, long pid)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->pids[i] == pid)
			return;
	if (f->count < MOST)
		f->pids[f->count++] = pid;
}

/* A line is "1: POSIX  ADVISORY  READ 2871 08:02:131142 128 128"; behind "->" those that wait. */
static void look(struct found *f, FILE *in, const struct stat *files, size_t count)
{
	unsigned major, minor;
	unsigned long inode;
	char line[256];
	long pid;

	while (fgets(line, sizeof(line), in)) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
		if (sscanf(line, "%*u: POSIX %*s %*s %ld %x:%x:%lu", &pid, &major, &minor, &inode) != 4 ||
		    pid <= 0 || pid == getpid())
			continue;
		for (size_t i = 0; i < count; i++)
			if (files[i].st_ino == inode && files[i].st_dev == makedev(major, minor))
				add(f, pid);
	}
}

char *holders_of(const char *path)
{
	static const char *const endings[] = {"", "-shm"};
	struct stat files[sizeof(endings) / sizeof(endings[0])];
	struct found found = {.count = 0};
	char *text = NULL;
	size_t count = 0;
	FILE *in;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		char *file = mem_printf("%s%s", path, endings[i]);

		count += stat(file, &files[count]) == 0;
		free(file);
	}
	in = count ? fopen("/proc/locks", "re") : NULL;
	if (!in)
		return NULL;
	look(&found, in, files, count);
	fclose(in);
	for (size_t i = 0; i < found.count; i++) {
		char *longer = mem_printf("%s%s%ld", text ? text : "", text ? ", " : "", found.pids[i]);

		free(text);
		text = longer;
	}
	return text;
}
