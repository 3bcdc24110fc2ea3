/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The sink for MySQL, on a MariaDB server: what is written, by label and hour; trouble, and tables.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/traffic_table.h"
#include "tests/support/mysql_bed.h"
#include "tests/support/unit.h"

static const uint64_t none[2] = {0, 0};

/* ---- what is written ---- */

static void every_column_has_its_bytes_by_label_and_hour(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	ledger_bed_bucket(mysql_bed_db(b), 2, "mail");
	for (int n = 0; n < 13; n++) /* 12 slots are an hour; two takes in each */
		for (int i = 0; i < 2; i++)
			ledger_bed_bytes(mysql_bed_db(b), 1, SLOT(n), 0, (uint64_t[]){1000, 2000},
					 (uint64_t[]){30, 40}, (uint64_t[]){1, 2});
	ledger_bed_bytes(mysql_bed_db(b), 2, SLOT(0), 0,
			 (uint64_t[]){UINT64_C(1) << 53, (UINT64_C(1) << 53) + 1}, none, none);
	mysql_bed_passes(b, 27);
	mariadb_bed_is(b->root, ROWS,
		       "mail|2023-11-15 00:00:00|9007199254740992|9007199254740993|0|0|5|6|7|8\n"
		       "web|2023-11-15 00:00:00|24024|48048|720|960|120|144|168|192\n"
		       "web|2023-11-15 01:00:00|2002|4004|60|80|10|12|14|16\n");
	mysql_bed_marker_is(b, "27\n");
	mysql_bed_passes(b, 0); /* nothing is new */
	mysql_bed_take(b, 1, SLOT(12), 5, 6);
	mysql_bed_passes(b, 28);
	mariadb_bed_is(b->root, ROWS,
		       "mail|2023-11-15 00:00:00|9007199254740992|9007199254740993|0|0|5|6|7|8\n"
		       "web|2023-11-15 00:00:00|24024|48048|720|960|120|144|168|192\n"
		       "web|2023-11-15 01:00:00|2007|4010|60|80|15|18|21|24\n");
	assert_string_equal(b->log, "");
}

static void it_begins_where_the_ledger_began_to_keep_takes_for_it(void **state)
{
	struct mysql_bed *b = *state;
	char host[256];
	char *expected;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int i = 0; i < 10; i++)
		mysql_bed_take(b, 1, SLOT(i), 1000, 1000);
	ledger_bed_sql(mysql_bed_db(b), "UPDATE sink SET seq = 7");
	mysql_bed_passes(b, 10);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|3000|3000\n");
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	expected = mem_printf("32|%s|10\n", host);
	mariadb_bed_is(b->root, "SELECT CONCAT_WS('|', length(ledger_uuid), host, seq) FROM xenbw_host",
		       expected);
	free(expected);
}

static void a_row_without_bytes_is_none(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 1000, 1000);
	ledger_bed_sql(mysql_bed_db(b),
		       "UPDATE take SET external_input = 0, external_output = 0, direct_input = 0,"
		       " direct_output = 0, local_input = 0, local_output = 0");
	mysql_bed_passes(b, 1); /* only ignored bytes */
	mysql_bed_rows_are(b, "");
	mysql_bed_marker_is(b, "1\n");
}

static void many_takes_are_many_batches_and_chunks(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_sql(mysql_bed_db(b), "BEGIN");
	for (int id = 1; id <= 1500; id++) {
		char *label = mem_printf("vm%04d", id);

		ledger_bed_bucket(mysql_bed_db(b), id, label);
		free(label);
	}
	for (int n = 0; n < 30; n++) /* 45,000 takes: three batches */
		for (int id = 1; id <= 1500; id++)
			mysql_bed_take(b, id, SLOT(n), (uint64_t)id * 1000 + (uint64_t)n, 7);
	ledger_bed_sql(mysql_bed_db(b), "COMMIT");
	mysql_bed_passes(b, 45000);
	mariadb_bed_is(b->root, "SELECT count(*) FROM traffic", "4500\n");
	mysql_bed_sums_are_equal(b);
}

