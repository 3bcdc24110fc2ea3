/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A ledger that is not what it was is never taken for it: cut off at any byte, without its log, or an older
 * copy.
 *
 * What could go wrong: it is taken for a new one, its log is thrown away, commits are missing and nobody is
 * told; or a sound one, and one that was moved away on purpose, are refused.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_file.h"
#include "tests/support/unit.h"
#include "tests/support/writer_bed.h"

#define COMMITS 40

struct files { /* a ledger's, as bytes */
	char *db, *wal;
	size_t db_size, wal_size;
};

/* Takes by the dozen, as xenbwd commits them. */
static void commit_takes(struct writer_bed *b, int64_t first, int count)
{
	struct writer_bed_sample s;

	for (int i = 0; i < count; i++) {
		struct ledger_batch batch = {.now = SLOT0 + i, .open_slot = SLOT0};

		writer_bed_fill(&s);
		if (first == 1 && i == 0) {
			s.take.seq = 1;
			writer_bed_commit(b, &s.batch);
			continue;
		}
		s.take.seq = first + i;
		batch.takes = s.takes;
		batch.take_count = 1;
		writer_bed_commit(b, &batch);
	}
}

static char *beside(const struct writer_bed *b, const char *ending)
{
	return mem_printf("%s%s", b->path, ending);
}

/* As a killed xenbwd leaves them. */
static struct files keep(const struct writer_bed *b)
{
	char *wal = beside(b, "-wal");
	struct files f;

	f.db = scratch_read(b->path, &f.db_size);
	f.wal = scratch_read(wal, &f.wal_size);
	free(wal);
	return f;
}

static void put_back(const struct writer_bed *b, const struct files *f, size_t db_size, size_t wal_size)
{
	char *wal = beside(b, "-wal"), *shm = beside(b, "-shm");

	scratch_write(b->path, f->db, db_size);
	scratch_write(wal, f->wal, wal_size);
	unlink(shm);
	free(wal);
	free(shm);
}

static void drop(struct files *f)
{
	free(f->db);
	free(f->wal);
}

/* The bed's ledger is in use no more, and its files are those of before the end. */
static struct files killed(struct writer_bed *b)
{
	struct files f;

	sqlite3_close(b->db);
	b->db = NULL;
	f = keep(b);
	ledger_close(b->ledger);
	b->ledger = NULL;
	put_back(b, &f, f.db_size, f.wal_size);
	return f;
}

static int try_open(struct writer_bed *b, char **err)
{
	return ledger_open(&b->ledger, b->path, BOOT, err);
}

static void is_refused(struct writer_bed *b, const char *word)
{
	struct files before = keep(b), after;
	char *err = NULL;

	if (try_open(b, &err) == 0)
		fail_msg("%zu and %zu bytes were taken for a ledger", before.db_size, before.wal_size);
	if (!strstr(err, b->path) || !strstr(err, word) || !strstr(err, "nothing was changed"))
		fail_msg("not as it should be: %s", err);
	free(err);
	after = keep(b);
	assert_int_equal(before.db_size, after.db_size);
	assert_int_equal(before.wal_size, after.wal_size);
	assert_memory_equal(before.db, after.db, before.db_size);
	assert_memory_equal(before.wal, after.wal, before.wal_size);
	drop(&before);
	drop(&after);
}

static void lacks(struct writer_bed *b, int64_t takes)
{
	char *err = NULL;

	if (try_open(b, &err) < 0)
		fail_msg("%s", err);
	assert_int_equal(ledger_missing(b->ledger), takes);
}

static void close_it(struct writer_bed *b)
{
	ledger_close(b->ledger);
	b->ledger = NULL;
}

static void a_sound_ledger_lacks_nothing(void **state)
{
	struct writer_bed b;
	struct files f;

	(void)state;
	writer_bed_set_up(&b);
	assert_int_equal(ledger_missing(b.ledger), 0);
	commit_takes(&b, 1, COMMITS);
	f = killed(&b);
	lacks(&b, 0);
	close_it(&b);
	lacks(&b, 0);
	drop(&f);
	writer_bed_tear_down(&b);
}

static void a_log_torn_at_any_byte_loses_whole_commits_and_says_how_many(void **state)
{
	int64_t least = INT64_MAX, most = -1;
	struct writer_bed b;
	struct files f;

	(void)state;
	writer_bed_set_up(&b);
	commit_takes(&b, 1, COMMITS);
	f = killed(&b);
	assert_true(f.wal_size > 100000);
	for (size_t cut = f.wal_size; cut + 30000 > f.wal_size; cut -= 487) {
		char *err = NULL;
		struct ledger_tail tail;

		put_back(&b, &f, f.db_size, cut);
		if (try_open(&b, &err) < 0)
			fail_msg("log cut at %zu: %s", cut, err);
		assert_int_equal(ledger_tail(b.ledger, &tail, NULL), 0);
		assert_int_equal(tail.seq + ledger_missing(b.ledger), COMMITS);
		least = ledger_missing(b.ledger) < least ? ledger_missing(b.ledger) : least;
		most = ledger_missing(b.ledger) > most ? ledger_missing(b.ledger) : most;
		free(tail.uuid);
		close_it(&b);
	}
	assert_int_equal(least, 0);
	assert_true(most > 1);
	drop(&f);
	writer_bed_tear_down(&b);
}

