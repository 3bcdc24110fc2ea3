/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a frame becomes when more is told after it: vifs, those that are gone, the instant of a reading
 * (late), an answer; and flows, which are looked up once.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "tests/support/table_bed.h"
#include "tests/support/unit.h"

static void a_vif_gets_what_was_seen_before_it_was_told(void **state)
{
	struct table_bed *b = *state;

	table_bed_told(b);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 50);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "10.9.9.9", 2, 150);
	table_bed_out(b, 1, "10.0.0.9", "192.0.2.1", 4);
	table_bed_in(b, 1, "10.0.0.2", "192.0.2.1", 8);
	table_bed_out(b, 99, "10.0.0.9", "192.0.2.1", 16);
	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 7, 1, "10.0.0.2", 0);
	table_bed_told(b);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 32, 250);
	table_bed_late_after(b, 100);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 64, 350);
	table_bed_ask(b);
	table_bed_expect_records(b, 3);
	table_bed_expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 1 + 32 + 64, 3);
	table_bed_expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_LOCAL, 2, 1);
	table_bed_expect(b, 7, "10.0.0.2", DIR_INPUT, CLASS_EXTERNAL, 8, 1);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 4, 1);
	table_bed_expect_spoofed(b, 7, 4, 1);
	table_bed_expect_strays(b, 16, 1, 0, 0);
	table_bed_expect_stray_mac(b, 99);
	assert_int_equal(table_bed_seen_of(b, 7, "10.0.0.1")->late[DIR_OUTPUT], 2 + 32 + 64);
}

static void what_turns_out_to_be_two_vifs_is_a_stray_and_what_is_dom0s_is_none(void **state)
{
	struct table_bed *b = *state;

	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 50);
	table_bed_in(b, 1, "10.0.0.1", "192.0.2.1", 2);
	table_bed_frame_at(b, DIR_OUTPUT, 5, "10.0.0.5", "192.0.2.1", 4, 50);
	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_tell(b, 8, 1, NULL, 0);
	table_bed_tell(b, 0, 5, NULL, CAPTURE_HOST);
	table_bed_told(b);
	table_bed_late_after(b, 40);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 1, 1, 2, 1);
	table_bed_expect_stray_mac(b, 1);
	assert_int_equal(b->answer.stray_late, 1);
}

static void an_answer_ends_the_time_in_which_it_is_credited(void **state)
{
	struct table_bed *b = *state;

	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	table_bed_in(b, 1, "10.0.0.1", "192.0.2.1", 2);
	table_bed_ask(b);
	table_bed_expect_strays(b, 1, 1, 0, 0);
	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_told(b);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
}

static void strangers_without_number_are_counted_in_bounded_memory(void **state)
{
	struct table_bed *b = *state;

	for (unsigned n = 0; n < 3 * TABLE_UNKNOWN; n++) {
		table_bed_out(b, 1000 + n, "10.0.0.1", "192.0.2.1", 10);
		table_bed_in(b, 1000 + n, "10.0.0.1", "192.0.2.1", 10);
	}
	table_bed_tell(b, 7, 1000, NULL, 0);
	table_bed_tell(b, 8, 1000 + TABLE_UNKNOWN - 1, NULL, 0);
	table_bed_tell(b, 9, 1000 + TABLE_UNKNOWN, NULL, 0);
	table_bed_told(b);
	table_bed_ask(b);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 10, 1);
	table_bed_expect(b, 8, NULL, DIR_INPUT, CLASS_EXTERNAL, 10, 1);
	table_bed_expect_records(b, 2);
	table_bed_expect_strays(b, 10 * (3 * TABLE_UNKNOWN - 2), 3 * TABLE_UNKNOWN - 2, 0, 0);
}

static void a_vif_that_is_gone_is_answered_once_more(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 7, 1, "10.0.0.2", 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	table_bed_out(b, 1, "10.0.0.3", "192.0.2.1", 50);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	table_bed_ask(b);
	table_bed_expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 100, 1);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 50, 1);
	table_bed_expect_strays(b, 1, 1, 0, 0);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
}

