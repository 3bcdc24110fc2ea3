/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * period: the time that a question is about, from what was typed.
 *
 * Periods are half-open: [from, to), in UTC seconds, on edges of slots. What is typed and shown is in the
 * process's time zone (conf_apply_timezone). A local time that exists twice means the first of the two; one
 * that a clock change skips is read with the clock before the change. Reads no clock: `now` is handed in.
 */
#ifndef XENBW_PERIOD_H
#define XENBW_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

struct period {
	int64_t from, to;
	bool rounded; /* an edge that was typed lay inside a slot and went to the slot's start */
};

/* A calendar month: "this", "last" or "YYYY-MM". */
int period_month(const char *text, int64_t now, struct period *out, char **err);

/* The same of a month that begins on this day, 1 to 28, of the calendar's month that names it: with day 15,
 * 2026-10 lasts from 15 October to 14 November, and "this" is the one that now lies in. */
int period_billing(const char *text, unsigned day, int64_t now, struct period *out, char **err);

/* From and to, each "YYYY-MM-DD", "YYYY-MM-DD HH:MM" or with seconds; 'T' may stand for the blank. Without
 * `from` (NULL): the start of the month in which `to` lies. Without `to`: now, with the slot that is open. */
int period_range(const char *from, const char *to, int64_t now, struct period *out, char **err);

/* "2026-11-01 00:00 CET"; with seconds where they are not 0. Allocated. */
char *period_local(int64_t t);

/* "2026-10-31T23:00:00Z": for machines. Allocated. */
char *period_utc(int64_t t);

/* As JSON and CSV have months: "2026-11", of a text that period_month takes, or NULL with an error.
 * Allocated. */
char *period_billing_name(const char *text, unsigned day, int64_t now, char **err);

/* "2026-11": the month in which t lies. Allocated. */
char *period_month_name(int64_t t);

#endif
