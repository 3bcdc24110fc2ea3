/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A total and what the classifier saw, divided into classes: each rule alone, then all of them at random.
 */
#include <stdbool.h>
#include <string.h>

#include "account/split.h"
#include "tests/support/unit.h"

#define POLLS 200000

static uint64_t sum(const uint64_t v[CLASS_COUNT])
{
	uint64_t all = 0;

	for (int c = 0; c < CLASS_COUNT; c++)
		all += v[c];
	return all;
}

/* A poll whose classifier saw these bytes. */
static struct split_growth poll_saw(struct split *s, uint64_t total, uint64_t external, uint64_t peer)
{
	const uint64_t seen[CLASS_COUNT] = {[CLASS_EXTERNAL] = external, [CLASS_PEER] = peer};
	struct split_growth g;

	split_poll(s, total, seen, 0, 0, &g);
	assert_int_equal(sum(g.classes), total);
	assert_int_equal(g.estimated, 0);
	return g;
}

static struct split_growth teardown_saw(struct split *s, uint64_t total, uint64_t external, uint64_t peer)
{
	const uint64_t seen[CLASS_COUNT] = {[CLASS_EXTERNAL] = external, [CLASS_PEER] = peer};
	struct split_growth g;

	split_teardown(s, total, seen, 0, 0, &g);
	assert_int_equal(sum(g.classes), total + g.estimated);
	return g;
}

static void expect(const struct split_growth *g, uint64_t external, uint64_t peer, uint64_t local,
		   uint64_t clipped)
{
	assert_int_equal(g->classes[CLASS_EXTERNAL], external);
	assert_int_equal(g->classes[CLASS_PEER], peer);
	assert_int_equal(g->classes[CLASS_LOCAL], local);
	assert_int_equal(g->classes[CLASS_DIRECT], 0);
	assert_int_equal(g->classes[CLASS_IGNORED], 0);
	assert_int_equal(g->classes[CLASS_UNATTRIBUTED], 0);
	assert_int_equal(g->clipped, clipped);
}

static void what_did_not_cross_an_uplink_is_the_rest(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	g = poll_saw(&s, 100, 60, 10);
	expect(&g, 60, 10, 30, 0);
	g = poll_saw(&s, 50, 0, 0);
	expect(&g, 0, 0, 50, 0);
	g = poll_saw(&s, 70, 70, 0);
	expect(&g, 70, 0, 0, 0);
	assert_int_equal(s.total, 220);
	assert_int_equal(s.rest, 80);
}

static void where_nobody_looked_the_rest_is_unattributed(void **state)
{
	const uint64_t seen[CLASS_COUNT] = {[CLASS_DIRECT] = 40, [CLASS_IGNORED] = 2};
	struct split s = {0};
	struct split_growth g;

	(void)state;
	split_poll(&s, 100, seen, 0, SPLIT_BLIND, &g);
	assert_int_equal(g.classes[CLASS_DIRECT], 40);
	assert_int_equal(g.classes[CLASS_IGNORED], 2);
	assert_int_equal(g.classes[CLASS_UNATTRIBUTED], 58);
	assert_int_equal(g.classes[CLASS_LOCAL], 0);
}

static void of_the_rest_at_most_what_was_missed_is_unattributed(void **state)
{
	const uint64_t seen[CLASS_COUNT] = {[CLASS_EXTERNAL] = 40};
	struct split s = {0};
	struct split_growth g;

	(void)state;
	split_poll(&s, 100, seen, 0, 10, &g);
	assert_int_equal(g.classes[CLASS_EXTERNAL], 40);
	assert_int_equal(g.classes[CLASS_UNATTRIBUTED], 10);
	assert_int_equal(g.classes[CLASS_LOCAL], 50);
	split_poll(&s, 45, seen, 0, 10, &g); /* a smaller rest than was missed; nothing hides the remainder */
	assert_int_equal(g.classes[CLASS_UNATTRIBUTED], 5);
	assert_int_equal(g.classes[CLASS_LOCAL], 0);
	split_poll(&s, 45, seen, 0, 0, &g);
	assert_int_equal(g.classes[CLASS_LOCAL], 5);
}

