/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/calendar.h"

#include <stdbool.h>

#define DAY 86400

struct tm calendar_at(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm = {0};

	localtime_r(&when, &tm);
	return tm;
}

static bool same_reading(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* mktime alone would answer a doubled or a skipped time as it pleases (and differently after other calls), so
 * both offsets around that day are tried. */
int64_t calendar_instant(struct tm wall)
{
	int64_t as_utc = timegm(&wall); /* also brings month 12 to the next January */
	int64_t before = as_utc - calendar_at(as_utc - DAY).tm_gmtoff;
	int64_t after = as_utc - calendar_at(as_utc + DAY).tm_gmtoff;
	int64_t first = before < after ? before : after, second = before < after ? after : before;
	struct tm read_first = calendar_at(first), read_second = calendar_at(second);

	if (same_reading(&read_first, &wall))
		return first;
	return same_reading(&read_second, &wall) ? second : before;
}

int64_t calendar_day(int year, int month, unsigned day)
{
	return calendar_instant(
		(struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = (int)day});
}
