/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of db/ledger_crossing and db/quota_usage: a crossing is in the ledger once, and what a quota's
 * buckets moved.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_crossing.h"
#include "db/quota_usage.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/unit.h"
#include "tests/support/writer_bed.h"

static const uint64_t none[2] = {0, 0};

static void name(char to[CROSSING_NAME], const char *text)
{
	memset(to, 0, CROSSING_NAME);
	memcpy(to, text, strlen(text));
}

static struct crossing crossing_of(int64_t bucket, const char *label, const char *owner, uint32_t percent)
{
	struct crossing c = {.bucket = bucket,
			     .from = 1000,
			     .to = 2000,
			     .time = 1500,
			     .bytes = 100,
			     .used = 95,
			     .percent = percent,
			     .period = QUOTA_DAY,
			     .class = QUOTA_ALL,
			     .direction = QUOTA_BOTH};

	name(c.label, label);
	name(c.owner, owner);
	return c;
}

static int64_t added(struct writer_bed *b, const struct crossing *c, const char *outcome)
{
	char *err = NULL;
	int64_t id;
	int rc = ledger_crossing_add(b->ledger, c, outcome, &id, &err);

	if (rc < 0)
		fail_msg("%s", err);
	assert_int_equal(rc, id != 0);
	return id;
}

static int64_t known(struct writer_bed *b, const struct crossing *c)
{
	char *err = NULL;
	int64_t time;

	if (quota_usage_crossed(b->db, c, &time, &err) < 0)
		fail_msg("%s", err);
	return time;
}

static void a_crossing_is_there_once(void **state)
{
	struct writer_bed b;
	struct crossing c = crossing_of(7, "web", "acme", 95), other = c;

	(void)state;
	writer_bed_set_up(&b);
	assert_int_equal(known(&b, &c), 0);
	assert_int_not_equal(added(&b, &c, NULL), 0);
	assert_int_equal(known(&b, &c), 1500);
	c.time = 1600;
	c.used = 99;
	name(c.label, "www");    /* renamed meanwhile */
	name(c.owner, "globex"); /* and sold */
	assert_int_equal(added(&b, &c, NULL), 0);
	assert_int_equal(known(&b, &c), 1500);
	/* each of these is another one */
	other.percent = 100;
	assert_int_not_equal(added(&b, &other, NULL), 0);
	other.from = 2000;
	assert_int_equal(known(&b, &other), 0);
	assert_int_not_equal(added(&b, &other, NULL), 0);
	other.bytes = 200;
	assert_int_not_equal(added(&b, &other, NULL), 0);
	other.bucket = 8;
	assert_int_not_equal(added(&b, &other, NULL), 0);
	other.class = CLASS_PEER;
	assert_int_not_equal(added(&b, &other, NULL), 0);
	other.direction = QUOTA_INPUT;
	assert_int_not_equal(added(&b, &other, NULL), 0);
	other.period = QUOTA_MONTH;
	assert_int_not_equal(added(&b, &other, NULL), 0);
	assert_int_equal(added(&b, &other, NULL), 0);
	writer_bed_tear_down(&b);
}

static void owners_are_told_apart_by_name(void **state)
{
	struct writer_bed b;
	struct crossing acme = crossing_of(0, "", "acme", 100), globex = crossing_of(0, "", "globex", 100);

	(void)state;
	writer_bed_set_up(&b);
	assert_int_not_equal(added(&b, &acme, NULL), 0);
	assert_int_equal(known(&b, &globex), 0);
	assert_int_not_equal(added(&b, &globex, NULL), 0);
	assert_int_equal(added(&b, &acme, NULL), 0);
	writer_bed_tear_down(&b);
}

static void its_outcome_is_an_event(void **state)
{
	struct writer_bed b;
	struct crossing c = crossing_of(7, "web", "acme", 95);
	char *err = NULL;
	int64_t id;

	(void)state;
	writer_bed_set_up(&b);
	id = added(&b, &c, NULL);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM event"), 0);
	assert_int_equal(ledger_crossing_ended(b.ledger, id, 1510, "exit status 0", &err), 0);
	writer_bed_row_is(&b, "SELECT time, kind, object, detail FROM event",
			  "1500|quota|web|95 % of 100 bytes (day, all, both): 95 used; exit status 0");
	writer_bed_row_is(&b, "SELECT ended, outcome FROM crossing", "1510|exit status 0");
	/* one that ended is taken back by nobody */
	assert_int_equal(ledger_crossing_drop(b.ledger, id, &err), 0);
	assert_int_equal(known(&b, &c), 1500);
	c.percent = 100;
	id = added(&b, &c, "no quota_hook");
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM event"), 2);
	writer_bed_tear_down(&b);
}

