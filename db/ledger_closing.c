/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_closing.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_state.h"
#include "db/retain.h"
#include "db/sql.h"

struct writing {
	const struct closing *closing;
	int64_t now;
};

static int check_edition(sqlite3 *db, const struct closing *c, char **err)
{
	char *query = mem_printf("SELECT max(edition) + 1 FROM closed WHERE month = '%s'", c->month);
	int64_t next = 0;
	int rc = sql_number(db, query, 0, &next, err);

	free(query);
	if (rc < 0)
		return -1;
	if (next != c->edition)
		return err_set(err,
			       "%s was closed, or corrected, by somebody else meanwhile; look at it again",
			       c->month);
	return 0;
}

static int check_rows(sqlite3 *db, const struct closing *c, char **err)
{
	int64_t open_slot = 0, retired = 0;

	if (retain_read(db, &retired, err) < 0 ||
	    sql_number(db, "SELECT value FROM meta WHERE key = 'open_slot'", 0, &open_slot, err) < 0)
		return -1;
	if (c->count == 0)
		return err_set(err, "there is nothing to close in %s", c->month);
	for (size_t i = 0; i < c->count; i++)
		if (c->rows[i].from < retired)
			return err_set(
				err, "slots of %s have been retired: what it came to cannot be told any more",
				c->month);
	for (size_t i = 0; i < c->count; i++)
		if (c->rows[i].to > open_slot)
			return err_set(err, "%s is not over yet", c->month);
	return 0;
}

static int put_rows(sqlite3 *db, const struct writing *w, char **err)
{
	const struct closing *c = w->closing;
	sqlite3_stmt *stmt;
	int rc = 0;

	if (sql_prepare(
		    db, &stmt,
		    "INSERT INTO closed(month, edition, bucket, owner, from_time, to_time, day, label, time,"
		    " input, output, p95_input, p95_output, slots, observed)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < c->count; i++) {
		const struct control_closed *r = &c->rows[i];

		rc = sql_exec(stmt, err, "siisiiisiiiiiii", c->month, (int64_t)c->edition, r->bucket,
			      r->owner, r->from, r->to, (int64_t)r->day, r->label, w->now,
			      r->bytes[DIR_INPUT], r->bytes[DIR_OUTPUT], r->p95[DIR_INPUT],
			      r->p95[DIR_OUTPUT], r->slots, r->observed);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int put_event(sqlite3 *db, const struct writing *w, char **err)
{
	const struct closing *c = w->closing;
	sqlite3_stmt *stmt;
	char *detail;
	int rc;

	if (sql_prepare(db, &stmt, "INSERT INTO event(time, kind, object, detail) VALUES (?, ?, ?, ?)", err) <
	    0)
		return -1;
	detail = mem_printf("edition %" PRIu32 ", %zu rows", c->edition, c->count);
	rc = sql_exec(stmt, err, "isss", w->now, c->edition ? "corrected" : "closed", c->month, detail);
	free(detail);
	sqlite3_finalize(stmt);
	return rc;
}

static int write_body(struct ledger *l, const void *arg, char **err)
{
	const struct writing *w = arg;
	sqlite3 *db = l->file.db;

	return check_edition(db, w->closing, err) < 0 || check_rows(db, w->closing, err) < 0 ||
			       put_rows(db, w, err) < 0 || put_event(db, w, err) < 0
		       ? -1
		       : 0;
}

int ledger_closing_write(struct ledger *l, const struct closing *c, int64_t now, char **err)
{
	struct writing w = {c, now};

	return ledger_transaction(l, write_body, &w, err);
}