static void a_ledger_whose_log_is_gone_is_not_a_new_one(void **state)
{
	struct writer_bed b;
	struct files f;

	(void)state;
	writer_bed_set_up(&b);
	commit_takes(&b, 1, COMMITS);
	f = killed(&b);
	put_back(&b, &f, f.db_size, 0); /* of the file there is only its first page yet */
	is_refused(&b, "is empty, but it was in use");
	put_back(&b, &f, f.db_size, 100);
	is_refused(&b, "is empty, but it was in use");
	put_back(&b, &f, f.db_size, f.wal_size);
	lacks(&b, 0);
	drop(&f);
	writer_bed_tear_down(&b);
}

static void a_file_torn_at_any_byte_is_refused_and_left_as_it_is(void **state)
{
	struct writer_bed b;
	struct files f;

	(void)state;
	writer_bed_set_up(&b);
	commit_takes(&b, 1, COMMITS);
	writer_bed_run(&b, "PRAGMA wal_checkpoint(TRUNCATE)");
	f = killed(&b);
	assert_int_equal(f.wal_size, 0);
	for (size_t cut = 1; cut < f.db_size; cut += 1531) {
		put_back(&b, &f, cut, 0);
		is_refused(&b, cut < 16 ? "" : "damaged");
	}
	put_back(&b, &f, 0, 0);
	is_refused(&b, "is empty, but it was in use");
	put_back(&b, &f, f.db_size, 0);
	lacks(&b, 0);
	drop(&f);
	writer_bed_tear_down(&b);
}

static void an_emptied_file_keeps_the_log_that_it_has(void **state)
{
	struct writer_bed b;
	struct files f;
	char *lock;

	(void)state;
	writer_bed_set_up(&b);
	commit_takes(&b, 1, COMMITS);
	f = killed(&b);
	put_back(&b, &f, 0, f.wal_size);
	is_refused(&b, "is empty, but it was in use");
	lock = beside(&b, ".lock");
	assert_int_equal(unlink(lock), 0);
	is_refused(&b, "is empty, but it was in use");
	free(lock);
	drop(&f);
	writer_bed_tear_down(&b);
}

static void an_older_copy_lacks_what_came_after_it_until_it_counts_again(void **state)
{
	struct writer_bed b;
	struct files f;

	(void)state;
	writer_bed_set_up(&b);
	commit_takes(&b, 1, COMMITS);
	writer_bed_run(&b, "PRAGMA wal_checkpoint(TRUNCATE)");
	f = keep(&b);
	commit_takes(&b, COMMITS + 1, 7);
	sqlite3_close(b.db);
	b.db = NULL;
	close_it(&b);
	put_back(&b, &f, f.db_size, 0);
	lacks(&b, 7);
	close_it(&b);
	lacks(&b, 7); /* said again, for nothing was committed */
	commit_takes(&b, COMMITS + 1, 1);
	close_it(&b);
	lacks(&b, 0);
	drop(&f);
	writer_bed_tear_down(&b);
}

static void one_that_was_moved_away_makes_room_for_a_new_one(void **state)
{
	struct writer_bed b;
	char *wal;

	(void)state;
	writer_bed_set_up(&b);
	commit_takes(&b, 1, COMMITS);
	sqlite3_close(b.db);
	b.db = NULL;
	close_it(&b);
	wal = beside(&b, "-wal");
	assert_int_equal(unlink(b.path), 0);
	unlink(wal);
	free(wal);
	lacks(&b, 0);
	writer_bed_tear_down(&b);
}

static void a_witness_that_is_nonsense_says_nothing(void **state)
{
	static const char *const nonsense[] = {"",     " ", "x", "x ", " 7", "x -7", "x 99999999999999999999",
					       "x y\n"};
	struct writer_bed b;
	char *lock;

	(void)state;
	writer_bed_set_up(&b);
	commit_takes(&b, 1, 3);
	close_it(&b);
	lock = beside(&b, ".lock");
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		scratch_write(lock, nonsense[i], strlen(nonsense[i]));
		lacks(&b, 0);
		close_it(&b);
	}
	free(lock);
	writer_bed_tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_ledger_lacks_nothing),
		cmocka_unit_test(a_log_torn_at_any_byte_loses_whole_commits_and_says_how_many),
		cmocka_unit_test(a_ledger_whose_log_is_gone_is_not_a_new_one),
		cmocka_unit_test(a_file_torn_at_any_byte_is_refused_and_left_as_it_is),
		cmocka_unit_test(an_emptied_file_keeps_the_log_that_it_has),
		cmocka_unit_test(an_older_copy_lacks_what_came_after_it_until_it_counts_again),
		cmocka_unit_test(one_that_was_moved_away_makes_room_for_a_new_one),
		cmocka_unit_test(a_witness_that_is_nonsense_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