static void one_that_was_not_called_is_free_again(void **state)
{
	struct writer_bed b;
	struct crossing c = crossing_of(7, "web", "acme", 95);
	char *err = NULL;

	(void)state;
	writer_bed_set_up(&b);
	assert_int_equal(ledger_crossing_drop(b.ledger, added(&b, &c, NULL), &err), 0);
	assert_int_equal(known(&b, &c), 0);
	assert_int_not_equal(added(&b, &c, NULL), 0);
	writer_bed_tear_down(&b);
}

static void what_was_lost_is_told_but_for_what_still_runs(void **state)
{
	struct writer_bed b;
	struct crossing c = crossing_of(7, "web", "", 80), owner = crossing_of(0, "", "acme", 100);
	char *err = NULL, *told;
	int64_t busy;

	(void)state;
	writer_bed_set_up(&b);
	added(&b, &owner, NULL);
	busy = added(&b, &c, NULL);
	assert_int_equal(ledger_crossing_lost(b.ledger, busy, 1700, "not known", &told, &err), 1);
	assert_string_equal(told, "acme: 100 % of 100 bytes (day, all, both)");
	free(told);
	assert_int_equal(ledger_crossing_lost(b.ledger, busy, 1700, "not known", &told, &err), 0);
	assert_null(told);
	assert_int_equal(ledger_crossing_lost(b.ledger, 0, 1700, "not known", &told, &err), 1);
	free(told);
	assert_int_equal(writer_bed_number(&b, "SELECT count(*) FROM crossing WHERE outcome = 'not known'"),
			 2);
	writer_bed_tear_down(&b);
}

/* ---- what was moved ---- */

static void a_quota_has_its_buckets(void **state)
{
	struct ledger_bed *b = *state;
	struct conf conf;
	struct quota q = {.name = (char *)(uintptr_t) "web"};
	struct usage_buckets buckets;
	struct class_bytes sums = {0};
	char *err = NULL;
	size_t count;
	int64_t *ids, open_slot;
	bool unattributed = false;

	conf_init(&conf);
	assert_int_equal(billing_add_owner(&conf.owners, "acme web db gone", &err), 0);
	for (int i = 1; i <= 3; i++) {
		static const char *const labels[] = {"web", "db", "mail"};

		ledger_bed_bucket(b->writer.db, i, labels[i - 1]);
		ledger_bed_bytes(b->writer.db, i, 3000, i % 2, (const uint64_t[2]){(uint64_t)i, 10}, none,
				 none);
		ledger_bed_bytes(b->writer.db, i, 6000, 0, (const uint64_t[2]){100, 1000}, none, none);
	}
	assert_int_equal(usage_read_buckets(b->reader.db, &buckets, &err), 0);
	ids = quota_usage_buckets(&conf, &q, &buckets, &count);
	assert_int_equal(count, 1);
	assert_int_equal(ids[0], 1);
	free(ids);
	q.of_owner = true;
	ids = quota_usage_buckets(&conf, &q, &buckets, &count);
	assert_int_equal(count, 0);
	free(ids);
	q.name = (char *)(uintptr_t) "acme";
	ids = quota_usage_buckets(&conf, &q, &buckets, &count);
	assert_int_equal(count, 2);
	assert_int_equal(quota_usage_add(b->reader.db, 3000, 6000, ids, count, &sums, &err), 0);
	assert_int_equal(sums.bytes[DIR_INPUT][CLASS_EXTERNAL], 3);
	assert_int_equal(quota_usage_add(b->reader.db, 6000, 6300, ids, count, &sums, &err), 0);
	assert_int_equal(sums.bytes[DIR_INPUT][CLASS_EXTERNAL], 203);
	assert_int_equal(sums.bytes[DIR_OUTPUT][CLASS_EXTERNAL], 2020);
	assert_int_equal(quota_usage_add(b->reader.db, 6300, 6300, ids, count, &sums, &err), 0);
	assert_int_equal(quota_usage_add(b->reader.db, 0, 9000, ids, 0, &sums, &err),
			 0); /* not: all buckets */
	assert_int_equal(sums.bytes[DIR_INPUT][CLASS_EXTERNAL], 203);
	ledger_bed_open_slot(b->writer.db, 6000);
	assert_int_equal(quota_usage_charging(b->reader.db, &unattributed, &open_slot, &err), 0);
	assert_true(unattributed);
	assert_int_equal(open_slot, 6000);
	free(ids);
	usage_buckets_free(&buckets);
	conf_free(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crossing_is_there_once),
		cmocka_unit_test(owners_are_told_apart_by_name),
		cmocka_unit_test(its_outcome_is_an_event),
		cmocka_unit_test(one_that_was_not_called_is_free_again),
		cmocka_unit_test(what_was_lost_is_told_but_for_what_still_runs),
		cmocka_unit_test_setup_teardown(a_quota_has_its_buckets, ledger_bed_set_up,
						ledger_bed_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
