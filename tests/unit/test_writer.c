/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The real xenbw-writer, started as xenbwd starts it: this test is its xenbwd, with a real ledger and
 * descriptor 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "ipc/feed.h"
#include "tests/support/ledger_bed.h"
#include "tests/support/rrd_bed.h"
#include "tests/support/unit.h"

#define T0 1700000100 /* a slot edge */
#define SLOT(n) (T0 + (int64_t)(n)*300)

static const uint64_t none[2] = {0, 0};

struct bed {
	char *folder, *ledger, *rrd_dir, *log;
	struct ledger_file writer; /* ours: we are xenbwd */
	char *bin;                 /* where the programs are; NULL: beside this test */
	pid_t pid;
	int feed; /* our end */
};

static int set_up(void **state)
{
	struct bed *b = mem_alloc(sizeof(*b));

	b->folder = scratch_new();
	b->ledger = mem_printf("%s/ledger.db", b->folder);
	b->rrd_dir = mem_printf("%s/rrd", b->folder);
	b->log = mem_printf("%s/log", b->folder);
	b->writer.lock_fd = -1;
	b->feed = -1;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	if (b->pid) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	if (b->feed >= 0)
		close(b->feed);
	ledger_file_close(&b->writer);
	scratch_free(b->folder);
	free(b->ledger);
	free(b->rrd_dir);
	free(b->log);
	free(b->bin);
	free(b);
	return 0;
}

/* A program that lies beside this test. */
static char *beside(const char *name)
{
	char here[4096];
	ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);

	assert_true(n > 0);
	here[n] = '\0';
	*strrchr(here, '/') = '\0';
	return mem_printf("%s/%s", here, name);
}

/* The settings on a descriptor, as xenbwd hands them on. */
static int settings(const char *text)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Runs it with these arguments, `feed` as descriptor 3 and `conf` as 4 (-1: none); its output goes to the
 * log.
 */
static void start_with(struct bed *b, char *const *argv, int feed, int conf)
{
	char *path = b->bin ? mem_printf("%s/xenbw-writer", b->bin) : beside("xenbw-writer");

	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		int out = open(b->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		unsetenv("JOURNAL_STREAM");
		if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
			_exit(99);
		feed = feed >= 0 ? fcntl(feed, F_DUPFD_CLOEXEC, 10) : -1;
		conf = conf >= 0 ? fcntl(conf, F_DUPFD_CLOEXEC, 10) : -1;
		close(FEED_FD);
		close(FEED_SETTINGS_FD);
		if ((feed >= 0 && dup2(feed, FEED_FD) < 0) || (conf >= 0 && dup2(conf, FEED_SETTINGS_FD) < 0))
			_exit(99);
		execv(path, argv);
		_exit(99);
	}
	free(path);
}

static void start(struct bed *b)
{
	char *argv[] = {(char[]){"xenbw-writer"}, (char[]){"--debug"}, NULL};
	char *text = mem_printf("ledger %s\nrrd_dir %s\n", b->ledger, b->rrd_dir);
	int pair[2], conf = settings(text);

	if (b->feed >= 0)
		close(b->feed);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	start_with(b, argv, pair[1], conf);
	close(conf);
	close(pair[1]);
	b->feed = pair[0];
	free(text);
}

