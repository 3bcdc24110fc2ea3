/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of quotas: the configuration's lines (config/quotas), and the arithmetic (account/quota).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "account/quota.h"
#include "base/mem.h"
#include "tests/support/conf_bed.h"
#include "tests/support/unit.h"

static uint64_t size_of(const char *size)
{
	char *line = mem_printf("quota web month all both %s\n", size);
	struct conf c = conf_bed_good(line);
	uint64_t bytes = c.quotas.list[0].bytes;

	conf_free(&c);
	free(line);
	return bytes;
}

/* ---- the configuration ---- */

static void a_line_says_all_of_a_quota(void **state)
{
	struct conf c = conf_bed_good(
		"quota web billing charged both 2TB warn 95,80,100,80\nQUOTA owner:acme DAY Peer larger 1\n");
	const struct quota *q = c.quotas.list;

	(void)state;
	assert_int_equal(c.quotas.count, 2);
	assert_string_equal(q[0].name, "web");
	assert_false(q[0].of_owner);
	assert_int_equal(q[0].period, QUOTA_BILLING);
	assert_int_equal(q[0].class, QUOTA_CHARGED);
	assert_int_equal(q[0].direction, QUOTA_BOTH);
	assert_int_equal(q[0].bytes, UINT64_C(2000000000000));
	assert_int_equal(q[0].mark_count, 3);
	assert_int_equal(q[0].marks[0], 80);
	assert_int_equal(q[0].marks[1], 95);
	assert_int_equal(q[0].marks[2], 100);
	assert_string_equal(q[1].name, "acme");
	assert_true(q[1].of_owner);
	assert_int_equal(q[1].class, CLASS_PEER);
	assert_int_equal(q[1].direction, QUOTA_LARGER);
	assert_int_equal(q[1].mark_count, 1); /* 100 is always one */
	conf_free(&c);
}

static void sizes_have_units(void **state)
{
	(void)state;
	assert_int_equal(size_of("1"), 1);
	assert_int_equal(size_of("1500B"), 1500);
	assert_int_equal(size_of("3k"), 3000);
	assert_int_equal(size_of("3kB"), 3000);
	assert_int_equal(size_of("3KiB"), 3072);
	assert_int_equal(size_of("5M"), 5000000);
	assert_int_equal(size_of("5mib"), 5 << 20);
	assert_int_equal(size_of("1.5GB"), 1500000000);
	assert_int_equal(size_of("1.5GiB"), 1610612736);
	assert_int_equal(size_of("0.25TB"), UINT64_C(250000000000));
	assert_int_equal(size_of("1000PB"), QUOTA_MOST_BYTES);
	conf_bed_bad("quota web month all both 0\n", "reached at once");
	conf_bed_bad("quota web month all both 1001PB\n", "more than a quota can be");
	conf_bed_bad("quota web month all both 99999999999999999999\n", "no size");
	conf_bed_bad("quota web month all both 1.5\n", "no size");
	conf_bed_bad("quota web month all both 1.TB\n", "no size");
	conf_bed_bad("quota web month all both 1.2345GB\n", "no size");
	conf_bed_bad("quota web month all both -1\n", "no size");
	conf_bed_bad("quota web month all both 1XB\n", "no size");
	conf_bed_bad("quota web month all both GB\n", "no size");
}

static void what_is_no_quota_is_told(void **state)
{
	char *longest = mem_alloc(400), *line;

	(void)state;
	conf_bed_bad("quota\n", "no value");
	conf_bed_bad("quota web\n", "no period");
	conf_bed_bad("quota web year all both 1GB\n", "`year` is no period of a quota: billing, month, day");
	conf_bed_bad("quota web month some both 1GB\n", "`some` is no class");
	conf_bed_bad("quota web month all up 1GB\n",
		     "`up` is no direction of a quota: input, output, both, larger");
	conf_bed_bad("quota web month all both\n", "no size");
	conf_bed_bad("quota web month all both 1GB 80\n", "behind the size");
	conf_bed_bad("quota web month all both 1GB warn\n", "behind the size");
	conf_bed_bad("quota web month all both 1GB warn 80 95\n", "behind the size");
	conf_bed_bad("quota web month all both 1GB warn 80,\n", "`` is not a percentage");
	conf_bed_bad("quota web month all both 1GB warn 0\n", "`0` is not a percentage");
	conf_bed_bad("quota web month all both 1GB warn 1001\n", "`1001` is not a percentage");
	conf_bed_bad("quota web month all both 1GB warn 1,2,3,4,5,6,7,8\n", "more than 7");
	conf_bed_bad("quota owner: month all both 1GB\n", "no name");
	conf_bed_bad("quota we\033b month all both 1GB\n", "control character");
	conf_bed_bad("quota web month all both 1GB\nquota web month all both 2GB\n", "already");
	conf_bed_bad("quota_hook bin/hook\n", "absolute");
	conf_bed_bad("quota_hook_seconds 0\n", "from 1 to 3600");
	memset(longest, 'w', 256);
	line = mem_printf("quota %s month all both 1GB\n", longest);
	conf_bed_bad(line, "too long (256 bytes, at most 255)");
	free(line);
	free(longest);
}

