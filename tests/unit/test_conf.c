/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xenbw.conf: what is understood, what is refused, and what the refusal says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/conf.h"
#include "tests/support/unit.h"

static int parse(struct conf *c, const char *text, size_t len, char **err)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int rc;

	assert_non_null(in);
	*err = NULL;
	rc = conf_parse(c, in, "xenbw.conf", err);
	fclose(in);
	assert_true(rc == 0 || rc == -1);
	assert_true((rc == 0) == (*err == NULL));
	return rc;
}

/* The settings that a text gives, above the defaults. */
static struct conf good(const char *text)
{
	struct conf c;
	char *err;

	conf_init(&c);
	if (parse(&c, text, strlen(text), &err) < 0)
		fail_msg("`%s`: %s", text, err);
	return c;
}

/* The text is refused; each of the parts (the last is NULL) is in the error. */
static void bad(const char *text, ...)
{
	struct conf c;
	const char *part;
	va_list ap;
	char *err;

	conf_init(&c);
	if (parse(&c, text, strlen(text), &err) == 0)
		fail_msg("`%s` was taken", text);
	va_start(ap, text);
	while ((part = va_arg(ap, const char *)))
		if (!strstr(err, part))
			fail_msg("`%s` is not in: %s", part, err);
	va_end(ap);
	assert_null(strchr(err, '\n'));
	free(err);
	conf_free(&c);
}

static char *printed(const struct conf *c)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	conf_print(c, out, true);
	fclose(out);
	return text;
}

static void expect_path(const char *text, const char *ledger)
{
	struct conf c = good(text);

	assert_string_equal(c.ledger, ledger);
	conf_free(&c);
}

static void expect_poll(const char *text, unsigned poll)
{
	struct conf c = good(text);

	assert_int_equal(c.poll, poll);
	conf_free(&c);
}

static void the_defaults_are_the_designs(void **state)
{
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(c.poll, 5);
	assert_int_equal(c.flush, 30);
	assert_int_equal(c.bucket, BUCKET_DOMAIN);
	assert_string_equal(c.ledger, "/var/lib/xenbw/ledger.db");
	assert_string_equal(c.rrd_dir, "/var/lib/xenbw/rrd");
	assert_string_equal(c.control, "/run/xenbw/control");
	assert_string_equal(c.user, "xenbw");
	assert_null(c.timezone);
	assert_int_equal(c.attribution, ATTRIBUTION_AUTO);
	assert_true(c.charge_unattributed);
	assert_int_equal(c.devices.count, 0);
	conf_free(&c);
}

static void every_default_fits_its_own_rules(void **state)
{
	struct conf c, again;
	char *text, *text_again;

	(void)state;
	conf_init(&c);
	text = printed(&c);
	again = good(text);
	text_again = printed(&again);
	assert_string_equal(text, text_again);
	free(text);
	free(text_again);
	conf_free(&c);
	conf_free(&again);
}

static void print_then_parse_then_print_is_a_fixed_point(void **state)
{
	static const char *const texts[] = {
		"",
		"poll 1\nflush 300\n",
		"bucket ip\nrrd_dir none\ntimezone Europe/Berlin\n",
		"timezone UTC\nledger /srv/my ledger/with  two blanks.db\ncontrol /x\n",
		"ledger /\xc3\xbc/\xff/a\\b\"c'\n",
		"  RRD_DIR\t/a\tb  \n",
		"attribution pcap\nunattributed none\ndevice peth0\ndevice peth1\n",
		"attribution off\nunattributed external\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct conf c = good(texts[i]), again;
		char *text = printed(&c), *text_again;

		again = good(text);
		text_again = printed(&again);
		assert_string_equal(text, text_again);
		assert_int_equal(c.poll, again.poll);
		assert_int_equal(c.flush, again.flush);
		assert_int_equal(c.bucket, again.bucket);
		assert_int_equal(c.attribution, again.attribution);
		assert_int_equal(c.charge_unattributed, again.charge_unattributed);
		assert_string_equal(c.ledger, again.ledger);
		assert_string_equal(c.control, again.control);
		assert_true((c.rrd_dir == NULL) == (again.rrd_dir == NULL));
		assert_true((c.timezone == NULL) == (again.timezone == NULL));
		free(text);
		free(text_again);
		conf_free(&c);
		conf_free(&again);
	}
}