static void a_small_packet_makes_small_statements(void **state)
{
	struct mysql_bed *b = *state;

	mariadb_bed_sql(b->root, "SET GLOBAL max_allowed_packet = 8192");
	for (int id = 1; id <= 300; id++) {
		char *label = mem_printf("a-rather-long-name-of-a-domain-with-an-apostrophe-''-%04d", id);

		ledger_bed_bucket(mysql_bed_db(b), id, label);
		mysql_bed_take(b, id, SLOT(0), 10, 20);
		free(label);
	}
	mysql_bed_passes(b, 300);
	mariadb_bed_sql(b->root, "SET GLOBAL max_allowed_packet = DEFAULT");
	mysql_bed_sums_are_equal(b);
}

/* ---- labels ---- */

static void labels_that_look_alike_stay_apart(void **state)
{
	static const char *const labels[] = {"Web",  "web",     "w\xc3\xa9\x62",    "web ",
					     "a''b", "a\\x5cb", "\xf0\x9f\x90\xa7", "10.0.0.1"};
	struct mysql_bed *b = *state;

	for (int i = 0; i < (int)(sizeof(labels) / sizeof(*labels)); i++) {
		ledger_bed_bucket(mysql_bed_db(b), i + 1, labels[i]);
		mysql_bed_take(b, i + 1, SLOT(0), 1000 + (uint64_t)i, 0);
	}
	mysql_bed_passes(b, 8);
	mariadb_bed_is(
		b->root, "SELECT CONCAT_WS('|', ip, input) FROM traffic ORDER BY input",
		"Web|1000\nweb|1001\nw\xc3\xa9"
		"b|1002\nweb\\x20|1003\na'b|1004\na\\x5cb|1005\n\xf0\x9f\x90\xa7|1006\n10.0.0.1|1007\n");
}

static void long_labels_are_cut_and_stay_apart(void **state)
{
	struct mysql_bed *b = *state;
	char a[400];

	for (int id = 1; id <= 4; id++) {
		memset(a, 'x', sizeof(a));
		a[id == 1 ? 255 : 256 + id] = '\0'; /* the first one just fits */
		ledger_bed_bucket(mysql_bed_db(b), id, a);
		mysql_bed_take(b, id, SLOT(0), (uint64_t)id, 0);
	}
	for (int i = 0; i < 300; i++) /* 255 characters of two bytes, and one more */
		memcpy(a + i % 150 * 2, "\xc3\xa9", 2);
	a[300] = '\0';
	ledger_bed_sql(mysql_bed_db(b), "INSERT INTO bucket(id, kind) VALUES (5, 'domain')");
	ledger_bed_sql(mysql_bed_db(b),
		       "INSERT INTO bucket_label(bucket, label, since) VALUES (5, '%s%s', 0)", a, a);
	ledger_bed_sql(
		mysql_bed_db(b),
		"INSERT INTO vif(id, boot, domid, devid, domain, bucket, appeared) VALUES (5, 'boot', 5, 0,"
		" 'x', 5, 0)");
	mysql_bed_take(b, 5, SLOT(0), 5, 0);
	mysql_bed_passes(b, 5);
	mariadb_bed_is(b->root,
		       "SELECT CONCAT_WS('|', input, char_length(ip), left(ip, 2), ip REGEXP "
		       "'%-[0-9a-f]{16}$') FROM traffic"
		       " ORDER BY input",
		       "1|255|xx|0\n2|255|xx|1\n3|255|xx|1\n4|255|xx|1\n5|255|\xc3\xa9\xc3\xa9|1\n");
}

static void a_bucket_has_the_label_that_it_has_now(void **state)
{
	struct mysql_bed *b = *state;

	b->conf.bucket_suffix = mem_strdup(".host1");
	mysql_bed_new_sink(b);
	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	ledger_bed_bucket(mysql_bed_db(b), 2, "10.0.0.1");
	ledger_bed_sql(mysql_bed_db(b), "UPDATE bucket SET kind = 'ip' WHERE id = 2");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_take(b, 2, SLOT(0), 2, 2);
	mysql_bed_passes(b, 2);
	ledger_bed_sql(mysql_bed_db(b), "UPDATE bucket_label SET until = %lld WHERE bucket = 1",
		       (long long)SLOT(1));
	ledger_bed_sql(mysql_bed_db(b),
		       "INSERT INTO bucket_label(bucket, label, since) VALUES (1, 'www', %lld)",
		       (long long)SLOT(1));
	mysql_bed_take(b, 1, SLOT(0), 10, 10);
	mysql_bed_passes(b, 3);
	/* one that has none any more keeps its last one */
	ledger_bed_sql(mysql_bed_db(b),
		       "UPDATE bucket_label SET until = %lld WHERE until IS NULL AND bucket = 1",
		       (long long)SLOT(2));
	mysql_bed_take(b, 1, SLOT(0), 100, 100);
	mysql_bed_passes(b, 4);
	mysql_bed_rows_are(b, "10.0.0.1|2023-11-15 00:00:00|2|2\nweb.host1|2023-11-15 00:00:00|1|1\n"
			      "www.host1|2023-11-15 00:00:00|110|110\n");
}

