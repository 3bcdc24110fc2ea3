/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * err: an error as a sentence that travels up.
 *
 * Functions that can fail take `char **err` last, return -1 and leave there one allocated line: what
 * was tried, on which object, why, and where it helps what to do next. The caller frees it, or adds
 * its own context in front and passes it on. Only mains print and exit.
 */
#ifndef XENBW_ERR_H
#define XENBW_ERR_H

/* Sets *err (an older text is freed); err may be NULL. Always returns -1. */
int err_set(char **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As err_set, and appends ": " with the meaning of errno. */
int err_sys(char **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts context in front of the text that is already there: "context: text". Always returns -1. */
int err_add(char **err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Frees *err and makes it NULL. */
void err_clear(char **err);

#endif
