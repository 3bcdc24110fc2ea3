/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is shared with the helpers' group, and what is left alone: real files, with root's rights given up as
 * xenbwd has given them up.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/privileges.h"
#include "base/share.h"
#include "base/user.h"
#include "db/rrd_folder.h"
#include "tests/support/unit.h"

static struct user daemon_user; /* every Debian has it */
static char *folder;
static char *rrds, *begun, *etc, *ours; /* made while root may give files away */

static char *sub_folder(const char *name, gid_t gid, const char *with)
{
	char *path = mem_printf("%s/%s", folder, name), *in = mem_printf("%s/%s", path, with);

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chown(path, 0, gid), 0);
	scratch_write(in, "x", 1);
	free(in);
	return path;
}

static int become(void **state)
{
	(void)state;
	folder = scratch_new();
	assert_int_equal(user_find("daemon", &daemon_user, NULL), 1);
	assert_int_equal(chown(folder, 0, 0), 0);
	rrds = sub_folder("rrds", 0, "web.rrd");
	begun = sub_folder("begun", 0, ".xenbw-new");
	etc = sub_folder("etc", 0, "passwd");
	ours = sub_folder("ours", daemon_user.gid, "notes");
	/* a file system that is read-only, for this process alone */
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", "/mnt", "tmpfs", MS_RDONLY, NULL), 0);
	return 0;
}

static char *file(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	char *path = mem_printf("%s/%s", folder, name);

	scratch_write(path, "x", 1);
	assert_int_equal(chown(path, uid, gid), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void expect(const char *path, gid_t gid, mode_t mode)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_gid, gid);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void only_own_regular_files_with_one_name_are_shared(void **state)
{
	char *own = file("own", 0, 0, 0600), *others = file("others", 65534, 65534, 0600),
	     *two = file("two", 0, 0, 0600), *second = mem_printf("%s/second", folder),
	     *symbolic = mem_printf("%s/symbolic", folder), *fifo = mem_printf("%s/fifo", folder);
	int at;

	(void)state;
	assert_int_equal(link(two, second), 0);
	assert_int_equal(symlink(two, symbolic), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(chown(fifo, 0, 0), 0);
	assert_int_equal(privileges_take_group(&daemon_user, NULL), 0);
	assert_int_equal(privileges_drop(NULL), 0);
	assert_int_equal(getegid(), daemon_user.gid);
	assert_int_equal(getgroups(0, NULL), 0);
	assert_false(privileges_may_change_user());

	at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(at >= 0);
	assert_int_equal(share_file(at, "own", 0060), 0);
	expect(own, daemon_user.gid, 0660);
	assert_int_equal(share_file(at, "others", 0060), 0);
	assert_int_equal(share_file(at, "two", 0060), 0);
	assert_int_equal(share_file(at, "second", 0060), 0);
	assert_int_equal(share_file(at, "symbolic", 0060), 0);
	assert_int_equal(share_file(at, "fifo", 0060), 0);
	assert_int_equal(share_file(at, "none", 0060), 0);
	expect(others, 65534, 0600);
	expect(two, 0, 0600);
	expect(fifo, 0, 0600);
	close(at);
	free(own);
	free(others);
	free(two);
	free(second);
	free(symbolic);
	free(fifo);
}

/* After the first test: the group is the user's. Whoever may write a folder may replace what is in it. */
static void a_folder_of_rrds_is_given_away_and_no_other(void **state)
{
	char *made = mem_printf("%s/made", folder), *file_in_etc = mem_printf("%s/a.rrd", etc);
	char *err = NULL;

	(void)state;
	scratch_write(file_in_etc, "x", 1);
	assert_int_equal(chmod(file_in_etc, 0600), 0);
	assert_int_equal(rrd_folder_prepare(made, &err), 0);
	assert_int_equal(rrd_folder_prepare(rrds, &err), 0);
	assert_int_equal(rrd_folder_prepare(begun, &err), 0);
	assert_int_equal(rrd_folder_prepare(etc, &err), 0);
	assert_int_equal(rrd_folder_prepare(ours, &err), 0);
	expect(made, daemon_user.gid, 02775);
	expect(rrds, daemon_user.gid, 02775);
	expect(begun, daemon_user.gid, 02775);
	expect(etc, 0, 0755);
	expect(ours, daemon_user.gid, 02775);
	expect(file_in_etc, daemon_user.gid, 0660);
	free(made);
	free(rrds);
	free(begun);
	free(etc);
	free(ours);
	free(file_in_etc);
}

/* What another process of the same user can do with a process: as many of these ways as work. */
static int ways_in(pid_t pid)
{
	char *path = mem_printf("/proc/%d/mem", (int)pid);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd = open(path, O_RDONLY | O_CLOEXEC), ways = 0;

	free(path);
	if (fd >= 0) {
		ways++;
		close(fd);
	}
	assert_true(pidfd >= 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	if (fd >= 0) {
		ways++;
		close(fd);
	}
	close(pidfd);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) /* ends with the process */
		ways++;
	return ways;
}

static int ways_into_a_child(bool hidden)
{
	int ready[2], ways, byte = 0;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || (hidden && privileges_hide(NULL) < 0) ||
		    write(ready[1], &byte, 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	ways = ways_in(pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
	return ways;
}

static void a_read_only_place_for_rrds_is_named_with_the_way_out(void **state)
{
	char *err = NULL;

	(void)state;
	assert_int_equal(rrd_folder_prepare("/mnt/rrd", &err), -1);
	assert_non_null(strstr(err, "cannot make RRD directory /mnt/rrd"));
	assert_non_null(strstr(err, "`ReadWritePaths=`"));
	free(err);
}

/* Without capabilities, as the first test left this process. */
static void another_process_of_the_user_gets_at_none_that_hides(void **state)
{
	(void)state;
	assert_int_equal(ways_into_a_child(false), 3);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__has_feature)
	assert_int_equal(ways_into_a_child(true), 0);
#endif
}

/* As systemd's RestrictSUIDSGID= has it. */
static void forbid_setgid(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fchmod, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, S_ISGID, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof(program) / sizeof(*program), .filter = program};

	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

static void a_folder_is_shared_also_where_setgid_is_forbidden(void **state)
{
	char *first = mem_printf("%s/first", folder), *second = mem_printf("%s/second.d", folder);
	int fd;

	(void)state;
	assert_int_equal(mkdir(first, 0700), 0);
	fd = open(first, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(share_fd(fd, 02775), 0);
	expect(first, daemon_user.gid, 02775);
	close(fd);
	forbid_setgid();
	assert_int_equal(mkdir(second, 0700), 0);
	fd = open(second, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(share_fd(fd, 02775), 0);
	expect(second, daemon_user.gid, 0775);
	close(fd);
	free(first);
	free(second);
}

static int clean(void **state)
{
	(void)state;
	scratch_free(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_own_regular_files_with_one_name_are_shared),
		cmocka_unit_test(a_folder_of_rrds_is_given_away_and_no_other),
		cmocka_unit_test(a_read_only_place_for_rrds_is_named_with_the_way_out),
		cmocka_unit_test(another_process_of_the_user_gets_at_none_that_hides),
		cmocka_unit_test(a_folder_is_shared_also_where_setgid_is_forbidden),
	};

	return cmocka_run_group_tests_name("share", tests, become, clean);
}
