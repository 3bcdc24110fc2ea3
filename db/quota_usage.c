/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/quota_usage.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/sql.h"

int64_t *quota_usage_buckets(const struct conf *conf, const struct quota *q,
			     const struct usage_buckets *buckets, size_t *count)
{
	int64_t *ids = mem_array(buckets->count + 1, sizeof(*ids));
	const struct usage_bucket *one;

	*count = 0;
	if (!q->of_owner) {
		one = usage_bucket_named(buckets, q->name);
		if (one)
			ids[(*count)++] = one->id;
		return ids;
	}
	for (size_t i = 0; i < buckets->count; i++) {
		const char *owner = billing_owner_of(&conf->owners, buckets->list[i].label);

		if (owner && strcmp(owner, q->name) == 0)
			ids[(*count)++] = buckets->list[i].id;
	}
	return ids;
}

int quota_usage_add(sqlite3 *db, int64_t from, int64_t to, const int64_t *buckets, size_t count,
		    struct class_bytes *sums, char **err)
{
	struct usage_report report;

	if (from >= to || count == 0)
		return 0;
	if (usage_read_report(db, USAGE_BY_BUCKET, from, to, buckets, count, &report, err) < 0)
		return -1;
	for (size_t i = 0; i < report.count; i++)
		class_bytes_add(sums, &report.rows[i].sums.classes);
	usage_report_free(&report);
	return 0;
}

int quota_usage_charging(sqlite3 *db, bool *unattributed, int64_t *open_slot, char **err)
{
	int64_t charged = 1;

	if (sql_number(db, "SELECT unattributed FROM charging", 1, &charged, err) < 0 ||
	    sql_number(db, "SELECT value FROM meta WHERE key = 'open_slot'", 0, open_slot, err) < 0)
		return -1;
	*unattributed = charged != 0;
	return 0;
}

int quota_usage_crossed(sqlite3 *db, const struct crossing *c, int64_t *time, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	*time = 0;
	if (sql_prepare(db, &stmt,
			"SELECT time FROM crossing WHERE bucket = ?1 AND owner = ?2"
			" AND from_time = ?3 AND period = ?4 AND class = ?5 AND direction = ?6"
			" AND bytes = ?7 AND percent = ?8",
			err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "isisssii", c->bucket, c->bucket ? "" : c->owner, c->from,
		      quota_period_word(c->period), quota_class_word(c->class),
		      quota_direction_word(c->direction), (int64_t)c->bytes, (int64_t)c->percent);
	if (rc == 0)
		rc = sql_step(stmt, err);
	if (rc == 1)
		*time = sql_time(sqlite3_column_int64(stmt, 0));
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}
