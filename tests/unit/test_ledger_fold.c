/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ledger's writer: sinks, and folding what all of them have passed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/support/unit.h"
#include "tests/support/writer_bed.h"

/* ---- sinks and folding ---- */

static void sinks(const struct writer_bed *b, const char *const *names, size_t count)
{
	char *err = NULL;

	if (ledger_sinks(b->ledger, names, count, &err) < 0)
		fail_msg("%s", err);
}

static void passed(const struct writer_bed *b, const char *sink, int64_t seq)
{
	char *err = NULL;

	if (ledger_passed(b->ledger, sink, seq, &err) < 0)
		fail_msg("%s", err);
}

static int64_t sink_seq(const struct writer_bed *b, const char *sink)
{
	char *err = NULL;
	int64_t seq;

	if (ledger_sink_seq(b->ledger, sink, &seq, &err) < 0)
		fail_msg("%s", err);
	return seq;
}

static void fold(const struct writer_bed *b, int64_t open_slot, unsigned limit)
{
	char *err = NULL;

	if (ledger_fold(b->ledger, open_slot, limit, &err) < 0)
		fail_msg("%s", err);
}

/* n takes, two in each slot, of three addresses in turn; sequences from 1. */
static void many_takes(const struct writer_bed *b, unsigned n)
{
	const struct ledger_take **list = mem_array(n, sizeof(*list));
	struct ledger_take *takes = mem_array(n, sizeof(*takes));
	static const char *const addresses[] = {"", "10.0.0.1", "10.0.0.2"};
	struct writer_bed_sample s;

	writer_bed_fill(&s);
	for (unsigned i = 0; i < n; i++) {
		takes[i] = s.take;
		takes[i].seq = i + 1;
		takes[i].slot = SLOT0 + i / 4 * 300;
		takes[i].address = writer_bed_text(addresses[i % 3]);
		takes[i].classes.bytes[DIR_INPUT][CLASS_EXTERNAL] = i * UINT64_C(1000003);
		takes[i].estimated[DIR_OUTPUT] = i;
		takes[i].spoofed = 3 * i;
		list[i] = &takes[i];
	}
	s.batch.takes = list;
	s.batch.take_count = n;
	writer_bed_commit(b, &s.batch);
	free(list);
	free(takes);
}

#define SUMS                                                                                                 \
	"SELECT group_concat(x, ';') FROM (SELECT slot || ' ' || bucket || ' ' || vif || ' ' || address || " \
	"' ' ||"                                                                                             \
	" sum(external_input) || ' ' || sum(external_output) || ' ' || sum(peer_input) || ' ' || "           \
	"sum(peer_output) ||"                                                                                \
	" ' ' || sum(direct_input) || ' ' || sum(direct_output) || ' ' || sum(local_input) || ' ' ||"        \
	" sum(local_output) || ' ' || sum(ignored_input) || ' ' || sum(ignored_output) || ' ' ||"            \
	" sum(unattributed_input) || ' ' || sum(unattributed_output) || ' ' || sum(clipped_input) || ' ' ||" \
	" sum(clipped_output) || ' ' || sum(estimated_input) || ' ' || sum(estimated_output) || ' ' || "     \
	"sum(spoofed_output) AS x FROM "                                                                     \
	"usage"                                                                                              \
	" GROUP BY slot, bucket, vif, address ORDER BY slot, address)"

static void folding_changes_no_sum(void **state)
{
	struct ledger_state l;
	char *before;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	many_takes(&b, 40);
	before = writer_bed_row(&b, SUMS);
	for (unsigned limit = 1; limit < 20; limit += 3) {
		fold(&b, SLOT0 + 8 * 300, limit);
		writer_bed_row_is(&b, SUMS, before);
	}
	fold(&b, SLOT0 + 8 * 300, 1000);
	writer_bed_row_is(&b, SUMS, before);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"),
			 8); /* the open slot and the one after it */
	assert_int_equal(writer_bed_number(&b, "SELECT min(seq) FROM take"), 33);
	fold(&b, SLOT0 + 100 * 300, 1000);
	writer_bed_row_is(&b, SUMS, before);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 0);
	fold(&b, SLOT0 + 100 * 300, 1000); /* nothing left: nothing done */
	writer_bed_row_is(&b, SUMS, before);
	l = writer_bed_load(&b);
	assert_int_equal(l.last_seq, 40); /* a sequence is never given out twice */
	ledger_state_free(&l);
	free(before);
	writer_bed_tear_down(&b);
}

