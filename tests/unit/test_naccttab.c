/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Configuration in netacct's words: what a naccttab and a nacctpeering make of the settings, and what they
 * warn of.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/conf.h"
#include "config/keywords.h"
#include "tests/support/unit.h"

static int parse_as(struct conf *c, enum conf_kind kind, const char *text, char **err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int rc;

	assert_non_null(in);
	conf_init(c);
	c->kind = kind;
	rc = conf_parse(c, in, "file", err);
	fclose(in);
	return rc;
}

static struct conf good(enum conf_kind kind, const char *text)
{
	struct conf c;
	char *err = NULL;

	if (parse_as(&c, kind, text, &err) < 0)
		fail_msg("`%s`: %s", text, err);
	return c;
}

static void bad(enum conf_kind kind, const char *text, const char *part)
{
	struct conf c;
	char *err = NULL;

	if (parse_as(&c, kind, text, &err) == 0)
		fail_msg("`%s` was taken", text);
	if (!strstr(err, part))
		fail_msg("`%s` is not in: %s", part, err);
	free(err);
	conf_free(&c);
}

static bool warned(const struct conf *c, const char *part)
{
	for (size_t i = 0; i < c->warnings.count; i++)
		if (strstr(c->warnings.list[i], part))
			return true;
	return false;
}

static char *printed(const struct conf *c, bool with_secrets)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	conf_print(c, out, with_secrets);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *folder;

