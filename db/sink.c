/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/sink.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"

void sink_say(const struct sink_host *host, enum sink_level level, const char *fmt, ...)
{
	va_list ap;
	char *line;

	va_start(ap, fmt);
	line = mem_vprintf(fmt, ap);
	va_end(ap);
	host->say(host->arg, level, line);
	free(line);
}
