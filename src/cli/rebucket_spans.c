/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/rebucket_spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/sql.h"

void rebucket_spans_free(struct rebucket_spans *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->list[i].address);
		free(s->list[i].domain);
	}
	free(s->list);
}

/* The next vif that had the address: goes on with the domain's last one, or is a new owner. */
static void add(struct rebucket_spans *s, char *address, char *domain, int64_t from, int64_t to)
{
	struct rebucket_span *last = s->count ? &s->list[s->count - 1] : NULL;

	if (last && strcmp(last->address, address) == 0 && strcmp(last->domain, domain) == 0) {
		last->to = to > last->to ? to : last->to;
		free(address);
		free(domain);
		return;
	}
	if ((s->count & (s->count - 1)) == 0)
		s->list = mem_resize(s->list, s->count ? s->count * 2 : 1, sizeof(*s->list));
	s->list[s->count++] = (struct rebucket_span){address, domain, from, to};
}

int rebucket_spans_read(struct rebucket_spans *s, sqlite3 *ledger, char **err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(ledger, &stmt,
			     "SELECT u.address, v.domain, min(u.slot), max(u.slot) + 300 FROM usage u"
			     " JOIN vif v ON v.id = u.vif WHERE u.address <> '' GROUP BY u.address, v.id"
			     " ORDER BY u.address, min(u.slot), v.id",
			     err);

	*s = (struct rebucket_spans){0};
	while (rc == 0) {
		int step = sql_step(stmt, err);

		if (step <= 0) {
			rc = step;
			break;
		}
		add(s, sql_word(stmt, 0), sql_word(stmt, 1), sql_time(sqlite3_column_int64(stmt, 2)),
		    sql_time(sqlite3_column_int64(stmt, 3)));
	}
	sqlite3_finalize(stmt);
	return rc;
}