static char *file(const char *name, const char *text, mode_t mode)
{
	char *path = mem_printf("%s/%s", folder, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static int make_folder(void **state)
{
	folder = mem_strdup("/tmp/xenbw-naccttab-XXXXXX");
	*state = folder;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"naccttab", "nacctpeering", "other", "xenbw.conf"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = mem_printf("%s/%s", folder, names[i]);

		(void)unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(folder), 0);
	free(*state);
	return 0;
}

static void the_articles_naccttab_runs_unchanged(void **state)
{
	struct conf c =
		good(CONF_NACCTTAB, "sniff 0\ndatabase mysql\nmysql_user acct\nmysql_password acct_password\n"
				    "mysql_host localhost\nmysql_port 0\nmysql_database netacct\n"
				    "pidfile /var/run/nacctd.pid\ncompactnet 192.168.1.1 255.255.255.255\n"
				    "compactnet\t192.168.1.2\t255.255.255.255\r\n"
				    "ournet 192.168.1.1 255.255.255.255\nflush 30\nerrdelay 2\nfdelay 60\n"
				    "device peth0\nignorenet 127.0.0.0 255.0.0.0 # loopback\ndebug 0\n"
				    "debugfile /tmp/nacctd.debug\n");

	(void)state;
	assert_int_equal(c.database, DATABASE_MYSQL);
	assert_string_equal(c.mysql.user, "acct");
	assert_string_equal(c.mysql.password, "acct_password");
	assert_string_equal(c.mysql.host, "localhost");
	assert_string_equal(c.mysql.table, "traffic");
	assert_int_equal(c.flush, 30);
	assert_int_equal(c.errdelay, 2);
	assert_int_equal(c.compactnet.count, 2);
	assert_int_equal(c.ignorenet.count, 1);
	assert_int_equal(c.devices.count, 1);
	assert_string_equal(c.devices.list[0], "peth0");
	assert_string_equal(c.pidfile, "/var/run/nacctd.pid");
	assert_true(warned(&c, "file:1: `sniff` has no effect"));
	assert_true(warned(&c, "file:14: `fdelay` has no effect"));
	assert_int_equal(c.warnings.count, 4); /* sniff, fdelay, debug, debugfile */
	conf_free(&c);
}

static void what_it_does_not_know_it_passes_over_with_a_warning(void **state)
{
	struct conf c = good(CONF_NACCTTAB, "database mysql\nmasqif 1\nFLUSHH 3\n");

	(void)state;
	assert_true(warned(&c, "file:2: unknown keyword `masqif`"));
	assert_true(warned(&c, "did you mean `flush`?"));
	conf_free(&c);
	bad(CONF_XENBW, "masqif 1\n", "unknown keyword `masqif`");
	bad(CONF_XENBW, "sniff 1\n", "leave the line out");
}

static void every_inert_word_says_why(void **state)
{
	const struct keyword *k;
	unsigned inert = 0;

	(void)state;
	for (size_t i = 0; (k = keyword_at(i)); i++) {
		char *line;
		struct conf c;

		if (!keyword_inert(k))
			continue;
		inert++;
		line = mem_printf("database mysql\nournet 10.0.0.0/8\n%s whatever stands there\n",
				  keyword_word(k));
		c = good(CONF_NACCTTAB, line);
		assert_int_equal(c.warnings.count, 1);
		assert_true(warned(&c, keyword_inert(k)));
		conf_free(&c);
		free(line);
	}
	assert_int_equal(inert, 19);
}

static void numbers_beyond_the_range_are_drawn_to_its_end(void **state)
{
	struct conf c = good(CONF_NACCTTAB, "database mysql\nflush 0\n");

	(void)state;
	assert_int_equal(c.flush, 1);
	assert_int_equal(c.poll, 1);
	assert_true(warned(&c, "file:2: `flush`: 0 is beyond"));
	conf_free(&c);
	c = good(CONF_NACCTTAB, "database mysql\nflush 3600\n");
	assert_int_equal(c.flush, 300);
	conf_free(&c);
	bad(CONF_NACCTTAB, "flush often\n", "file:1: `flush`: `often` is not a number from 1 to 300");
	bad(CONF_XENBW, "flush 3600\n", "not a number");
}

static void values_that_nacctd_misread_are_refused_with_the_way_out(void **state)
{
	(void)state;
	bad(CONF_NACCTTAB, "compactnet here\n", "file:1: `compactnet`: `here` is no IPv4");
	bad(CONF_NACCTTAB, "\n\nournet 10.0.0.0 255.0.255.0\n", "file:3: `ournet`");
	bad(CONF_NACCTTAB, "database oracle\n", "write `database mysql`");
	bad(CONF_NACCTTAB, "database MySQL\n", "write `database mysql`");
	bad(CONF_NACCTTAB, "device eth/0\n", "as `ip link` shows it");
	bad(CONF_NACCTTAB, "mysql_table a`b\n", "no name that xenbw uses");
	bad(CONF_NACCTTAB, "mysql_tls maybe\n", "none of `off`");
	bad(CONF_NACCTTAB, "mysql_host a\033b\n", "control character");
	bad(CONF_NACCTTAB, "ignoremask 255\n", "is no mask");
	bad(CONF_NACCTTAB, "bucket\n", "its default is `bucket domain`");
	bad(CONF_NACCTTAB, "compactnet\n", "it has no value");
}

static void without_ournet_it_says_what_that_means(void **state)
{
	struct conf c = good(CONF_NACCTTAB, "database mysql\ndirect_peer 10.0.0.0/8\n");

	(void)state;
	assert_int_equal(c.warnings.count, 1);
	assert_true(warned(&c, "file: there is no line `ournet`"));
	conf_free(&c);
	c = good(CONF_NACCTTAB, "database mysql\nattribution off\n"); /* nobody asks for classes */
	assert_int_equal(c.warnings.count, 0);
	conf_free(&c);
	c = good(CONF_XENBW, "direct_peer 10.0.0.0/8\n"); /* works without */
	assert_int_equal(c.warnings.count, 0);
	conf_free(&c);
}

static void a_password_may_be_missing(void **state)
{
	struct conf c = good(CONF_NACCTTAB, "database mysql\nmysql_user\nmysql_password   # none\n");

	(void)state;
	assert_null(c.mysql.user);
	assert_null(c.mysql.password);
	conf_free(&c);
	c = good(CONF_NACCTTAB,
		 "database mysql\nmysql_pass two words \n"); /* as netacct's README spells it */
	assert_string_equal(c.mysql.password, "two words");
	conf_free(&c);
	bad(CONF_XENBW, "mysql_password\n", "it has no value");
}

static void an_address_has_one_owner(void **state)
{
	struct conf c = good(CONF_XENBW, "address 192.0.2.1 web\naddress 2001:DB8::1\t00:16:3E:AB:cd:01\n"
					 "address 192.0.2.2 vif1.0\n");

	(void)state;
	assert_int_equal(c.addresses.count, 3);
	assert_string_equal(c.addresses.list[0].owner, "web");
	assert_string_equal(c.addresses.list[1].owner, "00:16:3e:ab:cd:01");
	conf_free(&c);
	bad(CONF_XENBW, "address 192.0.2.1\n", "after the address comes its one owner");
	bad(CONF_XENBW, "address 192.0.2.1 a b\n", "after the address comes its one owner");
	bad(CONF_XENBW, "address 192.0.2.0/24 a\n", "is no IPv4 or IPv6 address");
	bad(CONF_XENBW, "address 192.0.2.1 a\naddress 192.0.2.1 b\n",
	    "file:2: `address`: 192.0.2.1 has an owner");
}

static void what_is_printed_gives_the_same_settings_again(void **state)
{
	static const char text[] = "poll 2\nflush 9\nerrdelay 7\nbucket ip\nbucket_suffix @one\nledger "
				   "/l\nrrd_dir none\ncontrol /c\n"
				   "pidfile /p\ntimezone UTC\ndatabase mysql\nmysql_user u\nmysql_password p "
				   "w\nmysql_password_file /f\n"
				   "mysql_host /s\nmysql_port 7\nmysql_database d\nmysql_table t\nmysql_tls "
				   "verify\nmysql_tls_ca /ca\n"
				   "address 192.0.2.1 web\ncompactnet 192.0.2.0/24\ncompactnet "
				   "2001:db8::/64\nattribution pcap\nunattributed none\n"
				   "device a\ndevice b\n"
				   "ournet 192.0.2.0/24\ndirect_peer 198.51.100.0/24\npeer "
				   "203.0.113.0/24\nignoremask 255.255.0.0\n"
				   "ignorenet 10.0.0.0/8\ndontignore 10.1.0.0/16\n"
				   "owner acme web\nbilling_day 3\nquota web day all both 1GB\nifalias on\n";
	struct conf c = good(CONF_NACCTTAB, text), again;
	char *first = printed(&c, true), *second, *shown = printed(&c, false);
	const struct keyword *k;

	(void)state;
	again = good(CONF_NACCTTAB, first);
	second = printed(&again, true);
	assert_string_equal(first, second);
	assert_null(strstr(shown, "p w"));
	assert_non_null(strstr(shown, "# mysql_password is set"));
	for (size_t i = 0; (k = keyword_at(i)); i++) /* no word is forgotten in the printing, nor here */
		if (!keyword_inert(k)) {
			char *line = mem_printf("\n%s ", keyword_word(k));

			if (i > 0 && !strstr(first, line))
				fail_msg("%s is not printed", keyword_word(k));
			free(line);
		}
	free(first);
	free(second);
	free(shown);
	conf_free(&c);
	conf_free(&again);
}

static void a_naccttab_is_known_by_its_name_or_its_words(void **state)
{
	char *named = file("naccttab", "database mysql\n", 0600);
	char *worded = file("other", "# c\n  CompactNet 10.0.0.0 255.0.0.0\ndatabase mysql\n", 0600);
	char *ours = file("xenbw.conf", "# compactnet 10.0.0.0 255.0.0.0\npoll 3\n", 0600);
	char *err = NULL;
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_read(&c, named, false, &err), 0);
	assert_int_equal(c.kind, CONF_NACCTTAB);
	assert_int_equal(c.bucket, BUCKET_IP);
	conf_free(&c);
	conf_init(&c);
	assert_int_equal(conf_read(&c, worded, false, &err), 0);
	assert_int_equal(c.kind, CONF_NACCTTAB);
	conf_free(&c);
	conf_init(&c);
	assert_int_equal(conf_read(&c, ours, false, &err), 0);
	assert_int_equal(c.kind, CONF_XENBW);
	assert_int_equal(c.bucket, BUCKET_DOMAIN);
	conf_free(&c);
	free(named);
	free(worded);
	free(ours);
}

