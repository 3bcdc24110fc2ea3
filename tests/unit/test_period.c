/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of cli/period: months, edges, and the days on which clocks change.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "cli/period.h"
#include "tests/support/unit.h"

static void zone(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

/* UTC of a date. */
static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {.tm_year = year - 1900,
			.tm_mon = month - 1,
			.tm_mday = day,
			.tm_hour = hour,
			.tm_min = minute};

	return timegm(&tm);
}

static struct period month(const char *text, int64_t now)
{
	struct period p = {0};
	char *err = NULL;

	if (period_month(text, now, &p, &err) < 0)
		fail_msg("%s: %s", text, err);
	return p;
}

static struct period range(const char *from, const char *to, int64_t now)
{
	struct period p = {0};
	char *err = NULL;

	if (period_range(from, to, now, &p, &err) < 0)
		fail_msg("%s to %s: %s", from, to, err);
	return p;
}

static void refuses_month(const char *text)
{
	struct period p;
	char *err = NULL;

	assert_int_equal(period_month(text, utc(2026, 11, 23, 12, 0), &p, &err), -1);
	assert_non_null(strstr(err, text));
	err_clear(&err);
}

static void refuses_range(const char *from, const char *to, const char *why)
{
	struct period p;
	char *err = NULL;

	assert_int_equal(period_range(from, to, utc(2026, 11, 23, 12, 0), &p, &err), -1);
	if (!strstr(err, why))
		fail_msg("%s: not: %s", err, why);
	err_clear(&err);
}

static void months_are_the_calendars_in_the_time_zone(void **state)
{
	int64_t now = utc(2026, 11, 23, 12, 0);
	struct period p;

	(void)state;
	zone("Europe/Berlin");
	p = month("this", now);
	assert_int_equal(p.from, utc(2026, 10, 31, 23, 0));
	assert_int_equal(p.to, utc(2026, 11, 30, 23, 0));
	assert_false(p.rounded);
	p = month("last", now); /* has the end of summer time in it: 745 hours */
	assert_int_equal(p.from, utc(2026, 9, 30, 22, 0));
	assert_int_equal(p.to, utc(2026, 10, 31, 23, 0));
	p = month("2026-03", now); /* 743 hours */
	assert_int_equal(p.to - p.from, 743 * 3600);
	p = month("2024-02", now);
	assert_int_equal(p.to - p.from, 29 * 86400);
	zone("UTC");
	p = month("this", now);
	assert_int_equal(p.from, utc(2026, 11, 1, 0, 0));
	assert_int_equal(p.to, utc(2026, 12, 1, 0, 0));
}

static void years_change_with_december(void **state)
{
	struct period p;

	(void)state;
	zone("UTC");
	p = month("this", utc(2026, 12, 31, 23, 59));
	assert_int_equal(p.from, utc(2026, 12, 1, 0, 0));
	assert_int_equal(p.to, utc(2027, 1, 1, 0, 0));
	p = month("last", utc(2027, 1, 1, 0, 0));
	assert_int_equal(p.from, utc(2026, 12, 1, 0, 0));
	assert_int_equal(p.to, utc(2027, 1, 1, 0, 0));
	p = month("last", utc(2027, 3, 31, 12, 0)); /* and not the 31st of February */
	assert_int_equal(p.from, utc(2027, 2, 1, 0, 0));
	assert_int_equal(p.to, utc(2027, 3, 1, 0, 0));
}

static void the_instant_of_the_first_belongs_to_the_new_month_only(void **state)
{
	int64_t first;

	(void)state;
	zone("Asia/Tokyo");
	first = utc(2026, 10, 31, 15, 0);
	assert_int_equal(month("this", first).from, first);
	assert_int_equal(month("this", first - 1).to, first);
	assert_int_equal(month("2026-10", first).to, month("2026-11", first).from);
}

static struct period billing(const char *text, unsigned day, int64_t now)
{
	struct period p = {0};
	char *err = NULL;

	if (period_billing(text, day, now, &p, &err) < 0)
		fail_msg("%s: %s", text, err);
	return p;
}

