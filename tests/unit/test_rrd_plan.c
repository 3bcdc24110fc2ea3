/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which updates a file needs: every rule of rrd_plan, with exact times and values.
 */
#include <stdlib.h>

#include "db/rrd_plan.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (n)*RRD_STEP)
#define NOBODY ((struct rrd_usage){0})

/* The first column gets `input`, the second `output`, the others stay 0. */
static struct rrd_slot slot_at(int n, uint64_t input, uint64_t output)
{
	return (struct rrd_slot){.slot = SLOT(n), .bytes = {input, output}};
}

#define USAGE_OF_SLOTS(list) ((struct rrd_usage){.slots = list, .slot_count = sizeof(list) / sizeof(*(list))})
#define USAGE(slot_list, life_list)                                                 \
	((struct rrd_usage){.slots = slot_list,                                     \
			    .slot_count = sizeof(slot_list) / sizeof(*(slot_list)), \
			    .lives = life_list,                                     \
			    .life_count = sizeof(life_list) / sizeof(*(life_list))})

static void expect(const struct rrd_updates *u, size_t at, int64_t time, uint64_t input, uint64_t output)
{
	assert_true(at < u->count);
	assert_int_equal(u->list[at].time, time);
	assert_int_equal(u->list[at].value[0], input);
	assert_int_equal(u->list[at].value[1], output);
}

static void a_new_file_gets_a_base_update_and_the_value_at_the_slots_end(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 1000, 50)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {0};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	assert_int_equal(u.count, 2);
	expect(&u, 0, SLOT(0), 0, 0);
	expect(&u, 1, SLOT(1), 1000, 50);
	assert_int_equal(tail.last_update, SLOT(1));
	assert_int_equal(tail.value[0], 1000);
	free(u.list);
}

static void every_column_is_summed_on_its_own(void **state)
{
	struct rrd_slot slots[] = {{.slot = SLOT(0), .bytes = {1, 2, 3, 4, 5, 6, 7, 8}}};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {.last_update = SLOT(0), .value = {10, 20, 30, 40, 50, 60, 70, 80}};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	assert_int_equal(u.count, 1);
	for (unsigned c = 0; c < RRD_COLUMNS; c++)
		assert_int_equal(u.list[0].value[c], (c + 1) * 11);
	free(u.list);
}

static void neighbouring_slots_need_no_base_between_them(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 10, 0), slot_at(1, 20, 0), slot_at(2, 30, 0)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {0};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(3), &usage, &u);
	assert_int_equal(u.count, 4);
	expect(&u, 1, SLOT(1), 10, 0);
	expect(&u, 2, SLOT(2), 30, 0);
	expect(&u, 3, SLOT(3), 60, 0);
	free(u.list);
}

static void a_gap_gets_no_update_and_is_followed_by_a_base(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 10, 1), slot_at(5, 20, 2)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {0};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(9), &usage, &u);
	assert_int_equal(u.count, 4);
	expect(&u, 1, SLOT(1), 10, 1);
	expect(&u, 2, SLOT(5), 10, 1);
	expect(&u, 3, SLOT(6), 30, 3);
	free(u.list);
}

static void a_live_idle_bucket_gets_an_update_each_slot(void **state)
{
	struct rrd_slot slots[] = {slot_at(1, 7, 7)};
	struct rrd_life lives[] = {{SLOT(0) + 250, SLOT(3) + 1}};
	struct rrd_usage usage = USAGE(slots, lives);
	struct rrd_tail tail = {0};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(-3), SLOT(9), &usage, &u);
	assert_int_equal(u.count, 5);
	expect(&u, 0, SLOT(0), 0, 0);
	expect(&u, 1, SLOT(1), 0, 0);
	expect(&u, 2, SLOT(2), 7, 7);
	expect(&u, 3, SLOT(3), 7, 7);
	expect(&u, 4, SLOT(4), 7, 7);
	free(u.list);
}

static void a_life_that_ends_at_a_slots_edge_does_not_reach_into_the_next(void **state)
{
	struct rrd_life lives[] = {{SLOT(0), SLOT(1)}, {SLOT(4), SLOT(5)}};
	struct rrd_usage usage = {.lives = lives, .life_count = 2};
	struct rrd_tail tail = {0};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(9), &usage, &u);
	assert_int_equal(u.count, 4);
	expect(&u, 0, SLOT(0), 0, 0);
	expect(&u, 1, SLOT(1), 0, 0);
	expect(&u, 2, SLOT(4), 0, 0);
	expect(&u, 3, SLOT(5), 0, 0);
	free(u.list);
}