static void nacctpeering_lies_beside_it(void **state)
{
	char *tab = file("naccttab", "database mysql\npeer 10.0.0.0/8\n", 0600);
	char *peering =
		file("nacctpeering",
		     "# list\n203.0.113.0/24\n198.51.100.0/255.255.255.0 # x\n195.187.245/24\n192.0.2.9/24\n",
		     0644);
	char *err = NULL, *text;
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_read(&c, tab, false, &err), 0);
	assert_int_equal(c.peer.count, 4);
	text = network_text(&c.peer.list[2]);
	assert_string_equal(text, "198.51.100.0/24");
	assert_true(warned(&c, "nacctpeering:4: the line is left out: `195.187.245`"));
	assert_true(warned(&c, "nacctpeering:5: `192.0.2.9/24` has host bits set"));
	free(text);
	conf_free(&c);
	free(tab);
	free(peering);
}

static void a_password_that_all_can_read_is_said_or_refused(void **state)
{
	char *tab = file("naccttab", "database mysql\nmysql_password x\n", 0644);
	char *ours = file("xenbw.conf", "database mysql\nmysql_password x\n", 0644);
	char *err = NULL;
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_read(&c, tab, false, &err), 0);
	assert_true(warned(&c, "everybody on this host can read the password"));
	conf_free(&c);
	conf_init(&c);
	assert_int_equal(conf_read(&c, ours, false, &err), -1);
	assert_non_null(strstr(err, "chmod 600"));
	err_clear(&err);
	conf_free(&c);
	assert_int_equal(chmod(ours, 0640), 0);
	conf_init(&c);
	assert_int_equal(conf_read(&c, ours, false, &err), 0);
	conf_free(&c);
	free(tab);
	free(ours);
}

