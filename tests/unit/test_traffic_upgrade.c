/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * traffic_old, traffic_upgrade and rebucket, with a real MariaDB: there, interrupted, refused, and back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/rebucket.h"
#include "db/traffic_upgrade.h"
#include "tests/support/mariadb_bed.h"
#include "tests/support/unit.h"

#define ROWS 25000 /* three batches */
#define OLD                                                                                                 \
	"CREATE TABLE traffic (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, ip VARCHAR(15) NOT "    \
	"NULL,"                                                                                             \
	" time DATETIME NOT NULL, input INT(20) NOT NULL, output INT(20) NOT NULL, peer_input INT(20) NOT " \
	"NULL"                                                                                              \
	" DEFAULT 0, KEY ip (ip, time)) ENGINE=MyISAM"
#define SUMS "SELECT CONCAT_WS('|', SUM(input), SUM(output), SUM(peer_input)) FROM "
#define TABLES                                                                                       \
	"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY " \
	"TABLE_NAME"

static struct mariadb_bed *server;

struct bed {
	struct mysql *m, *other; /* the one at work, and somebody else */
};

static struct mysql *open_database(void)
{
	struct mysql *m = mariadb_bed_open(&server->root);

	mariadb_bed_sql(m, "USE old");
	return m;
}

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));
	struct mysql *m = mariadb_bed_open(&server->root);

	mariadb_bed_sql(m, "DROP DATABASE IF EXISTS old");
	mariadb_bed_sql(m, "CREATE DATABASE old");
	mysql_hang_up(m);
	b->m = open_database();
	b->other = open_database();
	mariadb_bed_sql(b->other, OLD);
	mariadb_bed_sql(b->other,
			"INSERT INTO traffic (ip, time, input, output, peer_input) SELECT CONCAT('10.0.0.', "
			"seq %% 9),"
			" '2024-01-01' + INTERVAL seq DIV 10 HOUR, seq, 2, 3 FROM seq_1_to_%d",
			ROWS);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	mysql_hang_up(b->m);
	mysql_hang_up(b->other);
	free(b);
	return 0;
}

