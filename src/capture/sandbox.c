/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define TYPE_MASK 0xf /* of a socket's type, below SOCK_CLOEXEC and SOCK_NONBLOCK */

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* Allowed whatever their arguments. */
static const int plain[] = {
	/* the loop, and what is said to xenbwd; restart_syscall: poll after SIGSTOP and SIGCONT */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(memfd_create),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), /* the C library's fstat */
	SCMP_SYS(pread64),
	SCMP_SYS(read),
	SCMP_SYS(lseek), /* softnet_stat is read again from its start */
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(getsockopt),  /* PACKET_STATISTICS, SO_ERROR */
	SCMP_SYS(getsockname), /* libpcap's, where a device went down */
	/* syslog, again after it was restarted: see `socket` below */
	SCMP_SYS(sendto),
	SCMP_SYS(connect),
	SCMP_SYS(getpid),
	/* clocks: Xen's PV guests have them as system calls */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	/* malloc and qsort */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	/* the end, an early one too */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(gettid),
};

struct rule {
	uint32_t action;
	int call;
	unsigned conditions;
	struct scmp_arg_cmp when[2];
};

static int add_plain(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT(plain); i++)
		rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, plain[i], 0, NULL);
	return rc;
}

/* Those that are not allowed in general. What libraries merely try gets an error. */
static int add_conditional(scmp_filter_ctx filter)
{
	const struct rule rules[] = {
		/* memory for programs never */
		{SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
		/* is it a memfd? */
		{SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, {SCMP_A1(SCMP_CMP_EQ, F_GET_SEALS, 0)}},
		/* libpcap: is a device that went down still there, and down? */
		{SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, {SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS, 0)}},
		/* stdio: is standard error a terminal? */
		{SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1, {SCMP_A1(SCMP_CMP_EQ, TCGETS, 0)}},
		/* libpcap at its end takes down a ring that goes with its socket anyway */
		{SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 0, {{0}}},
		/* syslog's socket. Those of xenstored, of databases and of D-Bus are streams, and a datagram
		 * socket cannot be connected to them. */
		{SCMP_ACT_ALLOW,
		 SCMP_SYS(socket),
		 2,
		 {SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0), SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, SOCK_DGRAM)}},
		{SCMP_ACT_ERRNO(EPROTONOSUPPORT),
		 SCMP_SYS(socket),
		 2,
		 {SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0), SCMP_A1(SCMP_CMP_MASKED_EQ, TYPE_MASK, SOCK_STREAM)}},
		/* abort() */
		{SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, {SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid(), 0)}},
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT(rules); i++)
		rc = seccomp_rule_add_array(filter, rules[i].action, rules[i].call, rules[i].conditions,
					    rules[i].when);
	return rc;
}

int sandbox_enter(char **err)
{
	scmp_filter_ctx filter;
	int rc = -ENOMEM;

	if (SANDBOX_LEFT_OUT)
		return 0;
	tzset(); /* syslog's time stamps would have the C library open /etc/localtime later */
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter) {
		rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1); /* the kernel's own errors */
		if (rc == 0)
			rc = add_plain(filter);
		if (rc == 0)
			rc = add_conditional(filter);
		if (rc == 0)
			rc = seccomp_load(filter);
		seccomp_release(filter);
	}
	if (rc == 0)
		return 0;
	errno = -rc;
	return err_sys(err, "cannot have its system calls filtered");
}