static void bytes_without_a_life_are_written_all_the_same(void **state)
{
	struct rrd_slot slots[] = {slot_at(2, 5, 0)};
	struct rrd_life lives[] = {{SLOT(0), SLOT(1)}};
	struct rrd_usage usage = USAGE(slots, lives);
	struct rrd_tail tail = {0};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(3), &usage, &u);
	assert_int_equal(u.count, 4);
	expect(&u, 2, SLOT(2), 0, 0);
	expect(&u, 3, SLOT(3), 5, 0);
	free(u.list);
}

static void nothing_known_gives_nothing_and_leaves_the_tail(void **state)
{
	struct rrd_usage usage = NOBODY;
	struct rrd_tail tail = {.last_update = SLOT(0), .value = {9}};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(100), &usage, &u);
	assert_int_equal(u.count, 0);
	assert_null(u.list);
	assert_int_equal(tail.last_update, SLOT(0));
	assert_int_equal(tail.value[0], 9);
}

static void a_second_plan_over_the_same_slots_gives_nothing(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 10, 1), slot_at(3, 20, 2)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {0}, before;
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(4), &usage, &u);
	free(u.list);
	before = tail;
	rrd_plan(&tail, SLOT(0), SLOT(4), &usage, &u);
	assert_int_equal(u.count, 0);
	assert_memory_equal(&tail, &before, sizeof(tail));
}

static void two_plans_in_a_row_give_what_one_gives(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 10, 1), slot_at(1, 11, 2), slot_at(4, 12, 3),
				   slot_at(6, 13, 4)};
	struct rrd_life lives[] = {{SLOT(0), SLOT(2) - 10}, {SLOT(4), SLOT(8)}};
	struct rrd_usage usage = USAGE(slots, lives);
	struct rrd_updates whole, first, second;

	(void)state;
	for (int cut = 0; cut <= 9; cut++) {
		struct rrd_tail one = {0}, two = {0};

		rrd_plan(&one, SLOT(0), SLOT(9), &usage, &whole);
		rrd_plan(&two, SLOT(0), SLOT(cut), &usage, &first);
		rrd_plan(&two, SLOT(cut), SLOT(9), &usage, &second);
		assert_int_equal(first.count + second.count, whole.count);
		for (size_t i = 0; i < whole.count; i++)
			assert_memory_equal(&whole.list[i],
					    i < first.count ? &first.list[i] : &second.list[i - first.count],
					    sizeof(*whole.list));
		assert_memory_equal(&one, &two, sizeof(one));
		free(whole.list);
		free(first.list);
		free(second.list);
	}
}

static void slots_that_are_not_complete_are_left_out(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 10, 0), slot_at(1, 20, 0)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {.last_update = SLOT(0)};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	assert_int_equal(u.count, 1);
	expect(&u, 0, SLOT(1), 10, 0);
	free(u.list);
}

static void slots_before_the_files_last_update_are_left_out(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 10, 0), slot_at(1, 20, 0), slot_at(2, 40, 0)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {.last_update = SLOT(2), .value = {30}};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(3), &usage, &u);
	assert_int_equal(u.count, 1);
	expect(&u, 0, SLOT(3), 70, 0);
	free(u.list);
}

static void a_file_from_the_future_gets_nothing(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 10, 0), slot_at(1, 20, 0)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {.last_update = SLOT(500)};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(2), &usage, &u);
	assert_int_equal(u.count, 0);
}

static void a_last_update_inside_a_slot_is_followed_by_that_slots_end(void **state)
{
	/* an old job wrote at 207 s into the slot; xenbw began to count after it, so all bytes are new */
	struct rrd_slot slots[] = {slot_at(0, 930, 31), slot_at(1, 5, 0)};
	struct rrd_life lives[] = {{SLOT(0) + 210, SLOT(2)}};
	struct rrd_usage usage = USAGE(slots, lives);
	struct rrd_tail tail = {.last_update = SLOT(0) + 207, .value = {1000000, 2000000}};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(2), &usage, &u);
	assert_int_equal(u.count, 2);
	expect(&u, 0, SLOT(1), 1000930, 2000031);
	expect(&u, 1, SLOT(2), 1000935, 2000031);
	free(u.list);
}

static void where_both_counted_a_slot_the_share_after_the_last_update_is_added(void **state)
{
	/* live for the whole slot, 93 of its 300 seconds are left; then live for 100 s, of which 93 are left
	 */
	struct rrd_slot slots[] = {slot_at(0, 3000, 100)};
	struct rrd_life all[] = {{SLOT(-9), SLOT(9)}}, late[] = {{SLOT(0) + 200, SLOT(1)}};
	struct rrd_usage usage = USAGE(slots, all);
	struct rrd_tail tail = {.last_update = SLOT(0) + 207};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	assert_int_equal(u.count, 1);
	expect(&u, 0, SLOT(1), 930, 31);
	free(u.list);

	usage = USAGE(slots, late);
	tail = (struct rrd_tail){.last_update = SLOT(0) + 207};
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	assert_int_equal(u.count, 1);
	expect(&u, 0, SLOT(1), 2790, 93);
	free(u.list);

	usage = USAGE_OF_SLOTS(slots); /* no life on record: as if live for the whole slot */
	tail = (struct rrd_tail){.last_update = SLOT(0) + 207};
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	expect(&u, 0, SLOT(1), 930, 31);
	free(u.list);
}