static void comments_and_blank_lines_say_nothing(void **state)
{
	(void)state;
	expect_poll("# poll 7\n\n   \t \n#\n", 5);
	expect_poll("poll 7 # every seven seconds\n", 7);
	expect_poll("poll 7#\n", 7);
	expect_poll("   # poll 8\npoll 9", 9); /* no newline at the end */
	expect_path("ledger /a#b\n", "/a");
}

static void blanks_and_line_ends_do_not_matter(void **state)
{
	(void)state;
	expect_poll("poll 7\r\nflush 60\r\n", 7);
	expect_poll("\tpoll\t \t7 \t\n", 7);
	expect_path("ledger /a\r\n", "/a");
	expect_path("ledger /a b \n", "/a b");
	expect_poll("\r\n\r\npoll 7", 7);
}

static void keywords_are_known_in_any_case(void **state)
{
	(void)state;
	expect_poll("POLL 7\n", 7);
	expect_poll("PoLl 7\n", 7);
	expect_path("Ledger /A/b\n", "/A/b");
}

static void the_last_of_several_lines_wins(void **state)
{
	(void)state;
	expect_poll("poll 7\npoll 8\nPOLL 9\n", 9);
	expect_path("ledger /a\nledger /b\n", "/b");
}

static void what_a_file_does_not_say_stays_as_it_was(void **state)
{
	struct conf c = good("poll 7\nledger /a\n");
	char *err;

	(void)state;
	assert_int_equal(parse(&c, "flush 60\n", 9, &err), 0);
	assert_int_equal(c.poll, 7);
	assert_int_equal(c.flush, 60);
	assert_string_equal(c.ledger, "/a");
	conf_free(&c);
}

static void none_and_system_take_a_setting_back(void **state)
{
	struct conf c = good("rrd_dir /a\nrrd_dir none\ntimezone UTC\ntimezone system\n");

	(void)state;
	assert_null(c.rrd_dir);
	assert_null(c.timezone);
	conf_free(&c);
}

static void an_unknown_keyword_names_file_line_word_and_the_nearest(void **state)
{
	(void)state;
	bad("\n# x\npol 5\n", "xenbw.conf:3", "`pol`", "`poll`", NULL);
	bad("leger /a", "xenbw.conf:1", "`leger`", "`ledger`", NULL);
	bad("time_zone UTC", "`time_zone`", "`timezone`", NULL);
	bad("RRDDIR /a", "`RRDDIR`", "`rrd_dir`", NULL);
	bad("completely_else 5\n", "`completely_else`", "xenbw.conf(5)", NULL);
	bad("\x1b[31m 5\n", "`\\x1b[31m`", NULL);
	bad("poll=5\n", "xenbw.conf:1", "poll=5", NULL);
}

static void a_missing_value_is_said_with_the_default(void **state)
{
	(void)state;
	bad("poll\n", "xenbw.conf:1", "`poll`", "5", NULL);
	bad("poll 5\nledger # /a\n", "xenbw.conf:2", "`ledger`", NULL);
	bad("timezone   \r\n", "xenbw.conf:1", "`timezone`", NULL);
}

