/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rebucket_spans.h"

#include <stdlib.h>
#include <string.h>

#include "account/bucket.h"
#include "base/mem.h"
#include "db/sql.h"

/* mine: the bucket of a domain that a vif was charged to or, while addresses were, that its uuid and name had
 * before or afterwards; alike: that its uuid alone had, which another domain may have a copy of. */
#define AT_THE_SAME_TIME \
	" (o.boot <> w.boot OR o.domid <> w.domid) AND o.appeared < w.gone AND w.appeared < o.gone"
/* clang-format off */
static const char query[] =
	"WITH own AS (SELECT id, boot, domid, uuid, bucket, appeared, ifnull(gone, 9e18) AS gone,"
	"  own_name(domain) AS name FROM vif),"
	" known AS (SELECT *, CASE WHEN (SELECT kind FROM bucket b WHERE b.id = own.bucket) = 'domain' THEN bucket"
	"   ELSE (SELECT u.bucket FROM bucket_uuid u WHERE u.uuid = own.uuid || ' ' || name) END AS mine,"
	"  (SELECT u.bucket FROM bucket_uuid u WHERE u.uuid = own.uuid"
	"   AND (domid = 0 OR u.uuid <> '" BUCKET_DOM0_UUID "')) AS alike FROM own),"
	" who AS MATERIALIZED (SELECT *, (SELECT label FROM bucket_label l WHERE l.bucket = ifnull(mine, alike)"
	"  ORDER BY until IS NULL DESC, since DESC LIMIT 1) AS label FROM known)"
	" SELECT u.address, ifnull(w.label, w.name), CASE WHEN w.label IS NULL THEN"
	"  NOT EXISTS (SELECT 1 FROM who o WHERE o.name = w.name"
	"   AND (o.uuid IS NULL OR w.uuid IS NULL OR o.uuid <> w.uuid) AND" AT_THE_SAME_TIME ")"
	"  ELSE w.mine IS NOT NULL OR"
	"  NOT EXISTS (SELECT 1 FROM who o WHERE o.uuid = w.uuid AND o.name <> w.name AND" AT_THE_SAME_TIME ") END,"
	" u.first, u.last + 300 FROM (SELECT address, vif, min(slot) AS first, max(slot) AS last FROM usage"
	"  WHERE address <> '' GROUP BY address, vif) u JOIN who w ON w.id = u.vif"
	" ORDER BY u.address, u.first, w.id";
/* clang-format on */

void rebucket_spans_free(struct rebucket_spans *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->list[i].address);
		free(s->list[i].domain);
	}
	free(s->list);
}

/* The next vif that had the address: goes on with the domain's last one, or is a new owner. */
static void add(struct rebucket_spans *s, char *address, char *domain, bool sure, int64_t from, int64_t to)
{
	struct rebucket_span *last = s->count ? &s->list[s->count - 1] : NULL;

	if (last && strcmp(last->address, address) == 0 && strcmp(last->domain, domain) == 0 &&
	    last->sure == sure) {
		last->to = to > last->to ? to : last->to;
		free(address);
		free(domain);
		return;
	}
	if ((s->count & (s->count - 1)) == 0)
		s->list = mem_resize(s->list, s->count ? s->count * 2 : 1, sizeof(*s->list));
	s->list[s->count++] = (struct rebucket_span){address, domain, sure, from, to};
}

/* own_name(NAME), for the query. */
static void own_name(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *name = (const char *)sqlite3_value_text(values[0]);

	(void)count;
	if (name)
		sqlite3_result_text(context, name, (int)bucket_own_length(name), SQLITE_TRANSIENT);
}

static int read_all(struct rebucket_spans *s, sqlite3 *ledger, char **err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(ledger, &stmt, query, err);

	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		add(s, sql_word(stmt, 0), sql_word(stmt, 1), sqlite3_column_int(stmt, 2) != 0,
		    sql_time(sqlite3_column_int64(stmt, 3)), sql_time(sqlite3_column_int64(stmt, 4)));
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

int rebucket_spans_read(struct rebucket_spans *s, sqlite3 *ledger, char **err)
{
	int rc;

	*s = (struct rebucket_spans){0};
	if (sqlite3_create_function(ledger, "own_name", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, own_name,
				    NULL, NULL) != SQLITE_OK)
		return sql_error(ledger, "reading", err);
	rc = read_all(s, ledger, err);
	(void)sqlite3_create_function(ledger, "own_name", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
	return rc;
}
