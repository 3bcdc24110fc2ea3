/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rebucket_done.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lines.h"

/* "DEVICE INODE ADDRESS LABEL"; a line that a full disk cut short stands for nothing that was renamed. */
static void take_line(struct rebucket_done *d, char *line)
{
	char *inode = lines_cut_word(line), *address = lines_cut_word(inode),
	     *label = lines_cut_word(address);
	uint64_t numbers[2];

	if (!*label || !text_u64(line, 0, UINT64_MAX, &numbers[0]) ||
	    !text_u64(inode, 0, UINT64_MAX, &numbers[1]))
		return;
	d->list = mem_resize(d->list, d->count + 1, sizeof(*d->list));
	d->list[d->count++] =
		(struct rebucket_renamed){numbers[0], numbers[1], mem_strdup(address), mem_strdup(label)};
}

int rebucket_done_read(struct rebucket_done *d, const char *map, char **err)
{
	struct stat st;
	size_t length;
	char *text;
	int rc;

	*d = (struct rebucket_done){.path = mem_printf("%s.done", map)};
	rc = lines_read_file(d->path, &text, &length, &st, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	for (char *line = text, *end; line < text + length; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + length - line)); /* the last byte is one */
		*end = '\0';
		take_line(d, line);
	}
	free(text);
	return 0;
}

void rebucket_done_free(struct rebucket_done *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->list[i].address);
		free(d->list[i].label);
	}
	free(d->list);
	free(d->path);
	*d = (struct rebucket_done){0};
}

bool rebucket_done_has(const struct rebucket_done *d, const char *address, const char *label,
		       const struct stat *st)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct rebucket_renamed *r = &d->list[i];

		if (r->device == st->st_dev && r->inode == st->st_ino && strcmp(r->address, address) == 0 &&
		    strcmp(r->label, label) == 0)
			return true;
	}
	return false;
}

int rebucket_done_add(const struct rebucket_done *d, const char *address, const char *label,
		      const struct stat *st, char **err)
{
	char *line = mem_printf("%llu %llu %s %s\n", (unsigned long long)st->st_dev,
				(unsigned long long)st->st_ino, address, label);
	int fd = open(d->path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0 || write(fd, line, strlen(line)) != (ssize_t)strlen(line) || fsync(fd) < 0)
		rc = err_sys(err, "cannot write %s, which is needed to take it back", d->path);
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = err_sys(err, "cannot write %s, which is needed to take it back", d->path);
	free(line);
	return rc;
}