static void months_may_begin_on_another_day(void **state)
{
	struct period p;

	(void)state;
	zone("Europe/Berlin");
	p = billing("2026-10", 15, utc(2026, 11, 23, 12, 0)); /* has the end of summer time in it */
	assert_int_equal(p.from, utc(2026, 10, 14, 22, 0));
	assert_int_equal(p.to, utc(2026, 11, 14, 23, 0));
	assert_int_equal(p.to - p.from, 745 * 3600);
	assert_int_equal(billing("this", 15, p.to - 1).from, p.from);
	assert_int_equal(billing("this", 15, p.to).from, p.to);
	assert_int_equal(billing("last", 15, p.to).from, p.from);
	assert_int_equal(billing("2026-02", 28, p.to).to, utc(2026, 3, 27, 23, 0));
	p = billing("this", 28, utc(2027, 1, 5, 0, 0)); /* begins in the year before */
	assert_int_equal(p.from, utc(2026, 12, 27, 23, 0));
	assert_int_equal(billing("last", 28, utc(2027, 1, 5, 0, 0)).from, utc(2026, 11, 27, 23, 0));
}

static void months_have_names(void **state)
{
	static const struct {
		const char *text;
		unsigned day;
		const char *name;
	} cases[] = {{"2026-10", 15, "2026-10"},
		     {"this", 1, "2027-01"},
		     {"this", 15, "2026-12"},
		     {"last", 1, "2026-12"},
		     {"last", 15, "2026-11"}};
	char *err = NULL;

	(void)state;
	zone("UTC");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *name = period_billing_name(cases[i].text, cases[i].day, utc(2027, 1, 5, 0, 0), &err);

		assert_string_equal(name, cases[i].name);
		free(name);
	}
	assert_null(period_billing_name("2026-13", 1, 0, &err));
	err_clear(&err);
}

static void other_words_are_no_months(void **state)
{
	(void)state;
	zone("UTC");
	refuses_month("2026-13");
	refuses_month("2026-00");
	refuses_month("2026-1");
	refuses_month("2026-111");
	refuses_month("2026/11");
	refuses_month("1969-12");
	refuses_month("next");
	refuses_month("");
}

static void times_are_read_with_and_without_a_clock_part(void **state)
{
	int64_t now = utc(2026, 11, 23, 12, 0);
	struct period p;

	(void)state;
	zone("Europe/Berlin");
	p = range("2026-11-02", "2026-11-03", now);
	assert_int_equal(p.from, utc(2026, 11, 1, 23, 0));
	assert_int_equal(p.to, utc(2026, 11, 2, 23, 0));
	assert_false(p.rounded);
	p = range("2026-11-02 10:05", "2026-11-02T10:10:00", now);
	assert_int_equal(p.from, utc(2026, 11, 2, 9, 5));
	assert_int_equal(p.to, utc(2026, 11, 2, 9, 10));
	assert_false(p.rounded);
}

static void edges_inside_a_slot_go_back_to_its_start(void **state)
{
	int64_t now = utc(2026, 11, 23, 12, 0);
	struct period a, b;

	(void)state;
	zone("UTC");
	a = range("2026-11-02 10:04:59", "2026-11-02 10:12", now);
	assert_int_equal(a.from, utc(2026, 11, 2, 10, 0));
	assert_int_equal(a.to, utc(2026, 11, 2, 10, 10));
	assert_true(a.rounded);
	b = range("2026-11-02 10:12", "2026-11-02 11:00", now);
	assert_int_equal(b.from, a.to); /* no slot is in both, none in neither */
	assert_true(b.rounded);
}

static void what_is_not_given_is_this_month_until_now(void **state)
{
	int64_t now = utc(2026, 11, 23, 12, 3);
	struct period p;

	(void)state;
	zone("UTC");
	p = range("2026-11-02", NULL, now);
	assert_int_equal(p.to, utc(2026, 11, 23, 12, 5));
	assert_false(p.rounded);
	p = range(NULL, "2026-10-15", now);
	assert_int_equal(p.from, utc(2026, 10, 1, 0, 0));
	p = range(NULL, "2026-11-01", now); /* October, to its last instant */
	assert_int_equal(p.from, utc(2026, 10, 1, 0, 0));
}

static void empty_and_impossible_periods_are_refused(void **state)
{
	(void)state;
	zone("UTC");
	refuses_range("2026-11-03", "2026-11-03", "not before its end");
	refuses_range("2026-11-04", "2026-11-03", "not before its end");
	refuses_range("2026-11-03 10:01", "2026-11-03 10:04", "inside one slot");
	refuses_range("2026-02-30", NULL, "no day 30");
	refuses_range("2026-04-31", NULL, "no day 31");
	refuses_range("2026-11-00", NULL, "is no time");
	refuses_range("2026-11-03 24:00", NULL, "is no time");
	refuses_range("2026-11-03 10:60", NULL, "is no time");
	refuses_range("2026-11-03 10", NULL, "is no time");
	refuses_range("2026-11-03 10:00 ", NULL, "is no time");
	refuses_range("2026-11-3", NULL, "is no time");
	refuses_range("yesterday", NULL, "is no time");
	refuses_range("", NULL, "is no time");
}

