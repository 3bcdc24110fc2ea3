/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Unit tests of db/ledger_closing and db/closed: editions of a month, all of one or nothing of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/closed.h"
#include "db/ledger_closing.h"
#include "db/ledger_file.h"
#include "db/sql.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/unit.h"

#define FROM 1790812800 /* 2026-10-01 UTC */
#define TO 1793491200

struct bed {
	char *folder, *path;
	struct ledger *ledger;
};

static void sql(const struct bed *b, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	ledger_bed_sql(db, "%s", text);
	sqlite3_close(db);
}

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));
	char *err = NULL;

	b->folder = scratch_new();
	b->path = mem_printf("%s/ledger.db", b->folder);
	if (ledger_open(&b->ledger, b->path, "boot", &err) < 0)
		fail_msg("%s", err);
	sql(b, "UPDATE meta SET value = 1793491200 WHERE key = 'open_slot'");
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	ledger_close(b->ledger);
	scratch_free(b->folder);
	free(b->path);
	free(b);
	return 0;
}

static struct control_closed row(int64_t bucket, const char *label, const char *owner, int64_t input)
{
	struct control_closed r = {.bucket = bucket,
				   .from = FROM,
				   .to = TO,
				   .bytes = {input, -input},
				   .p95 = {7, 8},
				   .slots = 8928,
				   .observed = 8000,
				   .day = 1};

	strncpy(r.label, label, sizeof(r.label) - 1);
	strncpy(r.owner, owner, sizeof(r.owner) - 1);
	return r;
}

static int put(const struct bed *b, uint32_t edition, struct control_closed *rows, size_t count, char **err)
{
	struct closing c = {.month = "2026-10", .edition = edition, .rows = rows, .count = count};

	return ledger_closing_write(b->ledger, &c, 1795000000, err);
}

static struct closed_rows get(const struct bed *b, const char *month)
{
	struct closed_rows rows;
	struct ledger_file f;
	char *err = NULL;

	assert_int_equal(ledger_file_open_reader(&f, b->path, &err), 0);
	if (closed_read(f.db, month, &rows, &err) < 0)
		fail_msg("%s", err);
	ledger_file_close(&f);
	return rows;
}

static void refused(const struct bed *b, uint32_t edition, struct control_closed *rows, size_t count,
		    const char *why)
{
	char *err = NULL;

	assert_int_equal(put(b, edition, rows, count, &err), -1);
	if (!strstr(err, why))
		fail_msg("%s: not: %s", err, why);
	err_clear(&err);
}

static void editions_follow_each_other(void **state)
{
	const struct bed *b = *state;
	struct control_closed rows[] = {row(2, "web2", "acme", 20), row(1, "web", "", 10),
					row(0, "", "acme", 20), row(3, "web10", "acme", 5)};
	struct closed_rows got = get(b, "2026-10");
	char *err = NULL;

	assert_int_equal(got.editions, 0);
	refused(b, 1, rows, 4, "somebody else");
	if (put(b, 0, rows, 4, &err) < 0 || put(b, 1, rows, 1, &err) < 0)
		fail_msg("%s", err);
	refused(b, 0, rows, 4, "somebody else");
	refused(b, 1, rows, 1, "somebody else");
	got = get(b, "2026-10");
	assert_int_equal(got.editions, 2);
	assert_int_equal(got.count, 5);
	assert_int_equal(got.list[0].row.bucket,
			 0); /* the owner's own row, then by label, what is nobody's last */
	assert_string_equal(got.list[1].row.label, "web2");
	assert_int_equal(got.list[1].edition, 0);
	assert_int_equal(got.list[2].edition, 1);
	assert_string_equal(got.list[3].row.label, "web10");
	assert_string_equal(got.list[4].row.owner, "");
	assert_int_equal(got.list[1].row.bytes[DIR_OUTPUT], -20);
	assert_int_equal(got.list[1].row.p95[DIR_OUTPUT], 8);
	assert_int_equal(got.list[1].row.slots, 8928);
	assert_int_equal(got.list[1].row.observed, 8000);
	assert_int_equal(got.list[1].row.from, FROM);
	assert_int_equal(got.list[1].row.day, 1);
	assert_int_equal(got.list[1].time, 1795000000);
	closed_rows_free(&got);
	got = get(b, "2026-11");
	assert_int_equal(got.count, 0);
	closed_rows_free(&got);
}

/* A bucket that is called otherwise by now, and others between its two names. */
static void editions_of_a_bucket_stand_together(void **state)
{
	const struct bed *b = *state;
	struct control_closed first[] = {row(1, "web", "", 10), row(2, "wex", "", 20), row(3, "mail", "", 5)},
			      later[] = {row(1, "www", "", 1), row(2, "wex", "", 1), row(3, "zmail", "", 1)};
	static const int64_t buckets[] = {3, 3, 1, 1, 2, 2}; /* by what they were called first */
	struct closed_rows got;
	char *err = NULL;

	if (put(b, 0, first, 3, &err) < 0 || put(b, 1, later, 3, &err) < 0)
		fail_msg("%s", err);
	got = get(b, "2026-10");
	assert_int_equal(got.count, 6);
	for (size_t i = 0; i < got.count; i++) {
		assert_int_equal(got.list[i].row.bucket, buckets[i]);
		assert_int_equal(got.list[i].edition, i % 2);
	}
	assert_string_equal(got.list[3].row.label, "www");
	assert_string_equal(got.list[3].place, "web");
	closed_rows_free(&got);
}

static void all_rows_or_none(void **state)
{
	const struct bed *b = *state;
	struct control_closed rows[] = {row(1, "web", "", 10), row(1, "web", "", 10)};
	struct closed_rows got;

	refused(b, 0, rows, 2, "UNIQUE"); /* the second one is the first again */
	got = get(b, "2026-10");
	assert_int_equal(got.count, 0);
	closed_rows_free(&got);
	refused(b, 0, rows, 0, "nothing to close");
	rows[0].to = TO + 300;
	refused(b, 0, rows, 1, "not over yet");
}

static void messages_are_looked_at(void **state)
{
	struct control_closing *m = mem_alloc(sizeof(*m));

	(void)state;
	*m = (struct control_closing){
		.magic = CONTROL_MAGIC, .kind = CONTROL_CLOSE, .count = 1, .month = "2026-10"};
	m->rows[0] = row(1, "web", "acme", 1);
	assert_true(control_closing_is_sound(m, sizeof(*m)));
	assert_false(control_closing_is_sound(m, sizeof(*m) - 1));
	memset(m->rows[0].label, 'x', sizeof(m->rows[0].label));
	assert_false(control_closing_is_sound(m, sizeof(*m)));
	m->rows[0] = row(1, "web", "acme", 1);
	m->rows[0].to = m->rows[0].from;
	assert_false(control_closing_is_sound(m, sizeof(*m)));
	m->rows[0] = row(-1, "web", "acme", 1);
	assert_false(control_closing_is_sound(m, sizeof(*m)));
	m->rows[0] = row(1, "web", "acme", 1);
	m->count = CONTROL_CLOSED + 1;
	assert_false(control_closing_is_sound(m, sizeof(*m)));
	m->count = 0;
	m->left = 1;
	assert_false(control_closing_is_sound(m, sizeof(*m)));
	m->count = 1;
	m->month[7] = '1';
	assert_false(control_closing_is_sound(m, sizeof(*m)));
	memcpy(m->month, "2026'10", 8);
	assert_false(control_closing_is_sound(m, sizeof(*m)));
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(editions_follow_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(editions_of_a_bucket_stand_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_rows_or_none, set_up, tear_down),
		cmocka_unit_test(messages_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
