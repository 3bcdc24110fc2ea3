/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mysql: ways to a real MariaDB, and what is said where there is none.
 */
#include "db/mysql.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/mariadb_bed.h"
#include "tests/support/unit.h"

static struct mariadb_bed *server;

static void opening_fails(const struct conf_mysql *c, const char *words)
{
	struct mysql *m = (struct mysql *)1;
	char *err = NULL;

	assert_int_equal(mysql_open(&m, c, &err), -1);
	assert_null(m);
	if (!strstr(err, words))
		fail_msg("expected `%s` in: %s", words, err);
	free(err);
}

static void an_option_file_says_who_the_admin_is(void **state)
{
	struct conf_mysql nobody = {
		.user = server->root.user, .host = server->root.host, .database = server->socket};
	char *dir = scratch_new(), *file = mem_printf("%s/my.cnf", dir), *err = NULL;
	static const char text[] = "[client]\nuser=boss\npassword=\"se cret\"\n";
	struct mysql *root = mariadb_bed_open(&server->root), *m;

	(void)state;
	mariadb_bed_sql(root, "CREATE USER boss@localhost IDENTIFIED BY 'se cret'");
	assert_int_equal(mysql_open_defaults(&m, file, &nobody, &err), -1);
	assert_non_null(strstr(err, "cannot read the option file"));
	free(err);
	err = NULL;
	scratch_write(file, text, strlen(text));
	if (mysql_open_defaults(&m, file, &nobody, &err) < 0)
		fail_msg("%s", err);
	mariadb_bed_is(m, "SELECT CONCAT_WS('|', CURRENT_USER(), IFNULL(DATABASE(), 'none'))",
		       "boss@localhost|none\n");
	mysql_hang_up(m);
	mysql_hang_up(root);
	free(file);
	scratch_free(dir);
}

static void the_session_is_strict_and_speaks_utf8mb4(void **state)
{
	struct mysql *m = mariadb_bed_open(&server->root);
	char *quoted = mysql_literal(m, "a'b\\c\xf0\x9f\x90\xa7"), *query = mem_printf("SELECT %s", quoted);

	(void)state;
	mariadb_bed_is(m, "SELECT @@sql_mode", "STRICT_TRANS_TABLES\n");
	mariadb_bed_is(m, "SELECT @@character_set_client", "utf8mb4\n");
	mariadb_bed_is(m, query, "a'b\\c\xf0\x9f\x90\xa7\n");
	assert_true(mysql_statement_room(m) >= 1 << 20);
	free(query);
	free(quoted);
	quoted = mysql_identifier("a`b");
	assert_string_equal(quoted, "`a``b`");
	free(quoted);
	mysql_hang_up(m);
}

static void the_servers_default_of_isolation_is_not_the_sessions(void **state)
{
	struct mysql *root = mariadb_bed_open(&server->root), *m;

	(void)state;
	mariadb_bed_sql(root, "SET GLOBAL TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
	m = mariadb_bed_open(&server->root);
	mariadb_bed_is(m, "SELECT @@tx_isolation", "REPEATABLE-READ\n");
	mysql_hang_up(m);
	mariadb_bed_sql(root, "SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ");
	mysql_hang_up(root);
}

static void of_several_servers_the_first_that_works_is_taken(void **state)
{
	struct conf_mysql c = server->root;
	char *list = mem_printf("/nowhere/sock , %s,/elsewhere/sock", server->socket), *err = NULL;
	char none[] = "/nowhere/sock,/elsewhere/sock";
	struct mysql *m;

	(void)state;
	c.host = list;
	assert_int_equal(mysql_server_count(&c), 3);
	for (size_t first = 0; first < 7; first++) {
		if (mysql_open_from(&m, &c, first, &err) < 0)
			fail_msg("%s", err);
		assert_int_equal(mysql_server_number(m), 1);
		assert_string_equal(mysql_place(m), server->socket);
		mysql_hang_up(m);
	}
	c.host = none;
	opening_fails(&c, "server /nowhere/sock: ");
	opening_fails(&c, "; cannot connect at MySQL server /elsewhere/sock: ");
	free(list);
}

static void what_cannot_be_reached_is_named(void **state)
{
	struct conf_mysql c = server->root;
	char none[] = "/nowhere/sock", name[] = "netacct", address[] = "127.0.0.1";

	(void)state;
	c.host = none;
	opening_fails(&c, "cannot connect at MySQL server /nowhere/sock: ");
	c = server->root;
	c.database = name;
	opening_fails(&c, "Unknown database 'netacct' (1049); `xenbw db init` makes what is missing");
	c = server->root;
	c.user = name;
	c.password = name;
	opening_fails(&c, "Access denied for user 'netacct'@'localhost' (using password: YES) (1045); look "
			  "at mysql_user");
	c = server->root;
	c.host = address;
	c.port = 1;
	opening_fails(&c, "cannot connect at MySQL server 127.0.0.1 port 1: ");
}

static void a_server_that_hangs_is_given_up(void **state)
{
	struct mysql *m = mariadb_bed_open(&server->root);
	struct timespec from, to;
	char *err = NULL;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &from);
	kill(server->server, SIGSTOP);
	usleep(300000); /* until each of its threads has */
	assert_int_equal(mysql_command(m, "cannot do", &err, "DO 1"), -1);
	assert_int_equal(mysql_cause(m), MYSQL_AWAY);
	assert_non_null(strstr(err, "cannot do at MySQL server"));
	free(err);
	opening_fails(&server->root, "cannot connect at MySQL server");
	kill(server->server, SIGCONT);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_in_range(to.tv_sec - from.tv_sec, MYSQL_ANSWER_SECONDS,
			MYSQL_ANSWER_SECONDS + MYSQL_CONNECT_SECONDS + 3);
	mysql_hang_up(m);
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
		cmocka_unit_test(an_option_file_says_who_the_admin_is),
		cmocka_unit_test(the_session_is_strict_and_speaks_utf8mb4),
		cmocka_unit_test(the_servers_default_of_isolation_is_not_the_sessions),
		cmocka_unit_test(of_several_servers_the_first_that_works_is_taken),
		cmocka_unit_test(what_cannot_be_reached_is_named),
		cmocka_unit_test(a_server_that_hangs_is_given_up),
	};

	return cmocka_run_group_tests_name("mysql", tests, start_server, stop_server);
}
