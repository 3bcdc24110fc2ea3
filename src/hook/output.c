/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hook/output.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define MOST_LINES 50
#define MOST_READS 64 /* at once: who writes without end holds up nothing */

static void say(struct output *o)
{
	char *line = text_printable(o->line, o->used);

	if (o->lines < MOST_LINES)
		log_info_about("quota_hook", "quota_hook says: %s", line);
	else if (o->lines == MOST_LINES)
		log_info_about("quota_hook", "quota_hook says more than %d lines; the rest is left out",
			       MOST_LINES);
	free(line);
	o->lines++;
	o->used = 0;
}

static void take(struct output *o, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n') {
			say(o);
			continue;
		}
		if (o->used < OUTPUT_LINE)
			o->line[o->used++] = bytes[i];
	}
}

static void shut(struct output *o)
{
	if (o->fd < 0)
		return;
	if (o->used)
		say(o);
	close(o->fd);
	o->fd = -1;
}

void output_read(struct output *o)
{
	char bytes[4096];

	for (int i = 0; o->fd >= 0 && i < MOST_READS; i++) {
		ssize_t n = read(o->fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			shut(o);
		else
			take(o, bytes, (size_t)n);
	}
}

void output_close(struct output *o)
{
	output_read(o);
	shut(o);
}