/* 30 were seen early, so 30 of the rest cannot be told yet: they stay under the bound of their own poll. */
static void what_stands_behind_a_surplus_keeps_its_bound(void **state)
{
	const uint64_t none[CLASS_COUNT] = {0}, seen[CLASS_COUNT] = {[CLASS_EXTERNAL] = 70};
	struct split s = {0};
	struct split_growth g;

	(void)state;
	split_poll(&s, 100, seen, 0, 100, &g);
	assert_int_equal(g.classes[CLASS_EXTERNAL], 70);
	assert_int_equal(g.classes[CLASS_UNATTRIBUTED], 30);
	split_poll(&s, 20, seen, 0, 20, &g); /* 70 of them cross, 50 of those after T was read */
	assert_int_equal(g.classes[CLASS_EXTERNAL], 20);
	split_poll(&s, 60, none, 0, 0, &g);
	assert_int_equal(g.classes[CLASS_EXTERNAL], 50);
	assert_int_equal(g.classes[CLASS_UNATTRIBUTED], 10);
	split_poll(&s, 60, none, 0, 0, &g);
	assert_int_equal(g.classes[CLASS_LOCAL], 60);
}

static void a_surplus_is_what_crossed_early_and_is_not_in_the_total(void **state)
{
	const uint64_t none[CLASS_COUNT] = {0},
		       seen[CLASS_COUNT] = {[CLASS_EXTERNAL] = 40, [CLASS_PEER] = 60};
	struct split s = {0};
	struct split_growth g;

	(void)state;
	assert_int_equal(split_surplus(&s, 100, seen, 0), 0);
	assert_int_equal(split_surplus(&s, 70, seen, 0), 30);
	assert_int_equal(split_surplus(&s, 70, seen, 25), 5);
	assert_int_equal(split_surplus(&s, 70, seen, 30), 0);
	assert_int_equal(split_surplus(&s, 0, seen, 1000), 0); /* late is no more than was seen */
	split_poll(&s, 70, seen, 0, 0, &g);
	assert_int_equal(split_waiting(&s), 30);
	assert_int_equal(split_surplus(&s, 0, none, 0), 30);
	assert_int_equal(split_surplus(&s, 30, none, 0), 0);
	split_poll(&s, 0, none, 0, 0, &g);
	assert_int_equal(g.clipped, 30);
	assert_int_equal(sum(g.cut), 30);
	assert_int_equal(split_surplus(&s, 0, none, 0), 0);
	/* the rest is no room for it: what is booked as local was not seen */
	split_poll(&s, 50, none, 0, 0, &g);
	assert_int_equal(split_surplus(&s, 0, seen, 0), 100);
}

static void nothing_seen_and_nothing_moved_books_nothing(void **state)
{
	struct split s = {0};
	struct split_growth g = poll_saw(&s, 0, 0, 0);

	(void)state;
	expect(&g, 0, 0, 0, 0);
}

static void a_surplus_waits_one_poll_for_its_bytes(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	g = poll_saw(&s, 0, 50, 0);
	expect(&g, 0, 0, 0, 0);
	g = poll_saw(&s, 50, 0, 0);
	expect(&g, 50, 0, 0, 0);
}

static void a_surplus_that_waited_one_poll_is_cut_and_never_added(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 0, 50, 0);
	g = poll_saw(&s, 0, 0, 0);
	expect(&g, 0, 0, 0, 50);
	g = poll_saw(&s, 50, 0, 0); /* too late: nobody saw these cross */
	expect(&g, 0, 0, 50, 0);
}

/* Of two polls the second had no reading of the counters: the bytes come with the third. */
static void a_surplus_waits_for_the_next_reading(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 0, 50, 0);
	split_not_read(&s);
	g = poll_saw(&s, 0, 20, 0);
	expect(&g, 0, 0, 0, 0);
	g = poll_saw(&s, 70, 0, 0);
	expect(&g, 70, 0, 0, 0);
}

