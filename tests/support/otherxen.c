/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * otherxen: libxenlight as it were of another Xen than the hypervisor's (LD_PRELOAD).
 *
 * The calls that are tied to one version of Xen (sysctl, domctl) carry it in their second word: here it is a
 * wrong one, so the hypervisor refuses them, as it does after an upgrade of the libraries without a boot.
 * Calls that all versions have pass as they are.
 */
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xen/xen.h>
/* after it, for its types */
#include <xen/sys/privcmd.h>

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *argument;

	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (request == IOCTL_PRIVCMD_HYPERCALL) {
		const privcmd_hypercall_t *call = argument;

		if (call->op == __HYPERVISOR_sysctl || call->op == __HYPERVISOR_domctl)
			((uint32_t *)(uintptr_t)call->arg[0])[1] ^= 0x8000;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}
