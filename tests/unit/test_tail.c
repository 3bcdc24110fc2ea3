/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A life's last bytes, from a count that outlives its counters: each rule alone. tests/sim/test_sim_tail.c
 * has all of them at random.
 */
#include <stdbool.h>

#include "account/tail.h"
#include "tests/support/unit.h"

/* Packets of 100 bytes. */
static struct sent packets(uint64_t n)
{
	return (struct sent){n * 100, n};
}

static const struct tail_kept nothing;

static void hear(struct tail *t, uint64_t n)
{
	struct sent growth = packets(n);

	tail_hear(t, &growth);
}

static enum tail_verdict reads(struct tail *t, uint64_t n)
{
	struct sent later;
	enum tail_verdict verdict = tail_read(t, packets(n), &later);

	assert_int_equal(later.bytes, 0);
	return verdict;
}

static void ends_at(const struct tail *t, uint64_t after, uint64_t n)
{
	struct sent end;

	assert_true(tail_end(t, packets(after), &end));
	assert_int_equal(end.bytes, n * 100);
	assert_int_equal(end.packets, n);
}

static void what_comes_after_the_last_reading_is_known(void **state)
{
	struct tail t = {0};

	(void)state;
	hear(&t, 10);
	assert_int_equal(reads(&t, 10), TAIL_FITS);
	hear(&t, 7);
	ends_at(&t, 0, 17);
}

static void what_came_before_the_count_is_in_the_counters(void **state)
{
	struct tail t = {0};

	(void)state;
	hear(&t, 3);
	assert_int_equal(reads(&t, 1003), TAIL_FITS);
	hear(&t, 5);
	ends_at(&t, 0, 1008);
}

/* 2 packets came in between the reading of the counters and that of the count. */
static void a_count_that_is_read_later_adds_nothing(void **state)
{
	struct tail t = {0};

	(void)state;
	hear(&t, 5);
	assert_int_equal(reads(&t, 1003), TAIL_FITS);
	ends_at(&t, 0, 1003); /* too few by 2, and never too many */
	hear(&t, 1);
	assert_int_equal(reads(&t, 1006), TAIL_FITS);
	hear(&t, 4);
	ends_at(&t, 0, 1010);
}

static void a_life_goes_on_from_the_ledger(void **state)
{
	struct tail t;

	(void)state;
	tail_resume(&t, packets(500), &nothing);
	ends_at(&t, 0, 500);
	hear(&t, 20);
	ends_at(&t, 0, 520);
}

/* As if it had not been interrupted: what is known of the life's begin, and what the life before owes. */
static void what_is_known_of_its_begin_goes_on_too(void **state)
{
	struct tail t = {0}, next;
	struct tail_kept kept;
	struct sent later;

	(void)state;
	hear(&t, 10);
	assert_int_equal(reads(&t, 10), TAIL_FITS);
	hear(&t, 2);
	assert_int_equal(reads(&t, 11), TAIL_FITS); /* one came in between */
	hear(&t, 0);
	assert_int_equal(reads(&t, 12), TAIL_FITS);
	kept = tail_keep(&t, packets(12));
	assert_int_equal(kept.ahead.packets, 0);
	hear(&t, 6);
	ends_at(&t, 2, 16);
	next = tail_next(&t, packets(2)); /* one of those six came after the reading */
	kept = tail_keep(&next, packets(2));
	assert_true(kept.lent);
	tail_resume(&next, packets(2), &kept);
	hear(&next, 0);
	assert_int_equal(tail_read(&next, packets(3), &later), TAIL_FITS);
	assert_int_equal(later.packets, 1);
	hear(&next, 0);
	assert_int_equal(tail_read(&next, packets(3), &later), TAIL_FITS);
	kept = tail_keep(&next, packets(3));
	assert_true(kept.settled);
	assert_false(kept.lent);
	tail_resume(&next, packets(3), &kept);
	hear(&next, 2);
	assert_int_equal(tail_read(&next, packets(6), &later), TAIL_MISSED); /* for that is known */
	assert_int_equal(later.packets, 0);
}