static void only_the_part_that_found_no_bytes_is_cut(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 0, 50, 0);
	g = poll_saw(&s, 20, 0, 0);
	expect(&g, 20, 0, 0, 30);
}

static void each_surplus_waits_for_itself(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 0, 50, 0);
	g = poll_saw(&s, 0, 30, 0); /* the 50 are cut, the 30 wait */
	expect(&g, 0, 0, 0, 50);
	g = poll_saw(&s, 30, 0, 0);
	expect(&g, 30, 0, 0, 0);
}

static void local_bytes_that_come_with_a_surplus_hide_behind_it_until_it_is_settled(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	/* 100 local and 40 external; the classifier is already 60 external ahead */
	g = poll_saw(&s, 140, 100, 0);
	assert_int_equal(g.classes[CLASS_LOCAL], 40);
	assert_int_equal(g.classes[CLASS_EXTERNAL], 100);
	g = poll_saw(&s, 60, 0, 0);
	expect(&g, 0, 0, 60, 0);
	assert_int_equal(s.rest, 100);
	assert_int_equal(sum(s.booked), 100);
}

static void what_is_booked_as_rest_is_never_taken_back(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 100, 0, 0);
	g = poll_saw(&s, 0, 100, 0); /* seen late: T - S falls, the rest does not */
	expect(&g, 0, 0, 0, 0);
	assert_int_equal(s.rest, 100);
	g = poll_saw(&s, 0, 0, 0);
	expect(&g, 0, 0, 0, 100);
}

static void a_cut_touches_no_class_beyond_what_it_has_waiting(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 10, 10, 0);
	poll_saw(&s, 0, 3, 90);
	g = poll_saw(&s, 31, 0, 0);
	assert_int_equal(g.clipped, 62);
	assert_true(g.classes[CLASS_EXTERNAL] <= 3);
	assert_true(g.classes[CLASS_PEER] <= 90);
	assert_int_equal(s.booked[CLASS_EXTERNAL] + s.booked[CLASS_PEER], 41);
	g = poll_saw(&s, 5, 5, 0);
	expect(&g, 5, 0, 0, 0);
}

static void a_teardown_raises_the_total_to_what_was_seen(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 100, 60, 0);
	g = teardown_saw(&s, 0, 30, 5);
	expect(&g, 30, 5, 0, 0);
	assert_int_equal(g.estimated, 35);
	assert_int_equal(s.total, 135);
}

static void a_teardown_that_lost_nothing_estimates_nothing(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	g = teardown_saw(&s, 100, 60, 0);
	expect(&g, 60, 0, 40, 0);
	assert_int_equal(g.estimated, 0);
	g = teardown_saw(&s, 0, 0, 0);
	expect(&g, 0, 0, 0, 0);
}

/* The classifier is read after T: at any poll it may be ahead. Where the counters are thrown away afterwards,
 * the bytes that it was ahead by are gone from T too. */
static void a_teardown_raises_the_total_by_what_was_seen_ahead_at_the_poll_before(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 100, 120, 0);
	g = teardown_saw(&s, 0, 10, 0);
	expect(&g, 30, 0, 0, 0);
	assert_int_equal(g.estimated, 30);
	assert_int_equal(s.total, 130);
}

/* A poll after a life of T's counters ended; `late` of what was seen is the new life's, and not read yet. */
static struct split_growth lost_saw(struct split *s, uint64_t total, uint64_t external, uint64_t late)
{
	const uint64_t seen[CLASS_COUNT] = {[CLASS_EXTERNAL] = external};
	struct split_growth g;

	split_lost(s);
	split_poll(s, total, seen, late, 0, &g);
	assert_int_equal(sum(g.classes), total + g.estimated);
	return g;
}

