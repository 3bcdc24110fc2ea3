/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/tcx.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* Of Linux 6.6's <linux/bpf.h>; Debian 12 has that of 6.1. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)
#define FIRST \
	(1U << 3) /* BPF_F_BEFORE: before all that are there: who decides would hide what it decided on */

#define NAPS 1000
#define NAP_NS 2000000

static enum bpf_attach_type type_of(enum kernel_hook side)
{
	return side == KERNEL_HOOK_INGRESS ? TCX_INGRESS : TCX_EGRESS;
}

static char *name_of(const char *folder, uint32_t ifindex, enum kernel_hook side)
{
	return mem_printf("%s/%u-%s", folder, ifindex, side == KERNEL_HOOK_INGRESS ? "ingress" : "egress");
}

bool tcx_is_known(uint32_t ifindex)
{
	uint32_t count = 0;

	return bpf_prog_query((int)ifindex, TCX_INGRESS, 0, NULL, NULL, &count) == 0;
}

/* The device of a pinned link; 0 where the link has none any more, or there is no such link. */
static uint32_t device_of(int link)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	/* what the kernel tells of a TCX link begins as what it tells of one for XDP */
	return link >= 0 && bpf_obj_get_info_by_fd(link, &info, &size) == 0 ? info.xdp.ifindex : 0;
}

/* A program is at a device once. Whose pin somebody removed is there until the kernel comes to it. */
static int create(uint32_t ifindex, enum kernel_hook side, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, how, .flags = FIRST);
	int link = bpf_link_create(program, (int)ifindex, type_of(side), &how);

	for (int i = 0; link < 0 && errno == EEXIST && i < NAPS; i++) {
		(void)nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
		link = bpf_link_create(program, (int)ifindex, type_of(side), &how);
	}
	return link;
}

static int make(const char *name, uint32_t ifindex, enum kernel_hook side, int program, char **err)
{
	int link = create(ifindex, side, program), rc = 0;

	if (link < 0)
		return errno == ENODEV ? 1 : err_sys(err, "cannot put a program at device %u", ifindex);
	if (bpf_obj_pin(link, name) < 0)
		rc = err_sys(err,
			     "cannot pin our program at device %u; where its folder below /sys/fs/bpf was "
			     "removed, start xenbwd again",
			     ifindex);
	close(link);
	return rc;
}

int tcx_set(const char *folder, uint32_t ifindex, enum kernel_hook side, int program, char **err)
{
	char *name = name_of(folder, ifindex, side);
	int link = bpf_obj_get(name), rc;

	if (device_of(link) == ifindex)
		rc = bpf_link_update(link, program, NULL) == 0
			     ? 0
			     : err_sys(err, "cannot exchange our program at device %u", ifindex);
	else if (unlink(name) < 0 && errno != ENOENT)
		rc = err_sys(err, "cannot remove %s", name);
	else
		rc = make(name, ifindex, side, program, err);
	if (link >= 0)
		close(link);
	free(name);
	return rc;
}

/* Detached first, for without its name it goes at some later time. One without a device has gone. */
int tcx_clear(const char *folder, uint32_t ifindex, enum kernel_hook side, char **err)
{
	char *name = name_of(folder, ifindex, side);
	int link = bpf_obj_get(name), rc = 0;

	if (device_of(link) && bpf_link_detach(link) < 0 && device_of(link))
		rc = err_sys(err, "cannot take our program from device %u", ifindex);
	else if (unlink(name) < 0 && errno != ENOENT)
		rc = err_sys(err, "cannot remove %s", name);
	if (link >= 0)
		close(link);
	free(name);
	return rc;
}

bool tcx_has(const char *folder, uint32_t ifindex, enum kernel_hook side)
{
	char *name = name_of(folder, ifindex, side), device[IF_NAMESIZE];
	int link = bpf_obj_get(name);
	bool there = device_of(link) == ifindex || !if_indextoname(ifindex, device);

	if (link >= 0)
		close(link);
	free(name);
	return there;
}
