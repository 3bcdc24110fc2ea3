/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What xenbw-capture's worker says, and what it cannot make xenbwd keep: the worker reads what strangers
 * send.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/heard.h"
#include "tests/support/unit.h"

#define MOST UINT64_MAX

static bool add(struct heard *h, const struct capture_seen *list, uint32_t count)
{
	struct capture_answer a = {.count = count, .stray_bytes = {3, 5}, .stray_late = 2};
	int table = capture_table_pack(list, count, sizeof(*list), NULL);
	bool good = heard_add(h, &a, table);

	close(table);
	return good;
}

static struct capture_seen of(int64_t vif, enum byte_class class, uint64_t bytes)
{
	struct capture_seen s = {.vif = vif};

	s.bytes.bytes[DIR_OUTPUT][class] = bytes;
	return s;
}

static void answers_add_up_and_are_found_by_vif(void **state)
{
	struct capture_seen first[] = {of(7, CLASS_PEER, 100), of(2, CLASS_LOCAL, 50)},
			    second[] = {of(7, CLASS_EXTERNAL, 10)};
	struct heard h = {0};

	(void)state;
	assert_true(add(&h, first, 2));
	assert_true(add(&h, second, 1));
	assert_true(add(&h, NULL, 0));
	heard_sort(&h);
	assert_int_equal(h.count, 3);
	assert_int_equal(heard_first(&h, 2), 0);
	assert_int_equal(heard_first(&h, 7), 1);
	assert_int_equal(heard_first(&h, 8), 3);
	assert_int_equal(h.bytes, 160);
	assert_int_equal(h.stray_bytes[DIR_INPUT], 9);
	assert_int_equal(h.stray_bytes[DIR_OUTPUT], 15);
	assert_int_equal(h.stray_late, 6);
	heard_clear(&h);
	assert_int_equal(h.count, 0);
}

static void the_first_stray_is_named_whatever_comes_after_it(void **state)
{
	struct capture_answer stray = {.stray_packets = {0, 1}, .stray_mac = {2, 0, 0, 0, 0, 1}},
			      none = {.stray_packets = {1, 0}}, other = stray;
	int table = capture_table_pack(NULL, 0, sizeof(struct capture_seen), NULL);
	struct heard h = {0};

	(void)state;
	other.stray_mac[5] = 2;
	assert_true(heard_add(&h, &none, table));
	assert_true(heard_add(&h, &stray, table));
	assert_true(heard_add(&h, &none, table));
	assert_true(heard_add(&h, &other, table));
	assert_memory_equal(h.stray_mac, stray.stray_mac, sizeof(h.stray_mac));
	close(table);
	heard_clear(&h);
}

/* Each number would do for itself; together they would wrap, and the vif's books with them. */
static void what_cannot_be_added_up_is_nonsense(void **state)
{
	struct capture_seen many[600],
		two[2] = {of(1, CLASS_EXTERNAL, HEARD_BYTES / 2), of(1, CLASS_PEER, HEARD_BYTES / 2)};
	struct heard h = {0};

	(void)state;
	for (size_t i = 0; i < 600; i++)
		many[i] = of(1, CLASS_EXTERNAL, HEARD_BYTES - 1);
	assert_false(add(&h, many, 600));
	assert_false(add(&h, two, 2));
	assert_true(add(&h, two, 1)); /* nor in two answers */
	assert_false(add(&h, two, 1));
	assert_int_equal(h.count, 1);
	assert_int_equal(h.stray_late, 2);
	heard_clear(&h);
	two[0] = of(1, CLASS_EXTERNAL, MOST);
	assert_false(add(&h, two, 1));
	two[0] = (struct capture_seen){.vif = 1, .late = {MOST, 1}};
	assert_false(add(&h, two, 1));
	two[0] = (struct capture_seen){.vif = 1, .spoofed_bytes = MOST};
	assert_false(add(&h, two, 1));
	assert_int_equal(h.count, 0);
}

static void nobody_saw_what_is_unattributed(void **state)
{
	struct capture_seen s = of(1, CLASS_UNATTRIBUTED, 1);
	struct heard h = {0};

	(void)state;
	assert_false(add(&h, &s, 1));
	heard_clear(&h);
}