static void what_is_printed_reads_the_same(void **state)
{
	struct conf c = conf_bed_good(
			    "quota web billing charged both 2000GB warn 80,95,120\nquota web day local "
			    "input 3145728\n"
			    "quota owner:acme month all larger 1234567\nquota_hook /usr/local/sbin/hook\n"),
		    again;
	char *text = NULL, *differ;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	conf_print(&c, out, false);
	fclose(out);
	assert_non_null(strstr(text, "web billing charged both 2TB warn 80,95,120\n"));
	assert_non_null(strstr(text, "web day local input 3MiB\n"));
	assert_non_null(strstr(text, "owner:acme month all larger 1234567\n"));
	again = conf_bed_good(text);
	assert_int_equal(again.quotas.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(again.quotas.list[i].bytes, c.quotas.list[i].bytes);
		assert_int_equal(again.quotas.list[i].mark_count, c.quotas.list[i].mark_count);
	}
	differ = again.quota_hook;
	assert_string_equal(differ, "/usr/local/sbin/hook");
	conf_free(&again);
	conf_free(&c);
	free(text);
}

/* ---- arithmetic ---- */

static const struct class_bytes moved = {
	.bytes = {[DIR_INPUT] = {[CLASS_EXTERNAL] = 1,
				 [CLASS_PEER] = 20,
				 [CLASS_DIRECT] = 300,
				 [CLASS_LOCAL] = 4000,
				 [CLASS_IGNORED] = 50000,
				 [CLASS_UNATTRIBUTED] = 600000},
		  [DIR_OUTPUT] = {[CLASS_EXTERNAL] = 7, [CLASS_PEER] = 10, [CLASS_UNATTRIBUTED] = 500000}}};

static uint64_t used(unsigned class, enum quota_direction direction, bool unattributed)
{
	struct quota q = {.class = (enum quota_class) class, .direction = direction, .bytes = 1};

	return quota_used(&q, &moved, unattributed);
}

static void a_quota_counts_its_class_and_direction(void **state)
{
	(void)state;
	assert_int_equal(used(CLASS_EXTERNAL, QUOTA_INPUT, true), 1);
	assert_int_equal(used(CLASS_PEER, QUOTA_BOTH, true), 30);
	assert_int_equal(used(CLASS_PEER, QUOTA_LARGER, true), 20);
	assert_int_equal(used(CLASS_EXTERNAL, QUOTA_LARGER, true), 7);
	assert_int_equal(used(QUOTA_ALL, QUOTA_INPUT, false), 654321);
	assert_int_equal(used(QUOTA_CHARGED, QUOTA_INPUT, true), 600001);
	assert_int_equal(used(QUOTA_CHARGED, QUOTA_INPUT, false), 1);
	assert_int_equal(used(QUOTA_CHARGED, QUOTA_OUTPUT, true), 500007);
	assert_int_equal(used(CLASS_LOCAL, QUOTA_OUTPUT, true), 0);
}

