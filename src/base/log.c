/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/log_limit.h"
#include "base/mem.h"

/* Process-wide on purpose: set once by main before anything else runs, read-only afterwards. What was held
 * back alone changes. */
static const char *log_program = "xenbw";
static bool log_with_debug;
static bool log_for_journal, log_for_syslog, log_for_syslog_soon;
static struct log_limit log_limit;

static void write_line(int priority, const char *line)
{
	if (log_for_syslog) {
		syslog(priority, "%s", line);
		return;
	}
	flockfile(stderr);
	if (log_for_journal)
		fprintf(stderr, "<%d>", priority);
	else
		fprintf(stderr, "%s: ", log_program);
	fprintf(stderr, "%s\n", line);
	funlockfile(stderr);
}

static void tell_held_back(int64_t now_ms, bool all)
{
	struct log_held held;
	char *line;

	while (log_limit_next(&log_limit, now_ms, all, &held)) {
		line = mem_printf("%u more lines like this were held back within a minute: %s", held.lines,
				  held.last);
		write_line(held.priority, line);
		free(line);
		free(held.last);
	}
}

static int64_t now(void)
{
	return clock_mono().ns / 1000000;
}

void log_tell(void)
{
	tell_held_back(now(), false);
}

static void tell_all(void)
{
	tell_held_back(now(), true);
}

void log_init(const char *program, bool debug)
{
	log_program = program;
	log_with_debug = debug;
	log_for_journal = getenv("JOURNAL_STREAM") != NULL;
	setvbuf(stderr, NULL, _IOLBF, 0);
	(void)atexit(tell_all); /* where it cannot, the end tells of nothing that was held back */
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

__attribute__((format(printf, 4, 0))) static void take_line(int priority, const void *place,
							    const char *about, const char *fmt, va_list ap)
{
	char *line = mem_vprintf(fmt, ap);

	log_tell();
	if (log_limit_admits(&log_limit, place, about, priority, line, now()))
		write_line(priority, line);
	free(line);
}

#define LOG_FUNCTIONS(name, priority)                                              \
	void name(const char *fmt, ...)                                            \
	{                                                                          \
		va_list ap;                                                        \
                                                                                   \
		va_start(ap, fmt);                                                 \
		take_line(priority, __builtin_return_address(0), "", fmt, ap);     \
		va_end(ap);                                                        \
	}                                                                          \
                                                                                   \
	void name##_about(const char *object, const char *fmt, ...)                \
	{                                                                          \
		va_list ap;                                                        \
                                                                                   \
		va_start(ap, fmt);                                                 \
		take_line(priority, __builtin_return_address(0), object, fmt, ap); \
		va_end(ap);                                                        \
	}

LOG_FUNCTIONS(log_err, LOG_ERR)
LOG_FUNCTIONS(log_warn, LOG_WARNING)
LOG_FUNCTIONS(log_info, LOG_INFO)

/* Who asked for these has asked for all of them. */
void log_debug(const char *fmt, ...)
{
	va_list ap;
	char *line;

	if (!log_with_debug)
		return;
	va_start(ap, fmt);
	line = mem_vprintf(fmt, ap);
	va_end(ap);
	write_line(LOG_DEBUG, line);
	free(line);
}
