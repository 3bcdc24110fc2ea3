/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Domains that have been gone for long are forgotten, by the ledger and by the account.
 *
 * What could go wrong first: their bytes leave the totals; one that still runs, still has slots, or comes
 * again is booked to a bucket that is not there any more; an id is given out twice.
 */
#include <stdlib.h>

#include "db/ledger_forget.h"
#include "db/ledger_retain.h"
#include "tests/support/account_bed.h"
#include "tests/support/sound.h"
#include "tests/support/unit.h"

#define UUID_C "cccccccc-0000-4000-8000-00000000000c"

/* A domain comes, moves bytes, and goes. */
static void live(struct account_bed *b, unsigned domid, const char *uuid, const char *name, bool goes)
{
	int64_t vif = account_bed_vif_of(b, domid, 0, uuid, name, NULL);

	account_device_here(b->account, vif, domid + 100, name, DEVICE_OTHER, 0, 0);
	account_bed_read_at(b, domid + 100, 10 * domid);
	(void)account_settle(b->account, NULL);
	if (goes) {
		account_device_gone(b->account, domid + 100, NULL);
		account_vif_gone(b->account, vif);
	}
	account_bed_commit(b);
}

static void fold_and_retire(struct account_bed *b, int64_t begin)
{
	char *err = NULL;
	bool held;

	assert_int_equal(ledger_fold(b->ledger, account_open_slot(b->account), 1000, &err), 0);
	assert_int_equal(ledger_retire(b->ledger, begin, 1000, &held, &err), 0);
}

static size_t forget(struct account_bed *b, int64_t begin, unsigned limit)
{
	struct ledger_forgotten f;
	char *err = NULL;
	size_t count;

	if (ledger_forget(b->ledger, begin, limit, account_is_idle, b->account, &f, &err) < 0)
		fail_msg("%s", err);
	count = f.bucket_count;
	account_forget(b->account, &f);
	ledger_forgotten_free(&f);
	return count;
}

/* a goes at once, b stays, c and d go ten slots later; e is the last one. */
static void made(struct account_bed *b)
{
	account_bed_set_up(b, EDGE);
	account_begin(b->account, EDGE + 10);
	live(b, 1, UUID_A, "a", true);
	live(b, 2, UUID_B, "b", false);
	account_begin(b->account, EDGE + 3010);
	live(b, 3, UUID_C, "c", true);
	live(b, 4, NULL, "d", true);
	account_begin(b->account, EDGE + 6010);
	live(b, 5, NULL, "e", true);
	account_begin(b->account, EDGE + 9010);
	(void)account_settle(b->account, NULL);
	account_bed_commit(b);
}

/* The bed's own tear-down looks at takes, which are folded here. */
static void unmade(struct account_bed *b)
{
	account_bed_kill_it(b);
	ledger_file_close(&b->reader);
	free(b->path);
	scratch_free(b->dir);
}

static void totals_stay_when_domains_are_forgotten(void **state)
{
	static const char total[] = "SELECT sum(unattributed_input) FROM usage",
			  counted[] = "SELECT sum(total_input) FROM epoch";
	struct account_bed b;
	int64_t sum;

	(void)state;
	made(&b);
	sum = account_bed_number(&b, total);
	assert_int_equal(forget(&b, EDGE + 1500, 100), 0); /* their slots are there */
	fold_and_retire(&b, EDGE + 1500);
	assert_int_equal(forget(&b, EDGE + 1500, 100), 1); /* a: b runs, the others went later */
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM bucket WHERE id > 0"), 4);
	assert_int_equal(account_bed_number(&b, total), sum);
	assert_int_equal(account_bed_number(&b, counted), sum);
	sound_assert(b.reader.db);
	fold_and_retire(&b, EDGE + 9000);
	assert_int_equal(forget(&b, EDGE + 9000, 100), 2); /* not the last */
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM bucket WHERE id > 0"), 2);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM vif WHERE id > 0"), 2);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM epoch WHERE id > 0"), 2);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM bucket_uuid"), 1);
	assert_int_equal(account_bed_number(&b, total), sum);
	assert_int_equal(account_bed_number(&b, counted), sum);
	assert_int_equal(account_bed_number(&b, "SELECT sum(unattributed_input) FROM slot WHERE vif = 0"),
			 (10 + 30 + 40) * 1000);
	sound_assert(b.reader.db);
	unmade(&b);
}

static void who_comes_again_is_new(void **state)
{
	struct account_bed b;

	(void)state;
	made(&b);
	fold_and_retire(&b, EDGE + 9000);
	for (size_t n = 0; n < 3;) /* two at a time, and from the first one again */
		n += forget(&b, EDGE + 9000, 2);
	account_begin(b.account, EDGE + 9300);
	live(&b, 6, UUID_A, "c", false); /* a's uuid under c's name */
	live(&b, 7, UUID_C, "b~2", false);
	assert_int_equal(account_bed_number(&b, "SELECT count(*) FROM bucket_label WHERE label = 'c'"), 1);
	assert_int_equal(account_bed_number(&b, "SELECT bucket FROM bucket_uuid WHERE uuid = '" UUID_A "'"),
			 6);
	assert_int_equal(account_bed_number(&b, "SELECT bucket FROM bucket_uuid WHERE uuid = '" UUID_C "'"),
			 7);
	sound_assert(b.reader.db);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 9400); /* no id is given out again */
	account_bed_vif_of(&b, 8, 0, NULL, "new", NULL);
	account_bed_commit(&b);
	assert_int_equal(account_bed_number(&b, "SELECT max(id) FROM bucket"), 8);
	assert_int_equal(account_bed_number(&b, "SELECT max(id) FROM vif"), 8);
	unmade(&b);
}

/* A bucket whose vif has bytes elsewhere, or that does not add up, is left alone. */
static void what_does_not_add_up_by_itself_stays(void **state)
{
	struct account_bed b;

	(void)state;
	made(&b);
	fold_and_retire(&b, EDGE + 9000);
	account_bed_meddle(&b, "UPDATE slot SET bucket = 2 WHERE vif = 1;"
			       "UPDATE epoch SET total_input = total_input + 1 WHERE vif = 3;"
			       "UPDATE vif SET gone = NULL WHERE id = 4");
	assert_int_equal(forget(&b, EDGE + 9000, 100), 0);
	unmade(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(totals_stay_when_domains_are_forgotten),
					   cmocka_unit_test(who_comes_again_is_new),
					   cmocka_unit_test(what_does_not_add_up_by_itself_stays)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
