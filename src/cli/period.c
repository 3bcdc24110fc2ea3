/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/period.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/calendar.h"
#include "base/err.h"
#include "base/mem.h"
#include "db/ledger.h"

/* Exactly `digits` digits at *s, which is moved behind them; -1 when something else is there. */
static int number_at(const char **s, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++, ++*s) {
		if (!isdigit((unsigned char)**s))
			return -1;
		value = value * 10 + (**s - '0');
	}
	return value;
}

static bool skip(const char **s, const char *any_of)
{
	if (!**s || !strchr(any_of, **s))
		return false;
	++*s;
	return true;
}

static bool year_and_month(const char **s, struct tm *tm)
{
	int year = number_at(s, 4), month = year >= 0 && skip(s, "-") ? number_at(s, 2) : -1;

	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	return year >= 1970 && month >= 1 && month <= 12;
}

/* " HH:MM" or " HH:MM:SS", or nothing. */
static bool clock_part(const char **s, struct tm *tm)
{
	if (!**s)
		return true;
	if (!skip(s, " Tt"))
		return false;
	tm->tm_hour = number_at(s, 2);
	tm->tm_min = tm->tm_hour >= 0 && skip(s, ":") ? number_at(s, 2) : -1;
	if (skip(s, ":"))
		tm->tm_sec = number_at(s, 2);
	return tm->tm_hour >= 0 && tm->tm_hour <= 23 && tm->tm_min >= 0 && tm->tm_min <= 59 &&
	       tm->tm_sec >= 0 && tm->tm_sec <= 59;
}

static int read_time(const char *text, int64_t *out, char **err)
{
	const char *s = text;
	struct tm wall = {0}, check;

	if (!year_and_month(&s, &wall) || !skip(&s, "-") || (wall.tm_mday = number_at(&s, 2)) < 1 ||
	    !clock_part(&s, &wall) || *s)
		return err_set(err, "`%s` is no time; write YYYY-MM-DD or \"YYYY-MM-DD HH:MM\"", text);
	check = wall;
	timegm(&check);
	if (check.tm_mday != wall.tm_mday)
		return err_set(err, "`%s`: that month has no day %d", text, wall.tm_mday);
	*out = calendar_instant(wall);
	return 0;
}

static int64_t slot_start(int64_t t)
{
	return t - ((t % SLOT_SECONDS) + SLOT_SECONDS) % SLOT_SECONDS;
}

/* Both edges go the same way, so that periods which follow each other share no slot and leave none out. */
static int finish(struct period *p, int64_t from, int64_t to, char **err)
{
	p->from = slot_start(from);
	p->to = slot_start(to);
	p->rounded = p->from != from || p->to != to;
	if (p->from >= p->to)
		return err_set(err, from >= to
					    ? "the period is empty: its start is not before its end"
					    : "the period is empty: it lies inside one slot of five minutes");
	return 0;
}

/* The month that is meant, as tm_year and tm_mon; the latter may lie below 0. */
static int read_month(const char *text, unsigned day, int64_t now, struct tm *month, char **err)
{
	const char *s = text;

	*month = calendar_at(now);
	if (strcmp(text, "last") == 0 || strcmp(text, "this") == 0)
		month->tm_mon -= (*text == 'l') + (month->tm_mday < (int)day);
	else if (!year_and_month(&s, month) || *s)
		return err_set(err, "`%s` is no month; write this, last or YYYY-MM", text);
	return 0;
}

int period_billing(const char *text, unsigned day, int64_t now, struct period *out, char **err)
{
	struct tm month;

	if (read_month(text, day, now, &month, err) < 0)
		return -1;
	return finish(out, calendar_day(month.tm_year + 1900, month.tm_mon + 1, day),
		      calendar_day(month.tm_year + 1900, month.tm_mon + 2, day), err);
}

int period_month(const char *text, int64_t now, struct period *out, char **err)
{
	return period_billing(text, 1, now, out, err);
}

char *period_billing_name(const char *text, unsigned day, int64_t now, char **err)
{
	struct tm month;

	if (read_month(text, day, now, &month, err) < 0)
		return NULL;
	return period_month_name(calendar_day(month.tm_year + 1900, month.tm_mon + 1, day));
}

int period_range(const char *from, const char *to, int64_t now, struct period *out, char **err)
{
	int64_t start = 0, end = slot_start(now) + SLOT_SECONDS;

	if (to && read_time(to, &end, err) < 0)
		return -1;
	if (from) {
		if (read_time(from, &start, err) < 0)
			return -1;
	} else {
		struct tm last = calendar_at(end - 1);

		start = calendar_day(last.tm_year + 1900, last.tm_mon + 1, 1);
	}
	return finish(out, start, end, err);
}

char *period_local(int64_t t)
{
	struct tm tm = calendar_at(t);
	char *seconds = tm.tm_sec ? mem_printf(":%02d", tm.tm_sec) : mem_strdup("");
	char *text = mem_printf("%04d-%02d-%02d %02d:%02d%s %s", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
				tm.tm_hour, tm.tm_min, seconds, tm.tm_zone);

	free(seconds);
	return text;
}

char *period_utc(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm = {0};

	gmtime_r(&when, &tm);
	return mem_printf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			  tm.tm_hour, tm.tm_min, tm.tm_sec);
}

char *period_month_name(int64_t t)
{
	struct tm tm = calendar_at(t);

	return mem_printf("%04d-%02d", tm.tm_year + 1900, tm.tm_mon + 1);
}