static int end_of(struct bed *b)
{
	int status;

	for (int i = 0; i < 1000; i++) {
		pid_t done = waitpid(b->pid, &status, WNOHANG);

		assert_true(done >= 0);
		if (done == b->pid) {
			b->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
		usleep(10000);
	}
	fail_msg("xenbw-writer does not end");
	return -1;
}

static void tell(const struct bed *b, int64_t seq)
{
	struct feed_message m = {.magic = FEED_MAGIC, .kind = FEED_COMMITTED, .seq = seq};

	assert_int_equal(send(b->feed, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
}

/* Waits for the acknowledgement of exactly this sequence. */
/* A writer that ended with a message unread makes the kernel report a reset, once, before what it sent last.
 */
static ssize_t receive(const struct bed *b, struct feed_message *m)
{
	ssize_t n = recv(b->feed, m, sizeof(*m), MSG_DONTWAIT);

	return n < 0 && errno == ECONNRESET ? recv(b->feed, m, sizeof(*m), MSG_DONTWAIT) : n;
}

static void expect_passed(const struct bed *b, int64_t seq)
{
	struct pollfd p = {.fd = b->feed, .events = POLLIN};
	struct feed_message m;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(receive(b, &m), sizeof(m));
	assert_int_equal(m.magic, FEED_MAGIC);
	assert_int_equal(m.kind, FEED_PASSED);
	assert_string_equal(m.sink, "rrd");
	assert_int_equal(m.seq, seq);
}

static void expect_silence(const struct bed *b, int milliseconds)
{
	struct pollfd p = {.fd = b->feed, .events = POLLIN};

	assert_int_equal(poll(&p, 1, milliseconds), 0);
}

static int log_count(const struct bed *b, const char *words, char **log)
{
	size_t size;
	int seen = 0;

	*log = scratch_read(b->log, &size);
	for (const char *at = *log; (at = strstr(at, words)); at++)
		seen++;
	return seen;
}

/* Waits until the writer has said it so often; that it says it no more often shows at a second look. */
static void expect_log(const struct bed *b, const char *words, int times)
{
	char *log;
	int seen;

	for (int tries = 0; (seen = log_count(b, words, &log)) < times && tries < 1000; tries++) {
		free(log);
		assert_int_equal(usleep(10000), 0);
	}
	if (seen != times)
		fail_msg("expected `%s` %d times in: %s", words, times, log);
	free(log);
}

static void make_ledger(struct bed *b, int buckets)
{
	b->writer = ledger_bed_open(b->ledger);
	for (int id = 1; id <= buckets; id++) {
		char *label = mem_printf("vm%d", id);

		ledger_bed_bucket(b->writer.db, id, label);
		ledger_bed_epoch(b->writer.db, id, SLOT(0), SLOT(0), 0);
		free(label);
	}
	ledger_bed_run(b->writer.db, SLOT(0), SLOT(0), 0);
}

/* One commit: a take of each bucket in slot n, which is complete then. Returns its sequence. */
static int64_t commit(struct bed *b, int buckets, int n)
{
	ledger_bed_sql(b->writer.db, "BEGIN IMMEDIATE");
	for (int id = 1; id <= buckets; id++)
		ledger_bed_bytes(b->writer.db, id, SLOT(n), 0, (uint64_t[]){(uint64_t)(1000 * id + n), 7},
				 none, none);
	ledger_bed_open_slot(b->writer.db, SLOT(n + 1));
	ledger_bed_sql(b->writer.db, "UPDATE run SET seen = %lld", (long long)SLOT(n + 1) + 3);
	ledger_bed_sql(b->writer.db, "COMMIT");
	return sqlite3_last_insert_rowid(b->writer.db);
}

static void expect_input(const struct bed *b, int bucket, int n, double expected)
{
	char *path = mem_printf("%s/vm%d.rrd", b->rrd_dir, bucket);
	double seen = rrd_bed_slot(path, "input", SLOT(n));

	if (!(fabs(seen - expected) < 0.001))
		fail_msg("%s, slot %d: expected %f, seen %f", path, n, expected, seen);
	free(path);
}

static void it_catches_up_at_its_start_and_goes_on_after_each_commit(void **state)
{
	struct bed *b = *state;
	struct stat st;

	make_ledger(b, 3);
	for (int n = 0; n < 20; n++)
		commit(b, 3, n);
	start(b);
	expect_passed(b, 60);
	for (int n = 20; n < 30; n++) {
		tell(b, commit(b, 3, n));
		expect_passed(b, (n + 1) * 3);
	}
	for (int id = 1; id <= 3; id++)
		for (int n = 0; n < 30; n++)
			expect_input(b, id, n, 1000 * id + n);
	assert_int_equal(stat(b->rrd_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	kill(b->pid, SIGTERM);
	assert_int_equal(end_of(b), 0);
	expect_log(b, "RRD file", 3); /* three are new */
}

static void commits_without_a_new_slot_are_not_answered(void **state)
{
	struct bed *b = *state;

	make_ledger(b, 1);
	commit(b, 1, 0);
	start(b);
	expect_passed(b, 1);
	for (int i = 0; i < 50; i++) {
		ledger_bed_bytes(b->writer.db, 1, SLOT(1), 0, (uint64_t[]){1, 1}, none, none);
		tell(b, 2 + i);
	}
	expect_silence(b, 300);
	/* many commits at once are one pass and one answer */
	kill(b->pid, SIGSTOP);
	for (int i = 0; i < 20; i++)
		tell(b, 52 + i);
	ledger_bed_open_slot(b->writer.db, SLOT(2));
	kill(b->pid, SIGCONT);
	expect_passed(b, 51);
	expect_silence(b, 200);
	expect_input(b, 1, 1, 50);
}

static void it_waits_for_a_ledger_that_is_not_there(void **state)
{
	struct bed *b = *state;

	start(b);
	expect_silence(b, 200);
	make_ledger(b, 1);
	tell(b, commit(b, 1, 0));
	expect_passed(b, 1);
	expect_input(b, 1, 0, 1000);
}

/* Fails unless the process has no capability and can gain none. */
static void expect_no_privilege(pid_t pid)
{
	static const char *const lines[] = {"CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n",
					    "CapEff:\t0000000000000000\n", "CapAmb:\t0000000000000000\n",
					    "NoNewPrivs:\t1\n"};
	char status[8192], *path = mem_printf("/proc/%d/status", (int)pid);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, status, sizeof(status) - 1);

	assert_true(n > 0);
	status[n] = '\0';
	close(fd);
	free(path);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!strstr(status, lines[i]))
			fail_msg("no %s in: %s", lines[i], status);
}

static void it_holds_no_capability_and_no_lock_on_the_ledger(void **state)
{
	struct bed *b = *state;
	sqlite3_stmt *stmt;

	make_ledger(b, 1);
	commit(b, 1, 0);
	start(b);
	expect_passed(b, 1);
	expect_no_privilege(b->pid);

	/* a reader that stayed in the write-ahead log would make this busy */
	assert_int_equal(sqlite3_prepare_v2(b->writer.db, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &stmt, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), 0);
	sqlite3_finalize(stmt);
}

static void it_ends_well_when_xenbwd_closes_its_end(void **state)
{
	struct bed *b = *state;

	make_ledger(b, 1);
	commit(b, 1, 0);
	start(b);
	expect_passed(b, 1);
	close(b->feed);
	b->feed = -1;
	assert_int_equal(end_of(b), 0);
}

static void the_last_commit_before_the_end_is_still_written_and_acknowledged(void **state)
{
	struct bed *b = *state;

	make_ledger(b, 1);
	commit(b, 1, 0);
	start(b);
	expect_passed(b, 1);
	kill(b->pid, SIGSTOP);
	tell(b, commit(b, 1, 1));
	assert_int_equal(shutdown(b->feed, SHUT_WR), 0);
	kill(b->pid, SIGCONT);
	expect_passed(b, 2);
	assert_int_equal(end_of(b), 0);
	expect_input(b, 1, 1, 1001);
}

static void killed_at_any_time_it_goes_on_where_the_files_are(void **state)
{
	struct bed *b = *state;
	struct random r = random_new();
	int64_t seq = 0, acknowledged = 0;
	struct feed_message m;

	make_ledger(b, 20);
	for (int n = 0; n < 60; n++) {
		seq = commit(b, 20, n);
		if (!b->pid)
			start(b);
		tell(b, seq);
		if (n % 2) {
			usleep((unsigned)random_below(&r, 30000));
			kill(b->pid, SIGKILL);
			assert_int_equal(end_of(b), -SIGKILL);
		}
	}
	start(b);
	while (acknowledged < seq) {
		struct pollfd p = {.fd = b->feed, .events = POLLIN};

		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_int_equal(receive(b, &m), sizeof(m));
		acknowledged = m.seq;
	}
	for (int id = 1; id <= 20; id++)
		for (int n = 0; n < 60; n++)
			expect_input(b, id, n, 1000 * id + n);
}

static void a_read_only_file_is_named_once_and_written_when_it_can_be(void **state)
{
	struct bed *b = *state;
	char *path = mem_printf("%s/vm1.rrd", b->rrd_dir);

	make_ledger(b, 2);
	commit(b, 2, 0);
	start(b);
	expect_passed(b, 2);
	assert_int_equal(chmod(path, 0444), 0);
	for (int n = 1; n < 5; n++) {
		tell(b, commit(b, 2, n));
		expect_passed(b, 2 + n * 2);
		expect_input(b, 2, n, 2000 + n);
	}
	expect_log(b,
		   "vm1.rrd is not written: Permission denied for the user root; `chgrp root` and `chmod "
		   "g+rw` it",
		   1);
	expect_log(b, "vm1.rrd is not written", 1);
	assert_int_equal(chmod(path, 0644), 0);
	tell(b, commit(b, 2, 5));
	expect_passed(b, 12);
	for (int n = 0; n < 6; n++)
		expect_input(b, 1, n, 1000 + n);
	expect_log(b, "vm1.rrd is written again", 1);
	free(path);
}

static void a_bad_directory_is_named_once_and_nothing_is_acknowledged(void **state)
{
	struct bed *b = *state;

	make_ledger(b, 1);
	commit(b, 1, 0);
	scratch_write(b->rrd_dir, "x", 1);
	start(b);
	for (int i = 0; i < 5; i++) {
		tell(b, 1);
		expect_silence(b, 50);
	}
	expect_log(b, "is no directory, or a symbolic link, which is not followed", 1);
	assert_int_equal(unlink(b->rrd_dir), 0);
	tell(b, 1);
	expect_passed(b, 1);
	expect_log(b, "writing RRD files again", 1);
}

/* Copies a program to the directory that they are started from. */
static void install(const struct bed *b, const char *name)
{
	char *from = beside(name), *to = mem_printf("%s/%s", b->bin, name);
	size_t size;
	char *bytes = scratch_read(from, &size);

	scratch_write(to, bytes, size);
	assert_int_equal(chmod(to, 0755), 0);
	free(bytes);
	free(from);
	free(to);
}

static void a_missing_xenbw_rrd_is_named_once_and_tried_again(void **state)
{
	struct bed *b = *state;
	int64_t seq;

	b->bin = mem_printf("%s/bin", b->folder);
	assert_int_equal(mkdir(b->bin, 0755), 0);
	install(b, "xenbw-writer");
	make_ledger(b, 1);
	seq = commit(b, 1, 0);
	start(b);
	for (int i = 0; i < 3; i++) {
		tell(b, seq);
		expect_silence(b, 100);
	}
	expect_log(b,
		   "xenbw-rrd: No such file or directory; no RRD file is written without it: reinstall xenbw",
		   1);
	install(b, "xenbw-rrd");
	tell(b, seq);
	expect_passed(b, seq);
	expect_log(b, "writing RRD files again", 1);
	expect_input(b, 1, 0, 1000);
}

static void an_xenbw_rrd_that_is_another_program_is_trouble_with_all_files(void **state)
{
	struct bed *b = *state;
	char *path;
	int64_t seq;

	b->bin = mem_printf("%s/bin", b->folder);
	assert_int_equal(mkdir(b->bin, 0755), 0);
	install(b, "xenbw-writer");
	path = mem_printf("%s/xenbw-rrd", b->bin);
	assert_int_equal(symlink("/bin/false", path), 0);
	make_ledger(b, 2);
	seq = commit(b, 2, 0);
	start(b);
	expect_silence(b, 300);
	expect_log(b, "xenbw-rrd ended with status 1 before its first file; reinstall xenbw", 1);
	expect_log(b, "is not written", 0);
	assert_int_equal(unlink(path), 0);
	install(b, "xenbw-rrd");
	tell(b, seq);
	expect_passed(b, seq);
	free(path);
}

/* Held up by a lock on the file, xenbw-rrd can be looked at. */
static void xenbw_rrd_has_no_capability_and_no_other_descriptor(void **state)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	struct bed *b = *state;
	char *path = mem_printf("%s/vm1.rrd", b->rrd_dir);
	pid_t worker = 0;
	int fd, descriptors;

	make_ledger(b, 1);
	commit(b, 1, 0);
	start(b);
	expect_passed(b, 1);
	descriptors = rrd_bed_descriptors(b->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	tell(b, commit(b, 1, 1));
	for (int tries = 0; !worker && tries < 10000; tries++) {
		worker = rrd_bed_worker(b->pid, path);
		usleep(500);
	}
	assert_true(worker != 0);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	expect_no_privilege(worker);
	/* three of standard, the directory, the tasks, and the file in hand */
	assert_int_equal(rrd_bed_descriptors(worker), 6);
	close(fd);
	assert_int_equal(kill(worker, SIGCONT), 0);
	expect_passed(b, 2);
	expect_input(b, 1, 1, 1001);
	assert_int_equal(rrd_bed_descriptors(b->pid), descriptors);
	free(path);
}

static void a_ledger_that_is_none_is_named_once(void **state)
{
	struct bed *b = *state;

	scratch_write(b->ledger, "this is no database, but long enough to be one, if it were", 58);
	start(b);
	for (int i = 0; i < 5; i++) {
		tell(b, 1);
		expect_silence(b, 50);
	}
	expect_log(b, b->ledger, 1);
	expect_log(b, "trying again until it works", 1);
	assert_int_equal(unlink(b->ledger), 0);
	make_ledger(b, 1);
	tell(b, commit(b, 1, 0));
	expect_passed(b, 1);
	expect_log(b, "trying again until it works", 1);
}

static void a_message_of_another_version_ends_it(void **state)
{
	struct bed *b = *state;
	struct feed_message m = {.magic = FEED_MAGIC + 1, .kind = FEED_COMMITTED};

	make_ledger(b, 1);
	start(b);
	assert_int_equal(send(b->feed, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
	assert_int_equal(end_of(b), 1);
	expect_log(b,
		   "sent a message that this xenbw-writer does not know; install both from the same version",
		   1);
}

static void wrong_arguments_and_missing_descriptors_are_errors(void **state)
{
	struct bed *b = *state;
	char name[] = "xenbw-writer", bad[] = "--frob", more[] = "more", help[] = "--help";
	char *const unknown[] = {name, bad, NULL};
	char *const operand[] = {name, more, NULL};
	char *const right[] = {name, NULL};
	char *const asking[] = {name, help, NULL};
	int pair[2], conf = settings("rrd_dir none\n");

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	start_with(b, unknown, -1, -1);
	assert_int_equal(end_of(b), 2);
	start_with(b, operand, -1, -1);
	assert_int_equal(end_of(b), 2);
	expect_log(b, "usage: xenbw-writer [--naccttab] [--syslog] [--debug]", 2);
	start_with(b, asking, -1, -1);
	assert_int_equal(end_of(b), 0);
	start_with(b, right, -1, -1);
	assert_int_equal(end_of(b), 1);
	expect_log(b, "xenbw-writer: descriptor 3 is no socket; this program is started by xenbwd", 1);
	start_with(b, right, pair[1], -1);
	assert_int_equal(end_of(b), 1);
	expect_log(b, "xenbw-writer: cannot read the settings from descriptor 4", 1);
	start_with(b, right, pair[1], conf);
	assert_int_equal(end_of(b), 1);
	expect_log(b, "xenbw-writer: the settings name neither RRD files nor MySQL to write to", 1);
	close(conf);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_catches_up_at_its_start_and_goes_on_after_each_commit),
		TEST(commits_without_a_new_slot_are_not_answered),
		TEST(it_waits_for_a_ledger_that_is_not_there),
		TEST(it_holds_no_capability_and_no_lock_on_the_ledger),
		TEST(it_ends_well_when_xenbwd_closes_its_end),
		TEST(the_last_commit_before_the_end_is_still_written_and_acknowledged),
		TEST(killed_at_any_time_it_goes_on_where_the_files_are),
		TEST(a_read_only_file_is_named_once_and_written_when_it_can_be),
		TEST(a_bad_directory_is_named_once_and_nothing_is_acknowledged),
		TEST(a_missing_xenbw_rrd_is_named_once_and_tried_again),
		TEST(an_xenbw_rrd_that_is_another_program_is_trouble_with_all_files),
		TEST(xenbw_rrd_has_no_capability_and_no_other_descriptor),
		TEST(a_ledger_that_is_none_is_named_once),
		TEST(a_message_of_another_version_ends_it),
		TEST(wrong_arguments_and_missing_descriptors_are_errors),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
