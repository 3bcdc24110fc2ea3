/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening real files: what is created, what is refused, and that a refusal changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "db/ledger_file.h"
#include "db/sql.h"
#include "tests/support/unit.h"

#define NOBODY 65534

struct place {
	char *dir, *path;
};

static struct place place_new(void)
{
	struct place p = {.dir = scratch_new()};

	p.path = mem_printf("%s/ledger.db", p.dir);
	return p;
}

static void place_free(struct place *p)
{
	free(p->path);
	scratch_free(p->dir);
}

static struct ledger_file writer(const struct place *p)
{
	struct ledger_file f;
	char *err = NULL;

	if (ledger_file_open_writer(&f, p->path, &err) < 0)
		fail_msg("%s", err);
	assert_null(err);
	return f;
}

static struct ledger_file reader(const struct place *p)
{
	struct ledger_file f;
	char *err = NULL;

	if (ledger_file_open_reader(&f, p->path, &err) != 0)
		fail_msg("%s", err ? err : "there is none");
	return f;
}

/* Both kinds of opening (or the writer's alone) fail, name the file and say these words. */
static void refused(const struct place *p, const char *word, const char *second, bool reader_too)
{
	for (int i = 0; i <= reader_too; i++) {
		struct ledger_file f;
		char *err = NULL;
		int rc = i ? ledger_file_open_reader(&f, p->path, &err)
			   : ledger_file_open_writer(&f, p->path, &err);

		if (rc != -1)
			fail_msg("was opened (%d), expected: %s", i, word);
		assert_non_null(err);
		if (!strstr(err, p->path) || !strstr(err, word) || !strstr(err, second) || strchr(err, '\n'))
			fail_msg("not as it should be: %s", err);
		free(err);
		assert_null(f.db);
		assert_int_equal(f.lock_fd, -1);
	}
}

/* As refused, and not a byte of the file is another one afterwards. */
static void refused_unchanged(const struct place *p, const char *word, const char *second, bool reader_too)
{
	size_t len, len_after;
	char *before = scratch_read(p->path, &len), *after;

	refused(p, word, second, reader_too);
	after = scratch_read(p->path, &len_after);
	assert_int_equal(len, len_after);
	assert_memory_equal(before, after, len);
	free(before);
	free(after);
}

static int64_t number(struct ledger_file *f, const char *query)
{
	char *err = NULL;
	int64_t n = 0;

	if (sql_number(f->db, query, -1, &n, &err) < 0)
		fail_msg("%s", err);
	return n;
}

static void run(struct ledger_file *f, const char *text)
{
	char *err = NULL;

	if (sql_run(f->db, text, &err) < 0)
		fail_msg("%s", err);
}

static mode_t mode_of(const char *path, const char *suffix)
{
	char *full = mem_printf("%s%s", path, suffix);
	struct stat st;

	assert_int_equal(stat(full, &st), 0);
	free(full);
	return st.st_mode & 07777;
}

static void a_new_ledger_is_created_with_its_identity(void **state)
{
	struct place p = place_new();
	struct ledger_file f = writer(&p);
	mode_t mask = umask(0);

	(void)state;
	umask(mask);
	assert_int_equal(number(&f, "PRAGMA application_id"), LEDGER_APPLICATION_ID);
	assert_int_equal(number(&f, "PRAGMA user_version"), LEDGER_SCHEMA);
	assert_int_equal(number(&f, "PRAGMA synchronous"), 2);
	assert_int_equal(number(&f, "PRAGMA foreign_keys"), 1);
	assert_int_equal(number(&f, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"),
			 1);
	assert_int_equal(number(&f, "SELECT length(value) FROM meta WHERE key = 'uuid'"), 32);
	assert_int_equal(number(&f, "SELECT value FROM meta WHERE key = 'open_slot'"), 0);
	assert_true(number(&f, "SELECT value FROM meta WHERE key = 'created'") > 1600000000);
	ledger_file_close(&f);
	assert_int_not_equal(mask, 027); /* else it was left behind */
	place_free(&p);
}

static void the_group_may_read_and_nobody_else(void **state)
{
	const mode_t masks[] = {0, 022, 077};

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		struct place p = place_new();
		mode_t before = umask(masks[i]);
		struct ledger_file f = writer(&p);

		assert_int_equal(umask(before), masks[i]); /* as it was */
		run(&f, "INSERT INTO bucket VALUES (1, 'ip')");
		assert_int_equal(mode_of(p.path, ""), 0640);
		assert_int_equal(mode_of(p.path, "-wal"), 0640);
		assert_int_equal(mode_of(p.path, "-shm"), 0640);
		ledger_file_close(&f);
		assert_int_equal(mode_of(p.path, ""), 0640);
		place_free(&p);
	}
}

