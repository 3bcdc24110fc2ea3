/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A guest that ends the lives of its counters all the time leaves one epoch in a slot.
 *
 * What could go wrong first: bytes are lost or doubled; what the counters said does not give them any more; a
 * life that is still counted, or that reaches beyond the slot, is merged; an id is given out twice; the time
 * in which the vif was there changes, and with it the rates in the RRDs.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "db/ledger_merge.h"
#include "tests/support/account_bed.h"
#include "tests/support/sound.h"
#include "tests/support/unit.h"

#define LIVES 200
#define IFINDEX 10

static void merge_some(struct account_bed *b, unsigned limit)
{
	char *err = NULL;

	if (ledger_merge(b->ledger, account_open_slot(b->account), limit, &err) < 0)
		fail_msg("%s", err);
}

static void merge(struct account_bed *b)
{
	merge_some(b, 100000);
}

static int64_t epochs(const struct account_bed *b)
{
	return account_bed_number(b, "SELECT count(*) FROM epoch");
}

static int64_t counted(const struct account_bed *b)
{
	return account_bed_number(b, "SELECT sum(total_input) * 1000000 + sum(total_output) FROM epoch");
}

/* From `from` on, a life each second; each reads fewer packets than the one before. Commits. */
static void reconnect_all_the_time(struct account_bed *b, int64_t from, unsigned lives)
{
	for (unsigned i = 0; i < lives; i++)
		(void)account_bed_poll_at(b, from + i, IFINDEX, 1000 - i);
	account_bed_commit(b);
}

static void quiet(struct account_bed *b, int64_t now, uint64_t packets)
{
	(void)account_bed_poll_at(b, now, IFINDEX, packets);
	account_bed_commit(b);
}

static void lives_of_a_slot_become_one_epoch(void **state)
{
	struct account_bed b;
	int64_t before;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_begin(b.account, EDGE);
	account_bed_simple_vif(&b);
	reconnect_all_the_time(&b, EDGE + 1, LIVES);
	before = counted(&b);
	assert_int_equal(epochs(&b), LIVES);
	merge(&b); /* the slot is not over */
	assert_int_equal(epochs(&b), LIVES);
	quiet(&b, EDGE + 310, 1000 - LIVES + 1);
	merge(&b);
	assert_int_equal(epochs(&b), 2); /* the last life goes on */
	assert_int_equal(counted(&b), before);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE closed IS NULL"), 1);
	assert_int_equal(account_bed_number(&b, "SELECT max(id) FROM epoch"), LIVES);
	assert_int_equal(account_bed_number(&b, "SELECT min(opened) FROM epoch"), EDGE);
	assert_int_equal(account_bed_number(&b, "SELECT closed FROM epoch WHERE id = 199"), EDGE + LIVES);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE reason = '199" LEDGER_LIVES
						"counters went back'"),
			 1);
	sound_assert(b.reader.db);
	account_bed_tear_down(&b);
}

static void each_slot_has_its_own_and_a_restart_goes_on(void **state)
{
	struct account_bed b;
	int64_t before;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_begin(b.account, EDGE);
	account_bed_simple_vif(&b);
	for (int64_t slot = 0; slot < 4; slot++) {
		reconnect_all_the_time(&b, EDGE + 300 * slot + 1, 250);
		merge(&b);
	}
	before = counted(&b);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 1201);
	account_begin(b.account, EDGE + 1201);
	account_bed_simple_vif(&b);
	quiet(&b, EDGE + 1210, 1000);
	merge(&b);
	merge(&b);
	/* of each slot one, and the lives that reach from slot to slot, and on */
	assert_int_equal(epochs(&b), 4 + 4);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE reason LIKE '%" LEDGER_LIVES
						"%' AND closed / 300 = opened / 300"),
			 4);
	assert_int_equal(counted(&b) - before, (1000 - 751) * (1000 * 1000000LL + 100));
	sound_assert(b.reader.db);
	account_bed_tear_down(&b);
}

