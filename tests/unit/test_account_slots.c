/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account of a host, on a real ledger: in which slot bytes end, and what a restart makes of them.
 */
#include "tests/support/account_bed.h"
#include "tests/support/unit.h"

/* ---- slots ---- */

static void each_slot_has_its_own_take(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	for (int i = 1; i <= 180; i++) /* three slots; commits only at their edges */
		if (account_bed_poll_at(&b, EDGE + i * 5, 10, (uint64_t)i))
			account_bed_commit(&b);
	assert_int_equal(account_bed_take_count(&b), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(account_bed_input_of(&b, "web", EDGE + i * 300), 60000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM take a JOIN take b ON b.seq = a.seq + 1"
						" WHERE b.from_time <> a.to_time"),
			 0);
	account_bed_tear_down(&b);
}

static void a_poll_at_the_edge_completes_the_slot(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	assert_false(account_bed_poll_at(&b, EDGE + 299, 10, 1));
	assert_int_equal(account_open_slot(b.account), EDGE);
	assert_true(account_bed_poll_at(&b, EDGE + 300, 10, 2));
	assert_int_equal(account_open_slot(b.account), EDGE + 300);
	assert_false(account_bed_poll_at(&b, EDGE + 301, 10, 3));
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE), 2000);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE + 300), 1000);
	assert_int_equal(account_bed_number(&b, "SELECT value FROM meta WHERE key = 'open_slot'"),
			 EDGE + 300);
	account_bed_tear_down(&b);
}

static void a_poll_a_little_late_still_belongs_to_the_slot(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 290, 10, 1);
	assert_true(account_bed_poll_at(&b, EDGE + 300 + LATE, 10, 2));
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE), 2000);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE + 300), 0);
	account_bed_tear_down(&b);
}

static void a_poll_too_late_leaves_the_slot_with_what_it_has(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 290, 10, 1);
	account_bed_poll_at(&b, EDGE + 301 + LATE, 10, 2);
	assert_int_equal(account_open_slot(b.account), EDGE + 300);
	account_bed_poll_at(&b, EDGE + 365 + 3600, 10, 3); /* and a suspended host */
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE), 1000);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE + 300), 1000);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE + 3900), 1000);
	account_bed_tear_down(&b);
}

static void a_ledger_that_is_away_for_many_slots_loses_nothing(void **state)
{
	struct account_bed b;
	int64_t t = EDGE;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, t += 5, 10, 1);
	account_bed_commit(&b);
	for (uint64_t i = 2; i <= 600; i++) {
		bool complete = account_bed_poll_at(&b, t += 5, 10, i);

		if (complete || i % 6 == 0)
			account_bed_refused(&b);
	}
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 600000);
	/* a take for each slot at most, but the one that was committed before */
	assert_int_equal(account_bed_take_count(&b), 1 + 11 - 1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(account_bed_input_of(&b, "web", EDGE + i * 300), 60000);
	assert_int_equal(account_bed_number(&b, "SELECT max(seq) - min(seq) + 1 - count(*) FROM take"), 0);
	assert_int_equal(account_bed_number(&b, "SELECT max(seq) FROM take"), account_last_seq(b.account));
	account_bed_tear_down(&b);
}

static void a_vif_that_goes_while_the_ledger_is_away_is_not_forgotten(void **state)
{
	struct counters final = account_bed_packets(9);
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	vif = account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 5);
	account_bed_refused(&b);
	account_device_gone(b.account, 10, &final);
	account_vif_gone(b.account, vif);
	account_bed_refused(&b);
	account_begin(b.account, EDGE + 10);
	account_settle(b.account, NULL);
	account_bed_refused(&b);
	for (int64_t t = EDGE + 15; t < EDGE + 700; t += 5) {
		account_begin(b.account, t);
		account_settle(b.account, NULL);
		account_bed_refused(&b);
	}
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE), 9000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM vif WHERE gone IS NOT NULL"), 1);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE closed IS NOT NULL"), 1);
	account_bed_tear_down(&b);
}

static void a_clock_that_goes_back_keeps_the_slot_open(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 310, 10, 1); /* completes the first slot */
	for (int i = 0; i < 100; i++)
		assert_false(account_bed_poll_at(&b, EDGE - 3600 + i * 5, 10, 2 + (uint64_t)i));
	assert_int_equal(account_open_slot(b.account), EDGE + 300);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE + 300), 100000);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM event WHERE kind = 'clock'"), 1);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM take WHERE slot < "
						"1700000100"),
			 0);
	assert_true(account_bed_poll_at(&b, EDGE + 605, 10, 102)); /* it has caught up */
	account_bed_poll_at(&b, EDGE + 300, 10, 103);              /* and once more */
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM event WHERE kind = 'clock'"), 2);
	account_bed_tear_down(&b);
}