static void a_bucket_that_ended_before_the_files_last_update_adds_nothing_to_its_slot(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 3000, 0)};
	struct rrd_life lives[] = {{SLOT(0), SLOT(0) + 60}};
	struct rrd_usage usage = USAGE(slots, lives);
	struct rrd_tail tail = {.last_update = SLOT(0) + 207, .value = {77}};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	assert_int_equal(u.count, 1);
	expect(&u, 0, SLOT(1), 77, 0);
	free(u.list);
}

static void a_takeover_after_a_gap_begins_with_the_old_values(void **state)
{
	struct rrd_slot slots[] = {slot_at(8, 500, 600)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {.last_update = SLOT(0) + 207, .value = {1000, 2000}};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(9), &usage, &u);
	assert_int_equal(u.count, 2);
	expect(&u, 0, SLOT(8), 1000, 2000);
	expect(&u, 1, SLOT(9), 1500, 2600);
	free(u.list);
}

static void shares_of_huge_slots_do_not_overflow(void **state)
{
	uint64_t huge = UINT64_MAX - 5;
	struct rrd_slot slots[] = {slot_at(0, huge, 299)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {.last_update = SLOT(0) + 1};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	expect(&u, 0, SLOT(1), (uint64_t)((unsigned __int128)huge * 299 / 300), 298);
	free(u.list);
}

static void values_stay_exact_above_two_to_the_53_and_wrap_at_two_to_the_64(void **state)
{
	struct rrd_slot slots[] = {slot_at(0, 1, 3)};
	struct rrd_usage usage = USAGE_OF_SLOTS(slots);
	struct rrd_tail tail = {.last_update = SLOT(0), .value = {(1ull << 53), UINT64_MAX - 1}};
	struct rrd_updates u;

	(void)state;
	rrd_plan(&tail, SLOT(0), SLOT(1), &usage, &u);
	expect(&u, 0, SLOT(1), (1ull << 53) + 1, 1);
	free(u.list);
}

static void the_slot_of_a_time_is_its_start(void **state)
{
	(void)state;
	assert_int_equal(rrd_slot_of(SLOT(0)), SLOT(0));
	assert_int_equal(rrd_slot_of(SLOT(0) + 299), SLOT(0));
	assert_int_equal(rrd_slot_of(SLOT(1)), SLOT(1));
	assert_int_equal(rrd_slot_of(0), 0);
	assert_int_equal(rrd_slot_of(-1), -300);
	assert_int_equal(rrd_slot_of(-300), -300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_gets_a_base_update_and_the_value_at_the_slots_end),
		cmocka_unit_test(every_column_is_summed_on_its_own),
		cmocka_unit_test(neighbouring_slots_need_no_base_between_them),
		cmocka_unit_test(a_gap_gets_no_update_and_is_followed_by_a_base),
		cmocka_unit_test(a_live_idle_bucket_gets_an_update_each_slot),
		cmocka_unit_test(a_life_that_ends_at_a_slots_edge_does_not_reach_into_the_next),
		cmocka_unit_test(bytes_without_a_life_are_written_all_the_same),
		cmocka_unit_test(nothing_known_gives_nothing_and_leaves_the_tail),
		cmocka_unit_test(a_second_plan_over_the_same_slots_gives_nothing),
		cmocka_unit_test(two_plans_in_a_row_give_what_one_gives),
		cmocka_unit_test(slots_that_are_not_complete_are_left_out),
		cmocka_unit_test(slots_before_the_files_last_update_are_left_out),
		cmocka_unit_test(a_file_from_the_future_gets_nothing),
		cmocka_unit_test(a_last_update_inside_a_slot_is_followed_by_that_slots_end),
		cmocka_unit_test(where_both_counted_a_slot_the_share_after_the_last_update_is_added),
		cmocka_unit_test(a_bucket_that_ended_before_the_files_last_update_adds_nothing_to_its_slot),
		cmocka_unit_test(a_takeover_after_a_gap_begins_with_the_old_values),
		cmocka_unit_test(shares_of_huge_slots_do_not_overflow),
		cmocka_unit_test(values_stay_exact_above_two_to_the_53_and_wrap_at_two_to_the_64),
		cmocka_unit_test(the_slot_of_a_time_is_its_start),
	};

	return cmocka_run_group_tests_name("rrd_plan", tests, NULL, NULL);
}