/* Where bytes came in between the readings, and the best of those before was better. */
static void what_it_was_ahead_by_is_kept(void **state)
{
	struct tail t = {0};
	struct tail_kept kept;

	(void)state;
	hear(&t, 10);
	assert_int_equal(reads(&t, 10), TAIL_FITS);
	hear(&t, 7);
	assert_int_equal(reads(&t, 13), TAIL_FITS);
	kept = tail_keep(&t, packets(13));
	assert_int_equal(kept.ahead.packets, 4);
	tail_resume(&t, packets(13), &kept);
	ends_at(&t, 0, 17);
	hear(&t, 3);
	ends_at(&t, 0, 20);
}

static void without_the_count_nothing_is_known(void **state)
{
	struct tail t = {0};
	struct sent end;

	(void)state;
	assert_false(tail_end(&t, packets(0), &end));
	tail_resume(&t, packets(500), &nothing);
	tail_hear(&t, NULL);
	assert_false(tail_end(&t, packets(0), &end));
	assert_int_equal(tail_ahead(&t, packets(100)), 0);
	assert_int_equal(reads(&t, 500), TAIL_FITS);
	hear(&t, 4);
	assert_false(tail_end(&t, packets(0), &end)); /* it knows of 4, and 500 were read */
	assert_int_equal(reads(&t, 503), TAIL_FITS);
	hear(&t, 2);
	ends_at(&t, 0, 505);
}

static void the_next_life_begins_where_this_one_ends(void **state)
{
	struct tail t = {0}, next;
	struct sent later;

	(void)state;
	hear(&t, 10);
	assert_int_equal(reads(&t, 10), TAIL_FITS);
	hear(&t, 6); /* 3 of the old life, 2 of the new one, and one more of it after the reading */
	ends_at(&t, 2, 14);
	next = tail_next(&t, packets(2));
	hear(&next, 0);
	assert_int_equal(tail_read(&next, packets(3), &later), TAIL_FITS);
	assert_int_equal(later.bytes, 100); /* so that the old life had one packet too many */
	assert_int_equal(later.packets, 1);
	hear(&next, 5);
	ends_at(&next, 0, 8);
}

static void a_hidden_life_is_missing_in_the_counters(void **state)
{
	struct tail t = {0};

	(void)state;
	hear(&t, 10);
	assert_int_equal(reads(&t, 10), TAIL_FITS);
	hear(&t, 15); /* 3 of the old life, 12 of the new one */
	assert_int_equal(tail_ahead(&t, packets(12)), 1300);
	assert_int_equal(tail_ahead(&t, packets(25)), 0);
}

static void a_count_that_does_not_fit_is_told_and_measured_anew(void **state)
{
	struct tail t = {0};

	(void)state;
	hear(&t, 10);
	assert_int_equal(reads(&t, 10), TAIL_FITS);
	hear(&t, 0);
	assert_int_equal(reads(&t, 10), TAIL_FITS); /* nothing came in between */
	hear(&t, 4);
	assert_int_equal(reads(&t, 15), TAIL_MISSED);
	hear(&t, 1);
	ends_at(&t, 0, 16);
	hear(&t, 0);
	assert_int_equal(reads(&t, 16), TAIL_FITS);
	hear(&t, 5);
	assert_int_equal(reads(&t, 18), TAIL_FITS); /* 3 may have come in between */
	hear(&t, 1);
	assert_int_equal(reads(&t, 19), TAIL_MORE); /* but then they would have been read by now */
	hear(&t, 1);
	ends_at(&t, 0, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_after_the_last_reading_is_known),
		cmocka_unit_test(what_came_before_the_count_is_in_the_counters),
		cmocka_unit_test(a_count_that_is_read_later_adds_nothing),
		cmocka_unit_test(a_life_goes_on_from_the_ledger),
		cmocka_unit_test(what_is_known_of_its_begin_goes_on_too),
		cmocka_unit_test(what_it_was_ahead_by_is_kept),
		cmocka_unit_test(without_the_count_nothing_is_known),
		cmocka_unit_test(the_next_life_begins_where_this_one_ends),
		cmocka_unit_test(a_hidden_life_is_missing_in_the_counters),
		cmocka_unit_test(a_count_that_does_not_fit_is_told_and_measured_anew),
	};

	return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
