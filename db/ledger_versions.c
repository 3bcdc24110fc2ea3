/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/ledger_versions.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "db/sql.h"
#include "ledger_schema.h" /* made from db/schema/ledger.sql */
#include "ledger_views_schema.h"

static int in_transaction(sqlite3 *db, int (*fn)(sqlite3 *, char **), char **err)
{
	if (sql_run(db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	if (fn(db, err) == 0 && sql_run(db, "COMMIT", err) == 0)
		return 0;
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int set_version(sqlite3 *db, char **err)
{
	char *text = mem_printf("PRAGMA application_id = %d; PRAGMA user_version = %d;",
				LEDGER_APPLICATION_ID, LEDGER_SCHEMA);
	int rc = sql_run(db, text, err);

	free(text);
	return rc;
}

static int create(sqlite3 *db, char **err)
{
	if (sql_run(db, ledger_schema, err) < 0 || sql_run(db, ledger_views_schema, err) < 0 ||
	    sql_run(db,
		    "INSERT INTO meta(key, value) VALUES ('uuid', lower(hex(randomblob(16)))),"
		    " ('created', unixepoch()), ('open_slot', 0)",
		    err) < 0)
		return -1;
	return set_version(db, err);
}

int ledger_versions_create(sqlite3 *db, char **err)
{
	return in_transaction(db, create, err);
}

/* A number, 0 so far. A ledger that was recovered by hand may have it, and an old version's number. */
static int add_column(sqlite3 *db, const char *table, const char *column, char **err)
{
	char *query =
		mem_printf("SELECT count(*) FROM pragma_table_info('%s') WHERE name = '%s'", table, column);
	char *add = mem_printf("ALTER TABLE %s ADD COLUMN %s INTEGER NOT NULL DEFAULT 0", table, column);
	int64_t there = 0;
	int rc = sql_number(db, query, 0, &there, err);

	if (rc == 0 && !there)
		rc = sql_run(db, add, err);
	free(add);
	free(query);
	return rc;
}

/* Drops the view where it is one: what somebody else calls so is left alone. */
static int drop_view(sqlite3 *db, const char *view, char **err)
{
	char *query =
		mem_printf("SELECT count(*) FROM sqlite_master WHERE type = 'view' AND name = '%s'", view);
	char *drop = mem_printf("DROP VIEW %s", view);
	int64_t there = 0;
	int rc = sql_number(db, query, 0, &there, err);

	if (rc == 0 && there)
		rc = sql_run(db, drop, err);
	free(drop);
	free(query);
	return rc;
}

/* Version 3 has what is seen and waits. */
static const char waiting_table[] =
	"CREATE TABLE IF NOT EXISTS waiting (vif INTEGER NOT NULL REFERENCES vif(id), address TEXT NOT NULL,"
	" direction INTEGER NOT NULL, class INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" PRIMARY KEY (vif, address, direction, class)) WITHOUT ROWID";

/* Version 4 has closed months. */
static const char closed_table[] =
	"CREATE TABLE IF NOT EXISTS closed ( month TEXT NOT NULL, edition INTEGER NOT NULL, bucket"
	" INTEGER NOT NULL, owner TEXT NOT NULL, from_time INTEGER NOT NULL, to_time INTEGER NOT"
	" NULL, day INTEGER NOT NULL, label TEXT NOT NULL, time INTEGER NOT NULL, input INTEGER"
	" NOT NULL, output INTEGER NOT NULL, p95_input INTEGER NOT NULL, p95_output INTEGER NOT"
	" NULL, slots INTEGER NOT NULL, observed INTEGER NOT NULL, PRIMARY KEY (month, edition,"
	" bucket, owner, from_time) ) WITHOUT ROWID; CREATE TRIGGER IF NOT EXISTS closed_update"
	" BEFORE UPDATE ON closed BEGIN SELECT raise(ABORT, 'a closed month does not change');"
	" END; CREATE TRIGGER IF NOT EXISTS closed_delete BEFORE DELETE ON closed BEGIN SELECT"
	" raise(ABORT, 'a closed month does not change'); END;";

/* Version 5 has what was reached of quotas. */
static const char crossing_table[] =
	"CREATE TABLE IF NOT EXISTS crossing ( id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, owner"
	" TEXT NOT NULL, period TEXT NOT NULL, from_time INTEGER NOT NULL, to_time INTEGER NOT NULL,"
	" class TEXT NOT NULL, direction TEXT NOT NULL, bytes INTEGER NOT NULL, percent INTEGER NOT"
	" NULL, label TEXT NOT NULL, used INTEGER NOT NULL, time INTEGER NOT NULL, ended INTEGER,"
	" outcome TEXT, UNIQUE (bucket, owner, period, from_time, class, direction, bytes, percent) )";

/* Version 6 has what the kernel's own count was ahead of the counters by. */
static int upgrade_from_5(sqlite3 *db, char **err)
{
	if (add_column(db, "epoch", "ahead_bytes", err) < 0 ||
	    add_column(db, "epoch", "ahead_packets", err) < 0 ||
	    add_column(db, "epoch", "ahead_known", err) < 0)
		return -1;
	return set_version(db, err);
}

static int upgrade_from_4(sqlite3 *db, char **err)
{
	return sql_run(db, crossing_table, err) < 0 ? -1 : upgrade_from_5(db, err);
}

static int upgrade_from_3(sqlite3 *db, char **err)
{
	return sql_run(db, closed_table, err) < 0 ? -1 : upgrade_from_4(db, err);
}

static int upgrade_from_2(sqlite3 *db, char **err)
{
	return sql_run(db, waiting_table, err) < 0 ? -1 : upgrade_from_3(db, err);
}

static int upgrade_from_1(sqlite3 *db, char **err)
{
	if (drop_view(db, "usage", err) < 0 || drop_view(db, "traffic", err) < 0 ||
	    add_column(db, "take", "spoofed_output", err) < 0 ||
	    add_column(db, "slot", "spoofed_output", err) < 0 || sql_run(db, ledger_views_schema, err) < 0)
		return -1;
	return upgrade_from_2(db, err);
}

int ledger_versions_upgrade(sqlite3 *db, int64_t version, char **err)
{
	static int (*const upgrades[LEDGER_SCHEMA])(sqlite3 *, char **) = {upgrade_from_1, upgrade_from_1,
									   upgrade_from_2, upgrade_from_3,
									   upgrade_from_4, upgrade_from_5};

	if (version < LEDGER_SCHEMA && in_transaction(db, upgrades[version < 0 ? 0 : version], err) < 0)
		return -1;
	if (version < 2)
		return 0;
	return sql_run(db, ledger_views_schema, err); /* makes what is missing, and writes nothing else */
}

/* What schema.sql and ledger_views.sql say, of a ledger without spoofed bytes and without the setting. */
static const char bridge_from_1[] =
	"CREATE TEMP VIEW take AS SELECT *, 0 AS spoofed_output FROM main.take;"
	"CREATE TEMP VIEW slot AS SELECT *, 0 AS spoofed_output FROM main.slot;"
	"CREATE TEMP VIEW charging AS SELECT 1 AS unattributed;"
	"CREATE TEMP VIEW usage AS SELECT *, 0 AS spoofed_output,"
	" external_input + unattributed_input AS charged_input,"
	" external_output + unattributed_output AS charged_output FROM main.usage;";

static const char bridge_from_3[] =
	"CREATE TEMP VIEW closed AS SELECT '' AS month, 0 AS edition, 0 AS bucket, '' AS owner, 0 AS "
	"from_time,"
	" 0 AS to_time, 0 AS day, '' AS label, 0 AS time, 0 AS input, 0 AS output, 0 AS p95_input,"
	" 0 AS p95_output, 0 AS slots, 0 AS observed WHERE 0;";

static const char bridge_from_4[] =
	"CREATE TEMP VIEW crossing AS SELECT 0 AS id, 0 AS bucket, '' AS owner, '' AS period, 0 AS from_time,"
	" 0 AS to_time, '' AS class, '' AS direction, 0 AS bytes, 0 AS percent, '' AS label, 0 AS used,"
	" 0 AS time, NULL AS ended, NULL AS outcome WHERE 0;";

int ledger_versions_bridge(sqlite3 *db, int64_t version, char **err)
{
	if (version < 5 && sql_run(db, bridge_from_4, err) < 0)
		return -1;
	if (version < 4 && sql_run(db, bridge_from_3, err) < 0)
		return -1;
	return version < 2 ? sql_run(db, bridge_from_1, err) : 0;
}
