/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * log: one line per message on standard error, or to syslog.
 *
 * Under systemd (JOURNAL_STREAM is set) each line starts with its priority as <N>, which the journal
 * understands; elsewhere with the program's name. A message says what, which object, why, what next. What
 * one place in the program says too often (of one object, where it is named) is counted, and told in one line
 * when a minute is over, and at the end of the program (log_limit.h). One thread. Used by the daemons only:
 * the command line tool prints its errors itself.
 */
#ifndef XENBW_LOG_H
#define XENBW_LOG_H

#include <stdbool.h>

void log_init(const char *program, bool debug);

/* From now on: for a process without a terminal. */
void log_to_syslog(void);

/* This process will go to syslog as soon as it runs well; its helpers are to do so from their beginning. */
void log_to_syslog_soon(void);
bool log_helpers_to_syslog(void);

void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same of one of many objects: each has its own share of what a place may say. */
void log_err_about(const char *object, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn_about(const char *object, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info_about(const char *object, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Tells what was held back and is due; each message does that, too. For a loop that may have nothing to say.
 */
void log_tell(void);

#endif