/* ---- hours ---- */

static void restart_in(struct mysql_bed *b, const char *zone)
{
	mysql_hang_up(b->root);
	mariadb_bed_do(mysql_bed_server, "mariadb_stop");
	mariadb_bed_start(mysql_bed_server, zone);
	b->root = mariadb_bed_open(&mysql_bed_server->root);
	mariadb_bed_sql(b->root, "USE netacct");
}

static void hours_are_those_of_the_server(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mariadb_bed_sql(b->root, "SET GLOBAL time_zone = '+05:45'");
	for (int n = 0; n < 12; n++)
		mysql_bed_take(b, 1, SLOT(n), 1, 100);
	mysql_bed_passes(b, 12);
	mariadb_bed_sql(b->root, "SET GLOBAL time_zone = SYSTEM");
	mysql_bed_rows_are(b, "web|2023-11-15 05:00:00|3|300\nweb|2023-11-15 06:00:00|9|900\n");
}

static void the_hour_that_comes_twice_in_autumn_is_one_row(void **state)
{
	struct mysql_bed *b = *state;

	restart_in(b, "Europe/Berlin"); /* 02:00 to 03:00 twice, from 2023-10-29 00:00 UTC on */
	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	for (int n = 0; n < 48; n++)
		mysql_bed_take(b, 1, 1698533400 + 600 + n * 300, 1,
			       n < 24 ? 10 : 1000); /* from 23:00 UTC on */
	mysql_bed_passes(b, 48);
	mysql_bed_rows_are(b, "web|2023-10-29 01:00:00|12|120\nweb|2023-10-29 02:00:00|24|12120\n"
			      "web|2023-10-29 03:00:00|12|12000\n");
	mysql_bed_take(b, 1, 1711846800 - 300, 1, 1); /* spring: 2024-03-31 01:55, then 03:00 */
	mysql_bed_take(b, 1, 1711846800, 2, 2);
	mysql_bed_passes(b, 50);
	mariadb_bed_is(
		b->root,
		"SELECT CONCAT_WS('|', time, input) FROM traffic WHERE time > '2024-01-01' ORDER BY time",
		"2024-03-31 01:00:00|1\n2024-03-31 03:00:00|2\n");
	restart_in(b, "UTC");
}

/* ---- trouble ---- */

