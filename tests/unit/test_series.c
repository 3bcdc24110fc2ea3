/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of graph/series and graph/legend: parts, the others, gaps, edges, and the text of figures.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "graph/legend.h"
#include "graph/series.h"
#include "tests/support/unit.h"

#define START 1800000000 /* on an edge of every step */

static void add_row(struct history *h, int64_t from, int64_t to, double in, double out)
{
	h->list = mem_resize(h->list, h->count + 1, sizeof(*h->list));
	h->list[h->count++] = (struct history_row){START + from, START + to, {in, out}};
}

static struct series_source source(const char *name, int64_t step)
{
	return (struct series_source){name, {.step = step, .maximum = {NAN, NAN}}};
}

static void free_sources(struct series_source *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].history.list);
}

static void near(double seen, double expected)
{
	if (isnan(expected) ? !isnan(seen) : !(fabs(seen - expected) < 1e-9))
		fail_msg("%f, not %f", seen, expected);
}

static void a_gap_stays_a_gap_and_is_in_no_average(void **state)
{
	struct series_source one = source("web", 300);
	struct series s;

	(void)state;
	add_row(&one.history, 600, 900, 30, NAN); /* in no order */
	add_row(&one.history, 0, 300, 10, 1);
	one.history.maximum[DIR_INPUT] = 77;
	series_make(&s, &one, 1, 8, false, START, START + 900);
	assert_true(s.known);
	assert_int_equal(s.start, START);
	assert_int_equal(s.cells, 3);
	near(s.list[0].rate[DIR_INPUT][0], 10);
	near(s.list[0].rate[DIR_INPUT][1], NAN);
	near(s.list[0].rate[DIR_INPUT][2], 30);
	near(s.list[0].rate[DIR_OUTPUT][2], NAN);
	near(s.list[0].figures[DIR_INPUT].total, 12000);
	near(s.list[0].figures[DIR_INPUT].average, 20);
	near(s.list[0].figures[DIR_INPUT].maximum, 77);
	near(s.list[0].figures[DIR_INPUT].current, 30);
	near(s.list[0].figures[DIR_OUTPUT].total, 300);
	near(s.list[0].figures[DIR_OUTPUT].current, NAN);
	series_free(&s);
	free_sources(&one, 1);
}

/* Fine rows become cells of the coarsest step; bytes stay. */
static void rows_of_several_steps_go_on_one_grid(void **state)
{
	struct series_source list[2] = {source("coarse", 900), source("fine", 300)};
	struct series s;

	(void)state;
	add_row(&list[0].history, 0, 900, 4, 0);
	add_row(&list[0].history, 900, 1800, 4, 0);
	add_row(&list[1].history, 0, 300, 90, 0);
	add_row(&list[1].history, 300, 600, 30, 0);
	add_row(&list[1].history, 600, 1200, 6, 0); /* over the edge */
	series_make(&s, list, 2, 8, true, START, START + 2700);
	assert_int_equal(s.step, 900);
	assert_string_equal(s.list[0].name, "fine");
	near(s.list[0].rate[DIR_INPUT][0], 42);
	/* the host is known for the whole cell, this one for a third of it: it adds so much */
	near(s.list[0].rate[DIR_INPUT][1], 2);
	near(s.sum.rate[DIR_INPUT][0], 46);
	near(s.sum.rate[DIR_INPUT][1], 6);
	near(s.sum.rate[DIR_INPUT][2], NAN);
	near(s.sum.figures[DIR_INPUT].total, 90 * 300 + 30 * 300 + 6 * 600 + 4 * 1800);
	near(s.sum.figures[DIR_INPUT].average, s.sum.figures[DIR_INPUT].total / 1800);
	series_free(&s);
	free_sources(list, 2);
}