static void a_ledger_keeps_its_name_and_rows_when_opened_again(void **state)
{
	struct place p = place_new();
	struct ledger_file f = writer(&p);
	sqlite3_stmt *q;
	char *err = NULL, *uuid, *again;

	(void)state;
	assert_int_equal(sql_prepare(f.db, &q, "SELECT value FROM meta WHERE key = 'uuid'", &err), 0);
	assert_int_equal(sql_step(q, &err), 1);
	uuid = sql_text(q, 0);
	sqlite3_finalize(q);
	run(&f, "INSERT INTO bucket VALUES (7, 'ip')");
	ledger_file_close(&f);
	f = writer(&p);
	assert_int_equal(sql_prepare(f.db, &q, "SELECT value FROM meta WHERE key = 'uuid'", &err), 0);
	assert_int_equal(sql_step(q, &err), 1);
	again = sql_text(q, 0);
	sqlite3_finalize(q);
	assert_string_equal(uuid, again);
	assert_int_equal(number(&f, "SELECT id FROM bucket"), 7);
	ledger_file_close(&f);
	free(uuid);
	free(again);
	place_free(&p);
}

static void a_second_writer_is_refused_while_the_first_lives(void **state)
{
	struct place p = place_new();
	struct ledger_file f = writer(&p);

	(void)state;
	refused(&p, "in use", "another xenbwd", false);
	run(&f, "INSERT INTO bucket VALUES (1, 'ip')"); /* the first is none the worse */
	ledger_file_close(&f);
	f = writer(&p);
	ledger_file_close(&f);
	place_free(&p);
}

static void a_reader_may_read_beside_the_writer(void **state)
{
	struct place p = place_new();
	struct ledger_file w = writer(&p), r = reader(&p);

	(void)state;
	run(&w, "INSERT INTO bucket VALUES (1, 'ip')");
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 1);
	run(&w, "BEGIN IMMEDIATE; INSERT INTO bucket VALUES (2, 'ip')");
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 1); /* not yet committed */
	run(&w, "COMMIT");
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 2);
	run(&r, "BEGIN");
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 2);
	run(&w, "INSERT INTO bucket VALUES (3, 'ip')"); /* does not wait for the reader */
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 2);
	run(&r, "COMMIT");
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 3);
	ledger_file_close(&w);
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 3);
	ledger_file_close(&r);
	place_free(&p);
}

static void a_reader_cannot_write(void **state)
{
	struct place p = place_new();
	struct ledger_file w = writer(&p), r = reader(&p);
	char *err = NULL;

	(void)state;
	assert_int_equal(sql_run(r.db, "INSERT INTO bucket VALUES (1, 'ip')", &err), -1);
	assert_non_null(strstr(err, p.path));
	free(err);
	ledger_file_close(&r);
	ledger_file_close(&w);
	place_free(&p);
}

static void where_there_is_none_a_reader_is_told_so_without_an_error(void **state)
{
	struct place p = place_new();
	struct ledger_file f;
	char *err = NULL, *deeper = mem_printf("%s/no/where/ledger.db", p.dir);

	(void)state;
	assert_int_equal(ledger_file_open_reader(&f, p.path, &err), 1);
	assert_null(err);
	assert_null(f.db);
	assert_int_equal(access(p.path, F_OK), -1); /* and none was made */
	assert_int_equal(ledger_file_open_reader(&f, deeper, &err), 1);
	assert_null(err);
	ledger_file_close(&f); /* harmless */
	free(deeper);
	place_free(&p);
}

static void where_the_folder_is_missing_the_writer_says_so(void **state)
{
	struct place p = place_new();

	(void)state;
	free(p.path);
	p.path = mem_printf("%s/no/where/ledger.db", p.dir);
	refused(&p, "No such file", "", false);
	place_free(&p);
}

static void the_folder_of_a_new_ledger_is_made_for_its_group_only(void **state)
{
	struct place p = place_new();
	struct ledger_file f;
	struct stat st;

	(void)state;
	free(p.path);
	p.path = mem_printf("%s/new/ledger.db", p.dir);
	f = writer(&p);
	ledger_file_close(&f);
	*strrchr(p.path, '/') = '\0';
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777 & ~0750, 0);
	place_free(&p);
}

