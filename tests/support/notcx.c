/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * notcx: a kernel as it were from before Linux 6.6 (LD_PRELOAD): it has no TCX, so programs sit at a device
 * as filters of tc. All else of bpf(2) is as it is.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define WORDS 6

static int is_tcx(long command, const union bpf_attr *a)
{
	unsigned type = command == BPF_PROG_QUERY    ? a->query.attach_type
			: command == BPF_LINK_CREATE ? a->link_create.attach_type
						     : 0;

	return type == TCX_INGRESS || type == TCX_EGRESS;
}

/* libbpf has no other way into the kernel */
long syscall(long number, ...)
{
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long w[WORDS];
	va_list ap;

	if (!next)
		abort();
	va_start(ap, number);
	for (int i = 0; i < WORDS; i++)
		w[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && is_tcx(w[0], (const union bpf_attr *)w[1])) {
		errno = EINVAL;
		return -1;
	}
	return next(number, w[0], w[1], w[2], w[3], w[4], w[5]);
}
