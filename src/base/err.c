/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void take_text(char **err, char *text)
{
	if (err) {
		free(*err);
		*err = text;
	} else {
		free(text);
	}
}

int err_set(char **err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take_text(err, mem_vprintf(fmt, ap));
	va_end(ap);
	return -1;
}

int err_sys(char **err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	char *what;

	va_start(ap, fmt);
	what = mem_vprintf(fmt, ap);
	va_end(ap);
	take_text(err, mem_printf("%s: %s", what, strerror(saved)));
	free(what);
	errno = saved;
	return -1;
}

int err_add(char **err, const char *fmt, ...)
{
	va_list ap;
	char *context;

	va_start(ap, fmt);
	context = mem_vprintf(fmt, ap);
	va_end(ap);
	take_text(err, err && *err ? mem_printf("%s: %s", context, *err) : mem_strdup(context));
	free(context);
	return -1;
}

void err_clear(char **err)
{
	free(*err);
	*err = NULL;
}