static struct split_growth poll_after_loss(struct split *s, uint64_t total, uint64_t external)
{
	const uint64_t seen[CLASS_COUNT] = {[CLASS_EXTERNAL] = external};
	struct split_growth g;

	split_poll(s, total, seen, 0, 0, &g);
	assert_int_equal(sum(g.classes), total + g.estimated);
	return g;
}

/* 30 were seen of the life that ended, 50 of the new one, 20 of those before its first reading. */
static void what_was_seen_of_a_life_whose_end_was_not_read_raises_the_total_at_the_next_poll(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 100, 60, 0);
	g = lost_saw(&s, 20, 80, 30);
	expect(&g, 20, 0, 0, 0);
	assert_int_equal(g.estimated, 0);
	g = poll_after_loss(&s, 30, 0);
	expect(&g, 60, 0, 0, 0);
	assert_int_equal(g.estimated, 30);
	assert_int_equal(s.total, 180);
	/* from then on all is as before */
	g = poll_saw(&s, 0, 10, 0);
	g = poll_saw(&s, 0, 0, 0);
	expect(&g, 0, 0, 0, 10);
}

static void what_waited_when_a_life_ended_was_in_it(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	poll_saw(&s, 100, 120, 0);
	g = lost_saw(&s, 0, 0, 0);
	expect(&g, 20, 0, 0, 0);
	assert_int_equal(g.estimated, 20);
}

static void lives_that_end_at_each_poll_lose_nothing_that_was_seen(void **state)
{
	struct split s = {0};
	uint64_t external = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		external += lost_saw(&s, 10, 400, 0).classes[CLASS_EXTERNAL];
	external += poll_after_loss(&s, 0, 0).classes[CLASS_EXTERNAL];
	assert_int_equal(external, 2000);
	assert_int_equal(split_waiting(&s), 0);
}

static void a_life_that_ends_and_loses_nothing_estimates_nothing(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	g = lost_saw(&s, 100, 60, 0);
	expect(&g, 60, 0, 40, 0);
	g = poll_after_loss(&s, 10, 10);
	expect(&g, 10, 0, 0, 0);
	assert_int_equal(g.estimated, 0);
}

/* The poll after the end had no reading: what waits goes on waiting. */
static void what_was_lost_waits_for_a_reading(void **state)
{
	struct split s = {0};
	struct split_growth g;

	(void)state;
	g = lost_saw(&s, 0, 50, 20);
	split_not_read(&s);
	g = poll_after_loss(&s, 0, 0);
	expect(&g, 0, 0, 0, 0);
	g = poll_after_loss(&s, 20, 0);
	expect(&g, 50, 0, 0, 0);
	assert_int_equal(g.estimated, 30);
}

static void large_numbers_are_shared_exactly(void **state)
{
	struct split s = {0};
	struct split_growth g;
	const uint64_t much = UINT64_C(1) << 60;

	(void)state;
	g = poll_saw(&s, 0, much, much + 1);
	expect(&g, 0, 0, 0, 0);
	g = poll_saw(&s, much, 0, 0);
	assert_int_equal(g.clipped, much + 1);
	assert_int_equal(g.classes[CLASS_EXTERNAL] + g.classes[CLASS_PEER], much);
}

