/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_retain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_state.h"
#include "db/retain.h"
#include "db/sql.h"

struct retiring {
	int64_t from, to; /* slots */
};

/* Row by row, as in folding. Both steps find their rows in the same order. */
static const char add_up[] = "INSERT INTO slot(bucket, slot, vif, address, " LEDGER_CLASSES ")"
			     " SELECT bucket, 0, vif, '', " LEDGER_CLASSES
			     " FROM slot WHERE slot >= ?1 AND slot < ?2" LEDGER_ADD_TO_SLOT;
static const char take_out[] = "DELETE FROM slot WHERE slot >= ?1 AND slot < ?2";
static const char remember[] = "INSERT INTO meta(key, value) VALUES ('retired', max(?1, ?2))"
			       " ON CONFLICT(key) DO UPDATE SET value = max(value, excluded.value)";

static int retire_body(struct ledger *l, const void *arg, char **err)
{
	static const char *const steps[] = {add_up, take_out, remember};
	const struct retiring *r = arg;
	sqlite3_int64 rows[3];

	for (size_t i = 0; i < 3; i++) {
		sqlite3_stmt *stmt;
		int rc;

		if (sql_prepare(l->file.db, &stmt, steps[i], err) < 0)
			return -1;
		rc = sql_exec(stmt, err, "ii", r->from, r->to);
		sqlite3_finalize(stmt);
		if (rc < 0)
			return -1;
		rows[i] = sqlite3_changes64(l->file.db);
	}
	if (rows[0] != rows[1])
		return err_set(
			err,
			"ledger %s is damaged: %lld slots were added up, but %lld deleted, so nothing was "
			"changed; recover it as LEDGER in xenbwd(8) says",
			sqlite3_db_filename(l->file.db, "main"), rows[0], rows[1]);
	return 0;
}

/* Where the slots end that `limit` rows lie in, the first one included. */
static int find_end(struct ledger *l, struct retiring *r, unsigned limit, char **err)
{
	char *text = mem_printf("SELECT slot FROM slot WHERE slot >= %" PRId64 " AND slot < %" PRId64
				" ORDER BY slot LIMIT 1 OFFSET %u",
				r->from, r->to, limit);
	int64_t end = r->to;
	int rc = sql_number(l->file.db, text, r->to, &end, err);

	free(text);
	if (end == r->from)
		end += SLOT_SECONDS;
	r->to = end < r->to ? end : r->to;
	return rc;
}

int ledger_retire(struct ledger *l, int64_t begin, unsigned limit, bool *held, char **err)
{
	struct retiring r = {.to = begin};
	int64_t oldest;

	*held = false;
	if (retain_held(l->file.db, &oldest, err) < 0 ||
	    sql_number(l->file.db, "SELECT min(slot) FROM slot WHERE slot > 0", INT64_MAX, &r.from, err) < 0)
		return -1;
	*held = oldest < begin;
	if (*held)
		r.to = oldest;
	if (r.from >= r.to)
		return 0;
	if (find_end(l, &r, limit, err) < 0)
		return -1;
	return ledger_transaction(l, retire_body, &r, err);
}
