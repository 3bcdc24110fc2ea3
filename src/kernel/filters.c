/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/filters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

/* First: a filter before ours that decides would hide what it decided on. The handle is "xenb". */
#define PRIORITY 1
#define HANDLE 0x78656e62

#define ANSWER_SIZE 32768

/* ---- the qdisc ---- */

static bool is_gone(int rc)
{
	return rc == -ENODEV || rc == -ENXIO;
}

int filters_make_qdisc(uint32_t ifindex, char **err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int rc = bpf_tc_hook_create(&hook);

	if (rc == 0 || rc == -EEXIST)
		return rc == 0 ? FILTERS_MADE : FILTERS_THERE;
	if (is_gone(rc))
		return FILTERS_GONE;
	errno = -rc;
	return err_sys(err, "cannot give device %u a clsact qdisc", ifindex);
}

/* Is there any filter in this answer? -1: it goes on. */
static int look_for_filter(const struct nlmsghdr *h, size_t size)
{
	for (; NLMSG_OK(h, size); h = NLMSG_NEXT(h, size)) {
		if (h->nlmsg_type == RTM_NEWTFILTER)
			return 1;
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return h->nlmsg_type == NLMSG_ERROR;
	}
	return -1;
}

/* Whether the kernel says that a parent has no filter; what cannot be asked has some. */
static bool is_empty(int fd, uint32_t ifindex, uint32_t parent)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} ask = {.header = {.nlmsg_len = sizeof(ask),
			    .nlmsg_type = RTM_GETTFILTER,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		 .tc = {.tcm_ifindex = (int)ifindex, .tcm_parent = parent}};
	static _Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
	int found = -1;

	if (send(fd, &ask, sizeof(ask), 0) < 0)
		return false;
	while (found < 0) {
		ssize_t got = recv(fd, answer, sizeof(answer), 0);

		if (got <= 0)
			return false;
		found = look_for_filter((const struct nlmsghdr *)(const void *)answer, (size_t)got);
	}
	return found == 0;
}

static bool is_unused(uint32_t ifindex)
{
	bool empty = true;

	for (int egress = 0; egress < 2 && empty; egress++) {
		/* one for each: of an answer that was not read to its end the rest would follow */
		int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

		empty = fd >= 0 &&
			is_empty(fd, ifindex,
				 TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS));
		if (fd >= 0)
			close(fd);
	}
	return empty;
}

int filters_drop_qdisc(uint32_t ifindex, char **err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int rc = is_unused(ifindex) ? bpf_tc_hook_destroy(&hook) : 0;

	if (rc == 0 || is_gone(rc) || rc == -ENOENT || rc == -EINVAL) /* somebody was quicker */
		return 0;
	errno = -rc;
	return err_sys(err, "cannot take the clsact qdisc from device %u", ifindex);
}

/* ---- filters ---- */

static enum bpf_tc_attach_point point(enum kernel_hook side)
{
	return side == KERNEL_HOOK_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

int filters_set(uint32_t ifindex, enum kernel_hook side, int program, char **err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(side));
	LIBBPF_OPTS(bpf_tc_opts, how, .prog_fd = program, .flags = BPF_TC_F_REPLACE, .handle = HANDLE,
		    .priority = PRIORITY);
	int rc = bpf_tc_attach(&hook, &how);

	if (rc == 0 || is_gone(rc)) /* its end is told by other ways */
		return 0;
	errno = -rc;
	return err_sys(err, "cannot put a program at device %u (tc filter, priority %d)", ifindex, PRIORITY);
}

bool filters_has(uint32_t ifindex, enum kernel_hook side)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(side));
	LIBBPF_OPTS(bpf_tc_opts, what, .handle = HANDLE, .priority = PRIORITY);
	int rc = bpf_tc_query(&hook, &what);

	return rc == 0 || is_gone(rc);
}

int filters_clear(uint32_t ifindex, enum kernel_hook side, char **err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = point(side));
	LIBBPF_OPTS(bpf_tc_opts, what, .handle = HANDLE, .priority = PRIORITY);
	int rc = bpf_tc_detach(&hook, &what);

	if (rc == 0 || is_gone(rc) || rc == -ENOENT || rc == -EINVAL) /* no qdisc any more, or no filter */
		return 0;
	errno = -rc;
	return err_sys(err, "cannot take our program from device %u", ifindex);
}