/* Any polls at all: what must always hold. */
static void whatever_is_read_and_seen_every_poll_adds_up(void **state)
{
	struct random r = random_new();
	struct split s = {0};
	uint64_t total = 0, seen_all = 0, clipped = 0, estimated = 0, rest = 0, booked[CLASS_COUNT] = {0},
		 seen_by_class[CLASS_COUNT] = {0}, running_max = 0, waiting = 0, missed_all = 0,
		 unattributed_all = 0;
	bool lost_before = false;

	(void)state;
	for (int i = 0; i < POLLS; i++) {
		uint64_t seen[CLASS_COUNT] = {0}, grew = random_below(&r, 4) ? random_below(&r, 3000) : 0;
		uint64_t must_cut, available;
		uint64_t missed = random_below(&r, 3) ? random_below(&r, 500) : 0, unattributed;
		bool last = random_below(&r, 50) == 0, lost = random_below(&r, 20) == 0;
		struct split_growth g;

		for (int c = 0; c < CLASS_COUNT; c++)
			if (c != CLASS_UNATTRIBUTED && random_below(&r, 3) == 0)
				seen[c] = random_below(&r, 1000);
		for (int c = 0; c < CLASS_COUNT; c++)
			seen_by_class[c] += seen[c];
		total += grew;
		seen_all += sum(seen);
		missed_all += missed;
		if (lost)
			split_lost(&s);
		if (last)
			split_teardown(&s, grew, seen, 0, missed, &g);
		else
			split_poll(&s, grew, seen, 0, missed, &g);
		/* identity, in this poll and since the beginning */
		assert_int_equal(sum(g.classes), grew + g.estimated);
		assert_true(last || lost || lost_before || g.estimated == 0);
		assert_int_equal(s.total, total + g.estimated);
		for (int c = 0; c < CLASS_COUNT; c++)
			assert_true(g.classes[c] <= grew + g.estimated); /* nothing below zero */
		/* the rest: exactly the running maximum of T - S, S without what was cut before this poll */
		if (total > seen_all - clipped && total - (seen_all - clipped) > running_max)
			running_max = total - (seen_all - clipped);
		assert_int_equal(s.rest, running_max);
		/* of its growth, as much as may be is unattributed; each missed byte explains one */
		unattributed = g.classes[CLASS_UNATTRIBUTED];
		assert_true(unattributed >= (missed < s.rest - rest ? missed : s.rest - rest));
		assert_int_equal(unattributed + g.classes[CLASS_LOCAL] - g.seen[CLASS_LOCAL], s.rest - rest);
		unattributed_all += unattributed;
		assert_true(unattributed_all <= missed_all);
		assert_int_equal(sum(g.cut), g.clipped);
		/* exactly what waited since the poll before and found no bytes is cut, or was lost */
		available = total - s.rest;
		must_cut = !last && waiting > available ? waiting - available : 0;
		assert_true(g.clipped == 0 || !(last || lost || lost_before));
		assert_true(last || g.clipped + g.estimated == must_cut);
		lost_before = lost && !last;
		clipped += g.clipped;
		total += g.estimated;
		estimated += g.estimated;
		rest = s.rest;
		/* classes book min(S, T - rest) */
		for (int c = 0; c < CLASS_COUNT; c++) {
			booked[c] += g.classes[c];
			assert_true(s.booked[c] <= s.seen[c]);
			assert_true(s.seen[c] <= seen_by_class[c]);
		}
		assert_int_equal(sum(booked), total);
		assert_int_equal(sum(s.booked) + s.rest, total);
		waiting = seen_all - clipped;
		assert_int_equal(sum(s.seen), waiting);
		assert_true(sum(s.booked) <= seen_all);
		if (last)
			assert_int_equal(sum(s.booked), sum(s.seen));
	}
	assert_true(clipped > 0 && estimated > 0); /* else nothing was tried */
}

