/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_forget.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "db/ledger_state.h"
#include "db/sql.h"

/* ---- which ---- */

/* clang-format off */
#define ALL(dir)                                                                                            \
	"(external_" dir " + peer_" dir " + direct_" dir " + local_" dir " + ignored_" dir " + unattributed_" dir \
	" - estimated_" dir ")"
#define ADDS_UP(dir)                                                                                        \
	" AND (SELECT ifnull(sum(" ALL(dir) "), 0) FROM slot WHERE bucket = b.id)"                          \
	" = (SELECT ifnull(sum(total_" dir "), 0) FROM epoch e JOIN vif v ON v.id = e.vif WHERE v.bucket = b.id)"
#define NONE(rows) " AND NOT EXISTS (SELECT 1 FROM " rows ")"

/* The last ids stay: what is given out next is counted on from them. Most buckets have a vif that is there,
 * or was not long ago: CASE has that looked at first. */
static const char candidates[] =
	"SELECT b.id FROM (SELECT id, kind FROM bucket WHERE id > ?1 ORDER BY id LIMIT ?2) b WHERE CASE"
	" WHEN kind <> 'domain' OR EXISTS (SELECT 1 FROM vif WHERE bucket = b.id AND (gone IS NULL OR gone >= ?3)) THEN 0"
	" ELSE id < (SELECT max(id) FROM bucket)"
	" AND EXISTS (SELECT 1 FROM vif WHERE bucket = b.id)"
	NONE("vif WHERE bucket = b.id AND id = (SELECT max(id) FROM vif)")
	NONE("slot WHERE bucket = b.id AND slot > 0")
	NONE("take WHERE bucket = b.id")
	NONE("slot s JOIN vif v ON v.id = s.vif WHERE s.bucket = b.id AND v.bucket <> b.id")
	NONE("vif v JOIN epoch e ON e.vif = v.id WHERE v.bucket = b.id"
		" AND (e.closed IS NULL OR e.id = (SELECT max(id) FROM epoch))")
	ADDS_UP("input")
	ADDS_UP("output")
	" END";
/* clang-format on */

struct looking {
	int64_t begin;
	unsigned limit;
	bool (*is_idle)(const void *ctx, int64_t bucket);
	const void *ctx;
};

static int find(struct ledger *l, const struct looking *q, struct ledger_forgotten *out, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_prepare(l->file.db, &stmt, candidates, err) < 0)
		return -1;
	rc = sql_bind(stmt, err, "iii", l->looked_up_to, (int64_t)q->limit, q->begin);
	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		int64_t id = sqlite3_column_int64(stmt, 0);

		rc = 0;
		if (!q->is_idle(q->ctx, id))
			continue;
		out->buckets = mem_resize(out->buckets, out->bucket_count + 1, sizeof(*out->buckets));
		out->buckets[out->bucket_count++] = id;
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* From the first one again, when all were looked at. */
static int go_on(struct ledger *l, unsigned limit, char **err)
{
	char *text = mem_printf(
		"SELECT iif(count(*) < %u, 0, max(id)) FROM (SELECT id FROM bucket WHERE id > %" PRId64
		" ORDER BY id LIMIT %u)",
		limit, l->looked_up_to, limit);
	int rc = sql_number(l->file.db, text, LEDGER_NOBODY, &l->looked_up_to, err);

	free(text);
	return rc;
}

/* ---- away with them ---- */

#define LEAVING "(SELECT id FROM temp.leaving)"
#define THEIR_EPOCHS "FROM epoch WHERE vif IN (SELECT id FROM vif WHERE bucket IN " LEAVING ")"

