/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A ledger of schema 1: upgraded by its writer whole or not at all, and read by readers as it is.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/ledger.h"
#include "db/ledger_file.h"
#include "db/rrd_source.h"
#include "db/sql.h"
#include "db/traffic_source.h"
#include "db/usage.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/ledger_schema_1.h"
#include "tests/support/unit.h"

#define SLOT INT64_C(1700000100)

struct bed {
	char *folder, *path;
};

/* Takes and slots of two buckets, every column a number of its own. */
static void fill(sqlite3 *db)
{
	ledger_bed_bucket(db, 1, "web");
	ledger_bed_bucket(db, 2, "db");
	ledger_bed_run(db, SLOT, SLOT + 300, 0);
	for (int i = 0; i < 40; i++)
		ledger_bed_sql(
			db,
			"INSERT INTO take VALUES (NULL, %lld, %d, %d, '', 0, 0, %d, 2, 3, 4, 5, 6, 7, 8, 9,"
			" 10, 11, 12, 13, 14, 15, 16)",
			(long long)SLOT, 1 + i % 2, 1 + i % 2, i);
	for (int i = 0; i < 40; i++)
		ledger_bed_sql(
			db,
			"INSERT INTO slot VALUES (%d, %lld, %d, '', %d, 22, 23, 24, 25, 26, 27, 28, 29, 30,"
			" 31, 32, 33, 34, 35, 36)",
			1 + i % 2, (long long)SLOT - 300 * (i + 1), 1 + i % 2, i);
}

static struct bed set_up(void)
{
	struct bed b = {.folder = scratch_new()};
	sqlite3 *db;

