/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

/* Process-wide on purpose: set once by main before anything else runs, read-only afterwards. */
static const char *log_program = "xenbw";
static bool log_with_debug;
static bool log_for_journal, log_for_syslog, log_for_syslog_soon;

void log_init(const char *program, bool debug)
{
	log_program = program;
	log_with_debug = debug;
	log_for_journal = getenv("JOURNAL_STREAM") != NULL;
	setvbuf(stderr, NULL, _IOLBF, 0);
}

void log_to_syslog(void)
{
	openlog(log_program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	log_for_syslog = true;
}

void log_to_syslog_soon(void)
{
	log_for_syslog_soon = true;
}

bool log_helpers_to_syslog(void)
{
	return log_for_syslog || log_for_syslog_soon;
}

__attribute__((format(printf, 2, 0))) static void write_line(int priority, const char *fmt, va_list ap)
{
	if (log_for_syslog) {
		vsyslog(priority, fmt, ap);
		return;
	}
	flockfile(stderr);
	if (log_for_journal)
		fprintf(stderr, "<%d>", priority);
	else
		fprintf(stderr, "%s: ", log_program);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

#define LOG_FUNCTION(name, priority)           \
	void name(const char *fmt, ...)        \
	{                                      \
		va_list ap;                    \
                                               \
		va_start(ap, fmt);             \
		write_line(priority, fmt, ap); \
		va_end(ap);                    \
	}

LOG_FUNCTION(log_err, LOG_ERR)
LOG_FUNCTION(log_warn, LOG_WARNING)
LOG_FUNCTION(log_info, LOG_INFO)

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!log_with_debug)
		return;
	va_start(ap, fmt);
	write_line(LOG_DEBUG, fmt, ap);
	va_end(ap);
}