static void an_empty_file_is_a_new_ledger_to_the_writer_and_none_yet_to_a_reader(void **state)
{
	struct place p = place_new();
	struct ledger_file f;
	char *err = NULL;

	(void)state;
	scratch_write(p.path, "", 0);
	assert_int_equal(ledger_file_open_reader(&f, p.path, &err), -1);
	assert_non_null(strstr(err, "empty"));
	err_clear(&err);
	f = writer(&p);
	assert_int_equal(number(&f, "PRAGMA user_version"), LEDGER_SCHEMA);
	ledger_file_close(&f);
	place_free(&p);
}

static void an_older_ledger_gets_the_views_it_lacks_and_keeps_the_rest(void **state)
{
	struct place p = place_new();
	struct ledger_file f = writer(&p);

	(void)state;
	assert_int_equal(number(&f, "SELECT count(*) FROM traffic"), 0);
	run(&f, "DROP VIEW traffic; UPDATE meta SET value = 'mine' WHERE key = 'uuid'");
	ledger_file_close(&f);
	f = reader(&p); /* who only reads does without */
	assert_int_equal(number(&f, "SELECT count(*) FROM sqlite_master WHERE name = 'traffic'"), 0);
	ledger_file_close(&f);
	f = writer(&p);
	assert_int_equal(number(&f, "SELECT count(*) FROM traffic"), 0);
	assert_int_equal(number(&f, "PRAGMA user_version"), LEDGER_SCHEMA);
	assert_int_equal(number(&f, "SELECT count(*) FROM meta WHERE key = 'uuid' AND value = 'mine'"), 1);
	run(&f, "DROP VIEW traffic; CREATE TABLE traffic(input); INSERT INTO traffic VALUES (7)");
	ledger_file_close(&f);
	f = writer(&p); /* what somebody else calls so is left alone */
	assert_int_equal(number(&f, "SELECT input FROM traffic"), 7);
	ledger_file_close(&f);
	place_free(&p);
}

static void a_ledger_of_a_newer_version_is_refused_unchanged(void **state)
{
	struct place p = place_new();
	struct ledger_file f = writer(&p);

	(void)state;
	run(&f, "PRAGMA user_version = 7");
	ledger_file_close(&f);
	refused_unchanged(&p, "newer", "schema 7", true);
	place_free(&p);
}

static void the_database_of_another_program_is_refused_unchanged(void **state)
{
	struct place p = place_new();
	struct ledger_file f = {.lock_fd = -1};

	(void)state;
	assert_int_equal(sqlite3_open(p.path, &f.db), SQLITE_OK);
	run(&f, "CREATE TABLE contacts(name); INSERT INTO contacts VALUES ('x')");
	ledger_file_close(&f);
	refused_unchanged(&p, "other program", "`ledger`", true);
	assert_int_equal(sqlite3_open(p.path, &f.db), SQLITE_OK);
	run(&f, "PRAGMA application_id = 77; DROP TABLE contacts"); /* empty, but marked as another's */
	ledger_file_close(&f);
	refused_unchanged(&p, "other program", "`ledger`", true);
	place_free(&p);
}

static void what_is_no_database_is_refused_unchanged(void **state)
{
	static const char text[] =
		"This is a diary, not a database. It is longer than a hundred bytes, so that nobody "
		"takes it for an empty file or for the head of one that is just being written.\n";
	struct place p = place_new();
	char *lock = mem_printf("%s.lock", p.path);

	(void)state;
	scratch_write(p.path, text, sizeof(text) - 1);
	refused_unchanged(&p, "is not a ledger (not an SQLite database)", "--ledger", true);
	assert_int_equal(access(lock, F_OK), -1); /* nor was anything made beside it */
	free(lock);
	place_free(&p);
}