	b.path = mem_printf("%s/ledger.db", b.folder);
	assert_int_equal(sqlite3_open(b.path, &db), SQLITE_OK);
	ledger_bed_sql(db, "PRAGMA journal_mode = WAL");
	if (sqlite3_exec(db, ledger_schema_1, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	fill(db);
	sqlite3_close(db);
	return b;
}

static void tear_down(struct bed *b)
{
	scratch_free(b->folder);
	free(b->path);
}

/* One text of a query, on a connection of its own. */
static char *asked(const struct bed *b, const char *query)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	char *text, *err = NULL;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	if (sql_prepare(db, &stmt, query, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(sql_step(stmt, &err), 1);
	text = sql_text(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return text;
}

static void is(const struct bed *b, const char *query, const char *expected)
{
	char *text = asked(b, query);

	assert_string_equal(text, expected);
	free(text);
}

#define SUMS                                                                                                 \
	"SELECT group_concat(x, ';') FROM (SELECT bucket || ' ' || slot || ' ' || sum(external_input) || ' " \
	"' ||"                                                                                               \
	" sum(external_output) || ' ' || sum(peer_input) || ' ' || sum(peer_output) || ' ' ||"               \
	" sum(direct_input) || ' ' || sum(direct_output) || ' ' || sum(local_input) || ' ' ||"               \
	" sum(local_output) || ' ' || sum(ignored_input) || ' ' || sum(ignored_output) || ' ' ||"            \
	" sum(unattributed_input) || ' ' || sum(unattributed_output) || ' ' || sum(clipped_input) || ' ' ||" \
	" sum(clipped_output) || ' ' || sum(estimated_input) || ' ' || sum(estimated_output) AS x FROM "     \
	"usage"                                                                                              \
	" GROUP BY bucket, slot ORDER BY bucket, slot)"
#define TRAFFIC "SELECT group_concat(id || ip || time || input || output || local_output, ';') FROM traffic"

static const char version[] = "PRAGMA user_version";

static void the_writer_upgrades_and_no_sum_changes(void **state)
{
	struct bed b = set_up();
	char *sums = asked(&b, SUMS), *traffic = asked(&b, TRAFFIC);
	struct ledger *l;
	char *err = NULL;

	(void)state;
	for (int i = 0; i < 2; i++) {
		if (ledger_open(&l, b.path, "boot", &err) < 0)
			fail_msg("%s", err);
		is(&b, version, "6");
		is(&b, SUMS, sums);
		is(&b, TRAFFIC, traffic);
		is(&b, "SELECT sum(spoofed_output) FROM usage", "0");
		is(&b, "SELECT sum(charged_input) - sum(external_input) - sum(unattributed_input) FROM usage",
		   "0");
		is(&b, "SELECT value FROM meta WHERE key = 'uuid'", "old");
		/* it is one to go on with */
		assert_int_equal(ledger_fold(l, SLOT + 300, 20, &err), 0);
		is(&b, SUMS, sums);
		ledger_close(l);
	}
	free(traffic);
	free(sums);
	tear_down(&b);
}

/* An upgraded ledger and a new one have the same columns and views. */
static void an_upgraded_ledger_is_as_a_new_one(void **state)
{
	static const char shape[] =
		"SELECT group_concat(x, ' ') FROM (SELECT m.name || '.' || p.name || p.type || p.\"notnull\" "
		"||"
		" coalesce(p.dflt_value, '') || p.pk AS x FROM sqlite_master m, pragma_table_info(m.name) p"
		" WHERE m.type IN ('table', 'view') ORDER BY 1)";
	struct bed old = set_up(), fresh = {.folder = scratch_new()};
	struct ledger_file f = ledger_bed_open(old.path);
	char *expected;

	(void)state;
	ledger_file_close(&f);
	fresh.path = mem_printf("%s/ledger.db", fresh.folder);
	f = ledger_bed_open(fresh.path);
	ledger_file_close(&f);
	expected = asked(&fresh, shape);
	is(&old, shape, expected);
	free(expected);
	expected = asked(&fresh,
			 "SELECT group_concat(sql) FROM sqlite_master WHERE type = 'view' ORDER BY name");
	assert_non_null(strstr(expected, "charged_input"));
	is(&old, "SELECT group_concat(sql) FROM sqlite_master WHERE type = 'view' ORDER BY name", expected);
	free(expected);
	tear_down(&old);
	tear_down(&fresh);
}

static int die(void *ctx)
{
	(void)ctx;
	raise(SIGKILL);
	return 0;
}

/* Every connection of this process is killed in its first commit. */
static int die_in_commit(sqlite3 *db, const char **err, const void *api)
{
	(void)err;
	(void)api;
	sqlite3_commit_hook(db, die, NULL);
	return SQLITE_OK;
}

static void an_upgrade_that_is_killed_leaves_schema_1(void **state)
{
	struct bed b = set_up();
	char *sums = asked(&b, SUMS), *text = asked(&b, "SELECT group_concat(sql) FROM sqlite_master");
	struct ledger_file f;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		if (sqlite3_auto_extension((void (*)(void))die_in_commit) == SQLITE_OK)
			(void)ledger_file_open_writer(&f, b.path, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	is(&b, version, "1");
	is(&b, "SELECT group_concat(sql) FROM sqlite_master", text);
	is(&b, SUMS, sums);
	f = ledger_bed_open(b.path); /* the next one does it */
	ledger_file_close(&f);
	is(&b, version, "6");
	is(&b, SUMS, sums);
	free(text);
	free(sums);
	tear_down(&b);
}

static void an_upgrade_that_fails_leaves_schema_1_and_says_what_it_was_at(void **state)
{
	struct bed b = set_up();
	struct ledger_file f;
	char *err = NULL;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(b.path, &db), SQLITE_OK);
	ledger_bed_sql(db, "DROP TABLE slot; CREATE VIEW slot AS SELECT 1"); /* nothing to add a column to */
	sqlite3_close(db);
	assert_int_equal(ledger_file_open_writer(&f, b.path, &err), -1);
	assert_non_null(strstr(err, "up to date (schema 6)"));
	free(err);
	is(&b, version, "1");
	is(&b, "SELECT count(*) FROM pragma_table_info('take') WHERE name = 'spoofed_output'", "0");
	is(&b, "SELECT count(*) FROM sqlite_master WHERE name = 'usage'", "1");
	tear_down(&b);
}

/* As xenbwd(8) tells how to recover one: all is there, under the number of the old schema. */
static void a_recovered_ledger_under_the_old_number_is_upgraded_too(void **state)
{
	struct bed b = set_up();
	char *sums = asked(&b, SUMS);
	struct ledger_file f = ledger_bed_open(b.path);

	(void)state;
	ledger_bed_sql(f.db, "UPDATE take SET spoofed_output = 1; PRAGMA user_version = 1");
	ledger_file_close(&f);
	f = ledger_bed_open(b.path);
	ledger_file_close(&f);
	is(&b, version, "6");
	is(&b, SUMS, sums);
	is(&b, "SELECT sum(spoofed_output) FROM usage", "40");
	free(sums);
	tear_down(&b);
}

static void a_ledger_of_schema_2_gets_what_it_lacks(void **state)
{
	struct bed b = set_up();
	struct ledger_file f = ledger_bed_open(b.path);
	char *sums = asked(&b, SUMS);

	(void)state;
	ledger_bed_sql(f.db,
		       "DROP TABLE waiting; DROP TABLE closed; DROP TABLE crossing; PRAGMA user_version = 2");
	ledger_file_close(&f);
	assert_int_equal(ledger_file_open_reader(&f, b.path, NULL), 0); /* nothing that readers want */
	ledger_file_close(&f);
	f = ledger_bed_open(b.path);
	ledger_file_close(&f);
	is(&b, version, "6");
	is(&b, SUMS, sums);
	is(&b, "SELECT count(*) FROM waiting", "0");
	is(&b, "SELECT count(*) FROM closed", "0");
	free(sums);
	tear_down(&b);
}

static void a_ledger_of_schema_3_gets_closed_months(void **state)
{
	struct bed b = set_up();
	struct ledger_file f = ledger_bed_open(b.path);
	char *sums = asked(&b, SUMS);
	int64_t count = -1;

	(void)state;
	ledger_bed_sql(f.db, "DROP TABLE closed; DROP TABLE crossing; PRAGMA user_version = 3");
	ledger_file_close(&f);
	assert_int_equal(ledger_file_open_reader(&f, b.path, NULL), 0); /* nobody will upgrade it */
	assert_int_equal(sql_number(f.db, "SELECT count(*) FROM closed", -1, &count, NULL), 0);
	assert_int_equal(count, 0);
	ledger_file_close(&f);
	f = ledger_bed_open(b.path);
	ledger_file_close(&f);
	is(&b, version, "6");
	is(&b, SUMS, sums);
	is(&b, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'", "2");
	free(sums);
	tear_down(&b);
}

static void a_ledger_of_schema_4_gets_what_is_reached_of_quotas(void **state)
{
	struct bed b = set_up();
	struct ledger_file f = ledger_bed_open(b.path);
	char *sums = asked(&b, SUMS);
	int64_t count = -1;

	(void)state;
	ledger_bed_sql(f.db, "DROP TABLE crossing; PRAGMA user_version = 4");
	ledger_file_close(&f);
	assert_int_equal(ledger_file_open_reader(&f, b.path, NULL), 0);
	assert_int_equal(sql_number(f.db, "SELECT count(*) FROM crossing", -1, &count, NULL), 0);
	assert_int_equal(count, 0);
	ledger_file_close(&f);
	f = ledger_bed_open(b.path);
	ledger_file_close(&f);
	is(&b, version, "6");
	is(&b, SUMS, sums);
	is(&b, "SELECT count(*) FROM crossing", "0");
	free(sums);
	tear_down(&b);
}

static void a_ledger_of_schema_5_gets_what_the_count_was_ahead_by(void **state)
{
	struct bed b = set_up();
	struct ledger_file f = ledger_bed_open(b.path);
	char *sums = asked(&b, SUMS);

	(void)state;
	ledger_bed_sql(f.db, "ALTER TABLE epoch DROP COLUMN ahead_bytes;"
			     "ALTER TABLE epoch DROP COLUMN ahead_packets;"
			     "ALTER TABLE epoch DROP COLUMN ahead_known; PRAGMA user_version = 5");
	ledger_file_close(&f);
	assert_int_equal(ledger_file_open_reader(&f, b.path, NULL), 0); /* nothing that readers want */
	ledger_file_close(&f);
	f = ledger_bed_open(b.path);
	ledger_file_close(&f);
	is(&b, version, "6");
	is(&b, SUMS, sums);
	is(&b, "SELECT count(*) FROM epoch WHERE ahead_bytes <> 0 OR ahead_packets <> 0 OR ahead_known <> 0",
	   "0");
	free(sums);
	tear_down(&b);
}

/* A copy of an old ledger on another host: nobody will upgrade it. */
static void readers_read_an_old_ledger_as_it_is(void **state)
{
	struct bed b = set_up();
	struct usage_report r;
	struct usage_vifs v;
	struct rrd_batch rrd;
	struct rrd_usage u;
	struct traffic_batch t;
	struct ledger_file f;
	char *err = NULL;

	(void)state;
	assert_int_equal(ledger_file_open_reader(&f, b.path, &err), 0);
	for (int by = USAGE_BY_BUCKET; by <= USAGE_BY_ADDRESS; by++) {
		if (usage_read_report(f.db, by, 0, SLOT + 300, NULL, 0, &r, &err) < 0)
			fail_msg("%s", err);
		assert_int_equal(r.count, 2);
		assert_true(r.unattributed_charged);
		/* 20 takes and 20 slots each */
		assert_int_equal(r.rows[0].sums.classes.bytes[DIR_OUTPUT][CLASS_EXTERNAL], 20 * 2 + 20 * 22);
		assert_int_equal(r.rows[0].sums.spoofed, 0);
		usage_report_free(&r);
	}
	assert_int_equal(usage_read_vifs(f.db, "boot", 0, SLOT + 300, true, &v, &err), 0);
	assert_int_equal(v.vif_count, 2);
	usage_vifs_free(&v);
	if (rrd_source_batch(f.db, 0, &rrd, &err) < 0 ||
	    rrd_source_usage(f.db, 1, 0, SLOT + 300, &u, &err) < 0 ||
	    traffic_source_batch(f.db, 0, 1000, NULL, &t, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(rrd.count, 2);
	assert_int_equal(u.slot_count, 21);
	assert_int_equal(u.slots[20].bytes[1], 20 * (2 + 12));
	assert_int_equal(t.count, 2);
	assert_int_equal(t.list[0].bytes[1], 20 * (2 + 12));
	rrd_batch_free(&rrd);
	rrd_usage_free(&u);
	traffic_batch_free(&t);
	ledger_file_close(&f);
	is(&b, version, "1");
	tear_down(&b);
}

/* ---- what is charged ---- */

static void charge(const struct bed *b, bool unattributed)
{
	struct ledger *l;
	char *err = NULL;

	if (ledger_open(&l, b->path, "boot", &err) < 0 || ledger_charge(l, unattributed, &err) < 0)
		fail_msg("%s", err);
	ledger_close(l);
}

/* Everybody who reads: RRD, MySQL, the report, the view. */
static void all_charge(const struct bed *b, bool unattributed)
{
	uint64_t output = 2 + (unattributed ? 12 : 0);
	struct usage_report r;
	struct rrd_usage u;
	struct traffic_batch t;
	struct ledger_file f;
	char *err = NULL, *expected = mem_printf("%d.0", (int)(20 * output));

	assert_int_equal(ledger_file_open_reader(&f, b->path, &err), 0);
	if (usage_read_report(f.db, USAGE_BY_BUCKET, 0, SLOT + 300, NULL, 0, &r, &err) < 0 ||
	    rrd_source_usage(f.db, 1, SLOT, SLOT + 300, &u, &err) < 0 ||
	    traffic_source_batch(f.db, 0, 1000, NULL, &t, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(r.unattributed_charged, unattributed);
	assert_int_equal(u.slot_count, 1);
	assert_int_equal(u.slots[0].bytes[1], 20 * output);
	assert_int_equal(t.list[0].bytes[1], 20 * output);
	is(b, "SELECT output FROM traffic WHERE ip = 'web' ORDER BY time DESC LIMIT 1", expected);
	usage_report_free(&r);
	rrd_usage_free(&u);
	traffic_batch_free(&t);
	ledger_file_close(&f);
	free(expected);
}

static void all_readers_charge_what_the_ledger_says(void **state)
{
	struct bed b = set_up();
	struct ledger_file f = ledger_bed_open(b.path);

	(void)state;
	/* whole hours, so that the view's newest row holds the takes alone */
	ledger_bed_sql(f.db, "DELETE FROM slot");
	ledger_file_close(&f);
	all_charge(&b, true); /* until it is said */
	charge(&b, false);
	is(&b, "SELECT value FROM meta WHERE key = 'unattributed'", "none");
	all_charge(&b, false);
	charge(&b, false);
	all_charge(&b, false);
	charge(&b, true);
	is(&b, "SELECT value FROM meta WHERE key = 'unattributed'", "external");
	all_charge(&b, true);
	tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_writer_upgrades_and_no_sum_changes),
		cmocka_unit_test(an_upgraded_ledger_is_as_a_new_one),
		cmocka_unit_test(an_upgrade_that_is_killed_leaves_schema_1),
		cmocka_unit_test(an_upgrade_that_fails_leaves_schema_1_and_says_what_it_was_at),
		cmocka_unit_test(a_recovered_ledger_under_the_old_number_is_upgraded_too),
		cmocka_unit_test(a_ledger_of_schema_2_gets_what_it_lacks),
		cmocka_unit_test(a_ledger_of_schema_3_gets_closed_months),
		cmocka_unit_test(a_ledger_of_schema_4_gets_what_is_reached_of_quotas),
		cmocka_unit_test(a_ledger_of_schema_5_gets_what_the_count_was_ahead_by),
		cmocka_unit_test(readers_read_an_old_ledger_as_it_is),
		cmocka_unit_test(all_readers_charge_what_the_ledger_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
