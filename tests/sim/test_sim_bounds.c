/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * 10,000 domains a day that live for five minutes each, every one with a name and a uuid of its own: how
 * large the ledger becomes, how much memory the account needs, how long a report takes, and that a sink which
 * is far behind costs no more than its takes. DAYS=n: so many days (2; a soak has 365); RETAIN=n: with
 * `retain n months`. Then, with a slot a day for a year and a month retained, that all of it stops growing.
 * Prints what it measured.
 *
 * What could go wrong: something is kept for each domain that ever lived, or read through at each commit or
 * report.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "account/account.h"
#include "base/mem.h"
#include "db/audit.h"
#include "db/ledger_forget.h"
#include "db/ledger_retain.h"
#include "db/retain.h"
#include "db/sink.h"
#include "db/usage.h"
#include "tests/support/account_bed.h"
#include "tests/support/unit.h"

#define A_DAY (86400 / SLOT_SECONDS)
#define A_SLOT 35 /* domains: 10,080 a day */
#define RETIRE_ROWS 2000
#define FORGET_BUCKETS 500

/* Bounds, with room for a slow machine where it is about time. */
#define LEDGER_BYTES 1600 /* for each domain that is kept, all told */
#define MEMORY_BYTES 800  /* of the same: its bucket with its name, its uuid */
#define COMMIT_MS 1000    /* the mean of one slot with 35 domains that come and 35 that go */
#define LONGEST_MS 20000
#define REPORT_US 500 /* for each row, which is one domain */
#define DAYS_TO_LEVEL 180