static void trouble_is_named_with_the_way_out_and_nothing_is_lost(void **state)
{
	struct mysql_bed *b = *state;

	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_passes(b, 1);

	/* the server goes away, and comes back between two passes without a word */
	mysql_hang_up(b->root);
	mariadb_bed_do(mysql_bed_server, "mariadb_kill");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_fails(b, "cannot connect at MySQL server", "is the server running");
	mysql_bed_fails(b, "cannot connect at MySQL server", "is the server running");
	mariadb_bed_start(mysql_bed_server, "UTC");
	mysql_bed_passes(b, 2);
	mariadb_bed_do(mysql_bed_server, "mariadb_stop");
	mariadb_bed_start(mysql_bed_server, "UTC");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_passes(b, 3);
	b->root = mariadb_bed_open(&mysql_bed_server->root);
	mariadb_bed_sql(b->root, "USE netacct");

	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "SET GLOBAL read_only = 1");
	mysql_bed_fails(b, "--read-only", "make it writable");
	mariadb_bed_sql(b->root, "SET GLOBAL read_only = 0");
	mysql_bed_passes(b, 4);

	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "REVOKE UPDATE ON netacct.* FROM acct@localhost");
	mysql_bed_new_sink(b);
	mysql_bed_fails(b, "UPDATE command denied", "GRANT the account SELECT, INSERT and UPDATE");
	mariadb_bed_sql(b->root, "GRANT UPDATE ON netacct.* TO acct@localhost");
	mysql_bed_passes(b, 5);

	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "ALTER TABLE traffic RENAME COLUMN peer_input TO x");
	mysql_bed_fails(b, "it has no column peer_input", "mysql_table xenbw_traffic");
	mysql_bed_fails(b, "it has no column peer_input", "`xenbw db init`");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic RENAME COLUMN x TO peer_input");
	mysql_bed_passes(b, 6);

	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mariadb_bed_sql(b->root, "RENAME TABLE traffic TO gone");
	mysql_bed_fails(b, "table traffic is not there", "`xenbw db init`");
	mysql_bed_fails(b, "table traffic is not there at MySQL server", "`xenbw db init` makes it");
	mariadb_bed_sql(b->root, "RENAME TABLE gone TO traffic, xenbw_host TO gone");
	mysql_bed_fails(b, "table xenbw_host is not there", "`xenbw db init` makes it");
	mariadb_bed_sql(b->root, "RENAME TABLE gone TO xenbw_host");
	mysql_bed_passes(b, 7);

	mariadb_bed_sql(b->root, "SET PASSWORD FOR acct@localhost = PASSWORD('other')");
	mysql_bed_new_sink(b);
	mysql_bed_fails(b, "Access denied for user 'acct'@'localhost'", "mysql_password_file");
	free(b->conf.mysql.database);
	b->conf.mysql.database = mem_strdup("nowhere");
	b->conf.mysql.password_file = mem_printf("%s/password", b->ledger->folder);
	mysql_bed_fails(b, "cannot read the MySQL password from", "No such file");
	scratch_write(b->conf.mysql.password_file, "other\r\nsecond line\n", 19);
	mysql_bed_fails(b, "Access denied for user 'acct'@'localhost' to database 'nowhere'", "GRANT");
	free(b->conf.mysql.database);
	b->conf.mysql.database = mem_strdup("netacct");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_passes(b, 8);
	mysql_bed_rows_are(b, "web|2023-11-15 00:00:00|8|8\n");
}

/* ---- tables ---- */

#define NETACCT                                                                                       \
	"CREATE TABLE traffic (id int(11) unsigned NOT NULL auto_increment, ip varchar(15) NOT NULL " \
	"default '',"                                                                                 \
	" time datetime NOT NULL default '0000-00-00 00:00:00', input int(20) NOT NULL default '0',"  \
	" output int(20) NOT NULL default '0', peer_input int(20) NOT NULL default '0',"              \
	" peer_output int(20) NOT NULL default '0', direct_input int(20) NOT NULL default '0',"       \
	" direct_output int(20) NOT NULL default '0', local_input int(20) NOT NULL default '0',"      \
	" local_output int(20) NOT NULL default '0', PRIMARY KEY (id), KEY ip (ip, time)) ENGINE=MyISAM"

