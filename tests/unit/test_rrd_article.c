/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RRD files that the 2006 how-to made, or others like them, gone on with by db/rrd.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/rrd_bed.h"
#include "tests/support/rrd_unit.h"
#include "tests/support/unit.h"

#define ARTICLE_DS "DS:input:COUNTER:600:U:U DS:output:COUNTER:600:U:U"
#define ARTICLE_RRA                                                                                   \
	"RRA:AVERAGE:0.5:1:600 RRA:AVERAGE:0.5:6:700 RRA:AVERAGE:0.5:24:775 RRA:AVERAGE:0.5:288:797 " \
	"RRA:MAX:0.5:1:600 RRA:MAX:0.5:6:700 RRA:MAX:0.5:24:775 RRA:MAX:0.5:288:797"

/* A file as the article makes it, with `--start` before T0. */
static char *article_file(const struct rrd_unit *b, const char *name, const char *ds, int step)
{
	char *path = rrd_unit_path(b, name);
	char *words =
		mem_printf("create %s --step %d --start %d %s %s", path, step, T0 - 3000, ds, ARTICLE_RRA);

	rrd_bed_tool(words);
	free(words);
	return path;
}

static void tool_update(const char *path, int64_t time, const char *values)
{
	char *words = mem_printf("update %s %" PRId64 ":%s", path, time, values);

	rrd_bed_tool(words);
	free(words);
}

static void a_counter_file_of_the_article_is_gone_on_with(void **state)
{
	struct rrd_unit *b = *state;
	char *path = article_file(b, "192.168.1.1.rrd", ARTICLE_DS, 300), *dump;
	struct rrd_state s;

	tool_update(path, SLOT(-2), "5000000000:100");
	tool_update(path, SLOT(-1), "5000003000:100");
	tool_update(path, SLOT(0), "5000004500:400");
	s = rrd_unit_read(b, "192.168.1.1.rrd");
	rrd_unit_fine(s.outcome);
	assert_int_equal(s.columns, 3);
	assert_int_equal(s.tail.last_update, SLOT(0));
	assert_int_equal(s.tail.value[0], 5000004500);
	assert_int_equal(s.tail.value[1], 400);

	rrd_unit_fine(rrd_unit_bring_up(b, "192.168.1.1.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	rrd_unit_expect_slot(path, "input", SLOT(-2), 3000);
	rrd_unit_expect_slot(path, "input", SLOT(-1), 1500);
	for (int i = 0; i < 3; i++) {
		rrd_unit_expect_slot(path, "input", SLOT(i), (double)rrd_unit_slots[i].bytes[0]);
		rrd_unit_expect_slot(path, "output", SLOT(i), (double)rrd_unit_slots[i].bytes[1]);
	}
	dump = rrd_bed_dump(path);
	assert_non_null(strstr(dump, "<type> COUNTER </type>"));
	assert_null(strstr(dump, "DERIVE"));
	assert_non_null(strstr(dump, "<last_ds>5000005707</last_ds>"));
	free(dump);
	free(path);
}

static void a_counter_file_with_a_gap_before_xenbw_goes_on_without_a_spike(void **state)
{
	struct rrd_unit *b = *state;
	char *path = article_file(b, "a.rrd", ARTICLE_DS, 300);
	struct rrd_slot slots[] = {{.slot = SLOT(20), .bytes = {1200, 12}}};
	struct rrd_usage u = {.slots = slots, .slot_count = 1};

	tool_update(path, SLOT(-1) + 207, "4294967000:77");
	rrd_unit_fine(rrd_unit_bring_up(b, "a.rrd", SLOT(0), SLOT(21), &u));
	for (int i = 0; i < 20; i++)
		rrd_unit_expect_slot(path, "input", SLOT(i), NAN);
	rrd_unit_expect_slot(path, "input", SLOT(20), 1200);
	rrd_unit_expect_slot(path, "output", SLOT(20), 12);
	free(path);
}

static void an_update_of_the_old_job_inside_a_slot_keeps_its_part(void **state)
{
	struct rrd_unit *b = *state;
	char *path = article_file(b, "b.rrd", ARTICLE_DS, 300);
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {930, 31}}, {.slot = SLOT(1), .bytes = {4, 5}}};
	struct rrd_life lives[] = {{SLOT(0) + 207, SLOT(2)}};
	struct rrd_usage u = {slots, 2, lives, 1};

	/* every 300 s at 207 s into the slot: 690 of its 1000 bytes lie in slot 0 */
	tool_update(path, SLOT(-2) + 207, "1000:0");
	tool_update(path, SLOT(-1) + 207, "1000:0");
	tool_update(path, SLOT(0) + 207, "2000:0");
	rrd_unit_fine(rrd_unit_bring_up(b, "b.rrd", SLOT(0), SLOT(2), &u));
	rrd_unit_expect_slot(path, "input", SLOT(-1), 310);
	rrd_unit_expect_slot(path, "input", SLOT(0), 690 + 930);
	rrd_unit_expect_slot(path, "output", SLOT(0), 31);
	rrd_unit_expect_slot(path, "input", SLOT(1), 4);
	free(path);
}