/* Many rows, all of them in the file itself and none in its write-ahead log. */
static void fill(struct ledger_file *f)
{
	run(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
	       " INSERT INTO event(time, kind, object, detail)"
	       " SELECT i, 'clock', 'host', hex(randomblob(100)) FROM n");
	run(f, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static void a_torn_file_is_refused_unchanged_with_a_way_out(void **state)
{
	struct place p = place_new();
	struct ledger_file f = writer(&p);
	struct stat st;

	(void)state;
	fill(&f);
	ledger_file_close(&f);
	assert_int_equal(stat(p.path, &st), 0);
	assert_true(st.st_size > 500000);
	assert_int_equal(truncate(p.path, st.st_size / 2), 0);
	refused_unchanged(&p, "damaged", "move it away", false);
	place_free(&p);
}

static void overwritten_pages_are_refused_unchanged_with_a_way_out(void **state)
{
	struct place p = place_new();
	struct ledger_file f = writer(&p);
	char junk[4096 * 4];
	int fd;

	(void)state;
	fill(&f);
	ledger_file_close(&f);
	memset(junk, 0x5a, sizeof(junk));
	fd = open(p.path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 4096 * 60), sizeof(junk));
	close(fd);
	refused_unchanged(&p, "damaged", "Keep a copy", false);
	place_free(&p);
}

/* For the rest of a test the process may do no more than this user. */
static void become(uid_t uid, gid_t gid)
{
	assert_int_equal(setegid(gid), 0);
	assert_int_equal(seteuid(uid), 0);
}

static void be_root_again(void)
{
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
}

static void a_read_only_ledger_is_refused_by_the_writer_unchanged(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct place p = place_new();
	struct ledger_file f = writer(&p);
	char *lock = mem_printf("%s.lock", p.path);

	(void)state;
	ledger_file_close(&f);
	assert_int_equal(chmod(p.dir, 0755), 0);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *path = mem_printf("%s%s", p.path, suffixes[i]);

		assert_int_equal(chmod(path, 0444), 0);
		free(path);
	}
	become(NOBODY, NOBODY);
	refused(&p, "Permission denied", "", false); /* the lock first */
	be_root_again();
	assert_int_equal(chmod(lock, 0666), 0);
	become(NOBODY, NOBODY);
	refused(&p, "read-only", "writable", false);
	be_root_again();
	free(lock);
	place_free(&p);
}

static void one_of_the_group_can_read_while_the_writer_runs_and_after_it(void **state)
{
	struct place p = place_new();
	struct ledger_file w = writer(&p), r;

	(void)state;
	assert_int_equal(chmod(p.dir, 0750), 0);
	run(&w, "INSERT INTO bucket VALUES (1, 'ip')");
	become(NOBODY, 0);
	r = reader(&p);
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 1);
	ledger_file_close(&r);
	be_root_again();
	ledger_file_close(&w);
	become(NOBODY, 0);
	r = reader(&p);
	assert_int_equal(number(&r, "SELECT count(*) FROM bucket"), 1);
	ledger_file_close(&r);
	be_root_again();
	place_free(&p);
}

static void nobody_else_can_read_and_is_told_what_to_do(void **state)
{
	struct place p = place_new();
	struct ledger_file w = writer(&p), r;
	char *err = NULL;

	(void)state;
	assert_int_equal(chmod(p.dir, 0755), 0);
	become(NOBODY, NOBODY);
	assert_int_equal(ledger_file_open_reader(&r, p.path, &err), -1);
	be_root_again();
	assert_non_null(strstr(err, p.path));
	assert_non_null(strstr(err, "group"));
	free(err);
	ledger_file_close(&w);
	place_free(&p);
}

/* Not a link: SQLite takes that for the same file. */
static void copy_for_all(const char *from, const char *to)
{
	size_t len;
	char *bytes = scratch_read(from, &len);

	scratch_write(to, bytes, len);
	free(bytes);
	assert_int_equal(chmod(to, 0644), 0);
}

static int64_t buckets_read_by_nobody(const struct place *p)
{
	struct ledger_file r;
	int64_t count;

	become(NOBODY, NOBODY);
	r = reader(p);
	count = number(&r, "SELECT count(*) FROM bucket");
	ledger_file_close(&r);
	be_root_again();
	return count;
}

/* A folder that the reader may not write in, as one of another user, or a read-only file system. */
static void a_copy_is_read_where_nothing_can_be_made_beside_it(void **state)
{
	static const char *const names[] = {"copy.db", "a copy%3f?immutable=0#x.db"};
	struct place p = place_new();
	struct ledger_file w = writer(&p);

	(void)state;
	run(&w, "INSERT INTO bucket VALUES (1, 'ip')");
	ledger_file_close(&w); /* all is in the one file now */
	assert_int_equal(sqlite3_open(p.path, &w.db), SQLITE_OK);
	run(&w, "PRAGMA wal_checkpoint(TRUNCATE)");
	ledger_file_close(&w);
	assert_int_equal(chmod(p.dir, 0755), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct place copy = {p.dir, mem_printf("%s/%s", p.dir, names[i])};
		char *wal = mem_printf("%s-wal", copy.path);

		copy_for_all(p.path, copy.path);
		assert_int_equal(buckets_read_by_nobody(&copy), 1);
		scratch_write(wal, "", 0); /* an empty one was copied, too */
		assert_int_equal(chmod(wal, 0644), 0);
		assert_int_equal(buckets_read_by_nobody(&copy), 1);
		assert_int_equal(unlink(wal), 0);
		free(wal);
		free(copy.path);
	}
	place_free(&p);
}

