/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * quota_usage: what the buckets of a quota have moved, and which of its percentages the ledger knows to be
 * reached.
 *
 * Reads only, and leaves no statement open.
 */
#ifndef XENBW_QUOTA_USAGE_H
#define XENBW_QUOTA_USAGE_H

#include "config/conf.h"
#include "db/usage.h"
#include "ipc/crossing.h"

/* The ids of a quota's buckets, allocated: of its one bucket, or of those of the owner's domains. *count is 0
 * where the ledger has none of them yet. */
int64_t *quota_usage_buckets(const struct conf *conf, const struct quota *q,
			     const struct usage_buckets *buckets, size_t *count);

/* Adds what they moved in slots that start in [from, to). */
int quota_usage_add(sqlite3 *db, int64_t from, int64_t to, const int64_t *buckets, size_t count,
		    struct class_bytes *sums, char **err);

/* Whether unattributed bytes are charged; up to where slots are complete. */
int quota_usage_charging(sqlite3 *db, bool *unattributed, int64_t *open_slot, char **err);

/* When the ledger was told of this crossing; 0: it does not know it. `time`, `used` and `label` do not
 * matter. */
int quota_usage_crossed(sqlite3 *db, const struct crossing *c, int64_t *time, char **err);

#endif
