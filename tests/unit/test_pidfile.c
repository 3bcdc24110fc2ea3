/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pid file: what is taken for one, whose word counts, and that nothing else is ever changed.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/pidfile.h"
#include "tests/support/unit.h"

static char *folder, *path;

static int set_up(void **state)
{
	(void)state;
	folder = scratch_new();
	path = mem_printf("%s/pid", folder);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	free(path);
	scratch_free(folder);
	return 0;
}

static void taken(void)
{
	struct pidfile p;
	char *err = NULL;

	if (pidfile_take(&p, path, &err) < 0)
		fail_msg("%s", err);
	pidfile_release(&p);
	assert_int_equal(access(path, F_OK), -1);
}

static void refused(const char *why)
{
	struct pidfile p;
	char *err = NULL;

	assert_int_equal(pidfile_take(&p, path, &err), -1);
	assert_non_null(strstr(err, why));
	free(err);
}

static void what_is_no_pid_file_is_left_alone(void **state)
{
	static const char *const others[] = {"root:x:0:0\n", "12 notes\n", "0\n", "\n",
					     "1234567890123456789012345678901234567890"};
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		char *text;

		scratch_write(path, others[i], strlen(others[i]));
		refused("is no pid file");
		text = scratch_read(path, &size);
		assert_int_equal(size, strlen(others[i]));
		assert_memory_equal(text, others[i], size);
		free(text);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused("is no pid file");
	assert_int_equal(unlink(path), 0);
	scratch_write(path, "", 0);
	taken();
	scratch_write(path, "1\n", 2); /* lives, and is no counter */
	taken();
}

static void the_lock_of_a_reader_is_nobodys_word(void **state)
{
	struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	struct pidfile p;
	int reader;

	(void)state;
	scratch_write(path, "", 0);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(reader, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(fcntl(reader, F_OFD_SETLK, &whole), 0);
	taken();
	close(reader);
	assert_int_equal(pidfile_take(&p, path, NULL), 0);
	refused("is held by another process");
	pidfile_release(&p);
}

static void one_that_lives_counts_where_proc_is_hidden(void **state)
{
	pid_t pid = fork();
	char *text;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	text = mem_printf("%d\n", (int)pid);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/proc", "tmpfs", 0, NULL), 0);
	scratch_write(path, text, strlen(text));
	refused("runs already");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	taken();
	assert_int_equal(umount("/proc"), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_pid_file_is_left_alone),
		cmocka_unit_test(the_lock_of_a_reader_is_nobodys_word),
		cmocka_unit_test(one_that_lives_counts_where_proc_is_hidden),
	};

	return cmocka_run_group_tests_name("pidfile", tests, set_up, clean);
}