static void a_new_table_takes_effect_at_once_and_loses_no_count(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 1);
	table_bed_tell(b, 8, 1, NULL, 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 2);
	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_tell(b, 7, 1, "10.0.0.2", 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 4);
	table_bed_ask(b);
	table_bed_expect_records(b, 3);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1, 1);
	table_bed_expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 2, 1);
	table_bed_expect(b, 7, "10.0.0.1", DIR_OUTPUT, CLASS_EXTERNAL, 4, 1);
}

static void late_is_what_crossed_after_the_reading_began(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_told(b);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 100);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 2, 101);
	table_bed_frame_at(b, DIR_INPUT, 1, "10.0.0.1", "192.0.2.1", 4, 101);
	table_bed_frame_at(b, DIR_OUTPUT, 9, "10.0.0.9", "192.0.2.1", 8, 101);
	table_bed_frame_at(b, DIR_OUTPUT, 9, "10.0.0.9", "192.0.2.1", 16, 100);
	table_bed_late_after(b, 100);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 32, 100);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 64, 102);
	table_bed_ask(b);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1 + 2 + 32 + 64, 4);
	assert_int_equal(table_bed_seen_of(b, 7, NULL)->late[DIR_OUTPUT], 2 + 64);
	assert_int_equal(table_bed_seen_of(b, 7, NULL)->late[DIR_INPUT], 4);
	assert_int_equal(b->answer.stray_late, 8);
	table_bed_expect_strays(b, 24, 2, 0, 0);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 128, 300);
	table_bed_late_after(b, 300);
	table_bed_ask(b);
	assert_int_equal(table_bed_seen_of(b, 7, NULL)->late[DIR_OUTPUT], 0);
}

/* What crossed before the reading began, but in its tick, is called late with it. */
static void a_tick_is_late_as_a_whole(void **state)
{
	struct table_bed *b = *state;
	struct frame f = {.has_mac = true, .is_ip = true};

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_tell(b, 8, 2, NULL, 0);
	table_bed_told(b);
	table_bed_address_of(f.target, "192.0.2.1");
	for (unsigned i = 0; i < 6000; i++) { /* six ticks of 1,000 each; two guests in turn */
		table_bed_mac_of(f.source_mac, 1 + i % 2);
		f.ip_bytes = 1 + i / 1000;
		table_frame(b->table, DIR_OUTPUT, &f, (TABLE_TICK * i) / 1000);
	}
	table_late_after(b->table, 4 * TABLE_TICK + TABLE_TICK / 2);
	table_bed_mac_of(f.source_mac, 1);
	f.ip_bytes = 100000;
	table_frame(b->table, DIR_OUTPUT, &f, 4 * TABLE_TICK);
	f.ip_bytes = 10000000;
	table_frame(b->table, DIR_OUTPUT, &f, 4 * TABLE_TICK - 1);
	table_bed_ask(b);
	for (int64_t vif = 7; vif <= 8; vif++) {
		uint64_t more = vif == 7 ? 100000 : 0;

		assert_int_equal(table_bed_seen_of(b, vif, NULL)->late[DIR_OUTPUT], 500 * (5 + 6) + more);
		table_bed_expect(b, vif, NULL, DIR_OUTPUT, CLASS_EXTERNAL,
				 500 * (1 + 2 + 3 + 4 + 5 + 6) + more + (vif == 7 ? 10000000 : 0),
				 vif == 7 ? 3002 : 3000);
	}
}

