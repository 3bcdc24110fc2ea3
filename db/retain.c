/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/retain.h"

#include <time.h>

#include "db/ledger.h"
#include "db/sql.h"

#define DAY 86400 /* no time zone is further from UTC */

int64_t retain_begin(int64_t now, unsigned months)
{
	time_t t = (time_t)sql_time(now), begin;
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return 0;
	tm.tm_mon -= (int)months;
	tm.tm_mday = 1;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	begin = timegm(&tm) - DAY;
	return begin > 0 ? begin - begin % SLOT_SECONDS : 0;
}

int retain_read(sqlite3 *db, int64_t *until, char **err)
{
	if (sql_number(db, "SELECT value FROM meta WHERE key = 'retired'", 0, until, err) < 0)
		return -1;
	*until = sql_time(*until);
	return 0;
}

int retain_held(sqlite3 *db, int64_t *slot, char **err)
{
	return sql_number(db, "SELECT min(slot) FROM take", INT64_MAX, slot, err);
}