/* A classifier that is read a random while after T, always less than a poll. */
static void a_classifier_that_runs_ahead_by_less_than_a_poll_loses_nothing(void **state)
{
	struct random r = random_new();

	(void)state;
	for (int life = 0; life < 2000; life++) {
		uint64_t true_class[CLASS_COUNT] = {0}, seen_before[CLASS_COUNT] = {0},
			 booked[CLASS_COUNT] = {0};
		uint64_t ahead[CLASS_COUNT] = {0};
		int polls = 2 + (int)random_below(&r, 120);
		struct split s = {0};

		for (int i = 0; i < polls; i++) {
			uint64_t grew = 0, seen_now[CLASS_COUNT] = {0}, next[CLASS_COUNT] = {0};
			struct split_growth g;

			/* this poll's traffic: what was seen ahead of it comes first */
			for (int c = 0; c < CLASS_COUNT; c++) {
				uint64_t moved = ahead[c];

				if (c != CLASS_UNATTRIBUTED && random_below(&r, 2))
					moved += random_below(&r, 100000);
				true_class[c] += moved;
				grew += moved;
			}
			/* and some of the next one is seen already */
			for (int c = 0; c < CLASS_COUNT; c++) {
				if (i + 1 < polls && c != CLASS_LOCAL && c != CLASS_UNATTRIBUTED &&
				    random_below(&r, 2))
					next[c] = random_below(&r, 100000);
				if (c != CLASS_LOCAL) {
					seen_now[c] = true_class[c] + next[c] - seen_before[c];
					seen_before[c] += seen_now[c];
				}
				ahead[c] = next[c];
			}
			split_poll(&s, grew, seen_now, 0, 0, &g);
			assert_int_equal(sum(g.classes), grew);
			assert_int_equal(g.clipped, 0);
			for (int c = 0; c < CLASS_COUNT; c++)
				booked[c] += g.classes[c];
			if (random_below(&r, 8) == 0) { /* a restart keeps what waits, and nothing else */
				uint64_t waiting[CLASS_COUNT];

				for (int c = 0; c < CLASS_COUNT; c++)
					waiting[c] = s.seen[c] - s.booked[c];
				s = (struct split){0};
				split_resume(&s, waiting);
				assert_int_equal(split_waiting(&s), sum(waiting));
			}
			/* never more local than there was */
			assert_true(booked[CLASS_LOCAL] <= true_class[CLASS_LOCAL]);
		}
		for (int c = 0; c < CLASS_COUNT; c++)
			assert_int_equal(booked[c], true_class[c]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_did_not_cross_an_uplink_is_the_rest),
		cmocka_unit_test(where_nobody_looked_the_rest_is_unattributed),
		cmocka_unit_test(of_the_rest_at_most_what_was_missed_is_unattributed),
		cmocka_unit_test(what_stands_behind_a_surplus_keeps_its_bound),
		cmocka_unit_test(a_surplus_is_what_crossed_early_and_is_not_in_the_total),
		cmocka_unit_test(nothing_seen_and_nothing_moved_books_nothing),
		cmocka_unit_test(a_surplus_waits_one_poll_for_its_bytes),
		cmocka_unit_test(a_surplus_that_waited_one_poll_is_cut_and_never_added),
		cmocka_unit_test(a_surplus_waits_for_the_next_reading),
		cmocka_unit_test(only_the_part_that_found_no_bytes_is_cut),
		cmocka_unit_test(each_surplus_waits_for_itself),
		cmocka_unit_test(local_bytes_that_come_with_a_surplus_hide_behind_it_until_it_is_settled),
		cmocka_unit_test(what_is_booked_as_rest_is_never_taken_back),
		cmocka_unit_test(a_cut_touches_no_class_beyond_what_it_has_waiting),
		cmocka_unit_test(a_teardown_raises_the_total_to_what_was_seen),
		cmocka_unit_test(a_teardown_that_lost_nothing_estimates_nothing),
		cmocka_unit_test(a_teardown_raises_the_total_by_what_was_seen_ahead_at_the_poll_before),
		cmocka_unit_test(
			what_was_seen_of_a_life_whose_end_was_not_read_raises_the_total_at_the_next_poll),
		cmocka_unit_test(what_waited_when_a_life_ended_was_in_it),
		cmocka_unit_test(lives_that_end_at_each_poll_lose_nothing_that_was_seen),
		cmocka_unit_test(a_life_that_ends_and_loses_nothing_estimates_nothing),
		cmocka_unit_test(what_was_lost_waits_for_a_reading),
		cmocka_unit_test(large_numbers_are_shared_exactly),
		cmocka_unit_test(whatever_is_read_and_seen_every_poll_adds_up),
		cmocka_unit_test(a_classifier_that_runs_ahead_by_less_than_a_poll_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
