/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a ledger says of itself (db/audit.c), and what is found when somebody has changed it; the counters
 * that never go back (db/usage_counters.c). On a real ledger, as xenbwd writes it.
 */
#include <stdlib.h>
#include <string.h>

#include "db/audit.h"
#include "db/usage_counters.h"
#include "tests/support/account_bed.h"
#include "tests/support/unit.h"

typedef int audit_fn(sqlite3 *db, struct audit *out, char **err);

/* Two vifs with some slots each, the first one gone; 40,000 bytes to each guest, 4,000 from it. */
static void live(struct account_bed *b)
{
	int64_t vif;

	account_bed_set_up(b, EDGE);
	vif = account_bed_simple_vif(b);
	for (int i = 1; i <= 40; i++)
		if (account_bed_poll_at(b, EDGE + (int64_t)i * 15, 10, (uint64_t)i))
			account_bed_commit(b);
	account_device_gone(b->account, 10, NULL);
	account_vif_gone(b->account, vif);
	vif = account_bed_vif_of(b, 2, 0, UUID_B, "db", NULL);
	account_device_here(b->account, vif, 11, "vif2.0", DEVICE_OTHER, 0, 0);
	account_bed_poll_at(b, EDGE + 700, 11, 40);
	account_bed_commit(b);
}

static void harm(const struct account_bed *b, const char *query)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(b->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, query, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void finds(const struct account_bed *b, audit_fn *audit, uint64_t wrong, const char *first)
{
	struct audit a;
	char *err = NULL;

	if (audit(b->reader.db, &a, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(a.wrong, wrong);
	assert_true(a.looked_at > 0);
	if (wrong ? strcmp(a.first, first) != 0 : a.first != NULL)
		fail_msg("%s", a.first);
	audit_clear(&a);
}

static void a_ledger_agrees_with_itself(void **state)
{
	struct account_bed b;

	(void)state;
	live(&b);
	finds(&b, audit_pages, 0, NULL);
	finds(&b, audit_epochs, 0, NULL);
	finds(&b, audit_identity, 0, NULL);
	finds(&b, audit_rows, 0, NULL);
	account_bed_tear_down(&b);
}

static void what_somebody_changed_is_found(void **state)
{
	struct account_bed b;

	(void)state;
	live(&b);
	harm(&b, "UPDATE take SET unattributed_input = unattributed_input + 1 WHERE seq = 1");
	finds(&b, audit_identity, 1, "vif 1 (web): classes 40001, counters 40000 bytes of input");
	harm(&b, "UPDATE take SET unattributed_input = unattributed_input - 1 WHERE seq = 1;"
		 " UPDATE epoch SET total_output = total_output - 5 WHERE vif = 2");
	finds(&b, audit_epochs, 1, "epoch 2 counted 4000 bytes of output, and has booked 3995");
	harm(&b, "UPDATE epoch SET total_output = total_output + 5 WHERE vif = 2;"
		 " PRAGMA ignore_check_constraints = 1; UPDATE take SET slot = slot + 1 WHERE seq = 1");
	finds(&b, audit_rows, 1, "in table take");
	harm(&b, "PRAGMA ignore_check_constraints = 1; UPDATE take SET slot = slot - 1 WHERE seq = 1");
	account_bed_tear_down(&b);
}

static void gaps_sums_and_sinks_are_told(void **state)
{
	struct account_bed b;
	struct audit_gaps gaps;
	struct audit_sink sink;
	struct usage_sums sums;
	char *events = NULL, *err = NULL;

	(void)state;
	live(&b);
	account_bed_kill_it(&b);
	account_bed_start(&b, EDGE + 1700);
	account_bed_poll_at(&b, EDGE + 1705, 11, 50);
	account_event(b.account, "clock", "host", "it was set back");
	account_bed_commit(&b);
	assert_int_equal(audit_gaps(b.reader.db, EDGE, 60, &gaps, &err), 0);
	assert_int_equal(gaps.count, 1);
	assert_int_equal(gaps.to, EDGE + 1705); /* a run begins with its first commit */
	assert_int_equal(gaps.seconds, gaps.to - gaps.from);
	assert_int_equal(audit_sums(b.reader.db, EDGE, &sums, &err), 0);
	assert_int_equal(sums.classes.bytes[DIR_INPUT][CLASS_UNATTRIBUTED], 90000);
	assert_int_equal(audit_sink(b.reader.db, "mysql", &sink, &err), 0);
	assert_false(sink.there);
	assert_int_equal(audit_events(b.reader.db, EDGE, &events, &err), 0);
	assert_string_equal(events, "1 clock");
	free(events);
	account_bed_tear_down(&b);
}

static void counters_are_all_that_a_vif_ever_moved(void **state)
{
	struct account_bed b;
	struct usage_counters c;
	char *err = NULL;

	(void)state;
	live(&b);
	assert_int_equal(usage_read_counters(b.reader.db, &c, &err), 0);
	assert_int_equal(c.count, 1); /* web is gone */
	assert_string_equal(c.list[0].domain, "db");
	assert_string_equal(c.list[0].uuid, UUID_B);
	assert_string_equal(c.list[0].bucket, "db");
	assert_int_equal(c.list[0].bytes[DIR_INPUT], 40000);
	assert_int_equal(c.list[0].bytes[DIR_OUTPUT], 4000);
	usage_counters_free(&c);
	account_bed_tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ledger_agrees_with_itself),
		cmocka_unit_test(what_somebody_changed_is_found),
		cmocka_unit_test(gaps_sums_and_sinks_are_told),
		cmocka_unit_test(counters_are_all_that_a_vif_ever_moved),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