/* Found by fuzzing: what is folded was read from the table, what is deleted was looked up in the index. */
static void an_index_that_lacks_takes_folds_none_twice(void **state)
{
	char *before, *hide, *show, *err = NULL;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	many_takes(&b, 40);
	hide = mem_strdup("PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'take_slot';"
			  " PRAGMA writable_schema = RESET; UPDATE take SET seq = 41 WHERE seq = 5");
	show = mem_printf(
		"PRAGMA writable_schema = ON; INSERT INTO sqlite_master VALUES ('index', 'take_slot',"
		" 'take', %d, 'CREATE INDEX take_slot ON take(slot)'); PRAGMA writable_schema = RESET",
		(int)writer_bed_number(&b, "SELECT rootpage FROM sqlite_master WHERE name = 'take_slot'"));
	before = writer_bed_row(&b, SUMS);
	writer_bed_run(&b, hide);
	writer_bed_run(&b, show);
	for (int i = 0; i < 2; i++) {
		if (ledger_fold(b.ledger, SLOT0 + 100 * 300, 1000, &err) < 0)
			assert_non_null(strstr(err, "damaged"));
		free(err);
		err = NULL;
		writer_bed_row_is(&b, SUMS, before);
	}
	free(before);
	free(hide);
	free(show);
	writer_bed_tear_down(&b);
}

static void folding_takes_no_more_than_its_limit(void **state)
{
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	many_takes(&b, 40);
	fold(&b, SLOT0 + 100 * 300, 1);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 39);
	fold(&b, SLOT0 + 100 * 300, 10);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 29);
	assert_int_equal(writer_bed_number(&b, "SELECT min(seq) FROM take"), 12);
	writer_bed_tear_down(&b);
}

static void takes_that_a_sink_has_not_passed_stay(void **state)
{
	static const char *const both[] = {"rrd", "mysql"};
	char *before;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	sinks(&b, both, 2);
	many_takes(&b, 40);
	before = writer_bed_row(&b, SUMS);
	fold(&b, SLOT0 + 100 * 300, 1000); /* nobody has passed anything */
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 40);
	passed(&b, "rrd", 30);
	fold(&b, SLOT0 + 100 * 300, 1000);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 40);
	passed(&b, "mysql", 10);
	fold(&b, SLOT0 + 100 * 300, 1000);
	assert_int_equal(writer_bed_number(&b, "SELECT min(seq) FROM take"), 11);
	writer_bed_row_is(&b, SUMS, before);
	sinks(&b, both, 1); /* mysql is no sink any more */
	fold(&b, SLOT0 + 100 * 300, 1000);
	assert_int_equal(writer_bed_number(&b, "SELECT min(seq) FROM take"), 31);
	writer_bed_row_is(&b, SUMS, before);
	free(before);
	writer_bed_tear_down(&b);
}

static void a_sink_never_goes_back_and_a_new_one_begins_with_what_comes_next(void **state)
{
	static const char *const names[] = {"rrd", "mysql"};
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	sinks(&b, names, 1);
	writer_bed_row_is(&b, "SELECT name, seq FROM sink", "rrd|0");
	passed(&b, "rrd", 7);
	passed(&b, "rrd", 5);
	assert_int_equal(sink_seq(&b, "rrd"), 7);
	writer_bed_row_is(&b, "SELECT name, seq FROM sink", "rrd|7");
	many_takes(&b, 12);
	passed(&b, "rrd", 12);
	fold(&b, SLOT0 + 100 * 300, 1000); /* what is folded was given out too */
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 0);
	sinks(&b, names, 2);
	writer_bed_row_is(&b, "SELECT seq FROM sink WHERE name = 'rrd'", "12");
	writer_bed_row_is(&b, "SELECT seq FROM sink WHERE name = 'mysql'", "12");
	passed(&b, "mysql", 13);
	sinks(&b, names, 2); /* known already */
	writer_bed_row_is(&b, "SELECT seq FROM sink WHERE name = 'mysql'", "13");
	passed(&b, "nobody", 9); /* no such sink: none is made */
	assert_int_equal(sink_seq(&b, "nobody"), 0);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM sink"), 2);
	sinks(&b, names, 0);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM sink"), 0);
	writer_bed_tear_down(&b);
}

static void a_fold_that_fails_leaves_all_as_it_was(void **state)
{
	char *before, *err = NULL;
	struct writer_bed b;

	(void)state;
	writer_bed_set_up(&b);
	many_takes(&b, 12);
	before = writer_bed_row(&b, SUMS);
	writer_bed_run(
		&b, "CREATE TRIGGER no BEFORE DELETE ON take WHEN old.seq = 5 BEGIN SELECT raise(ABORT, 'not "
		    "now'); END");
	assert_int_equal(ledger_fold(b.ledger, SLOT0 + 3000, 1000, &err), -1);
	assert_non_null(strstr(err, "not now"));
	free(err);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM take"), 12);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM slot"), 0);
	writer_bed_row_is(&b, SUMS, before);
	free(before);
	writer_bed_tear_down(&b);
}

/* What a damaged ledger may hold: ids and times that leave no room to count on from them. */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding_changes_no_sum),
		cmocka_unit_test(an_index_that_lacks_takes_folds_none_twice),
		cmocka_unit_test(folding_takes_no_more_than_its_limit),
		cmocka_unit_test(takes_that_a_sink_has_not_passed_stay),
		cmocka_unit_test(a_sink_never_goes_back_and_a_new_one_begins_with_what_comes_next),
		cmocka_unit_test(a_fold_that_fails_leaves_all_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
