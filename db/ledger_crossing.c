/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_crossing.h"

#include <stdlib.h>

#include "config/quotas.h"
#include "db/ledger_state.h"
#include "db/sql.h"

struct adding {
	const struct crossing *crossing;
	const char *outcome;
	int64_t *id; /* becomes 0 where it is there already */
};

static int put_row(sqlite3 *db, const struct adding *a, char **err)
{
	const struct crossing *c = a->crossing;
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt,
			"INSERT OR IGNORE INTO crossing(bucket, owner, period, from_time, to_time, class,"
			" direction, bytes, percent, label, used, time, ended, outcome)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
			" CASE WHEN ?13 IS NULL THEN NULL ELSE ?12 END, ?13)",
			err) < 0)
		return -1;
	rc = sql_exec(stmt, err, "issiissiisiis", c->bucket, c->bucket ? "" : c->owner,
		      quota_period_word(c->period), c->from, c->to, quota_class_word(c->class),
		      quota_direction_word(c->direction), (int64_t)c->bytes, (int64_t)c->percent, c->label,
		      (int64_t)c->used, c->time, a->outcome);
	sqlite3_finalize(stmt);
	return rc;
}

#define DETAIL \
	"percent || ' % of ' || bytes || ' bytes (' || period || ', ' || class || ', ' || direction || ')'"
#define OBJECT "CASE bucket WHEN 0 THEN owner ELSE label END"

/* Once its outcome is known. */
static int put_event(sqlite3 *db, int64_t id, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(db, &stmt,
			"INSERT INTO event(time, kind, object, detail) SELECT time, 'quota', " OBJECT
			", " DETAIL " || ': ' || used || ' used; ' || outcome FROM crossing WHERE id = ?",
			err) < 0)
		return -1;
	rc = sql_exec(stmt, err, "i", id);
	sqlite3_finalize(stmt);
	return rc;
}

static int add_body(struct ledger *l, const void *arg, char **err)
{
	const struct adding *a = arg;
	sqlite3 *db = l->file.db;

	*a->id = 0;
	if (put_row(db, a, err) < 0)
		return -1;
	if (sqlite3_changes(db) == 0)
		return 0;
	*a->id = sqlite3_last_insert_rowid(db);
	return a->outcome ? put_event(db, *a->id, err) : 0;
}

int ledger_crossing_add(struct ledger *l, const struct crossing *c, const char *outcome, int64_t *id,
			char **err)
{
	int64_t given = 0;
	const struct adding a = {c, outcome, &given};

	if (ledger_transaction(l, add_body, &a, err) < 0)
		return -1;
	*id = given;
	return given != 0;
}

struct ending {
	int64_t id, now;
	const char *outcome;
};

static int ended_body(struct ledger *l, const void *arg, char **err)
{
	const struct ending *e = arg;
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(l->file.db, &stmt, "UPDATE crossing SET ended = ?, outcome = ? WHERE id = ?", err) <
	    0)
		return -1;
	rc = sql_exec(stmt, err, "isi", e->now, e->outcome, e->id);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : put_event(l->file.db, e->id, err);
}

int ledger_crossing_ended(struct ledger *l, int64_t id, int64_t now, const char *outcome, char **err)
{
	const struct ending e = {id, now, outcome};

	return ledger_transaction(l, ended_body, &e, err);
}

int ledger_crossing_drop(struct ledger *l, int64_t id, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(l->file.db, &stmt, "DELETE FROM crossing WHERE id = ? AND outcome IS NULL", err) < 0)
		return -1;
	rc = sql_exec(stmt, err, "i", id);
	sqlite3_finalize(stmt);
	return rc;
}

int ledger_crossing_lost(struct ledger *l, int64_t busy, int64_t now, const char *outcome, char **told,
			 char **err)
{
	sqlite3_stmt *stmt;
	int64_t id = 0;
	int rc;

	*told = NULL;
	if (sql_prepare(l->file.db, &stmt,
			"SELECT id, " OBJECT " || ': ' || " DETAIL
			" FROM crossing WHERE outcome IS NULL AND id <> ? LIMIT 1",
			err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "i", busy);
	if (rc == 0)
		rc = sql_step(stmt, err);
	if (rc == 1) {
		id = sqlite3_column_int64(stmt, 0);
		*told = sql_word(stmt, 1);
	}
	sqlite3_finalize(stmt);
	if (rc == 1 && ledger_crossing_ended(l, id, now, outcome, err) < 0) {
		free(*told);
		*told = NULL;
		return -1;
	}
	return rc;
}