static void cells_that_the_ends_cut_short_are_not_drawn(void **state)
{
	struct series_source one = source("web", 3600);
	struct series s;

	(void)state;
	add_row(&one.history, 3000, 3600, 100, 100);
	add_row(&one.history, 3600, 7200, 1, 1);
	add_row(&one.history, 7200, 9000, 8, 8);
	series_make(&s, &one, 1, 8, false, START + 3000, START + 9000);
	assert_int_equal(s.cells, 3);
	near(s.list[0].rate[DIR_INPUT][0], NAN);
	near(s.list[0].rate[DIR_INPUT][1], 1);
	near(s.list[0].rate[DIR_INPUT][2], 8); /* half of it is there */
	near(s.list[0].figures[DIR_INPUT].total, 60000 + 3600 + 14400);
	series_free(&s);
	free_sources(&one, 1);
}

static void the_smallest_are_the_others(void **state)
{
	const char *const names[] = {"c", "a", "b", "d", "gone"};
	const double rates[] = {30, 10, 10, 20, 1};
	struct series_source list[5];
	struct series s;
	struct legend l;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		list[i] = source(names[i], 300);
		add_row(&list[i].history, 0, 300, rates[i], 1);
		if (i < 4) /* the last one is not there any more */
			add_row(&list[i].history, 1500, 1800, rates[i], 1);
	}
	series_make(&s, list, 5, 2, true, START, START + 1800);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.merged, 3);
	assert_string_equal(s.list[0].name, "c");
	assert_string_equal(s.list[1].name, "d");
	assert_string_equal(s.list[2].name, "3 others");
	near(s.list[2].rate[DIR_INPUT][0], 21);
	near(s.list[2].figures[DIR_INPUT].current, 20);
	near(s.list[2].figures[DIR_INPUT].total, 300 * 41);
	near(s.sum.figures[DIR_INPUT].maximum, 71);
	legend_make(&l, &s, true, true);
	assert_int_equal(l.count, 4);
	assert_string_equal(l.lines[2], "3 others                    160      168      168   12.0 KiB"
					"         16       24       24   1.46 KiB");
	for (size_t i = 0; i < l.count; i++)
		assert_int_equal(strlen(l.lines[i]), strlen(l.heads[1]));
	legend_free(&l);
	series_free(&s);
	/* a single other one keeps its name */
	series_make(&s, list, 5, 4, true, START, START + 1800);
	assert_int_equal(s.merged, 0);
	assert_int_equal(s.count, 5);
	assert_string_equal(s.list[4].name, "gone");
	near(s.list[4].figures[DIR_INPUT].current, NAN);
	series_free(&s);
	free_sources(list, 5);
}

static void nothing_known_is_said(void **state)
{
	struct series_source one = source("web", 300);
	struct series s;
	struct legend l;

	(void)state;
	series_make(&s, &one, 1, 8, false, 0,
		    (int64_t)40 * 365 * 86400); /* and no grid is too long for the memory */
	assert_false(s.known);
	assert_in_range(s.cells, 1, 20002);
	near(s.list[0].figures[DIR_INPUT].total, NAN);
	legend_make(&l, &s, false, true);
	assert_int_equal(l.count, 1);
	assert_string_equal(l.lines[0], "No traffic is on record in this time.");
	legend_free(&l);
	series_free(&s);
}

static void names_fit(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] =
		{
			{"web", "web   "},      {"abcdef", "abcdef"}, {"abcdefg", "abcde…"},
			{"Größe", "Größe "},    {"長い", "長い  "},   {"長い名", "長い名"},
			{"長い名前", "長い… "}, /* which is one column short
						 */
			{"a\nb", "a\\x0ab"},    {"", "      "},
		};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = legend_fit(cases[i].text, 6, true);

		if (strcmp(text, cases[i].expected) != 0)
			fail_msg("`%s` became `%s`", cases[i].text, text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_stays_a_gap_and_is_in_no_average),
		cmocka_unit_test(rows_of_several_steps_go_on_one_grid),
		cmocka_unit_test(cells_that_the_ends_cut_short_are_not_drawn),
		cmocka_unit_test(the_smallest_are_the_others),
		cmocka_unit_test(nothing_known_is_said),
		cmocka_unit_test(names_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
