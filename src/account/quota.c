/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/quota.h"

#include "base/calendar.h"

static uint64_t used_in(const struct quota *q, const struct class_bytes *moved, enum direction dir,
			bool unattributed)
{
	const uint64_t *bytes = moved->bytes[dir];

	if (q->class == QUOTA_ALL)
		return class_bytes_total(moved, dir);
	if (q->class == QUOTA_CHARGED)
		return bytes[CLASS_EXTERNAL] + (unattributed ? bytes[CLASS_UNATTRIBUTED] : 0);
	return bytes[q->class];
}

uint64_t quota_used(const struct quota *q, const struct class_bytes *moved, bool unattributed)
{
	uint64_t in = used_in(q, moved, DIR_INPUT, unattributed);
	uint64_t out = used_in(q, moved, DIR_OUTPUT, unattributed);

	switch (q->direction) {
	case QUOTA_INPUT:
		return in;
	case QUOTA_OUTPUT:
		return out;
	case QUOTA_LARGER:
		return in > out ? in : out;
	default:
		return in > UINT64_MAX - out ? UINT64_MAX : in + out;
	}
}

uint64_t quota_mark(uint64_t bytes, unsigned percent)
{
	return bytes / 100 * percent + (bytes % 100 * percent + 99) / 100;
}

uint64_t quota_permille(uint64_t used, uint64_t bytes)
{
	uint64_t whole = used / bytes, rest = used % bytes;

	if (whole > UINT64_MAX / 1000 - 1)
		return UINT64_MAX;
	/* below 10^18, so that ten times fit, digit by digit */
	for (int i = 0; i < 3; i++) {
		whole = whole * 10 + rest * 10 / bytes;
		rest = rest * 10 % bytes;
	}
	return whole;
}

struct quota_span quota_span(enum quota_period period, unsigned day, int64_t now)
{
	struct tm tm = calendar_at(now);
	int year = tm.tm_year + 1900, month = tm.tm_mon + 1;

	if (period == QUOTA_DAY)
		return (struct quota_span){calendar_day(year, month, (unsigned)tm.tm_mday),
					   calendar_day(year, month, (unsigned)tm.tm_mday + 1)};
	if (period == QUOTA_MONTH)
		day = 1;
	month -= tm.tm_mday < (int)day;
	return (struct quota_span){calendar_day(year, month, day), calendar_day(year, month + 1, day)};
}

int64_t quota_expected(uint64_t used, uint64_t bytes, int64_t from, int64_t seen, int64_t to)
{
	double at;

	if (used >= bytes)
		return seen;
	if (used == 0 || seen <= from)
		return -1;
	at = (double)seen + (double)(bytes - used) * (double)(seen - from) / (double)used;
	return at < (double)to ? (int64_t)at : -1;
}