static void opens(struct upgrade *u, struct bed *b, enum upgrade_stage stage)
{
	char *err = NULL;

	if (traffic_upgrade_open(u, b->m, "traffic", &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(u->stage, stage);
}

static void refuses(struct bed *b, const char *words)
{
	struct upgrade u;
	char *err = NULL;

	assert_int_equal(traffic_upgrade_open(&u, b->m, "traffic", &err), -1);
	if (!strstr(err, words))
		fail_msg("expected `%s` in: %s", words, err);
	free(err);
	traffic_upgrade_close(&u);
}

/* Somebody else does something after so many batches. */
struct meanwhile {
	struct bed *bed;
	const char *statement;
	int after;
	uint64_t rows;
};

static void on_progress(void *ctx, uint64_t rows)
{
	struct meanwhile *m = ctx;

	m->rows = rows;
	if (m->statement && m->after-- == 0)
		mariadb_bed_sql(m->bed->other, "%s", m->statement);
}

static void applies(struct bed *b)
{
	struct meanwhile quiet = {.bed = b};
	struct traffic_sums sums;
	struct upgrade u;
	char *err = NULL;

	if (traffic_upgrade_open(&u, b->m, "traffic", &err) < 0 ||
	    traffic_upgrade_apply(&u, on_progress, &quiet, &sums, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(quiet.rows, ROWS);
	assert_int_equal(sums.rows, ROWS);
	assert_int_equal(u.stage, UPGRADE_DONE);
	traffic_upgrade_close(&u);
}

static void fails(struct bed *b, const struct meanwhile *what, const char *words)
{
	struct meanwhile m = *what;
	struct traffic_sums sums;
	struct upgrade u;
	char *err = NULL;

	m.bed = b;
	assert_int_equal(traffic_upgrade_open(&u, b->m, "traffic", &err), 0);
	assert_int_equal(traffic_upgrade_apply(&u, on_progress, &m, &sums, &err), -1);
	if (!strstr(err, words))
		fail_msg("expected `%s` in: %s", words, err);
	free(err);
	traffic_upgrade_close(&u);
}

static void rolls_back(struct bed *b, bool expected)
{
	struct upgrade u;
	char *err = NULL;
	bool more;

	assert_int_equal(traffic_upgrade_open(&u, b->m, "traffic", &err), 0);
	if (traffic_upgrade_rollback(&u, &more, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(more, expected);
	traffic_upgrade_close(&u);
}

static char *sums_of(struct bed *b, const char *table)
{
	char *err = NULL, *query = mem_printf(SUMS "%s", table), *text;
	struct mysql_rows *rows = mysql_ask(b->other, "cannot ask", &err, "%s", query);

	assert_non_null(rows);
	text = mem_printf("%s\n", mysql_next(rows)[0]);
	mysql_rows_free(rows);
	free(query);
	return text;
}

static void there_and_back(void **state)
{
	struct bed *b = *state;
	char *before = sums_of(b, "traffic"), *err = NULL;
	struct upgrade u;

	applies(b);
	mariadb_bed_is(b->other, SUMS "traffic", before);
	mariadb_bed_is(b->other, TABLES, "traffic\ntraffic_netacct\n");
	opens(&u, b, UPGRADE_DONE);
	traffic_upgrade_close(&u);
	rolls_back(b, false);
	mariadb_bed_is(b->other, TABLES, "traffic\n");
	mariadb_bed_is(b->other, "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'old'",
		       "MyISAM\n");
	mariadb_bed_is(b->other, SUMS "traffic", before);
	applies(b);
	mariadb_bed_sql(b->other, "INSERT INTO traffic (ip, time, input) VALUES ('x', NOW(), 1)");
	rolls_back(b, true);
	mariadb_bed_is(b->other, TABLES, "traffic\ntraffic_rolled_back\n");
	mariadb_bed_sql(b->other, "DROP TABLE traffic_rolled_back");
	applies(b);
	opens(&u, b, UPGRADE_DONE);
	if (traffic_upgrade_confirm(&u, &err) < 0)
		fail_msg("%s", err);
	traffic_upgrade_close(&u);
	opens(&u, b, UPGRADE_NONE);
	traffic_upgrade_close(&u);
	mariadb_bed_is(b->other, TABLES, "traffic\n");
	free(before);
}

static void a_connection_that_is_lost_is_no_matter(void **state)
{
	struct bed *b = *state;
	char *before = sums_of(b, "traffic"), *kill, *err = NULL;
	struct mysql_rows *rows = mysql_ask(b->m, "cannot ask", &err, "SELECT CONNECTION_ID()");
	struct upgrade u;

	assert_non_null(rows);
	kill = mem_printf("KILL %s", mysql_next(rows)[0]);
	mysql_rows_free(rows);
	fails(b, &(struct meanwhile){.statement = kill, .after = 1}, "at MySQL server");
	free(kill);
	mysql_hang_up(b->m);
	b->m = open_database();
	opens(&u, b, UPGRADE_BEGUN);
	assert_int_equal(u.copied, 20000);
	traffic_upgrade_close(&u);
	applies(b);
	mariadb_bed_is(b->other, SUMS "traffic", before);
	free(before);
}

static void what_is_written_meanwhile_is_noticed(void **state)
{
	struct bed *b = *state;

	fails(b, &(struct meanwhile){.statement = "UPDATE traffic SET output = 7 WHERE id = 5", .after = 0},
	      "somebody wrote to table traffic");
	mariadb_bed_is(b->other, "SELECT output FROM traffic WHERE id = 5", "7\n");
	rolls_back(b, false);
	mariadb_bed_is(b->other, TABLES, "traffic\n");
	applies(b);
	mariadb_bed_is(b->other, "SELECT COUNT(*) FROM traffic WHERE output = 7", "1\n");
}

static void a_progress_that_another_changed_is_refused(void **state)
{
	struct bed *b = *state;

	fails(b, &(struct meanwhile){.statement = "UPDATE xenbw_upgrade SET last_id = 1", .after = 0},
	      "was changed by somebody else");
}

static void what_is_no_table_of_netaccts_stays(void **state)
{
	static const struct {
		const char *statement, *words;
	} cases[] = {
		{"CREATE TABLE traffic_netacct (x INT)", "traffic_netacct is there"},
		{"DROP TABLE traffic_netacct", NULL},
		{"CREATE TABLE traffic_xenbw_new AS SELECT 1 AS x", "no upgrade that was begun knows of it"},
		{"DROP TABLE traffic_xenbw_new", NULL},
		{"CREATE TRIGGER t BEFORE INSERT ON traffic FOR EACH ROW SET NEW.input = 1", "triggers"},
		{"DROP TRIGGER t", NULL},
		{"ALTER TABLE traffic ADD COLUMN bnid INT", "column bnid"},
		{"ALTER TABLE traffic DROP COLUMN bnid", NULL},
		{"ALTER TABLE traffic MODIFY output DOUBLE NOT NULL", "no whole number"},
		{"ALTER TABLE traffic MODIFY output INT NOT NULL, MODIFY ip VARBINARY(15) NOT NULL",
		 "no text column ip"},
		{"ALTER TABLE traffic DROP COLUMN id", "no text column ip"},
		{"ALTER TABLE traffic MODIFY ip VARCHAR(15) NOT NULL", "no column id"},
		{"ALTER TABLE traffic DROP COLUMN time", "no column time"},
		{"DROP TABLE traffic", "is not there"},
		{"CREATE VIEW traffic AS SELECT 1 AS id", "no table but a VIEW"},
	};
	struct bed *b = *state;
	struct upgrade u;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mariadb_bed_sql(b->other, "%s", cases[i].statement);
		if (cases[i].words) {
			refuses(b, cases[i].words);
			continue;
		}
		opens(&u, b, UPGRADE_WAITING);
		traffic_upgrade_close(&u);
	}
}

static void count_capped(void *ctx, const char *ip, const char *time, const char *column, uint64_t value)
{
	assert_string_equal(ip, "10.0.0.1");
	assert_string_equal(time, "2024-01-01 00:00:00");
	assert_string_equal(column, "input");
	assert_int_equal(value, INT32_MAX);
	++*(int *)ctx;
}

static void a_look_tells_what_it_will_be(void **state)
{
	struct bed *b = *state;
	struct traffic_sums sums;
	char *err = NULL, *statements;
	double speed;
	int capped = 0;
	struct upgrade u;

	mariadb_bed_sql(b->other, "UPDATE traffic SET input = 2147483647 WHERE id = 1");
	opens(&u, b, UPGRADE_WAITING);
	assert_int_equal(traffic_old_sums(b->m, "traffic", &u.old, &sums, &err), 0);
	assert_int_equal(sums.rows, ROWS);
	assert_int_equal(sums.capped, 1);
	assert_int_equal(sums.counters[1], ROWS * 2);
	assert_false(sums.negative);
	assert_int_equal(traffic_old_capped(b->m, "traffic", &u.old, 5, count_capped, &capped, &err), 0);
	assert_int_equal(capped, 1);
	assert_int_equal(traffic_upgrade_speed(&u, ROWS, &speed, &err), 0);
	assert_true(speed > 0);
	assert_int_equal(traffic_upgrade_speed(&u, 10, &speed, &err), 0);
	assert_true(speed == 0); /* too few to tell */
	statements = traffic_upgrade_statements(&u);
	assert_non_null(strstr(statements, "RENAME TABLE `traffic` TO `traffic_netacct`"));
	assert_null(strstr(statements, "local_input = ")); /* a column that the old one has not */
	free(statements);
	traffic_upgrade_close(&u);
	mariadb_bed_sql(b->other, "UPDATE traffic SET input = -1 WHERE id = 1");
	opens(&u, b, UPGRADE_WAITING);
	assert_int_equal(traffic_old_sums(b->m, "traffic", &u.old, &sums, &err), 0);
	assert_true(sums.negative);
	traffic_upgrade_close(&u);
}

/* ---- rebucket ---- */

static void rows_move_to_a_name_and_back(void **state)
{
	struct bed *b = *state;
	struct rebucket_sums sums;
	struct rebucket r;
	char *err = NULL, *before;
	uint64_t rows;

	assert_int_equal(rebucket_open(&r, b->m, "traffic", &err), -1);
	assert_non_null(strstr(err, "xenbw db upgrade"));
	free(err);
	err = NULL;
	rebucket_close(&r);
	applies(b);
	before = sums_of(b, "traffic");
	assert_int_equal(rebucket_open(&r, b->m, "traffic", &err), 0);
	assert_int_equal(rebucket_undo(&r, &rows, &err), 0);
	assert_int_equal(rows, 0);
	assert_int_equal(rebucket_count(&r, "10.0.0.3", "2024-01-01", "2024-02-01", &sums, &err), 0);
	for (int i = 0; i < 2; i++) {
		if (rebucket_move(&r, "10.0.0.3", "2024-01-01", "2024-02-01", "it's", &rows, &err) < 0)
			fail_msg("%s", err);
		assert_int_equal(rows, i ? 0 : sums.rows);
	}
	assert_true(rebucket_move(&r, "10.0.0.4", "2024-01-01", "2030-01-01", "it's", &rows, &err) == 0 &&
		    rows > 2000);
	mariadb_bed_is(b->other, SUMS "traffic", before);
	mariadb_bed_is(b->other, "SELECT COUNT(*) FROM traffic WHERE ip = '10.0.0.3' AND time < '2024-02-01'",
		       "0\n");
	mariadb_bed_is(b->other, "SELECT COUNT(*) FROM traffic WHERE ip = '10.0.0.4'", "0\n");
	assert_int_equal(rebucket_moved(&r, &rows, &err), 0);
	assert_true(rows > sums.rows);
	if (rebucket_undo(&r, &rows, &err) < 0)
		fail_msg("%s", err);
	mariadb_bed_is(b->other, SUMS "traffic", before);
	mariadb_bed_is(b->other, "SELECT COUNT(*) FROM traffic WHERE ip = 'it''s'", "0\n");
	mariadb_bed_is(b->other, TABLES, "traffic\ntraffic_netacct\n");
	/* what it went to is gone: nothing is made up */
	assert_int_equal(rebucket_move(&r, "10.0.0.3", "2024-01-01", "2024-01-02", "gone", &rows, &err), 0);
	mariadb_bed_sql(b->other, "DELETE FROM traffic WHERE ip = 'gone'");
	assert_int_equal(rebucket_undo(&r, &rows, &err), -1);
	assert_non_null(strstr(err, "are not there any more"));
	free(err);
	rebucket_close(&r);
	free(before);
}

static int start_server(void **state)
{
	(void)state;
	server = mariadb_bed_new();
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	mariadb_bed_free(server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_connection_that_is_lost_is_no_matter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_written_meanwhile_is_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_progress_that_another_changed_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_table_of_netaccts_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_look_tells_what_it_will_be, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_move_to_a_name_and_back, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("traffic_upgrade", tests, start_server, stop_server);
}