static void numbers_out_of_range_or_no_numbers_are_refused(void **state)
{
	static const char *const lines[] = {"poll 0",          "poll 301",  "poll -1", "poll 5s",
					    "poll 5 6",        "poll five", "flush 0", "flush 301",
					    "poll 4294967301", "poll 5.0"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		bad(lines[i], "xenbw.conf:1", "`", "from 1 to 300", NULL);
	expect_poll("poll 1", 1);
	expect_poll("poll 300\nflush 300", 300);
}

static void commits_cannot_be_more_frequent_than_readings(void **state)
{
	(void)state;
	bad("poll 31\n", "xenbw.conf", "flush 30", "poll 31", NULL);
	bad("poll 5\nflush 4\n", "xenbw.conf", "flush 4", "poll 5", NULL);
	expect_poll("flush 4\n", 4);            /* who says nothing of readings gets what fits */
	expect_poll("poll 60\nflush 60\n", 60); /* whatever the order, and the same is fine */
	expect_poll("flush 4\npoll 4\n", 4);
}

static void a_bucket_is_a_domain_or_an_ip(void **state)
{
	struct conf c = good("bucket ip\n");

	(void)state;
	assert_int_equal(c.bucket, BUCKET_IP);
	conf_free(&c);
	c = good("bucket ip\nbucket domain\n");
	assert_int_equal(c.bucket, BUCKET_DOMAIN);
	conf_free(&c);
	bad("bucket vif", "xenbw.conf:1", "`vif`", "`domain`", "`ip`", NULL);
	bad("bucket domains", "`domains`", NULL);
}

static void attribution_has_four_words(void **state)
{
	struct conf c = good("attribution pcap\n");

	(void)state;
	assert_int_equal(c.attribution, ATTRIBUTION_PCAP);
	conf_free(&c);
	c = good("attribution pcap\nattribution off\n");
	assert_int_equal(c.attribution, ATTRIBUTION_OFF);
	conf_free(&c);
	c = good("attribution kernel\n");
	assert_int_equal(c.attribution, ATTRIBUTION_KERNEL);
	conf_free(&c);
	bad("attribution none", "`none`", "`auto`, `kernel`, `pcap`, `off`", NULL);
	bad("attribution", "`attribution auto`", NULL);
}

static void unattributed_bytes_are_charged_or_not(void **state)
{
	struct conf c = good("unattributed none\n");

	(void)state;
	assert_false(c.charge_unattributed);
	conf_free(&c);
	c = good("unattributed none\nunattributed external\n");
	assert_true(c.charge_unattributed);
	conf_free(&c);
	bad("unattributed local", "xenbw.conf:1", "`local`", "`external`", "`none`", NULL);
}

static void slots_are_kept_forever_or_for_months(void **state)
{
	struct conf c = good("retain 25 months\n");

	(void)state;
	assert_int_equal(c.retain, 25);
	conf_free(&c);
	c = good("retain 25 months\nretain forever\n");
	assert_int_equal(c.retain, 0);
	conf_free(&c);
	bad("retain 0 months", "xenbw.conf:1", "`0 months`", "`25 months`", NULL);
	bad("retain 25", "`25`", "`25 months`", NULL);
	bad("retain 1201 months", "1200", NULL);
	bad("retain months", "`months`", NULL);
}

static void paths_are_absolute_and_not_too_long(void **state)
{
	char line[5000] = "ledger /";

	(void)state;
	bad("ledger ledger.db", "xenbw.conf:1", "`ledger.db`", "absolute", NULL);
	bad("control ./x", "`control`", "absolute", NULL);
	bad("user -x", "`user`", "no name of a user", NULL);
	bad("user a b", "`user`", "no name of a user", NULL);
	bad("user a:b", "`user`", "no name of a user", NULL);
	bad("rrd_dir None/", "absolute", NULL);
	bad("ledger none", "absolute", NULL); /* a ledger there must be */
	memset(line + strlen(line), 'x', 4100);
	bad(line, "xenbw.conf:1", "too long", NULL);
}

/* The helpers may write there. */
static void the_rrd_folder_holds_nothing_that_root_trusts(void **state)
{
	char *dir = scratch_new(), *real = mem_printf("%s/real", dir), *link = mem_printf("%s/link", dir);
	char *through = mem_printf("rrd_dir %s/real/\nledger %s/link/sub/ledger.db", dir, dir);
	char *back = mem_printf("rrd_dir %s/link\nledger %s/link/../real/ledger.db", dir, dir);
	char *beside = mem_printf("rrd_dir %s/re\nledger %s/real/ledger.db", dir, dir);
	struct conf c;

	(void)state;
	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(symlink(real, link), 0);
	bad("rrd_dir /var/lib/xenbw", "`rrd_dir /var/lib/xenbw`", "`ledger /var/lib/xenbw/ledger.db`",
	    "folder of their own", NULL);
	bad("rrd_dir /", "`ledger /var/lib/xenbw/ledger.db`", NULL);
	bad("rrd_dir /run//xenbw/", "`control /run/xenbw/control`", NULL);
	bad("pidfile /nowhere/x.pid\nrrd_dir /nowhere", "`pidfile /nowhere/x.pid`", NULL);
	bad(through, "ledger", NULL);
	bad(back, "ledger", NULL);
	c = good(beside);
	conf_free(&c);
	free(beside);
	free(back);
	free(through);
	free(link);
	free(real);
	scratch_free(dir);
}

static void a_socket_path_fits_the_kernels_limit(void **state)
{
	char line[200] = "control /";
	struct conf c;

	(void)state;
	memset(line + 9, 'x', 106);
	c = good(line);
	assert_int_equal(strlen(c.control), 107);
	conf_free(&c);
	line[9 + 106] = 'x';
	bad(line, "xenbw.conf:1", "too long", "108", "107", NULL);
}

static void a_time_zone_must_exist(void **state)
{
	struct conf c = good("timezone Europe/Berlin\n");

	(void)state;
	assert_string_equal(c.timezone, "Europe/Berlin");
	conf_free(&c);
	bad("timezone Europe/Nowhere", "xenbw.conf:1", "`Europe/Nowhere`", "/usr/share/zoneinfo", NULL);
	bad("timezone /etc/localtime", "`/etc/localtime`", NULL);
	bad("timezone ../zoneinfo/UTC", "`../zoneinfo/UTC`", NULL);
	bad("timezone Europe/../UTC", NULL);
	bad("timezone europe/berlin", "`europe/berlin`", NULL);
}

/* libc takes a TZ that it cannot read for UTC, and says nothing. */
static void what_is_below_zoneinfo_but_no_zone_is_refused(void **state)
{
	(void)state;
	bad("timezone Europe", "`Europe`", NULL);
	bad("timezone Europe/", "`Europe/`", NULL);
	bad("timezone zone.tab", "`zone.tab`", NULL);
	bad("timezone .", "`.`", NULL);
}

static void the_time_zone_is_applied_to_the_process(void **state)
{
	struct conf c = good("timezone America/New_York\n");
	time_t noon = 1700049600; /* 2023-11-15 12:00 UTC */
	struct tm tm;

	(void)state;
	conf_apply_timezone(&c);
	assert_non_null(localtime_r(&noon, &tm));
	assert_int_equal(tm.tm_hour, 7);
	conf_free(&c);
	c = good("timezone UTC\n");
	conf_apply_timezone(&c);
	assert_non_null(localtime_r(&noon, &tm));
	assert_int_equal(tm.tm_hour, 12);
	conf_free(&c);
}

static void a_nul_byte_is_no_text(void **state)
{
	static const char text[] = "poll 7\npoll 8\0 9\n";
	struct conf c;
	char *err;

	(void)state;
	conf_init(&c);
	assert_int_equal(parse(&c, text, sizeof(text) - 1, &err), -1);
	assert_non_null(strstr(err, "xenbw.conf:2"));
	assert_non_null(strstr(err, "NUL"));
	free(err);
	conf_free(&c);
}

static void a_missing_file_is_an_error_only_where_it_was_asked_for(void **state)
{
	char *dir = scratch_new(), *path = mem_printf("%s/none.conf", dir), *err = NULL;
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(conf_read(&c, path, true, &err), 0);
	assert_null(err);
	assert_int_equal(c.poll, 5);
	assert_int_equal(conf_read(&c, path, false, &err), -1);
	assert_non_null(strstr(err, path));
	assert_non_null(strstr(err, "No such file"));
	err_clear(&err);
	assert_int_equal(conf_read(&c, dir, true, &err), -1); /* a folder */
	assert_non_null(strstr(err, dir));
	err_clear(&err);
	conf_free(&c);
	free(path);
	scratch_free(dir);
}

static void a_file_is_read_and_named_in_errors(void **state)
{
	char *dir = scratch_new(), *path = mem_printf("%s/x.conf", dir), *err = NULL, *where;
	struct conf c;

	(void)state;
	conf_init(&c);
	scratch_write(path, "poll 7\n", 7);
	assert_int_equal(conf_read(&c, path, false, &err), 0);
	assert_int_equal(c.poll, 7);
	scratch_write(path, "\nfluss 7\n", 9);
	assert_int_equal(conf_read(&c, path, false, &err), -1);
	where = mem_printf("%s:2", path);
	assert_non_null(strstr(err, where));
	assert_non_null(strstr(err, "`flush`"));
	free(where);
	free(err);
	conf_free(&c);
	free(path);
	scratch_free(dir);
}

static void any_bytes_at_all_give_settings_or_one_line_of_error(void **state)
{
	static const char *const words[] = {"poll",     "flush", "bucket", "ledger", "rrd_dir", "control",
					    "timezone", " ",     "\n",     "#",      "/",       "none",
					    "5",        "UTC",   "..",     "\t",     "\r\n",    "domain"};
	struct random r = random_new();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[128];
		struct conf c, again;
		size_t n = 0;
		char *err, *out, *out_again;

		while (n < sizeof(text) - 16 && random_below(&r, 20)) {
			if (random_below(&r, 6)) {
				const char *w = words[random_below(&r, sizeof(words) / sizeof(words[0]))];

				memcpy(text + n, w, strlen(w));
				n += strlen(w);
			} else {
				text[n++] = (char)random_next(&r);
			}
			if (random_below(&r, 2))
				text[n++] = ' ';
		}
		if (n == 0)
			continue;
		conf_init(&c);
		if (parse(&c, text, n, &err) < 0) {
			free(err);
			conf_free(&c);
			continue;
		}
		out = printed(&c);
		again = good(out);
		out_again = printed(&again);
		assert_string_equal(out, out_again);
		free(out);
		free(out_again);
		conf_free(&c);
		conf_free(&again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_the_designs),
		cmocka_unit_test(every_default_fits_its_own_rules),
		cmocka_unit_test(print_then_parse_then_print_is_a_fixed_point),
		cmocka_unit_test(comments_and_blank_lines_say_nothing),
		cmocka_unit_test(blanks_and_line_ends_do_not_matter),
		cmocka_unit_test(keywords_are_known_in_any_case),
		cmocka_unit_test(the_last_of_several_lines_wins),
		cmocka_unit_test(what_a_file_does_not_say_stays_as_it_was),
		cmocka_unit_test(none_and_system_take_a_setting_back),
		cmocka_unit_test(an_unknown_keyword_names_file_line_word_and_the_nearest),
		cmocka_unit_test(a_missing_value_is_said_with_the_default),
		cmocka_unit_test(numbers_out_of_range_or_no_numbers_are_refused),
		cmocka_unit_test(commits_cannot_be_more_frequent_than_readings),
		cmocka_unit_test(a_bucket_is_a_domain_or_an_ip),
		cmocka_unit_test(attribution_has_four_words),
		cmocka_unit_test(unattributed_bytes_are_charged_or_not),
		cmocka_unit_test(slots_are_kept_forever_or_for_months),
		cmocka_unit_test(paths_are_absolute_and_not_too_long),
		cmocka_unit_test(the_rrd_folder_holds_nothing_that_root_trusts),
		cmocka_unit_test(a_socket_path_fits_the_kernels_limit),
		cmocka_unit_test(a_time_zone_must_exist),
		cmocka_unit_test(what_is_below_zoneinfo_but_no_zone_is_refused),
		cmocka_unit_test(the_time_zone_is_applied_to_the_process),
		cmocka_unit_test(a_nul_byte_is_no_text),
		cmocka_unit_test(a_missing_file_is_an_error_only_where_it_was_asked_for),
		cmocka_unit_test(a_file_is_read_and_named_in_errors),
		cmocka_unit_test(any_bytes_at_all_give_settings_or_one_line_of_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