struct bounds {
	struct account_bed bed;
	int64_t now;
	unsigned next;                       /* number of the next domain */
	double commit_seconds, most_seconds; /* of all commits, of the longest one */
	uint64_t sent;
	unsigned retain; /* months; 0: forever */
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What the program has allocated, SQLite too. A sanitizer's allocator does not tell. */
static double allocated(void)
{
	return (double)mallinfo2().uordblks;
}

static off_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void come(struct bounds *b, int64_t *vif)
{
	char *uuid = mem_printf("55555555-0000-4000-8000-%012u", b->next),
	     *name = mem_printf("job-%u", b->next), *netdev = mem_printf("vif%u.0", b->next),
	     *address = mem_printf("10.%u.%u.%u", b->next >> 16 & 255, b->next >> 8 & 255, b->next & 255);

	*vif = account_bed_vif_of(&b->bed, b->next, 0, uuid, name, address);
	account_device_here(b->bed.account, *vif, b->next + 100, netdev, DEVICE_OTHER, 0, 0);
	free(uuid);
	free(name);
	free(netdev);
	free(address);
	b->next++;
}

/* As xenbwd does with a commit and a slot. */
static void retire(const struct bounds *b)
{
	int64_t begin = retain_begin(b->now, b->retain);
	struct ledger_forgotten f;
	char *err = NULL;
	bool held;

	if (ledger_retire(b->bed.ledger, begin, RETIRE_ROWS, &held, &err) < 0 ||
	    ledger_forget(b->bed.ledger, begin, FORGET_BUCKETS, account_is_idle, b->bed.account, &f, &err) <
		    0)
		fail_msg("%s", err);
	account_forget(b->bed.account, &f);
	ledger_forgotten_free(&f);
}

/* A slot: domains come, move bytes, and go. */
static void slot(struct bounds *b)
{
	int64_t vifs[A_SLOT];
	unsigned first = b->next;
	double began;

	account_begin(b->bed.account, b->now + 10);
	for (int i = 0; i < A_SLOT; i++)
		come(b, &vifs[i]);
	account_begin(b->bed.account, b->now + 290);
	for (int i = 0; i < A_SLOT; i++)
		account_bed_read_at(&b->bed, first + 100 + (unsigned)i, 1 + (first + (unsigned)i) % 1000);
	(void)account_settle(b->bed.account, NULL);
	for (int i = 0; i < A_SLOT; i++) {
		b->sent += (uint64_t)1000 * (1 + (first + (unsigned)i) % 1000);
		account_device_gone(b->bed.account, first + 100 + (unsigned)i, NULL);
		account_vif_gone(b->bed.account, vifs[i]);
	}
	b->now += SLOT_SECONDS;
	account_begin(b->bed.account, b->now);
	(void)account_settle(b->bed.account, NULL);
	began = seconds();
	account_bed_commit(&b->bed);
	if (b->retain)
		retire(b);
	began = seconds() - began;
	b->commit_seconds += began;
	b->most_seconds = began > b->most_seconds ? began : b->most_seconds;
}

static void fold(struct bounds *b)
{
	char *err = NULL;

	if (ledger_fold(b->bed.ledger, account_open_slot(b->bed.account), 1000000, &err) < 0)
		fail_msg("%s", err);
}

/* The last day's report, by bucket. */
static double report(const struct bounds *b)
{
	double began = seconds();
	struct usage_report r;
	char *err = NULL;

	if (usage_read_report(b->bed.reader.db, USAGE_BY_BUCKET, b->now - 86400, b->now, NULL, 0, &r, &err) <
	    0)
		fail_msg("%s", err);
	assert_int_equal(r.count, A_DAY * A_SLOT);
	usage_report_free(&r);
	return seconds() - began;
}

static void within_bounds(const struct bounds *b, const char *what, double per, double bound)
{
	print_message("# figure: %s: %.0f, bound %.0f (%u domains)\n", what, per, bound, b->next - 1);
	if (per > bound)
		fail_msg("%s: %.0f, bound %.0f", what, per, bound);
}

/* Buckets that are kept, and that the ledger and the account spend bytes on. */
static double kept(const struct bounds *b)
{
	return (double)account_bed_number(&b->bed, "SELECT count(*) FROM bucket");
}

static void assert_sound(const struct bounds *b)
{
	struct audit a;
	char *err = NULL;

	if (audit_identity(b->bed.reader.db, &a, &err) < 0)
		fail_msg("%s", err);
	if (a.wrong)
		fail_msg("%s", a.first);
	audit_clear(&a);
	assert_int_equal(account_bed_number(&b->bed, "SELECT sum(unattributed_input) FROM usage"), b->sent);
}

static void ten_thousand_domains_a_day_stay_within_bounds(void **state)
{
	static const char *const sinks[] = {MYSQL_SINK};
	const char *text = getenv("DAYS"), *months = getenv("RETAIN");
	long days = text ? strtol(text, NULL, 10) : 2;
	struct bounds b = {
		.now = EDGE, .next = 1, .retain = months ? (unsigned)strtoul(months, NULL, 10) : 0};
	double before, all;
	char *err = NULL;

	(void)state;
	account_bed_set_up(&b.bed, EDGE);
	if (ledger_sinks(b.bed.ledger, sinks, 1, &err) < 0)
		fail_msg("%s", err);
	before = allocated();
	for (long n = 0; n < days * A_DAY; n++) {
		slot(&b);
		if (n % 12 == 11 && n < (days - 1) * A_DAY) { /* the last day MySQL is away */
			assert_int_equal(ledger_passed(b.bed.ledger, MYSQL_SINK,
						       account_last_seq(b.bed.account), NULL),
					 0);
			fold(&b);
		}
	}
	assert_int_equal(account_bed_number(&b.bed, "SELECT count(*) FROM take"), A_DAY * A_SLOT);
	assert_int_equal(account_bed_number(&b.bed, "SELECT sum(unattributed_input) FROM usage"), b.sent);
	within_bounds(&b, "mean milliseconds of a slot's commit",
		      b.commit_seconds * 1000 / (double)(days * A_DAY), COMMIT_MS);
	within_bounds(&b, "milliseconds of the longest one", b.most_seconds * 1000, LONGEST_MS);
	all = kept(&b);
	within_bounds(&b, "domains that are kept", all,
		      b.retain ? (double)(b.retain + 2) * 31 * A_DAY * A_SLOT : (double)b.next);
	within_bounds(&b,
		      "microseconds for each row of the last day's report, with a sink that is a day behind",
		      report(&b) * 1e6 / (A_DAY * A_SLOT), REPORT_US);
	within_bounds(&b, "bytes of memory for each domain that is kept", (allocated() - before) / all,
		      MEMORY_BYTES);
	print_message("# figure: memory %.0f MB\n", (allocated() - before) / 1e6);
	assert_int_equal(ledger_passed(b.bed.ledger, MYSQL_SINK, account_last_seq(b.bed.account), NULL), 0);
	fold(&b);
	assert_int_equal(account_bed_number(&b.bed, "SELECT count(*) FROM take"), 0);
	assert_sound(&b);
	within_bounds(&b, "microseconds for each row of the last day's report",
		      report(&b) * 1e6 / (A_DAY * A_SLOT), REPORT_US);
	account_bed_kill_it(&b.bed);
	within_bounds(&b, "bytes of the ledger for each domain that is kept",
		      (double)size_of(b.bed.path) / all, LEDGER_BYTES);
	print_message("# figure: ledger %.0f MB\n", (double)size_of(b.bed.path) / 1e6);
	ledger_file_close(&b.bed.reader);
	free(b.bed.path);
	scratch_free(b.bed.dir);
}

/* 35 domains a day, each day; the same of a whole year as of half of it. */
static void what_is_retained_stops_growing(void **state)
{
	struct bounds b = {.now = EDGE, .next = 1, .retain = 1};
	int64_t rows[2];
	double memory[2], pages[2];

	(void)state;
	account_bed_set_up(&b.bed, EDGE);
	for (int day = 1; day <= 2 * DAYS_TO_LEVEL; day++) {
		slot(&b);
		fold(&b);
		b.now += 86400 - SLOT_SECONDS;
		if (day % DAYS_TO_LEVEL == 0) { /* then the same days of a month are kept */
			int half = day / DAYS_TO_LEVEL - 1;

			rows[half] = account_bed_number(
				&b.bed,
				"SELECT (SELECT count(*) FROM slot) + (SELECT count(*) FROM vif) +"
				" (SELECT count(*) FROM epoch) + (SELECT count(*) FROM bucket) +"
				" (SELECT count(*) FROM bucket_label) + (SELECT count(*) FROM bucket_uuid)");
			pages[half] = (double)account_bed_number(&b.bed, "PRAGMA page_count");
			memory[half] = allocated();
		}
	}
	assert_sound(&b);
	print_message("# figure: rows %lld, then %lld; pages %.0f, then %.0f\n", (long long)rows[0],
		      (long long)rows[1], pages[0], pages[1]);
	assert_true(rows[0] < (int64_t)6 * A_SLOT * 31 * 4);
	assert_true(rows[1] < rows[0] + rows[0] / 4);
	assert_true(pages[1] < pages[0] * 1.25);
	assert_true(memory[1] < memory[0] * 1.25 + 1e5);
	account_bed_kill_it(&b.bed);
	ledger_file_close(&b.bed.reader);
	free(b.bed.path);
	scratch_free(b.bed.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ten_thousand_domains_a_day_stay_within_bounds),
					   cmocka_unit_test(what_is_retained_stops_growing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
