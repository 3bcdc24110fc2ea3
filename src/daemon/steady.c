/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/steady.h"

#define STEP 3600 /* seconds, either way */
#define DAY 86400
#define NS INT64_C(1000000000)

void steady_begin(struct steady *s, int64_t kept, int64_t last_commit, int64_t wall, struct mono at)
{
	bool goes_on = kept && kept <= wall && last_commit - wall < STEP && wall - last_commit < STEP;

	*s = (struct steady){.since = goes_on ? kept : wall, .wall = wall, .at = at};
}

int64_t steady_look(struct steady *s, int64_t wall, struct mono at)
{
	int64_t step = wall - s->wall - (at.ns - s->at.ns) / NS;

	s->wall = wall;
	s->at = at;
	if (step < STEP && step > -STEP)
		return 0;
	s->since = wall;
	return step;
}

bool steady_is(const struct steady *s)
{
	return s->wall - s->since >= DAY;
}