static void strays_and_drops_stay_small_enough_to_multiply(void **state)
{
	struct capture_answer a = {.stray_bytes = {MOST, MOST}, .stray_late = MOST};
	struct heard h = {0};
	int table = capture_table_pack(NULL, 0, sizeof(struct capture_seen), NULL);

	(void)state;
	assert_true(heard_add(&h, &a, table));
	assert_true(heard_add(&h, &a, table));
	assert_int_equal(h.stray_bytes[DIR_OUTPUT], HEARD_BYTES);
	assert_int_equal(h.stray_late, HEARD_BYTES);
	a.dropped[DIR_INPUT] = MOST / 65535;
	assert_false(heard_add(&h, &a, table));
	close(table);
	heard_clear(&h);
}

/* What a worker saw was booked without it, when its answer came too late; what it missed is still told. */
static void of_a_late_answer_only_the_drops_are_kept(void **state)
{
	struct capture_answer a = {.count = 7, .stray_bytes = {3, 5}, .dropped = {4, 9}};
	struct heard h = {0};

	(void)state;
	assert_true(heard_add_dropped(&h, &a));
	assert_true(heard_add_dropped(&h, &a));
	assert_int_equal(h.dropped[DIR_INPUT], 8);
	assert_int_equal(h.dropped[DIR_OUTPUT], 18);
	assert_int_equal(h.count, 0);
	assert_int_equal(h.stray_bytes[DIR_OUTPUT], 0);
	a.dropped[DIR_OUTPUT] = MOST;
	assert_false(heard_add_dropped(&h, &a));
	assert_int_equal(h.dropped[DIR_INPUT], 8);
}

/* Counted in one poll, in the counters perhaps only at the next. */
static void what_was_missed_may_show_a_poll_later(void **state)
{
	struct heard h = {.stray_bytes = {10, 20}, .stray_late = 7, .dropped = {1, 2}};
	uint64_t missed[DIR_COUNT], next[DIR_COUNT];

	(void)state;
	heard_missed(&h, missed, next);
	assert_int_equal(missed[DIR_INPUT], 10 + 65550);
	assert_int_equal(missed[DIR_OUTPUT], 20 + 2 * 65550);
	assert_int_equal(next[DIR_INPUT], 10 + 65550);
	assert_int_equal(next[DIR_OUTPUT], 2 * 65550 + 7);
}

static void what_is_kept_is_bounded_however_many_answers_come(void **state)
{
	uint32_t part = HEARD_RECORDS / 2;
	struct capture_seen *list = mem_array(part, sizeof(*list));
	struct heard h = {0};

	(void)state;
	assert_true(add(&h, list, part));
	assert_true(add(&h, list, part));
	assert_false(add(&h, list, 1));
	assert_int_equal(h.count, HEARD_RECORDS);
	heard_clear(&h);
	free(list);
}

static void a_table_that_does_not_fit_its_message_is_nonsense(void **state)
{
	struct capture_seen one = of(1, CLASS_PEER, 1);
	struct capture_answer a = {.count = 2};
	struct heard h = {0};
	int table = capture_table_pack(&one, 1, sizeof(one), NULL);

	(void)state;
	assert_false(heard_add(&h, &a, table));
	assert_false(heard_add(&h, &a, -1));
	close(table);
	heard_clear(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_add_up_and_are_found_by_vif),
		cmocka_unit_test(the_first_stray_is_named_whatever_comes_after_it),
		cmocka_unit_test(what_cannot_be_added_up_is_nonsense),
		cmocka_unit_test(nobody_saw_what_is_unattributed),
		cmocka_unit_test(strays_and_drops_stay_small_enough_to_multiply),
		cmocka_unit_test(of_a_late_answer_only_the_drops_are_kept),
		cmocka_unit_test(what_was_missed_may_show_a_poll_later),
		cmocka_unit_test(what_is_kept_is_bounded_however_many_answers_come),
		cmocka_unit_test(a_table_that_does_not_fit_its_message_is_nonsense),
	};

	return cmocka_run_group_tests_name("heard", tests, NULL, NULL);
}