/* More frames than stamps are kept, but of few ticks: none is forgotten. */
static void frames_of_a_tick_take_one_place(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_tell(b, 8, 2, NULL, 0);
	table_bed_told(b);
	for (int i = 0; i < 3 * TABLE_RECENT; i++) {
		table_bed_frame_at(b, DIR_OUTPUT, 1 + i % 2, i % 2 ? "10.0.0.2" : "10.0.0.1", "192.0.2.1", 1,
				   100 + i / TABLE_RECENT);
		table_bed_frame_at(b, DIR_INPUT, 1, "10.0.0.1", "192.0.2.1", 1, 100 + i / TABLE_RECENT);
	}
	table_bed_late_after(b, 0);
	table_bed_ask(b);
	assert_int_equal(table_bed_seen_of(b, 7, NULL)->late[DIR_OUTPUT], 3 * TABLE_RECENT / 2);
	assert_int_equal(table_bed_seen_of(b, 8, NULL)->late[DIR_OUTPUT], 3 * TABLE_RECENT / 2);
	assert_int_equal(table_bed_seen_of(b, 7, NULL)->late[DIR_INPUT], 3 * TABLE_RECENT);
}

/* A frame of an old tick does not share the place of those that are about to be forgotten. */
static void what_was_noted_now_is_not_the_next_to_go(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_tell(b, 8, 2, NULL, 0);
	table_bed_told(b);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 100);
	for (int i = 0; i < TABLE_RECENT - 1; i++)
		table_bed_frame_at(b, DIR_OUTPUT, 2, "10.0.0.2", "192.0.2.1", 1, 200 + i);
	table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 10, 100);
	for (int i = 0; i < TABLE_RECENT / 2 - 1; i++)
		table_bed_frame_at(b, DIR_OUTPUT, 2, "10.0.0.2", "192.0.2.1", 1, 100000 + i);
	table_bed_late_after(b, 99);
	table_bed_ask(b);
	assert_int_equal(table_bed_seen_of(b, 7, NULL)->late[DIR_OUTPUT], 10);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 11, 2);
}

static void the_newest_frames_are_what_can_still_be_called_late(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, NULL, 0);
	table_bed_told(b);
	for (int i = 0; i < TABLE_RECENT + 10; i++)
		table_bed_frame_at(b, DIR_OUTPUT, 1, "10.0.0.1", "192.0.2.1", 1, 100 + i);
	table_bed_late_after(b, 0);
	table_bed_ask(b);
	assert_int_equal(table_bed_seen_of(b, 7, NULL)->late[DIR_OUTPUT], TABLE_RECENT);
}

/* Whatever is told in whatever order: every byte that was sent is in the answers, once. */
static void no_byte_is_lost_or_doubled(void **state)
{
	static const char *const addresses[] = {"10.0.0.1", "10.0.0.2", "192.0.2.7", "2001:db8::1"};
	struct random r = random_new();
	uint64_t sent = 0, answered = 0;
	struct table_bed *b = *state;

	for (int round = 0; round < 3000; round++) {
		unsigned tells = (unsigned)random_below(&r, 8), frames = (unsigned)random_below(&r, 50);

		while (tells--) { /* dom0 as well, but with one vif, so that everything is counted */
			unsigned flags = random_below(&r, 3)   ? 0
					 : random_below(&r, 2) ? CAPTURE_ROUTED
							       : CAPTURE_HOST;

			table_bed_tell(b, flags == CAPTURE_HOST ? 9 : 1 + (int64_t)random_below(&r, 5),
				       (unsigned)random_below(&r, 5),
				       random_below(&r, 2) ? addresses[random_below(&r, 4)] : NULL, flags);
		}
		if (random_below(&r, 3) == 0)
			table_bed_told(b);
		else
			b->count = 0;
		while (frames--) {
			uint32_t bytes = 1 + (uint32_t)random_below(&r, 1500);

			table_bed_out(b, 1 + (unsigned)random_below(&r, 6), addresses[random_below(&r, 4)],
				      "192.0.2.1", bytes);
			sent += bytes;
		}
		if (random_below(&r, 4))
			continue;
		table_late_after(b->table, -1);
		table_bed_ask(b);
		uint64_t late = b->answer.stray_late, all = b->answer.stray_bytes[DIR_OUTPUT];

		for (size_t i = 0; i < b->answer.count; i++) {
			all += class_bytes_total(&b->seen[i].bytes, DIR_OUTPUT);
			late += b->seen[i].late[DIR_OUTPUT];
		}
		assert_int_equal(late, all);
		answered += all;
	}
	table_bed_ask(b);
	answered += b->answer.stray_bytes[DIR_OUTPUT];
	for (size_t i = 0; i < b->answer.count; i++)
		answered += class_bytes_total(&b->seen[i].bytes, DIR_OUTPUT);
	assert_int_equal(answered, sent);
}