static void a_counter_file_without_values_begins_at_zero(void **state)
{
	struct rrd_unit *b = *state;
	char *path = article_file(b, "c.rrd", ARTICLE_DS, 300);

	rrd_unit_fine(rrd_unit_bring_up(b, "c.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	rrd_unit_expect_slot(path, "input", SLOT(-1), NAN);
	for (int i = 0; i < 3; i++)
		rrd_unit_expect_slot(path, "input", SLOT(i), (double)rrd_unit_slots[i].bytes[0]);
	free(path);
}

static void the_articles_empty_update_is_an_unknown_value(void **state)
{
	struct rrd_unit *b = *state;
	char *path = article_file(b, "d.rrd", ARTICLE_DS, 300);
	struct rrd_state s;

	/* what its script sends is `N::`: time and two empty values; here with a time, and inside slot 0 */
	tool_update(path, SLOT(-1) + 3, ":");
	tool_update(path, SLOT(0) + 3, ":");
	s = rrd_unit_read(b, "d.rrd");
	rrd_unit_fine(s.outcome);
	assert_int_equal(s.tail.value[0], 0);
	rrd_unit_fine(rrd_unit_bring_up(b, "d.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	/* slot 0 has no known start: it stays unknown, and its end is the base of the next */
	rrd_unit_expect_slot(path, "input", SLOT(0), NAN);
	rrd_unit_expect_slot(path, "input", SLOT(1), 900);
	rrd_unit_expect_slot(path, "output", SLOT(2), 8);
	free(path);
}

static void a_wrap_of_the_old_counter_is_not_ours_to_make(void **state)
{
	struct rrd_unit *b = *state;
	char *path = article_file(b, "e.rrd", ARTICLE_DS, 300);

	/* just below 2^32, where COUNTER would look for a wrap if the value fell */
	tool_update(path, SLOT(-1), "4294967290:4294967290");
	tool_update(path, SLOT(0), "4294967295:4294967290");
	rrd_unit_fine(rrd_unit_bring_up(b, "e.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	for (int i = 0; i < 3; i++)
		rrd_unit_expect_slot(path, "input", SLOT(i), (double)rrd_unit_slots[i].bytes[0]);
	free(path);
}

static void other_columns_of_a_file_stay_unknown_and_the_order_does_not_matter(void **state)
{
	struct rrd_unit *b = *state;
	char *path =
		article_file(b, "f.rrd",
			     "DS:output:COUNTER:600:U:U DS:load:GAUGE:600:U:U DS:peer_input:DERIVE:600:0:U "
			     "DS:input:DERIVE:600:0:U DS:local_input:GAUGE:600:0:U",
			     300);
	struct rrd_state s = rrd_unit_read(b, "f.rrd");

	rrd_unit_fine(s.outcome);
	assert_int_equal(s.columns, 7); /* input, output, peer_input; a GAUGE is not ours */
	rrd_unit_fine(rrd_unit_bring_up(b, "f.rrd", SLOT(0), SLOT(3), &rrd_unit_some));
	rrd_unit_expect_slot(path, "input", SLOT(1), 900);
	rrd_unit_expect_slot(path, "output", SLOT(1), 30);
	rrd_unit_expect_slot(path, "peer_input", SLOT(2), 9);
	rrd_unit_expect_slot(path, "load", SLOT(1), NAN);
	rrd_unit_expect_slot(path, "local_input", SLOT(1), NAN);
	free(path);
}

static void files_of_another_shape_are_refused_and_not_touched(void **state)
{
	struct rrd_unit *b = *state;
	const struct {
		const char *name, *ds, *words;
		int step;
	} shapes[] = {
		{"step.rrd", ARTICLE_DS, "its step is 60 seconds, and must be 300", 60},
		{"only.rrd", "DS:input:COUNTER:600:U:U", "no data sources `input` and `output`", 300},
		{"gauge.rrd", "DS:input:GAUGE:600:U:U DS:output:GAUGE:600:U:U", "COUNTER or DERIVE", 300},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		char *path = article_file(b, shapes[i].name, shapes[i].ds, shapes[i].step);
		size_t size_before, size_after;
		char *before = scratch_read(path, &size_before), *after;

		rrd_unit_trouble(rrd_unit_bring_up(b, shapes[i].name, SLOT(0), SLOT(3), &rrd_unit_some),
				 RRD_SHAPE, shapes[i].words);
		after = scratch_read(path, &size_after);
		assert_int_equal(size_before, size_after);
		assert_memory_equal(before, after, size_before);
		free(before);
		free(after);
		free(path);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rrd_unit_set_up, rrd_unit_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_counter_file_of_the_article_is_gone_on_with),
		TEST(a_counter_file_with_a_gap_before_xenbw_goes_on_without_a_spike),
		TEST(an_update_of_the_old_job_inside_a_slot_keeps_its_part),
		TEST(a_counter_file_without_values_begins_at_zero),
		TEST(the_articles_empty_update_is_an_unknown_value),
		TEST(a_wrap_of_the_old_counter_is_not_ours_to_make),
		TEST(other_columns_of_a_file_stay_unknown_and_the_order_does_not_matter),
		TEST(files_of_another_shape_are_refused_and_not_touched),
	};

	return cmocka_run_group_tests_name("rrd_article", tests, NULL, NULL);
}