static const char away[] =
	"INSERT OR IGNORE INTO bucket(id, kind) VALUES (0, 'domain');"
	"INSERT OR IGNORE INTO bucket_label(bucket, label, since, until) VALUES (0, '(retired)', 0, 1);"
	"INSERT OR IGNORE INTO vif(id, boot, domid, devid, domain, bucket, appeared, gone)"
	" VALUES (0, '', 65535, 0, '(retired)', 0, 0, 1);"
	"INSERT OR IGNORE INTO epoch(id, vif, boot, ifindex, netdev, rx_header, tx_header, base_rx_bytes,"
	" base_rx_packets, base_tx_bytes, base_tx_packets, last_rx_bytes, last_rx_packets, last_tx_bytes,"
	" last_tx_packets, total_input, total_output, carrier_down, opened, seen, closed, reason, doubtful)"
	" VALUES (0, 0, '', 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'retired', 0);"
	"INSERT INTO slot(bucket, slot, vif, address, " LEDGER_CLASSES ") SELECT 0, 0, 0, '', " LEDGER_CLASSES
	" FROM slot WHERE bucket IN " LEAVING LEDGER_ADD_TO_SLOT ";"
	"UPDATE epoch SET total_input = total_input + (SELECT ifnull(sum(total_input), 0) " THEIR_EPOCHS
	"), total_output = total_output + (SELECT ifnull(sum(total_output), 0) " THEIR_EPOCHS
	") WHERE id = 0;"
	"DELETE FROM slot WHERE bucket IN " LEAVING ";"
	"DELETE " THEIR_EPOCHS ";"
	"DELETE FROM vif WHERE bucket IN " LEAVING ";"
	"DELETE FROM bucket_label WHERE bucket IN " LEAVING ";"
	"DELETE FROM bucket WHERE id IN " LEAVING;

/* The buckets, for the statements above. */
static int name_them(sqlite3 *db, const struct ledger_forgotten *f, char **err)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sql_run(db,
		    "CREATE TEMP TABLE IF NOT EXISTS leaving(id INTEGER PRIMARY KEY);"
		    "DELETE FROM temp.leaving",
		    err) < 0 ||
	    sql_prepare(db, &stmt, "INSERT INTO temp.leaving VALUES (?)", err) < 0)
		return -1;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < f->bucket_count; i++)
		rc = sql_exec(stmt, err, "i", f->buckets[i]);
	sqlite3_finalize(stmt);
	return rc;
}

static int forget_uuids(sqlite3 *db, struct ledger_forgotten *f, char **err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(db, &stmt, "DELETE FROM bucket_uuid WHERE bucket IN " LEAVING " RETURNING uuid",
			     err);

	while (rc == 0 && (rc = sql_step(stmt, err)) == 1) {
		f->uuids = mem_resize(f->uuids, f->uuid_count + 1, sizeof(*f->uuids));
		f->uuids[f->uuid_count++] = sql_word(stmt, 0);
		rc = 0;
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int forget_body(struct ledger *l, const void *arg, char **err)
{
	struct ledger_forgotten *const *f = arg;
	sqlite3 *db = l->file.db;

	return name_them(db, *f, err) < 0 || forget_uuids(db, *f, err) < 0 ? -1 : sql_run(db, away, err);
}

/* SQLite would look for rows that refer to each that goes, through whole tables where it has no index for
 * that; the candidates have none. */
static int forget_them(struct ledger *l, struct ledger_forgotten *f, char **err)
{
	int rc;

	if (sql_run(l->file.db, "PRAGMA foreign_keys = OFF", err) < 0)
		return -1;
	rc = ledger_transaction(l, forget_body, &f, err);
	if (sql_run(l->file.db, "PRAGMA foreign_keys = ON", rc < 0 ? NULL : err) < 0)
		rc = -1;
	return rc;
}

int ledger_forget(struct ledger *l, int64_t begin, unsigned limit,
		  bool (*is_idle)(const void *ctx, int64_t bucket), const void *ctx,
		  struct ledger_forgotten *out, char **err)
{
	const struct looking q = {begin, limit, is_idle, ctx};

	*out = (struct ledger_forgotten){0};
	if (find(l, &q, out, err) == 0 && go_on(l, limit, err) == 0 &&
	    (!out->bucket_count || forget_them(l, out, err) == 0))
		return 0;
	ledger_forgotten_free(out);
	return -1;
}

void ledger_forgotten_free(struct ledger_forgotten *f)
{
	for (size_t i = 0; i < f->uuid_count; i++)
		free(f->uuids[i]);
	free(f->uuids);
	free(f->buckets);
	*f = (struct ledger_forgotten){0};
}