static void a_mark_is_reached_at_its_very_byte(void **state)
{
	(void)state;
	assert_int_equal(quota_mark(100000, 50), 50000);
	assert_int_equal(quota_mark(101, 50), 51); /* 50 of 101 are less than a half */
	assert_int_equal(quota_mark(1, 80), 1);
	assert_int_equal(quota_mark(3, 100), 3);
	assert_int_equal(quota_mark(99, 120), 119);
	assert_int_equal(quota_mark(QUOTA_MOST_BYTES, QUOTA_MOST_PERCENT), UINT64_C(10000000000000000000));
	for (uint64_t bytes = 1; bytes < 400; bytes++)
		for (unsigned percent = 1; percent <= 130; percent++) {
			uint64_t mark = quota_mark(bytes, percent);

			assert_true(mark * 100 >= bytes * percent);
			assert_true((mark - 1) * 100 < bytes * percent);
			assert_true(quota_permille(mark, bytes) >= percent * 10);
			assert_true(quota_permille(mark - 1, bytes) < percent * 10);
		}
}

static void percentages_have_no_limit(void **state)
{
	(void)state;
	assert_int_equal(quota_permille(0, 1), 0);
	assert_int_equal(quota_permille(999999999999999999, QUOTA_MOST_BYTES), 999);
	assert_int_equal(quota_permille(QUOTA_MOST_BYTES, QUOTA_MOST_BYTES), 1000);
	assert_int_equal(quota_permille(UINT64_MAX, QUOTA_MOST_BYTES), 18446);
	assert_int_equal(quota_permille(UINT64_MAX, 1), UINT64_MAX);
}

static int64_t utc(int year, int month, int day, int hour)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour};

	return timegm(&tm);
}

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static void is_span(struct quota_span s, int64_t from, int64_t to)
{
	assert_int_equal(s.from, from);
	assert_int_equal(s.to, to);
}

static void periods_follow_the_calendar(void **state)
{
	(void)state;
	zone("UTC");
	is_span(quota_span(QUOTA_DAY, 15, utc(2026, 11, 30, 23)), utc(2026, 11, 30, 0), utc(2026, 12, 1, 0));
	is_span(quota_span(QUOTA_MONTH, 15, utc(2026, 12, 31, 5)), utc(2026, 12, 1, 0), utc(2027, 1, 1, 0));
	is_span(quota_span(QUOTA_BILLING, 15, utc(2026, 11, 14, 23)), utc(2026, 10, 15, 0),
		utc(2026, 11, 15, 0));
	is_span(quota_span(QUOTA_BILLING, 15, utc(2026, 11, 15, 0)), utc(2026, 11, 15, 0),
		utc(2026, 12, 15, 0));
	is_span(quota_span(QUOTA_BILLING, 28, utc(2027, 1, 5, 0)), utc(2026, 12, 28, 0), utc(2027, 1, 28, 0));
	is_span(quota_span(QUOTA_BILLING, 1, utc(2026, 2, 28, 0)), utc(2026, 2, 1, 0), utc(2026, 3, 1, 0));
	zone("Europe/Berlin"); /* days of 25 and of 23 hours */
	is_span(quota_span(QUOTA_DAY, 1, utc(2026, 10, 25, 12)), utc(2026, 10, 24, 22),
		utc(2026, 10, 25, 23));
	is_span(quota_span(QUOTA_DAY, 1, utc(2026, 3, 29, 12)), utc(2026, 3, 28, 23), utc(2026, 3, 29, 22));
	zone("UTC");
}

static void what_goes_on_as_so_far_is_reached(void **state)
{
	(void)state;
	assert_int_equal(quota_expected(50, 100, 1000, 2000, 10000), 3000);
	assert_int_equal(quota_expected(50, 100, 1000, 2000, 3000),
			 -1); /* with the period's end, not in it */
	assert_int_equal(quota_expected(0, 100, 1000, 2000, 10000), -1);
	assert_int_equal(quota_expected(100, 100, 1000, 2000, 10000), 2000);
	assert_int_equal(quota_expected(5, 100, 2000, 2000, 10000), -1);
	assert_int_equal(quota_expected(1, QUOTA_MOST_BYTES, 0, 2000000000, INT64_MAX), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_all_of_a_quota),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(what_is_no_quota_is_told),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(a_quota_counts_its_class_and_direction),
		cmocka_unit_test(a_mark_is_reached_at_its_very_byte),
		cmocka_unit_test(percentages_have_no_limit),
		cmocka_unit_test(periods_follow_the_calendar),
		cmocka_unit_test(what_goes_on_as_so_far_is_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
