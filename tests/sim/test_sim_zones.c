/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A year of slots, each with bytes of its own number, read back by calendar months and days of zones with and
 * without summer time: no slot is in two periods, none is in no period, and each sum is right to the byte.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/period.h"
#include "db/usage.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/unit.h"

#define FIRST 1767139200  /* 2025-12-31 UTC: the year begins up to 14 hours earlier elsewhere */
#define SLOTS (367 * 288) /* and ends up to 12 hours later */
#define NOW (FIRST + (int64_t)400 * 86400)

static int set_up(void **state)
{
	struct ledger_bed *b;

	ledger_bed_set_up(state);
	b = *state;
	ledger_bed_bucket(b->writer.db, 1, "web");
	ledger_bed_sql(
		b->writer.db,
		"WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		"INSERT INTO slot SELECT 1, %d + 300 * i, 1, '', i + 1, 2 * i + 1, 0, 0, 0, 0, 0, 0, 0, 0, "
		"0, 0, 0, 0, 0, 0, 0 FROM n",
		SLOTS - 1, FIRST);
	return 0;
}

static void zone(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

/* What the slots of [from, to) have, by how they were made. */
static uint64_t made(int64_t from, int64_t to, enum direction d)
{
	uint64_t sum = 0;

	for (int64_t slot = from; slot < to; slot += 300) {
		uint64_t i = (uint64_t)(slot - FIRST) / 300;

		sum += d == DIR_INPUT ? i + 1 : 2 * i + 1;
	}
	return sum;
}

static void expect_sums(const struct ledger_bed *b, const struct period *p)
{
	struct usage_report report;
	char *err = NULL;

	assert_true(p->from >= FIRST && p->to <= FIRST + (int64_t)300 * SLOTS);
	if (usage_read_report(b->reader.db, USAGE_BY_BUCKET, p->from, p->to, NULL, 0, &report, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(report.count, 1);
	for (int d = 0; d < DIR_COUNT; d++)
		assert_int_equal(report.rows[0].sums.classes.bytes[d][CLASS_EXTERNAL],
				 made(p->from, p->to, (enum direction)d));
	usage_report_free(&report);
}

static struct period month_of(int month)
{
	struct period p;
	char *text = mem_printf("2026-%02d", month), *err = NULL;

	if (period_month(text, NOW, &p, &err) < 0)
		fail_msg("%s", err);
	free(text);
	return p;
}

static struct period day_of(int month, int day)
{
	struct period p;
	char *from = mem_printf("2026-%02d-%02d", month, day),
	     *to = mem_printf("2026-%02d-%02d", month, day + 1);
	char *err = NULL;

	if (period_range(from, to, NOW, &p, &err) < 0)
		fail_msg("%s", err);
	free(from);
	free(to);
	return p;
}

static void months_and_days_have_each_slot_once(void **state)
{
	static const char *const zones[] = {
		"UTC",          "Europe/Berlin",     "Australia/Lord_Howe", "America/St_Johns",
		"Asia/Kolkata", "Pacific/Kiritimati"};
	const struct ledger_bed *b = *state;

	for (size_t z = 0; z < sizeof(zones) / sizeof(*zones); z++) {
		int64_t edge = 0;

		zone(zones[z]);
		for (int m = 1; m <= 12; m++) {
			struct period month = month_of(m);
			int64_t day_edge = month.from;

			assert_true(!edge || month.from == edge);
			edge = month.to;
			expect_sums(b, &month);
			for (int d = 1; d < 28; d++) {
				struct period day = day_of(m, d);

				assert_int_equal(day.from, day_edge);
				day_edge = day.to;
			}
		}
	}
}

/* The days on which the clocks change: so many slots they have. */
static void a_day_of_a_clock_change_has_its_own_length(void **state)
{
	static const struct {
		const char *zone;
		int month, day, slots;
	} days[] = {
		{"Europe/Berlin", 3, 29, 23 * 12},          {"Europe/Berlin", 10, 25, 25 * 12},
		{"Australia/Lord_Howe", 4, 5, 24 * 12 + 6}, {"Australia/Lord_Howe", 10, 4, 24 * 12 - 6},
		{"America/St_Johns", 3, 8, 23 * 12},        {"Asia/Kolkata", 3, 29, 24 * 12},
	};

	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
		struct period p;

		zone(days[i].zone);
		p = day_of(days[i].month, days[i].day);
		assert_int_equal((p.to - p.from) / 300, days[i].slots);
		expect_sums(*state, &p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months_and_days_have_each_slot_once),
		cmocka_unit_test(a_day_of_a_clock_change_has_its_own_length),
	};

	return cmocka_run_group_tests_name("sim_zones", tests, set_up, ledger_bed_tear_down);
}