static void an_hour_that_comes_twice_is_the_first_of_the_two(void **state)
{
	int64_t now = utc(2026, 11, 23, 12, 0);

	(void)state;
	zone("Europe/Berlin"); /* 2026-10-25 03:00 CEST becomes 02:00 CET */
	assert_int_equal(range("2026-10-25 02:30", NULL, now).from, utc(2026, 10, 25, 0, 30));
	assert_int_equal(range("2026-10-25 03:00", NULL, now).from, utc(2026, 10, 25, 2, 0));
	zone("America/New_York"); /* 2026-11-01 02:00 EDT becomes 01:00 EST */
	assert_int_equal(range("2026-11-01 01:30", NULL, now).from, utc(2026, 11, 1, 5, 30));
	/* the same answer after other questions */
	assert_int_equal(range("2026-06-01", NULL, now).from, utc(2026, 6, 1, 4, 0));
	assert_int_equal(range("2026-11-01 01:30", NULL, now).from, utc(2026, 11, 1, 5, 30));
	assert_int_equal(range("2026-01-01", NULL, now).from, utc(2026, 1, 1, 5, 0));
	assert_int_equal(range("2026-11-01 01:30", NULL, now).from, utc(2026, 11, 1, 5, 30));
}

static void an_hour_that_is_skipped_is_read_by_the_clock_before(void **state)
{
	int64_t now = utc(2026, 11, 23, 12, 0);

	(void)state;
	zone("Europe/Berlin"); /* 2026-03-29 02:00 CET becomes 03:00 CEST */
	assert_int_equal(range("2026-03-29 02:30", NULL, now).from, utc(2026, 3, 29, 1, 30));
	assert_int_equal(range("2026-03-29 03:30", NULL, now).from, utc(2026, 3, 29, 1, 30));
	zone("Africa/Cairo"); /* 2026-04-24 00:00 becomes 01:00: that day begins at one */
	assert_int_equal(range("2026-04-24", NULL, now).from, utc(2026, 4, 23, 22, 0));
}

static void zones_with_odd_offsets_have_their_midnights(void **state)
{
	int64_t now = utc(2026, 11, 23, 12, 0);

	(void)state;
	zone("Asia/Kathmandu"); /* +5:45 */
	assert_int_equal(month("this", now).from, utc(2026, 10, 31, 18, 15));
	zone("Australia/Lord_Howe"); /* summer time of half an hour */
	assert_int_equal(month("2026-04", now).from, utc(2026, 3, 31, 13, 0));
	assert_int_equal(month("2026-04", now).to, utc(2026, 4, 30, 13, 30));
}

static void times_are_shown_in_the_zone_and_in_utc(void **state)
{
	char *text;

	(void)state;
	zone("Europe/Berlin");
	text = period_local(utc(2026, 7, 1, 22, 5));
	assert_string_equal(text, "2026-07-02 00:05 CEST");
	free(text);
	text = period_local(utc(2026, 12, 31, 23, 0) + 7);
	assert_string_equal(text, "2027-01-01 00:00:07 CET");
	free(text);
	text = period_utc(utc(2026, 12, 31, 23, 0) + 7);
	assert_string_equal(text, "2026-12-31T23:00:07Z");
	free(text);
	text = period_month_name(utc(2026, 12, 31, 23, 0));
	assert_string_equal(text, "2027-01");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months_are_the_calendars_in_the_time_zone),
		cmocka_unit_test(years_change_with_december),
		cmocka_unit_test(the_instant_of_the_first_belongs_to_the_new_month_only),
		cmocka_unit_test(other_words_are_no_months),
		cmocka_unit_test(times_are_read_with_and_without_a_clock_part),
		cmocka_unit_test(edges_inside_a_slot_go_back_to_its_start),
		cmocka_unit_test(what_is_not_given_is_this_month_until_now),
		cmocka_unit_test(empty_and_impossible_periods_are_refused),
		cmocka_unit_test(an_hour_that_comes_twice_is_the_first_of_the_two),
		cmocka_unit_test(an_hour_that_is_skipped_is_read_by_the_clock_before),
		cmocka_unit_test(zones_with_odd_offsets_have_their_midnights),
		cmocka_unit_test(times_are_shown_in_the_zone_and_in_utc),
		cmocka_unit_test(months_may_begin_on_another_day),
		cmocka_unit_test(months_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
