/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the sandbox of xenbw-capture's worker allows, and that the rest is death: each in a child of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "capture/sandbox.h"
#include "tests/support/unit.h"

#define NO_SANDBOX 98

/* 0: it went well. */
typedef int act_fn(void);

/* The wait status of a child that enters the sandbox and then does this. */
static int status_of(act_fn *act)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit none = {0};

		setrlimit(RLIMIT_CORE, &none);
		_exit(sandbox_enter(NULL) < 0 ? NO_SANDBOX : act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_death(const char *what, act_fn *act)
{
	int status = status_of(act);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("%s: wait status %#x", what, (unsigned)status);
}

static void expect_life(const char *what, act_fn *act)
{
	int status = status_of(act);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s: wait status %#x", what, (unsigned)status);
}

/* ---- what is death ---- */

static int do_open(void)
{
	return open("/dev/null", O_RDONLY);
}

static int do_open_old(void)
{
#ifdef SYS_open
	return (int)syscall(SYS_open, "/dev/null", O_RDONLY);
#else
	return do_open();
#endif
}

static int do_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int do_execveat(void)
{
	return (int)syscall(SYS_execveat, 0, "/bin/true", NULL, NULL, 0);
}

static int do_fork(void)
{
	return fork();
}

static int do_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int do_inet_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static int do_seqpacket_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET, 0);
}

static int do_bind(void)
{
	return bind(0, NULL, 0);
}

static int do_ptrace(void)
{
	return (int)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static int do_kill_another(void)
{
	return kill(getppid(), 0);
}

static int do_tgkill_another(void)
{
	return (int)syscall(SYS_tgkill, 1, 1, 0);
}

static int do_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int do_mprotect(void)
{
	return mprotect(NULL, 4096, PROT_READ | PROT_EXEC);
}

static int do_dup_fd(void)
{
	return fcntl(1, F_DUPFD, 10);
}

static int do_type_into_terminal(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static int do_unlink(void)
{
	return unlink("/nowhere");
}

static void what_the_worker_does_not_need_is_death(void **state)
{
	static const struct {
		const char *what;
		act_fn *act;
	} deaths[] = {
		{"openat", do_open},
		{"open", do_open_old},
		{"execve", do_exec},
		{"execveat", do_execveat},
		{"fork", do_fork},
		{"a packet socket", do_packet_socket},
		{"an internet socket", do_inet_socket},
		{"a seqpacket socket", do_seqpacket_socket},
		{"bind", do_bind},
		{"ptrace", do_ptrace},
		{"kill", do_kill_another},
		{"tgkill of another", do_tgkill_another},
		{"executable memory", do_exec_memory},
		{"mprotect", do_mprotect},
		{"F_DUPFD", do_dup_fd},
		{"TIOCSTI", do_type_into_terminal},
		{"unlink", do_unlink},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(deaths) / sizeof(*deaths); i++)
		expect_death(deaths[i].what, deaths[i].act);
}

/* ---- what is not ---- */

static int use_memory(void)
{
	char *small[100], *big = mem_array(1, 1 << 20);

	for (size_t i = 0; i < 100; i++)
		small[i] = mem_array(1, 5000);
	big = mem_resize(big, 1, 64 << 20);
	for (size_t i = 0; i < 100; i++)
		free(small[i]);
	free(big);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int sort_much(void)
{
	int *all = mem_array(100000, sizeof(*all)), rc;

	for (int i = 0; i < 100000; i++)
		all[i] = 100000 - i;
	qsort(all, 100000, sizeof(*all), by_value);
	rc = all[0] != 1;
	free(all);
	return rc;
}

/* As where the kernel has no other way, such as under Xen PV. */
static int ask_clocks(void)
{
	struct timespec t;

	for (int id = CLOCK_REALTIME; id <= CLOCK_BOOTTIME; id++)
		if (id != CLOCK_PROCESS_CPUTIME_ID && id != CLOCK_THREAD_CPUTIME_ID &&
		    syscall(SYS_clock_gettime, id, &t) < 0)
			return 1;
	return 0;
}

static int log_a_line(void)
{
	syslog(LOG_DEBUG, "a line of xenbw's unit tests");
	return 0;
}

/* As after syslog's end: the C library makes its socket anew. */
static int log_again(void)
{
	closelog();
	openlog("xenbw-test", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	return log_a_line();
}

static int make_stream_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) != -1 || errno != EPROTONOSUPPORT;
}

static int write_to_terminal(void)
{
	return isatty(0) != 0 || errno != ENOTTY;
}

static void what_the_worker_and_its_libraries_do_is_allowed(void **state)
{
	(void)state;
	expect_life("memory", use_memory);
	expect_life("a large qsort", sort_much);
	expect_life("clocks", ask_clocks);
	expect_life("syslog", log_a_line);
	expect_life("syslog again", log_again);
	if (!SANDBOX_LEFT_OUT)
		expect_life("a stream socket is an error", make_stream_socket);
	expect_life("a terminal is none", write_to_terminal);
}

static int do_abort(void)
{
	abort();
}

static void an_abort_stays_an_abort(void **state)
{
	int status = status_of(do_abort);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* ---- a kernel that has no filters ---- */

static int enter_without_kernel(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	char *err = NULL;
	int rc;

	if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0) < 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
			     SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0)) < 0 ||
	    seccomp_load(filter) < 0)
		return 2;
	seccomp_release(filter);
	rc = sandbox_enter(&err) == -1 && strstr(err, "cannot have its system calls filtered") &&
			     open("/dev/null", O_RDONLY) >= 0
		     ? 0
		     : 1;
	free(err);
	return rc;
}

static void without_filters_nothing_is_changed(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(enter_without_kernel());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_worker_does_not_need_is_death),
		cmocka_unit_test(what_the_worker_and_its_libraries_do_is_allowed),
		cmocka_unit_test(an_abort_stays_an_abort),
		cmocka_unit_test(without_filters_nothing_is_changed),
	};

	/* a sanitizer leaves the sandbox out: then only what goes on is tried */
	const struct CMUnitTest left_out[] = {
		cmocka_unit_test(what_the_worker_and_its_libraries_do_is_allowed),
		cmocka_unit_test(an_abort_stays_an_abort),
	};

	if (SANDBOX_LEFT_OUT)
		return cmocka_run_group_tests_name("sandbox, left out", left_out, NULL, NULL);
	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
