/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * steady: since when the wall clock has gone evenly, for what must not be done by a clock that is wrong.
 *
 * Pure: it is handed its times. A step of more than an hour begins it anew, and so does a start that nothing
 * says the time before of: a ledger's last commit more than an hour ago, or in the future.
 */
#ifndef XENBW_STEADY_H
#define XENBW_STEADY_H

#include <stdbool.h>

#include "base/clock.h"

struct steady {
	int64_t since, wall; /* UTC; at the last look */
	struct mono at;      /* the same instant */
};

/* `kept`: as a ledger has it whose last commit was then; 0: none has. */
void steady_begin(struct steady *s, int64_t kept, int64_t last_commit, int64_t wall, struct mono at);

/* The seconds by which the clock was stepped since the last look, where that begins it anew; else 0. */
int64_t steady_look(struct steady *s, int64_t wall, struct mono at);

/* For a whole day. */
bool steady_is(const struct steady *s);

#endif