static void what_does_not_touch_stays_apart(void **state)
{
	struct account_bed b;
	int64_t vif;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_begin(b.account, EDGE);
	vif = account_bed_simple_vif(&b);
	for (int i = 0; i < 5; i++) { /* gone for two seconds each time */
		(void)account_bed_poll_at(&b, EDGE + 10 * i + 1, IFINDEX, 7);
		account_device_gone(b.account, IFINDEX, NULL);
		account_bed_commit(&b);
		account_begin(b.account, EDGE + 10 * i + 3);
		account_device_here(b.account, vif, IFINDEX, "vif1.0", DEVICE_OTHER, 0, 0);
	}
	quiet(&b, EDGE + 310, 7);
	merge(&b);
	assert_int_equal(epochs(&b), 6);
	account_bed_tear_down(&b);
}

static void each_device_has_its_own(void **state)
{
	struct account_bed b;
	int64_t before;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_begin(b.account, EDGE);
	for (unsigned domid = 1; domid <= 3; domid++)
		account_device_here(b.account, account_bed_vif_of(&b, domid, 0, NULL, "a", NULL), domid,
				    "vif", DEVICE_OTHER, 0, 0);
	for (unsigned i = 0; i < 20; i++) {
		account_begin(b.account, EDGE + 1 + i);
		for (unsigned domid = 1; domid <= 3; domid++)
			account_bed_read_at(&b, domid, 1000 * domid - i);
		(void)account_settle(b.account, NULL);
	}
	account_bed_commit(&b);
	before = counted(&b);
	account_begin(b.account, EDGE + 310);
	(void)account_settle(b.account, NULL);
	account_bed_commit(&b);
	for (int i = 0; i < 60; i++) /* one epoch at a time finds nothing to merge it with */
		merge_some(&b, 1);
	assert_int_equal(epochs(&b), 60);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 310);
	merge(&b);
	assert_int_equal(epochs(&b), 6);
	assert_int_equal(counted(&b), before);
	sound_assert(b.reader.db);
	account_bed_tear_down(&b);
}

static void rows_that_look_odd_stay(void **state)
{
	static const char *const odd[] = {
		"total_input = 1 << 45", "total_output = -1", "last_rx_packets = 1 << 50",
		"base_tx_bytes = 1",     "reason = NULL",     "closed = opened - 1",
	};
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_begin(b.account, EDGE);
	account_bed_simple_vif(&b);
	reconnect_all_the_time(&b, EDGE + 1, 11);
	quiet(&b, EDGE + 310, 990);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char *text = mem_printf("UPDATE epoch SET %s WHERE id = 5", odd[i]);

		account_bed_meddle(&b, "CREATE TABLE IF NOT EXISTS was AS SELECT * FROM epoch;"
				       "DELETE FROM epoch; INSERT INTO epoch SELECT * FROM was");
		account_bed_meddle(&b, text);
		free(text);
		account_bed_kill_it(&b);
		account_bed_start(&b, EDGE + 310);
		merge(&b);
		assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE id = 5"), 1);
		assert_in_range(epochs(&b), 3, 4); /* before and behind it, in one or two */
	}
	account_bed_kill_it(&b);
	ledger_file_close(&b.reader);
	free(b.path);
	scratch_free(b.dir);
}

/* Only where it is so of all is it said of the whole. */
static void a_known_end_is_told_where_all_are_known(void **state)
{
	struct account_bed b;

	(void)state;
	account_bed_set_up(&b, EDGE);
	account_begin(b.account, EDGE);
	account_bed_simple_vif(&b);
	for (int64_t slot = 0; slot < 2; slot++)
		reconnect_all_the_time(&b, EDGE + 300 * slot + 1, 10);
	quiet(&b, EDGE + 610, 991);
	account_bed_meddle(&b, "UPDATE epoch SET reason = reason || '" LEDGER_OUTPUT_KNOWN "' WHERE id <> 3");
	merge(&b);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE reason = '9" LEDGER_LIVES
						"counters went back'"),
			 1);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE reason = '8" LEDGER_LIVES
						"counters went back" LEDGER_OUTPUT_KNOWN "'"),
			 1);
	account_bed_tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lives_of_a_slot_become_one_epoch),
					   cmocka_unit_test(each_slot_has_its_own_and_a_restart_goes_on),
					   cmocka_unit_test(what_does_not_touch_stays_apart),
					   cmocka_unit_test(each_device_has_its_own),
					   cmocka_unit_test(rows_that_look_odd_stay),
					   cmocka_unit_test(a_known_end_is_told_where_all_are_known)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