static void a_clock_that_jumps_forth_and_back_never_turns_slots_round(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 1);
	account_bed_poll_at(&b, EDGE + 86400, 10, 2);
	account_bed_poll_at(&b, EDGE + 10, 10, 3);
	account_bed_commit(&b);
	account_bed_poll_at(&b, EDGE + 15, 10, 4);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 4000);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE), 1000);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE + 86400), 3000);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 20); /* not at a restart either */
	assert_int_equal(account_open_slot(b.account), EDGE + 86400);
	account_bed_poll_at(&b, EDGE + 25, 10, 5);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", EDGE + 86400), 4000);
	account_bed_tear_down(&b);
}

/* ---- restarts ---- */

static void bytes_that_flowed_while_the_daemon_was_down_are_one_take(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 1);
	account_bed_commit(&b);
	account_bed_poll_at(&b, EDGE + 10, 10, 2); /* dies with the daemon */
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 1000);
	assert_int_equal(account_vif_of(b.account, 10), 1);
	assert_int_equal(account_bed_vif_of(&b, 1, 0, UUID_A, "web", "10.0.0.1"), 1);
	account_device_here(b.account, 1, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 1001, 10, 50);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 50000);
	assert_int_equal(account_bed_take_count(&b), 2);
	assert_int_equal(account_bed_number(&b, "SELECT from_time FROM take WHERE seq = 2"), EDGE + 5);
	assert_int_equal(account_bed_number(&b, "SELECT to_time FROM take WHERE seq = 2"), EDGE + 1001);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch"), 1);
	account_bed_tear_down(&b);
}

/* Its first reading is all zeros: even so the ledger must know that this life has begun. */
static void a_new_life_that_has_not_moved_yet_outlives_the_daemon(void **state)
{
	struct counters before = account_bed_packets(5);
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_baseline(b.account, 10, &before);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 10);
	account_bed_poll_at(&b, EDGE + 10, 10, 0);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE closed IS NULL"), 1);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 20);
	account_device_here(b.account, 1, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 25, 10, 7); /* above the base line of old */
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 5000 + 7000);
	account_bed_tear_down(&b);
}

static void another_boot_closes_all_and_numbers_mean_nothing_any_more(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 40);
	account_bed_commit(&b);
	account_bed_kill_it(&b);
	b.boot = "boot-2";
	account_bed_start(&b, EDGE + 1000);
	assert_null(account_next_vif(b.account, NULL));
	assert_int_equal(account_vif_of(b.account, 10), 0);
	assert_int_equal(account_bed_vif_of(&b, 1, 0, UUID_B, "db", NULL), 2);
	account_device_here(b.account, 2, 10, "vif1.0", DEVICE_OTHER, 0, 0);
	account_bed_poll_at(&b, EDGE + 1005, 10, 50); /* above the old counters */
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 40000);
	assert_int_equal(account_bed_input_of(&b, "db", 0), 50000);
	assert_int_equal(account_bed_number(&b, "SELECT gone FROM vif WHERE id = 1"), EDGE + 5);
	assert_int_equal(account_bed_number(&b, "SELECT closed FROM epoch WHERE id = 1"), EDGE + 5);
	account_bed_tear_down(&b);
}

/* Of a damaged ledger only: what the device has counted is not counted again. */
static void a_vif_of_another_boot_whose_device_is_of_this_one_is_there(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_bed_simple_vif(&b);
	account_bed_poll_at(&b, EDGE + 5, 10, 40);
	account_bed_commit(&b);
	account_bed_kill_it(&b);
	account_bed_meddle(&b, "UPDATE vif SET boot = 'before'");
	account_bed_start(&b, EDGE + 10);
	for (int i = 1; i <= 3; i++) {
		account_bed_poll_at(&b, EDGE + 10 + i, 10, 40 + (uint64_t)i);
		account_bed_commit(&b);
	}
	assert_int_equal(account_bed_simple_vif(&b), 1);
	account_bed_poll_at(&b, EDGE + 20, 10, 50);
	account_bed_commit(&b);
	assert_int_equal(account_bed_input_of(&b, "web", 0), 50000);
	account_bed_tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_has_its_own_take),
		cmocka_unit_test(a_poll_at_the_edge_completes_the_slot),
		cmocka_unit_test(a_poll_a_little_late_still_belongs_to_the_slot),
		cmocka_unit_test(a_poll_too_late_leaves_the_slot_with_what_it_has),
		cmocka_unit_test(a_ledger_that_is_away_for_many_slots_loses_nothing),
		cmocka_unit_test(a_vif_that_goes_while_the_ledger_is_away_is_not_forgotten),
		cmocka_unit_test(a_clock_that_goes_back_keeps_the_slot_open),
		cmocka_unit_test(a_clock_that_jumps_forth_and_back_never_turns_slots_round),
		cmocka_unit_test(bytes_that_flowed_while_the_daemon_was_down_are_one_take),
		cmocka_unit_test(a_new_life_that_has_not_moved_yet_outlives_the_daemon),
		cmocka_unit_test(another_boot_closes_all_and_numbers_mean_nothing_any_more),
		cmocka_unit_test(a_vif_of_another_boot_whose_device_is_of_this_one_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
