/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * calendar: instants and what clocks here read at them, in the process's time zone (TZ).
 *
 * A local time that exists twice means the first of the two; one that a clock change skips is read with the
 * clock before the change. Reads no clock.
 */
#ifndef XENBW_CALENDAR_H
#define XENBW_CALENDAR_H

#include <stdint.h>
#include <time.h>

struct tm calendar_at(int64_t t);

/* The instant at which clocks here read `wall`, whose fields may lie outside their ranges, as for mktime(3).
 */
int64_t calendar_instant(struct tm wall);

/* Midnight at which a day begins; `month` is 1 to 12, or beyond: 13 is the next January. */
int64_t calendar_day(int year, int month, unsigned day);

#endif