/* It is looked up once only; then who is there changes, or an answer takes the counts away. */
static void a_flow_that_goes_on_is_whose_it_is_now(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 7, 1, "10.0.0.1", 0);
	table_bed_told(b);
	for (int i = 0; i < 3; i++)
		table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 100);
	table_bed_in(b, 1, "10.0.0.1", "192.0.2.1", 40);
	table_bed_out(b, 1, "10.0.0.9", "192.0.2.1", 7);
	table_bed_out(b, 1, "10.0.0.9", "192.0.2.1", 7);
	table_bed_tell(b, 8, 1, "10.0.0.9", 0);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.1", "192.0.2.1", 1000);
	table_bed_out(b, 1, "10.0.0.9", "192.0.2.1", 3);
	table_bed_ask(b);
	table_bed_expect(b, 7, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 314, 5);
	table_bed_expect(b, 7, NULL, DIR_INPUT, CLASS_EXTERNAL, 40, 1);
	table_bed_expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 1003, 2);
	table_bed_expect_spoofed(b, 7, 14, 2);
	table_bed_expect_spoofed(b, 8, 1000, 1);
	table_bed_out(b, 1, "10.0.0.9", "192.0.2.1", 5);
	table_bed_ask(b);
	table_bed_expect(b, 8, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 5, 1);
	table_bed_told(b);
	table_bed_out(b, 1, "10.0.0.9", "192.0.2.1", 6);
	table_bed_ask(b);
	table_bed_expect_records(b, 0);
	table_bed_expect_strays(b, 6, 1, 0, 0);
}

/* More than are remembered, in turn, of two guests and both ways. */
static void many_flows_take_nothing_of_each_other(void **state)
{
	struct table_bed *b = *state;

	table_bed_tell(b, 1, 1, NULL, 0);
	table_bed_tell(b, 2, 2, NULL, 0);
	table_bed_told(b);
	for (unsigned i = 0; i < 30000; i++) {
		unsigned flow = i % 1000;
		char *remote = mem_printf("192.0.%u.%u", flow / 250, flow % 250 + 1);

		table_bed_out(b, 1, "10.0.0.1", remote, 100);
		table_bed_out(b, 2, "10.0.0.1", remote, 1000);
		table_bed_in(b, 2, "10.0.0.1", remote, 10);
		free(remote);
	}
	table_bed_ask(b);
	table_bed_expect(b, 1, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 3000000, 30000);
	table_bed_expect(b, 2, NULL, DIR_OUTPUT, CLASS_EXTERNAL, 30000000, 30000);
	table_bed_expect(b, 2, NULL, DIR_INPUT, CLASS_EXTERNAL, 300000, 30000);
	table_bed_expect_records(b, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, table_bed_set_up, table_bed_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_vif_gets_what_was_seen_before_it_was_told),
		TEST(what_turns_out_to_be_two_vifs_is_a_stray_and_what_is_dom0s_is_none),
		TEST(an_answer_ends_the_time_in_which_it_is_credited),
		TEST(strangers_without_number_are_counted_in_bounded_memory),
		TEST(a_vif_that_is_gone_is_answered_once_more),
		TEST(a_new_table_takes_effect_at_once_and_loses_no_count),
		TEST(late_is_what_crossed_after_the_reading_began),
		TEST(a_tick_is_late_as_a_whole),
		TEST(frames_of_a_tick_take_one_place),
		TEST(what_was_noted_now_is_not_the_next_to_go),
		TEST(the_newest_frames_are_what_can_still_be_called_late),
		TEST(no_byte_is_lost_or_doubled),
		TEST(a_flow_that_goes_on_is_whose_it_is_now),
		TEST(many_flows_take_nothing_of_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
