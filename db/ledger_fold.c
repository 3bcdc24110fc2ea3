/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What becomes of takes once they are committed (ledger.h): each sink passes them, and what all have passed
 * is folded into slots.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_state.h"
#include "db/sql.h"

/* ---- sinks ---- */

struct sink_list {
	const char *const *names;
	size_t count;
};

static int sinks_body(struct ledger *l, const void *arg, char **err)
{
	const struct sink_list *list = arg;
	sqlite3_stmt *stmt;
	char *known = mem_strdup("''");
	int rc = 0;

	if (sql_prepare(l->file.db, &stmt,
			"INSERT OR IGNORE INTO sink(name, seq) VALUES"
			" (?, ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'take'), 0))",
			err) < 0)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < list->count; i++) {
		char *more = mem_printf("%s, '%s'", known, list->names[i]);

		free(known);
		known = more;
		rc = sql_exec(stmt, err, "s", list->names[i]);
	}
	sqlite3_finalize(stmt);
	if (rc == 0) {
		char *forget = mem_printf("DELETE FROM sink WHERE name NOT IN (%s)", known);

		rc = sql_run(l->file.db, forget, err);
		free(forget);
	}
	free(known);
	return rc;
}

int ledger_sinks(struct ledger *l, const char *const *names, size_t count, char **err)
{
	struct sink_list list = {names, count};

	return ledger_transaction(l, sinks_body, &list, err);
}

int ledger_passed(struct ledger *l, const char *sink, int64_t seq, char **err)
{
	return sql_exec(l->stmt[PASS_SINK], err, "is", seq, sink);
}

int ledger_sink_seq(struct ledger *l, const char *sink, int64_t *seq, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	*seq = 0;
	if (sql_prepare(l->file.db, &stmt, "SELECT seq FROM sink WHERE name = ?", err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "s", sink);
	if (rc == 0)
		rc = sql_step(stmt, err);
	if (rc == 1)
		*seq = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? -1 : 0;
}

/* ---- folding ---- */

/* clang-format off */
/* Row by row: the upsert adds each take to its slot. */
static const char fold_in[] =
	"INSERT INTO slot(bucket, slot, vif, address, " LEDGER_CLASSES ")"
	" SELECT bucket, slot, vif, address, " LEDGER_CLASSES
	" FROM take WHERE seq <= ?1 AND +slot < ?2 ORDER BY seq"
	LEDGER_ADD_TO_SLOT;
/* clang-format on */

struct fold {
	int64_t upto, open_slot;
};

/* Both steps go through the table itself (the plus): an index that a bad sector has cut would let one of them
 * miss takes, which would then be folded again with each pass, or be gone. */
static int fold_body(struct ledger *l, const void *arg, char **err)
{
	static const char *const steps[] = {fold_in, "DELETE FROM take WHERE seq <= ?1 AND +slot < ?2"};
	const struct fold *f = arg;
	sqlite3_int64 takes[2];

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		sqlite3_stmt *stmt;
		int rc;

		if (sql_prepare(l->file.db, &stmt, steps[i], err) < 0)
			return -1;
		rc = sql_exec(stmt, err, "ii", f->upto, f->open_slot);
		sqlite3_finalize(stmt);
		if (rc < 0)
			return -1;
		takes[i] = sqlite3_changes64(l->file.db);
	}
	if (takes[0] != takes[1])
		return err_set(
			err,
			"ledger %s is damaged: %lld takes were folded, but %lld deleted, so nothing was "
			"changed; recover it as LEDGER in xenbwd(8) says",
			sqlite3_db_filename(l->file.db, "main"), takes[0], takes[1]);
	return 0;
}

int ledger_fold(struct ledger *l, int64_t open_slot, unsigned limit, char **err)
{
	struct fold f = {.open_slot = open_slot};
	int64_t first = 0, slot = 0;

	/* without sinks there is nobody to wait for */
	if (sql_number(l->file.db, "SELECT min(seq) FROM sink", INT64_MAX, &f.upto, err) < 0 ||
	    sql_number(l->file.db, "SELECT min(seq) FROM take", 0, &first, err) < 0)
		return -1;
	if (first == 0 || first > f.upto)
		return 0;
	if (sql_number(l->file.db, "SELECT slot FROM take WHERE seq = (SELECT min(seq) FROM take)", 0, &slot,
		       err) < 0)
		return -1;
	if (slot >= open_slot)
		return 0;
	if ((uint64_t)f.upto - (uint64_t)first >= limit)
		f.upto = first + (int64_t)limit - 1;
	return ledger_transaction(l, fold_body, &f, err);
}
