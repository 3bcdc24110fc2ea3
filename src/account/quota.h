/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * quota: how much of a quota is used, when its period is, and when it will be reached.
 *
 * Pure arithmetic; no product overflows. `now` is handed in; local time is the process's time zone.
 */
#ifndef XENBW_ACCOUNT_QUOTA_H
#define XENBW_ACCOUNT_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/classes.h"
#include "config/quotas.h"

/* The bytes that a quota counts, of what was moved. `unattributed`: such bytes are charged as external ones.
 */
uint64_t quota_used(const struct quota *q, const struct class_bytes *moved, bool unattributed);

/* The fewest bytes that are this percentage of a quota. */
uint64_t quota_mark(uint64_t bytes, unsigned percent);

/* Tenths of a percent, rounded down: 1000 is reached, and not a byte before. */
uint64_t quota_permille(uint64_t used, uint64_t bytes);

struct quota_span {
	int64_t from, to;
};

/* The period that now lies in; `day` is the one on which billing periods begin. */
struct quota_span quota_span(enum quota_period period, unsigned day, int64_t now);

/* When a quota of which `used` bytes went from `from` to `seen` is reached, if it goes on so; -1: not before
 * `to`. */
int64_t quota_expected(uint64_t used, uint64_t bytes, int64_t from, int64_t seen, int64_t to);

#endif
