/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/lines.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define LARGEST_FILE (16u << 20) /* bytes; no configuration is that large */

char *lines_bare(char *line)
{
	char *end;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t\r\n\v\f");
	for (end = line + strlen(line); end > line && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return *line ? line : NULL;
}

char *lines_cut_word(char *line)
{
	char *rest = line + strcspn(line, " \t");

	if (*rest) {
		*rest++ = '\0';
		rest += strspn(rest, " \t");
	}
	return rest;
}

char *lines_next_word(const char **s)
{
	size_t length;
	char *word;

	*s += strspn(*s, " \t");
	length = strcspn(*s, " \t");
	word = length ? mem_strndup(*s, length) : NULL;
	*s += length;
	return word;
}

char *lines_beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return mem_printf("%.*s%s", slash ? (int)(slash - path + 1) : 0, path, name);
}

int lines_read_file(const char *path, char **text, size_t *length, struct stat *st, char **err)
{
	FILE *in = fopen(path, "re");
	size_t room = 4096, n;
	int rc = 0;

	if (!in && errno == ENOENT)
		return 1;
	if (!in && errno == EACCES)
		return err_set(
			err,
			"cannot read the configuration %s: %s; run this as root, or name one that you may "
			"read with -c FILE",
			path, strerror(EACCES));
	if (!in || fstat(fileno(in), st) < 0) {
		rc = err_sys(err, "cannot read the configuration %s", path);
		if (in)
			fclose(in);
		return rc;
	}
	*length = 0;
	*text = mem_array(room, 1);
	while ((n = fread(*text + *length, 1, room - *length - 1, in)) > 0) {
		*length += n;
		if (*length > LARGEST_FILE)
			break;
		if (*length + 1 == room)
			*text = mem_resize(*text, room *= 2, 1);
	}
	if (ferror(in))
		rc = err_sys(err, "cannot read the configuration %s", path);
	else if (*length > LARGEST_FILE)
		rc = err_set(err, "%s is larger than 16 MiB; that is no configuration", path);
	(*text)[(*length)++] = '\n';
	fclose(in);
	if (rc < 0)
		free(*text);
	return rc;
}