static void a_copy_with_a_log_in_such_a_folder_is_refused_with_a_way_out(void **state)
{
	struct place p = place_new();
	struct place copy = {p.dir, mem_printf("%s/copy.db", p.dir)};
	struct ledger_file w = writer(&p), r;
	char *wal = mem_printf("%s-wal", p.path), *copied = mem_printf("%s-wal", copy.path), *err = NULL;

	(void)state;
	run(&w, "INSERT INTO bucket VALUES (1, 'ip')");
	copy_for_all(p.path, copy.path);
	copy_for_all(wal, copied);
	assert_int_equal(chmod(p.dir, 0755), 0);
	become(NOBODY, NOBODY);
	assert_int_equal(ledger_file_open_reader(&r, copy.path, &err), -1);
	be_root_again();
	assert_non_null(strstr(err, copied));
	assert_non_null(strstr(err, "copy both files"));
	free(err);
	ledger_file_close(&w);
	free(copied);
	free(wal);
	free(copy.path);
	place_free(&p);
}

/* Another process has the one lock of writers, as a reader can take it that may write -shm. */
static void a_busy_ledger_names_who_holds_it(void **state)
{
	struct place p = place_new();
	struct ledger_file w = writer(&p);
	char *err = NULL, *word;
	int ready[2], status;
	char byte = 0;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		sqlite3 *db;

		if (sqlite3_open(p.path, &db) == SQLITE_OK &&
		    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
			byte = 1;
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 1);
	assert_int_equal(sqlite3_busy_timeout(w.db, 50), SQLITE_OK);
	assert_int_equal(sql_run(w.db, "INSERT INTO bucket VALUES (1, 'ip')", &err), -1);
	word = mem_printf("hold locks of it: %d ", (int)child);
	if (!strstr(err, word))
		fail_msg("%s is not in: %s", word, err);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	free(word);
	free(err);
	close(ready[0]);
	close(ready[1]);
	ledger_file_close(&w);
	place_free(&p);
}

static void a_symbolic_link_is_not_followed_by_the_writer(void **state)
{
	struct place p = place_new();
	char *target = mem_printf("%s/elsewhere", p.dir), *lock = mem_printf("%s.lock", p.path);

	(void)state;
	assert_int_equal(symlink(target, p.path), 0);
	refused(&p, "", "", false);
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(unlink(p.path), 0);
	unlink(lock);
	assert_int_equal(symlink(target, lock), 0);
	refused(&p, ".lock", "", false);
	assert_int_equal(access(target, F_OK), -1);
	free(target);
	free(lock);
	place_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_ledger_is_created_with_its_identity),
		cmocka_unit_test(the_group_may_read_and_nobody_else),
		cmocka_unit_test(a_ledger_keeps_its_name_and_rows_when_opened_again),
		cmocka_unit_test(a_second_writer_is_refused_while_the_first_lives),
		cmocka_unit_test(a_reader_may_read_beside_the_writer),
		cmocka_unit_test(a_reader_cannot_write),
		cmocka_unit_test(where_there_is_none_a_reader_is_told_so_without_an_error),
		cmocka_unit_test(the_folder_of_a_new_ledger_is_made_for_its_group_only),
		cmocka_unit_test(where_the_folder_is_missing_the_writer_says_so),
		cmocka_unit_test(an_empty_file_is_a_new_ledger_to_the_writer_and_none_yet_to_a_reader),
		cmocka_unit_test(an_older_ledger_gets_the_views_it_lacks_and_keeps_the_rest),
		cmocka_unit_test(a_ledger_of_a_newer_version_is_refused_unchanged),
		cmocka_unit_test(the_database_of_another_program_is_refused_unchanged),
		cmocka_unit_test(what_is_no_database_is_refused_unchanged),
		cmocka_unit_test(a_torn_file_is_refused_unchanged_with_a_way_out),
		cmocka_unit_test(overwritten_pages_are_refused_unchanged_with_a_way_out),
		cmocka_unit_test(a_read_only_ledger_is_refused_by_the_writer_unchanged),
		cmocka_unit_test(one_of_the_group_can_read_while_the_writer_runs_and_after_it),
		cmocka_unit_test(nobody_else_can_read_and_is_told_what_to_do),
		cmocka_unit_test(a_copy_is_read_where_nothing_can_be_made_beside_it),
		cmocka_unit_test(a_copy_with_a_log_in_such_a_folder_is_refused_with_a_way_out),
		cmocka_unit_test(a_busy_ledger_names_who_holds_it),
		cmocka_unit_test(a_symbolic_link_is_not_followed_by_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