static void state_is(struct mysql_bed *b, enum traffic_state expected, const char *words)
{
	enum traffic_state state;
	char *why, *err = NULL;

	if (traffic_table_check(b->root, b->conf.mysql.table, &state, &why, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(state, expected);
	if (expected == TRAFFIC_FINE)
		assert_null(why);
	else if (!strstr(why, words))
		fail_msg("expected `%s` in: %s", words, why);
	free(why);
}

static void netacct_s_own_table_is_left_alone_and_another_one_works(void **state)
{
	struct mysql_bed *b = *state;

	mariadb_bed_sql(b->root, "DROP TABLE traffic");
	mariadb_bed_sql(b->root, NETACCT);
	state_is(b, TRAFFIC_LEGACY,
		 "is netacct's own: its engine is MyISAM, which has no transactions, ip holds no more than "
		 "15 characters, "
		 "input is of type int and too small");
	state_is(b, TRAFFIC_LEGACY,
		 "it has no UNIQUE (ip, time); counting goes on in the ledger; write to another table: "
		 "`mysql_table xenbw_traffic`, then `xenbw db init`");
	ledger_bed_bucket(mysql_bed_db(b), 1, "web");
	mysql_bed_take(b, 1, SLOT(0), 1, 1);
	mysql_bed_fails(b, "is netacct's own", "`mysql_table xenbw_traffic`");
	free(b->conf.mysql.table);
	b->conf.mysql.table = mem_strdup("xenbw_traffic");
	mysql_bed_make_tables(b);
	mysql_bed_passes(b, 1);
	mariadb_bed_is(b->root, "SELECT count(*) FROM traffic", "0\n");
	mariadb_bed_is(b->root, "SELECT CONCAT_WS('|', ip, input) FROM xenbw_traffic", "web|1\n");
}

static void tables_are_judged(void **state)
{
	struct mysql_bed *b = *state;

	mysql_bed_make_tables(b); /* they are there already */
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root,
			"ALTER TABLE traffic ADD COLUMN note TEXT, ADD COLUMN paid INT NOT NULL DEFAULT 0");
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic ADD COLUMN who INT NOT NULL");
	state_is(b, TRAFFIC_FOREIGN, "its column who has no default");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic DROP COLUMN who, ADD UNIQUE (ip)");
	state_is(b, TRAFFIC_FOREIGN, "its unique key ip (ip) is in the way");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic DROP KEY ip, MODIFY input BIGINT UNSIGNED");
	state_is(b, TRAFFIC_FOREIGN, "input may be NULL");
	mariadb_bed_sql(b->root, "ALTER TABLE traffic MODIFY input BIGINT UNSIGNED NOT NULL,"
				 " MODIFY ip VARCHAR(255) COLLATE utf8mb4_general_ci NOT NULL");
	state_is(b, TRAFFIC_LEGACY,
		 "ip has the collation utf8mb4_general_ci, which takes different names for the same");
	mariadb_bed_sql(b->root, "DROP TABLE traffic");
	state_is(b, TRAFFIC_MISSING, "table traffic is not there");
	mariadb_bed_sql(b->root, "CREATE VIEW traffic AS SELECT 1 AS input");
	state_is(b, TRAFFIC_FOREIGN, "it is no table but a VIEW");
	mariadb_bed_sql(b->root, "DROP VIEW traffic");
	mariadb_bed_sql(b->root, "CREATE TABLE traffic (ip INT)");
	state_is(b, TRAFFIC_FOREIGN, "it has no column time");
	mariadb_bed_sql(b->root, "DROP TABLE traffic, xenbw_host");
	mysql_bed_make_tables(b);
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root, "ALTER TABLE xenbw_host DROP COLUMN taken");
	state_is(b, TRAFFIC_LEGACY, TRAFFIC_MARKER_ALTER);
	mariadb_bed_sql(b->root, TRAFFIC_MARKER_ALTER);
	state_is(b, TRAFFIC_FINE, "");
	mariadb_bed_sql(b->root, "ALTER TABLE xenbw_host DROP PRIMARY KEY");
	state_is(b, TRAFFIC_FOREIGN, "table xenbw_host");
}

static void a_ledger_that_is_not_there_is_waited_for(void **state)
{
	struct mysql_bed *b = *state;
	struct sink_host host = {.say = mysql_bed_hear, .must_stop = mysql_bed_never, .arg = b};
	char *path = mem_printf("%s/none", b->ledger->folder), *err = NULL;
	struct mysql_sink *s = mysql_sink_new(path, &b->conf, &host);
	int64_t seq;

	assert_int_equal(mysql_sink_pass(s, &seq, &err), 1);
	assert_null(err);
	mysql_sink_free(s);
	free(path);
	ledger_bed_sql(mysql_bed_db(b), "DELETE FROM sink");
	mysql_bed_fails(b, "keeps nothing for MySQL yet", "`database mysql`");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mysql_bed_set_up, mysql_bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_column_has_its_bytes_by_label_and_hour),
		TEST(it_begins_where_the_ledger_began_to_keep_takes_for_it),
		TEST(a_row_without_bytes_is_none),
		TEST(many_takes_are_many_batches_and_chunks),
		TEST(a_small_packet_makes_small_statements),
		TEST(labels_that_look_alike_stay_apart),
		TEST(long_labels_are_cut_and_stay_apart),
		TEST(a_bucket_has_the_label_that_it_has_now),
		TEST(hours_are_those_of_the_server),
		TEST(the_hour_that_comes_twice_in_autumn_is_one_row),
		TEST(trouble_is_named_with_the_way_out_and_nothing_is_lost),
		TEST(netacct_s_own_table_is_left_alone_and_another_one_works),
		TEST(tables_are_judged),
		TEST(a_ledger_that_is_not_there_is_waited_for),
	};

	return cmocka_run_group_tests_name("mysql_sink", tests, mysql_bed_start_server,
					   mysql_bed_stop_server);
}