static void a_directory_is_no_configuration(void **state)
{
	char *err = NULL;
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_read(&c, folder, false, &err), -1);
	assert_non_null(strstr(err, folder));
	assert_non_null(strstr(err, strerror(EISDIR)));
	free(err);
	conf_free(&c);
}

static void an_rrd_folder_over_the_ledger_is_none(void **state)
{
	struct conf c = good(CONF_NACCTTAB, "rrd_dir /var/lib/xenbw\n");

	(void)state;
	assert_null(c.rrd_dir);
	assert_true(warned(&c, "`rrd_dir /var/lib/xenbw` is where `ledger "));
	conf_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_rrd_folder_over_the_ledger_is_none),
		cmocka_unit_test(the_articles_naccttab_runs_unchanged),
		cmocka_unit_test(what_it_does_not_know_it_passes_over_with_a_warning),
		cmocka_unit_test(every_inert_word_says_why),
		cmocka_unit_test(numbers_beyond_the_range_are_drawn_to_its_end),
		cmocka_unit_test(values_that_nacctd_misread_are_refused_with_the_way_out),
		cmocka_unit_test(without_ournet_it_says_what_that_means),
		cmocka_unit_test(a_password_may_be_missing),
		cmocka_unit_test(an_address_has_one_owner),
		cmocka_unit_test(what_is_printed_gives_the_same_settings_again),
		cmocka_unit_test_setup_teardown(a_naccttab_is_known_by_its_name_or_its_words, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(nacctpeering_lies_beside_it, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_password_that_all_can_read_is_said_or_refused, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(a_directory_is_no_configuration, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
